"""A line of RS-485 with both sides in turn, the same on both interpreters: questions, answers, silence, noise."""

from binascii import hexlify

from wire import bus
from wire.bus import BusNode
from wire.bus_master import BusMaster

line = bus.line()
print(line.baud, bus.slot_ms(line), bus.cycle_ms(line, 32), bus.ack_timeout_ms(line, 32))
nodes = [BusNode(line, address) for address in (1, 2, 200)]
master = BusMaster(line, (1, 2, 3, 200), now_ms=0)
state = 7
now_ms = 0
for step in range(400):
    state = (state * 1103515245 + 12345) & 0x7FFFFFFF
    question = master.poll(now_ms=now_ms)
    if step % 40 == 0:
        master.send(2, bytes((step & 0xFF, 0xC0)), now_ms=now_ms)
        nodes[2].send(bytes(range(step & 63, 100)))
    if question:
        if step < 20:
            print(now_ms, hexlify(question).decode())
        for node in nodes:
            for datagram in node.receive(question, since_ms=now_ms):
                print("node", hexlify(datagram).decode())
            answer = node.answer(now_ms=now_ms + 5)
            if answer and state >> 16 & 7:
                for address, datagram in master.receive(answer, now_ms=now_ms + 12):
                    print(now_ms, address, len(datagram))
            elif answer:
                master.receive(answer[3:], now_ms=now_ms + 12)
    now_ms = max(now_ms + 12, master.deadline_ms())
print(now_ms, master.silent(), sorted(master.counters.items()))
for node in nodes:
    print(sorted(node.counters.items()))
