"""Frames on a serial line, the same on both interpreters: encodings, and decoding through garbage."""

from binascii import hexlify

from wire import slip

print(hex(slip.crc16(b"123456789")), hex(slip.crc16(b"")))
for body in (b"\x00", b"\xc0", b"\xdb", b"a\xc0\xdb\xdc\xddb", bytes(range(250))):
    framed = slip.encode(body)
    print(len(framed), hexlify(framed[:24]).decode())
    decoder = slip.Decoder(250)
    print(decoder.feed(framed) == [body], decoder.counters["frames"])
decoder = slip.Decoder(8)
state = 1
garbage = bytearray()
for _ in range(4000):
    state = (state * 1103515245 + 12345) & 0x7FFFFFFF
    garbage.append((state >> 16) & 0xFF)
bodies = decoder.feed(garbage)
print(len(bodies), sorted(decoder.counters.items()))
print(decoder.feed(slip.encode(b"whole")))
