"""Writes records as SenML JSON (RFC 8428) or CSV, for programs of others; decimals are exact, no float is used.

SenML is one array; each Bocage record opens with base name `<node>/` and base time, and carries `boot`, `seq` and `q`
(quality code, `wire.record`) as extra labels, as the packs of the gateways do. An uptime that no anchor maps to UTC has
base time 0 and the label `up`; one that an anchor maps has its UTC as base time, `up` unchanged beside it, and
`within`, the uncertainty of that time in ± s. An event without true or false is a data value (`vd`, CBOR in base64url).
A record that conflicts with another of the same identity has the label `conflict`; one whose time was doubted at its
receipt has the label `doubtful`, and keeps the time that it states.

Both say what the node served at that time, as the register knows it: `equipment` (49007-0117), `equipment_name`,
`street`, `commune`, `cabinet`, `feeder`; in SenML as extra labels, those that are known.

CSV is one line a reading or event; `unix_s` is empty when the time is not known, `detail` is JSON.

example:
  bocage centre export --db centre.db --format csv --node 0011223344556677 > lamp.csv
"""

import argparse
import base64
import csv
import json
import sys
from collections.abc import Iterator
from typing import TextIO

from tools.centre.arguments import add_reading, opened_connection, parse_node
from tools.centre.register.register import Register
from tools.centre.store.archive import Archive, Held, Moment
from wire import cbor, quantity, quantity_table, record
from wire.event_table import label as event_label

