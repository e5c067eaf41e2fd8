"""Records, answers and SenML packs: the same text on every interpreter.

First every line of vectors/records.txt, then values drawn by a generator of our own, which are encoded, decoded and
damaged. `failures` holds what differs from the file or does not come back; it must stay empty.
"""

from binascii import crc32, hexlify

from wire import cbor, event, limits, quantity, quantity_table, record, senml
from wire.faults import WireFault
from wire.record import Answer, EventBody, Record, Stamp

failures = []


def hexed(data):
    return hexlify(data).decode()  # b"".hex() is bytes on MicroPython 1.25


def shown(value):
    if value is None or value is True or value is False:
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        return '"' + value + '"'
    if isinstance(value, (list, tuple)):
        return "[" + ",".join([shown(element) for element in value]) + "]"
    if isinstance(value, dict):
        return "{" + ",".join([f"{key}:{value[key]}" for key in sorted(value)]) + "}"
    return "h'" + hexed(value) + "'"


def shown_record(found):
    stamp, body = found.stamp, found.body
    if stamp.quality == record.UNSET:
        clock = f"unset {stamp.seconds}"
    else:
        name = "synced" if stamp.quality == record.SYNCED else "holdover"
        clock = f"{name} {stamp.seconds}~{stamp.uncertainty_s}"
    if isinstance(body, EventBody):
        detail = "-" if body.detail is None else shown(body.detail)
        return f"{found.boot}/{found.sequence} {clock} event {body.code} {shown(body.active)} {detail}"
    return f"{found.boot}/{found.sequence} {clock} {shown(body)}"


def shown_payload(payload):
    try:
        return " | ".join([shown_record(found) for found in record.decode_payload(payload)])
    except WireFault as fault:
        return "fault " + fault.reason


def shown_answer(payload):
    try:
        answer = record.decode_answer(payload)
    except WireFault as fault:
        return "fault " + fault.reason
    return f"{shown(answer.unix_s)}~{answer.uncertainty_s}"


def unpacked(words):
    data = b""
    for word in words:
        group, _, times = word.partition("*")
        data += bytes.fromhex("" if group == "-" else group) * int(times or "1")
    return data


def vectors():
    folder = __file__.replace("\\", "/").rpartition("/")[0] or "."
    with open(folder + "/../vectors/records.txt") as lines:
        for line in lines:
            if " => " in line and not line.startswith("#"):
                left, _, expected = line.strip("\n").partition(" => ")
                words = left.split(" ")
                yield words[0], unpacked(words[1:]), expected


def check(what, holds):
    if not holds:
        failures.append(what)


def check_vector(kind, data, expected):
    found = shown_payload(data) if kind == "payload" else shown_answer(data)
    print(kind, len(data), found)
    check(f"{hexed(data)}: {found}, not {expected}", found == expected)
    if kind == "payload" and not found.startswith("fault"):
        again = b""
        for item in record.decode_payload(data):
            again += record.encode(item)
        check(f"{hexed(data)}: encodes to {hexed(again)}", again == data)


class Draw:
    """A linear congruential generator: the same numbers everywhere."""

    def __init__(self, seed):
        self.state = seed

    def below(self, bound):
        self.state = (self.state * 6364136223846793005 + 1442695040888963407) & 0xFFFFFFFFFFFFFFFF
        return (self.state >> 33) % bound

    def wide(self):
        # All sizes of integers alike.
        value = (self.below(1 << 30) << 23 | self.below(1 << 23)) >> self.below(54)
        return -value if self.below(3) == 0 else value

    def readings(self):
        known = [entry.code for entry in quantity_table.TABLE]
        result = {}
        for _ in range(1 + self.below(12)):
            code = known[self.below(len(known))] if self.below(4) else self.below(256)
            result[quantity.key(code, self.below(3) * self.below(32))] = self.wide()
        return result

    def detail(self):
        choices = (None, True, False, "word", "été", b"\x00\xff", self.wide(), -1)
        return [choices[self.below(len(choices))] for _ in range(self.below(6))]

    def body(self):
        kind = self.below(4)
        if kind == 0:
            return self.readings()
        code = (64, 65, 66, 77, 128, 200, 255)[self.below(7)]
        active = (None, True, False)[self.below(3)]
        return EventBody(code, active, (None, self.readings(), self.detail())[kind - 1])

    def record(self):
        quality = self.below(3)
        stamp = Stamp(quality, self.below(1 << 31) * 2, 0 if quality == 0 else self.below(86401))
        return Record(self.below(1 << 31), self.below(1 << 20), stamp, self.body())


def check_records(draw, count):
    writer = cbor.Writer(bytearray(limits.CBOR_BYTES_MAX))
    for _ in range(count):
        made = draw.record()
        writer.length = 0
        record.write(writer, made)
        payload = bytes(writer.view())
        print(record.lane(made), hexed(payload))
        check(hexed(payload), record.decode_payload(payload) == [made])
        check(hexed(payload), record.decode_body(record.encode_body(made.body)) == made.body)
        damaged = bytearray(payload)
        damaged[draw.below(len(damaged))] ^= 1 << draw.below(8)
        print("  damaged", hexed(damaged), shown_payload(damaged))


def check_pack(draw, lane, count):
    items = []
    for _ in range(count):
        node = bytes([draw.below(256) for _ in range(limits.NODE_ID_BYTES)])
        items.append(senml.Item(node, draw.record()))
    first = draw.below(1000)
    batch = senml.Batch(b"gateway!", b"an epoch", lane, first, first + count - 1, first, 3, items)
    pack = senml.encode_pack(batch)
    print("pack", lane, count, len(pack), hexed(pack) if count < 3 else "%08x" % crc32(pack))
    check(f"pack of {count}", senml.decode_pack(pack) == batch)
    for _ in range(40):
        place, bit = draw.below(len(pack)), 1 << draw.below(8)
        damaged = bytearray(pack)
        damaged[place] ^= bit
        try:
            found = senml.decode_pack(bytes(damaged))
            told = " ".join([hexed(item.node) + " " + shown_record(item.record) for item in found.items])
            print("  damaged", place, bit, "%08x" % crc32(told.encode()))
        except WireFault as fault:
            print("  damaged", place, bit, "fault", fault.reason)


count = 0
for kind, data, expected in vectors():
    count += 1
    check_vector(kind, data, expected)
check("the vectors are there", count > 80)

for answer in (
    Answer(None, 0, None, 0),
    Answer(1763409600, 2, 240, 1),
    Answer(limits.SECONDS_MAX, limits.UNCERTAINTY_S_MAX, limits.LEASE_S_MAX, limits.WAITING_MAX),
):
    payload = record.encode_answer(answer)
    print("answer", hexed(payload))
    check(hexed(payload), record.decode_answer(payload) == answer)

check_records(Draw(1), 120)
check_pack(Draw(2), event.TELEMETRY, 0)
check_pack(Draw(3), event.ALARM, 2)
check_pack(Draw(4), event.EVENT, 30)

print(count, "vectors,", len(failures), "failures")
assert not failures, "\n".join(failures)
