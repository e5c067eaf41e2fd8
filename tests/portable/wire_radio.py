"""The serial protocol of the concentrator, the same on both interpreters: bodies, and any bytes at all."""

from binascii import hexlify

from wire import radio
from wire.faults import WireFault

MAC = b"\x24\x6f\x28\x01\x02\x03"
BODIES = (
    radio.up(MAC, -97, b"datagram"),
    radio.hello(0xDEADBEEF, 7, 11, "watchdog", "0.1.0"),
    radio.credit(70000, 16),
    radio.health(range(len(radio.HEALTH_NAMES))),
    radio.peers([(MAC, -60, 1, 2, 70000), (MAC, -200, 0, 0, 0)]),
    radio.down(65535, MAC, b"\xc0\xdb"),
    radio.ask(0xFFFFFFFF, 12),
    radio.channel(6),
)
for body in BODIES:
    print(hexlify(body).decode(), tuple(radio.decode(body)))
state = 3
reasons = {}
for _ in range(600):
    state = (state * 1103515245 + 12345) & 0x7FFFFFFF
    body = bytearray(BODIES[state % len(BODIES)])
    body[(state >> 8) % len(body)] ^= 1 << (state >> 16 & 7)
    try:
        name = type(radio.decode(bytes(body)[: (state >> 4) % 40])).__name__
    except WireFault as fault:
        name = fault.reason
    reasons[name] = reasons.get(name, 0) + 1
print(sorted(reasons.items()))