PLACE_COLUMNS = ("equipment", "equipment_name", "street", "commune", "cabinet", "feeder")
CSV_COLUMNS = (
    "node",
    "boot",
    "sequence",
    "unix_s",
    "uncertainty_s",
    "quality",
    "uptime_s",
    "lane",
    "insee",
    "gateway",
    "name",
    "value",
    "unit",
    "detail",
    "conflict",
    "doubtful",
    *PLACE_COLUMNS,
)
_QUALITIES = {record.UNSET: "unset", record.SYNCED: "synced", record.HOLDOVER: "holdover"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_reading(parser)
    parser.add_argument("--format", choices=("senml", "csv"), default="senml")
    parser.add_argument("--node", metavar="HEX", help="one node only, by its id of 16 hexadecimal digits")


def run(args: argparse.Namespace) -> int:
    node = None if args.node is None else parse_node(args.node)
    write = write_csv if args.format == "csv" else write_senml
    with opened_connection(args, reads="export", about=args.node or "") as connection:
        write(Archive(connection), sys.stdout, node, Register(connection))
    return 0


def decimal(value: int, exponent: int) -> str:
    """Returns `value · 10^exponent` as a JSON number, every digit kept: 2137 and -2 give `21.37`."""
    if exponent >= 0:
        return str(value) + "0" * (exponent if value else 0)
    digits = str(abs(value)).rjust(1 - exponent, "0")
    return f"{'-' if value < 0 else ''}{digits[:exponent]}.{digits[exponent:]}"


def write_senml(archive: Archive, out: TextIO, node: bytes | None = None, register: Register | None = None) -> int:
    """Writes every record (of one node) as one SenML array; returns the number of Bocage records. `register` gives
    names."""
    count = 0
    separator = "[\n"
    for held in archive.held(node):
        count += 1
        moment = archive.moment(held.node, held.boot, held.stamp)
        for entry in _senml_entries(held, moment, _place(register, held, moment)):
            out.write(separator + "{" + ",".join(f'"{name}":{text}' for name, text in entry) + "}")
            separator = ",\n"
    out.write("[]\n" if count == 0 else "\n]\n")
    return count


def write_csv(archive: Archive, out: TextIO, node: bytes | None = None, register: Register | None = None) -> int:
    """Writes every record (of one node) as CSV with a header; returns the number of records. `register` gives names."""
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(CSV_COLUMNS)
    count = 0
    for held in archive.held(node):
        count += 1
        moment = archive.moment(held.node, held.boot, held.stamp)
        place = _place(register, held, moment)
        writer.writerows((*line, *place) for line in _csv_lines(held, moment))
    return count


def _place(register: Register | None, held: Held, moment: Moment) -> tuple[str | None, ...]:
    """Returns the values of PLACE_COLUMNS; a time that is unknown is that of the receipt."""
    believed_s = moment.unless(held.is_doubtful).unix_s
    at_s = held.received_unix_s if believed_s is None else believed_s
    place = None if register is None else register.of_node(held.node, unix_s=at_s)
    return (None,) * len(PLACE_COLUMNS) if place is None else (place.key.address, *place[1:])


def _senml_entries(held: Held, moment: Moment, place: tuple[str | None, ...]) -> Iterator[list[tuple[str, str]]]:
    """Returns the entries as (label, JSON text): numbers are written as they are, without passing through a float."""
    opening = _opening(held, moment)
    names = zip(PLACE_COLUMNS, place, strict=True)
    opening.extend((column, json.dumps(value, ensure_ascii=False)) for column, value in names if value is not None)
    body = record.decode_body(held.body)
    readings = body
    if not isinstance(body, dict):
        is_list = isinstance(body.detail, list)
        entry = [*opening, ("n", json.dumps(event_label(body.code)))]
        if body.active is not None and not is_list:
            entry.append(("vb", "true" if body.active else "false"))
        else:
            data = cbor.encode([body.active, body.detail if is_list else None])
            entry.append(("vd", json.dumps(base64.urlsafe_b64encode(data).rstrip(b"=").decode())))
        yield entry
        opening = []
        readings = body.detail if isinstance(body.detail, dict) else {}
    for key in sorted(readings):
        name, unit, value = _reading(key, readings[key])
        yield [*opening, ("n", json.dumps(name)), *([("u", json.dumps(unit))] if unit else []), ("v", value)]
        opening = []


def _opening(held, moment):
    fields = [
        ("bn", json.dumps(held.node.hex() + "/")),
        ("bt", str(moment.unix_s or 0)),
        ("boot", str(held.boot)),
        ("seq", str(held.sequence)),
        ("q", str(record.quality_code(held.stamp))),
    ]
    if held.stamp.quality == record.UNSET:
        fields.append(("up", str(held.stamp.seconds)))
        if moment.unix_s is not None:
            fields.append(("within", str(moment.uncertainty_s)))
    if held.conflicting:
        fields.append(("conflict", "true"))
    if held.is_doubtful:
        fields.append(("doubtful", "true"))
    return fields


def _reading(key, value):
    entry = quantity_table.BY_CODE.get(key % quantity.CHANNEL_STEP)
    text = decimal(value, entry.exponent) if entry else str(value)
    return quantity_table.label(key), entry.unit if entry else "", text


def _csv_lines(held: Held, moment: Moment) -> Iterator[tuple]:
    unset = held.stamp.quality == record.UNSET
    opening = (
        held.node.hex(),
        held.boot,
        held.sequence,
        moment.unix_s,
        moment.uncertainty_s,
        _QUALITIES[held.stamp.quality],
        held.stamp.seconds if unset else None,
        held.lane,
        held.insee,
        held.gateway,
    )
    marks = tuple("yes" if is_set else "" for is_set in (held.conflicting, held.is_doubtful))
    body = record.decode_body(held.body)
    readings = body
    if not isinstance(body, dict):
        detail = json.dumps([_jsonable(item) for item in body.detail]) if isinstance(body.detail, list) else ""
        active = {True: "true", False: "false", None: ""}[body.active]
        yield (*opening, event_label(body.code), active, "", detail, *marks)
        readings = body.detail if isinstance(body.detail, dict) else {}
    for key in sorted(readings):
        name, unit, value = _reading(key, readings[key])
        yield (*opening, name, value, unit, "", *marks)


def _jsonable(item):
    return item.hex() if isinstance(item, bytes) else item
