"""The concentrator, the same on both interpreters: a script of line, air and a driver that sometimes hangs."""

from binascii import hexlify

from concentrator.bridge import RESTART, SEND, Bridge
from wire import radio, slip

bridge = Bridge(session=0x01020304, cause="soft", firmware="test", channel=6, now_ms=0)
decoder = slip.Decoder(radio.BODY_BYTES_MAX)
bridge.on_serial(slip.encode(radio.ask(99, 0)))
state, number, free, now_ms = 5, 0, 0, 0
heard = []
for step in range(3000):
    state = (state * 1103515245 + 12345) & 0x7FFFFFFF
    now_ms += state >> 8 & 63
    mac = bytes((2, 0, 0, 0, 0, state >> 16 & 31))
    if state & 3 == 0:
        bridge.on_radio(mac, -(state >> 20 & 127), bytes(state >> 12 & 127))
    if free > 0 and state & 4:
        number, free = number + 1, free - 1
        bridge.on_serial(slip.encode(radio.down(number, mac, b"down %d" % step)))
    bridge.poll(now_ms=now_ms)
    for action in bridge.drain_actions():
        if step < 60:
            print(step, action[0], hexlify(action[1]).decode() if len(action) > 1 else "")
        if action[0] == SEND and state >> 8 & 255:
            bridge.on_done(bool(state & 32))
        assert action[0] != RESTART
    while True:
        frame = bridge.next_frame(heap_free=1000, radio_dropped=2, now_ms=now_ms)
        if not frame:
            break
        for body in decoder.feed(frame):
            message = radio.decode(body)
            if isinstance(message, radio.Credit):
                free = message.free - (number - message.number & radio.NUMBER_MASK)
            elif not isinstance(message, radio.Up):
                heard.append(message)
print(len(heard), tuple(heard[0]))
print([tuple(message) for message in heard[-2:]])
print(sorted(bridge.counters.items()))
