"""Counts the bytes on the wire of a street light's record, and of a reading in a deflated batch to the centre.

The peer is JSON: the record as an object of names and decimal numbers, the batch as SenML in JSON (RFC 8428),
deflated alike. Bounds: 48 bytes a record of 8 readings, 4.5 bytes a reading in a batch of 50 records.

    bocage bench bytes --json
"""

import argparse
import json
import zlib

from tools.bench import street
from tools.command_line import add_json
from wire import quantity, quantity_table, record, senml

RECORD_BYTES_MAX = 48
READING_BYTES_MAX = 4.5


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--lamps", type=int, default=street.LAMPS, help="records in the batch (default %(default)s)")
    parser.add_argument("--seeds", type=int, default=5, help="how many streets to draw (default %(default)s)")
    add_json(parser)


def deflated(data: bytes) -> int:
    """Returns the length after raw deflate at level 6, as batches are sent."""
    compressor = zlib.compressobj(6, zlib.DEFLATED, -15)
    return len(compressor.compress(data) + compressor.flush())


def decimal_text(key: int, value: int) -> float | int:
    """Returns a reading as JSON writes it: a decimal in its unit."""
    exponent = quantity_table.BY_CODE[key % quantity.CHANNEL_STEP].exponent
    return round(value * 10.0**exponent, -exponent) if exponent else value


def json_record(made) -> bytes:
    """Returns the record as a node would send it in JSON: compact, with the names of the table."""
    told = {quantity_table.label(key): decimal_text(key, value) for key, value in made.body.items()}
    stamp = {"boot": made.boot, "seq": made.sequence, "t": made.stamp.seconds, "u": made.stamp.uncertainty_s}
    return json.dumps({**stamp, **told}, separators=(",", ":")).encode()


def json_pack(items: list) -> bytes:
    """Returns the same records as SenML in JSON."""
    pack: list[dict] = []
    for item in items:
        made = item.record
        base = {
            "bn": f"{item.node.hex()}/",
            "bt": made.stamp.seconds,
            "q": record.quality_code(made.stamp),
            "boot": made.boot,
            "seq": made.sequence,
        }
        for key in sorted(made.body):
            unit = quantity_table.BY_CODE[key % quantity.CHANNEL_STEP].unit
            pack.append({**base, "n": quantity_table.label(key), "u": unit, "v": decimal_text(key, made.body[key])})
            base = {}
    return json.dumps(pack, separators=(",", ":")).encode()


def measure(lamps: int, seed: int) -> dict:
    """Returns the figures of one street."""
    items = street.street(lamps, seed)
    readings = sum(len(item.record.body) for item in items)
    pack = senml.encode_pack(street.batch(items))
    return {
        "seed": seed,
        "record_bytes_max": max(len(record.encode(item.record)) for item in items),
        "json_record_bytes_max": max(len(json_record(item.record)) for item in items),
        "pack_bytes": len(pack),
        "batch_bytes": deflated(pack),
        "bytes_per_reading": round(deflated(pack) / readings, 3),
        "json_bytes_per_reading": round(deflated(json_pack(items)) / readings, 3),
    }


def run(args: argparse.Namespace) -> int:
    """Prints the figures; the exit status is 0 when both bounds hold."""
    rows = [measure(args.lamps, seed) for seed in range(1, args.seeds + 1)]
    worst_record = len(record.encode(street.worst_case()))
    passed = worst_record <= RECORD_BYTES_MAX and all(row["bytes_per_reading"] <= READING_BYTES_MAX for row in rows)
    if args.json:
        print(
            json.dumps(
                {
                    "lamps": args.lamps,
                    "record_bytes_worst": worst_record,
                    "record_bytes_bound": RECORD_BYTES_MAX,
                    "bytes_per_reading_bound": READING_BYTES_MAX,
                    "streets": rows,
                    "passed": passed,
                },
                indent=1,
            )
        )
        return 0 if passed else 1
    print(f"a record of 8 readings, at worst   {worst_record} bytes (bound {RECORD_BYTES_MAX})")
    print(f"a batch of {args.lamps} records, raw deflate level 6 (bound {READING_BYTES_MAX} bytes a reading)")
    print("seed  record  as JSON   pack  batch  bytes/reading  SenML-JSON")
    for row in rows:
        print(
            f"{row['seed']:4}  {row['record_bytes_max']:6}  {row['json_record_bytes_max']:7}  {row['pack_bytes']:5}"
            f"  {row['batch_bytes']:5}  {row['bytes_per_reading']:13.2f}  {row['json_bytes_per_reading']:10.2f}"
        )
    return 0 if passed else 1
