"""The CBOR subset: the same text on every interpreter, for good values, damaged bytes and bytes drawn at random.

`failures` holds what does not come back; it must stay empty. Maps are shown in the order of their keys.
"""

from binascii import hexlify

from wire import cbor
from wire.faults import WireFault

failures = []


def hexed(data):
    return hexlify(data).decode()  # b"".hex() is bytes on MicroPython 1.25


def shown(value):
    if value is None or value is True or value is False:
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, str):
        return '"' + value + '"'
    if isinstance(value, bytes):
        return "h'" + hexed(value) + "'"
    if isinstance(value, list):
        return "[" + ",".join([shown(element) for element in value]) + "]"
    if isinstance(value, dict):
        entries = sorted([(cbor.encode(key), key) for key in value])
        return "{" + ",".join([shown(key) + ":" + shown(value[key]) for _, key in entries]) + "}"
    return str(value)


def shown_bytes(data, fractions=False):
    """The value, or why not. What is taken must encode to the same bytes."""
    try:
        value = cbor.decode(data, fractions=fractions)
    except WireFault as fault:
        return "fault " + fault.reason
    if cbor.encode(value) != bytes(data):
        failures.append(f"{hexed(data)}: encodes to {hexed(cbor.encode(value))}")
    return shown(value)


class Draw:
    """A linear congruential generator: the same numbers everywhere."""

    def __init__(self, seed):
        self.state = seed

    def below(self, bound):
        self.state = (self.state * 6364136223846793005 + 1442695040888963407) & 0xFFFFFFFFFFFFFFFF
        return (self.state >> 33) % bound

    def integer(self):
        # All sizes alike, up to 64 bits.
        value = (self.below(1 << 31) << 33 | self.below(1 << 31) << 2 | self.below(4)) >> self.below(64)
        return -1 - value if self.below(2) else value

    def value(self, depth):
        kind = self.below(9 if depth else 6)
        if kind < 2:
            return self.integer()
        if kind == 2:
            return bytes([self.below(256) for _ in range(self.below(30))])
        if kind == 3:
            return "".join(["aé水𐅑"[self.below(4)] for _ in range(self.below(12))])
        if kind == 4:
            return (None, True, False)[self.below(3)]
        if kind == 5:
            return cbor.DecimalFraction(self.below(20) - 10, self.integer())
        if kind == 6:
            return [self.value(depth - 1) for _ in range(self.below(5))]
        result = {}
        for _ in range(self.below(6)):
            key = self.integer() if self.below(3) else "aé水𐅑"[self.below(4)] * self.below(4)
            result[key] = self.value(depth - 1)
        return result


# Heads of every width at their edges, both signs.
for width in (0, 8, 16, 32, 64):
    for edge in ((1 << width) - 2, (1 << width) - 1, 1 << width, 23, 24):
        for value in (edge, -1 - edge):
            try:
                encoded = cbor.encode(value)
            except WireFault as fault:
                print(value, "fault", fault.reason)
                continue
            print(value, hexed(encoded), shown_bytes(encoded))

for value in (1.5, {1, 2}, {b"key": 1}, {True: 1}):
    try:
        print(hexed(cbor.encode(value)))
        failures.append("a type that is none of ours was written")
    except WireFault as fault:
        print("fault", fault.reason)

# Every initial byte, alone and with zeros, ones and sense behind.
for initial in range(256):
    for rest in (b"", bytes(17), b"\xff" * 17, b"\x01", b"\x01\x01", b"\x18\x18", b"\x61a\x61b"):
        data = bytes([initial]) + rest
        print(hexed(data), shown_bytes(data), "/", shown_bytes(data, True))

# Well-formed and ill-formed UTF-8, each lead byte with each class of continuation.
for lead in range(0x80, 0x100):
    for second in (0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0):
        for size in (2, 3, 4):
            data = bytes([0x60 + size, lead, second]) + b"\x80" * (size - 2)
            found = shown_bytes(data)
            if found != "fault utf-8":
                print(hexed(data), found)

for opening in (b"\x81", b"\xa1\x00", b"\xc4\x82\x00", b"\x9f"):
    for count in (5, 6, 7, 300):
        print(hexed(opening), count, shown_bytes(opening * count + b"\x00", True))

draw = Draw(1)
for _ in range(250):
    value = draw.value(3)
    encoded = cbor.encode(value)
    print(hexed(encoded), shown_bytes(encoded, True))
    if cbor.decode(encoded, fractions=True) != value:
        failures.append(f"{shown(value)}: comes back otherwise")
    damaged = bytearray(encoded)
    damaged[draw.below(len(damaged))] ^= 1 << draw.below(8)
    print("  damaged", hexed(damaged), shown_bytes(damaged, True))
    cut = encoded[: draw.below(len(encoded))]
    print("  cut", shown_bytes(cut, True))

for _ in range(400):
    data = bytes([draw.below(256) for _ in range(1 + draw.below(12))])
    print(hexed(data), shown_bytes(data, True))

print(len(failures), "failures")
assert not failures, "\n".join(failures)
