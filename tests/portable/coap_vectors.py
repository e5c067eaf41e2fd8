"""Decodes every datagram of vectors/coap.txt and encodes the good ones again: the same on every interpreter.

Prints one line a vector. `failures` holds what differs from the file; it must stay empty.
"""

from binascii import hexlify

from wire import coap_message as messages

TYPES = ("CON", "NON", "ACK", "RST")


def hexed(data):
    return hexlify(data).decode()  # b"".hex() is bytes on MicroPython 1.25


def described(result):
    if isinstance(result, messages.Fault):
        if result.type is None:
            return f"fault {result.reason}"
        return f"fault {result.reason} {TYPES[result.type]} {result.message_id:04x}"
    options = ",".join([f"{number}:{hexed(value)}" for number, value in result.options])
    head = f"{TYPES[result.type]} {result.code:02x} {result.message_id:04x}"
    return f"{head} {hexed(result.token) or '-'} {options or '-'} {hexed(result.payload) or '-'}"


def vectors():
    folder = __file__.replace("\\", "/").rpartition("/")[0] or "."
    with open(folder + "/../vectors/coap.txt") as lines:
        for line in lines:
            if " => " in line and not line.startswith("#"):
                datagram, _, expected = line.strip("\n").partition(" => ")
                yield bytes.fromhex(datagram.strip()), expected


failures = []
count = 0
for datagram, expected in vectors():
    count += 1
    result = messages.decode(datagram)
    found = described(result)
    print(found)
    if found != expected:
        failures.append(f"{hexed(datagram)}: {found}, not {expected}")
    if isinstance(result, messages.Message) and messages.encode(result) != datagram:
        failures.append(f"{hexed(datagram)}: encodes to {hexed(messages.encode(result))}")

print(count, "vectors,", len(failures), "failures")
assert not failures, "\n".join(failures)
assert count > 50
