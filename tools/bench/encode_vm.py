"""Runs on a MicroPython VM, for tools.bench.encode: heap bytes of one telemetry encode, ours and the peer's.

Prints lines `name allocated encoded`: bytes that the call took from the heap, bytes that it made. The collector is off
during the measurement, so no memory is freed; the third run is measured, when every module and cache is loaded.
"""

# mypy: ignore-errors
# The modules of MicroPython are not those that mypy knows.

import gc
import json

from wire import cbor, limits, quantity, quantity_table, record

try:
    import cbor2 as peer  # micropython-lib's, where the VM has it
except ImportError:
    peer = None

READINGS = {
    quantity.POWER: 421,
    quantity.VOLTAGE: 2301,
    quantity.CURRENT: 1932,
    quantity.ENERGY: 345678,
    quantity.LEVEL_ORDERED: 70,
    quantity.TEMPERATURE: 1437,
    quantity.POWER_FACTOR: 95,
    quantity.LAMP_HOURS: 8210,
}
RECORD = record.Record(7, 10423, record.Stamp(record.SYNCED, 1763409600, 3), READINGS)
NAMED = {quantity_table.label(key): READINGS[key] for key in READINGS}

writer = cbor.Writer(bytearray(limits.DATAGRAM_BYTES_MAX))


def ours():
    writer.length = 0
    record.write(writer, RECORD)
    return writer.length


def peer_cbor():
    return len(peer.dumps([7, 10423, 1763409600, 7, READINGS]))


def naive_json():
    return len(json.dumps({"boot": 7, "seq": 10423, "t": 1763409600, "q": 7, "v": NAMED}))


def allocated(encode):
    encode()
    encoded = encode()
    gc.collect()
    gc.disable()
    before = gc.mem_alloc()
    encode()
    after = gc.mem_alloc()
    gc.enable()
    return after - before, encoded


def nothing():
    return 0


for name, encode in (
    ("nothing", nothing),
    ("record.write", ours),
    ("cbor2.dumps", peer_cbor) if peer else ("json.dumps", naive_json),
):
    print(name, *allocated(encode))
