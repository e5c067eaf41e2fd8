"""Brings a file of equipment into the register: lamps, cabinets, feeders, rooms, green spaces, meters, communes.

CSV as spreadsheets write it (`;` or comma, decimal commas, UTF-8 or Windows-1252), or a GeoPackage in degrees or
Lambert-93. Each line says what one equipment is from a day on: of the column `valid_from`, of --from, or today. What
was so before stays known. A column that the file does not have leaves its field as it is; an empty cell empties it. So
a file of two columns, `id` and `node`, replaces nodes. When one line is wrong nothing is imported, and every fault is
shown.

example:
  bocage centre register import lampes.csv --db centre.db --commune 49007 --dry-run
"""

import argparse
import json
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

from gateway.language import N_, NN_, translate
from gateway.language.reasons import of_file
from tools.centre.arguments import add_warehouse, check_insee, database_faults, first_day, note
from tools.centre.limits import REGISTER_BYTES_MAX, REGISTER_LINES_SHOWN_MAX
from tools.centre.register import csv_file, equipment, geopackage, mapping, register, statements, words
from tools.centre.register.changes import Change, Plan
from tools.centre.register.equipment import Equipment
from tools.centre.register.table import GIVE_ANOTHER, Fault, Table, Unreadable, unreadable
from tools.centre.store import database, schema
from tools.command_line import add_json

FAULTY = 1
_REFERENCES_SHOWN_MAX = 10
# Of one fault in one column: a column that is wrong as a whole has it on each of 60,000 lines. Programs get all.
_ALIKE_SHOWN_MAX = 10
_MORE = NN_("… and {count} more", "… and {count} more")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, metavar="FILE", help="CSV or GeoPackage")
    add_warehouse(parser)
    parser.add_argument("--commune", metavar="INSEE", help="of the lines that name none")
    parser.add_argument("--from", dest="start", metavar="DAY", help="of the lines that name none (default: today)")
    parser.add_argument("--mapping", type=Path, metavar="FILE.toml", help="which column is what; see eclext.toml")
    parser.add_argument("--layer", help="of a GeoPackage that has several")
    parser.add_argument("--dry-run", action="store_true", help="shows what would change, and changes nothing")
    add_json(parser, "for programs")


def run(args: argparse.Namespace) -> int:
    if args.commune is not None:
        check_insee("--commune", args.commune)
    context = statements.Context(args.commune, first_day("--from", args.start, now_s=int(time.time())))
    path = args.file
    try:
        if args.mapping is not None:
            path = args.mapping
        known = mapping.known() if args.mapping is None else mapping.load(args.mapping)
        path = args.file
        table = _read(path, known, args.layer)
    except Unreadable as error:
        return _refuse(args, path, error.faults)
    stated, faults = statements.read(table, known, context)
    if faults:
        return _refuse(args, path, tuple(faults))
    with database_faults(args.db):
        planned, unknown = _import(args, stated, table)
        if not (planned.faults or args.dry_run):
            note(args, "register import", str(args.file), args.commune or "")
    if planned.faults:
        return _refuse(args, path, planned.faults)
    if args.json:
        print(json.dumps(_plain(planned, table, args.dry_run), ensure_ascii=False, indent=2))
    else:
        _print(args, planned, table, unknown)
    return 0


def _read(path: Path, known: mapping.Mapping, layer: str | None) -> Table:
    try:
        with path.open("rb") as file:
            data = file.read(len(geopackage.MAGIC))
            if data == geopackage.MAGIC:
                return geopackage.read(path, known, layer)
            data += file.read(REGISTER_BYTES_MAX + 1)
    except OSError as error:
        raise unreadable(N_("cannot be read: {why}"), GIVE_ANOTHER, why=of_file(error)) from error
    if len(data) > REGISTER_BYTES_MAX:
        raise unreadable(N_("is too long"), N_("split it"))
    return csv_file.read(data, known)


def _import(
    args: argparse.Namespace, stated: list[statements.Statement], table: Table
) -> tuple[Plan, list[tuple[equipment.Key, int]]]:
    """Plans and, unless it is a dry run, writes; returns the plan and what the register names and does not have."""
    if args.dry_run:
        exists = Path(args.db).is_file()
        connection = schema.open_to_read(args.db) if exists else schema.open_to_write(":memory:", "OFF")
        try:
            return register.plan_of(connection, stated, table.columns.heading), []
        finally:
            connection.close()
    connection = schema.open_to_write(args.db)
    try:
        return _write(connection, stated, table)
    finally:
        connection.close()


def _write(
    connection: database.Connection, stated: list[statements.Statement], table: Table
) -> tuple[Plan, list[tuple[equipment.Key, int]]]:
    with database.transaction(connection):
        planned = register.plan_of(connection, stated, table.columns.heading)
        if not planned.faults:
            register.apply(connection, planned)
    return planned, register.Register(connection).unknown_references()


# --- what is printed ----------------------------------------------------------------------------------------


def _refuse(args: argparse.Namespace, path: Path, faults: tuple[Fault, ...]) -> int:
    if args.json:
        document = {"faults": [words.fault_plain(one, args.lang) for one in faults]}
        print(json.dumps(document, ensure_ascii=False, indent=2))
        return FAULTY
    alike: Counter[tuple[str, str]] = Counter()
    for fault in faults:
        kind = fault.column, str(fault.problem.message)
        alike[kind] += 1
        if alike[kind] <= _ALIKE_SHOWN_MAX:
            print(words.fault_text(path, fault, args.lang), file=sys.stderr)
    for (column, _), count in alike.items():
        if count > _ALIKE_SHOWN_MAX:
            more = translate(_MORE, args.lang, count=count - _ALIKE_SHOWN_MAX)
            print(f"{path}: {column}: {more}" if column else f"{path}: {more}", file=sys.stderr)
    message = NN_("{count} fault: nothing is imported.", "{count} faults: nothing is imported.")
    print(translate(message, args.lang, count=len(faults)), file=sys.stderr)
    return FAULTY


def _print(args: argparse.Namespace, planned: Plan, table: Table, unknown: list[tuple[equipment.Key, int]]) -> None:
    # Of what is new one line shows how the columns were understood; each of 60,000 would hide what changes.
    new = [change for change in planned.changes if change.before is None]
    changed = [change for change in planned.changes if change.before is not None]
    for change in [*new[:1], *changed[:REGISTER_LINES_SHOWN_MAX]]:
        print(f"{args.file}:{change.line}: {_change(change, args.lang)}")
    hidden = len(changed) - REGISTER_LINES_SHOWN_MAX
    if hidden > 0:
        print(translate(_MORE, args.lang, count=hidden))
    counts = {"new": planned.new, "changed": planned.changed, "unchanged": planned.unchanged}
    print(translate(N_("{new} new, {changed} changed, {unchanged} as they were"), args.lang, **counts))
    if table.columns.unread:
        message = N_("columns that are not read: {names} (--mapping says what they are)")
        print(translate(message, args.lang, names=", ".join(table.columns.unread)))
    if unknown:
        names = [f"{words.address_text(key, args.lang)} ({times})" for key, times in unknown[:_REFERENCES_SHOWN_MAX]]
        more = ["…"] if len(unknown) > _REFERENCES_SHOWN_MAX else []
        message = N_("named, and not in the register yet: {names}")
        print(translate(message, args.lang, names=", ".join([*names, *more])))
    if args.dry_run:
        print(translate(N_("A dry run: nothing is written."), args.lang))


def _change(change: Change, language: str) -> str:
    if change.before is None:
        said = words.equipment_text(change.after, language)
    elif change.before == change.after:
        said = ""
    else:
        said = words.difference_text(change.before, change.after, language)
    days = words.days_text(change.from_unix_s, change.until_unix_s, language)
    named = f"{change.key.address} ({equipment.kind_word(change.key.kind, language)}), {days}"
    return f"{named} : {said}" if said else named


def _plain(planned: Plan, table: Table, dry_run: bool) -> dict[str, Any]:
    return {
        "dry_run": dry_run,
        "new": planned.new,
        "changed": planned.changed,
        "unchanged": planned.unchanged,
        "unread_columns": table.columns.unread,
        "changes": [
            {
                "line": change.line,
                "id": change.key.address,
                "kind": change.key.kind,
                "valid_from": equipment.day_text(change.from_unix_s),
                "valid_until": None if change.until_unix_s is None else equipment.day_text(change.until_unix_s - 1),
                "before": _values(change.before),
                "after": _values(change.after),
            }
            for change in planned.changes
        ],
    }


def _values(what: Equipment | None) -> dict[str, Any] | None:
    if what is None:
        return None
    known = {name: value for name, value in what._asdict().items() if value is not None}
    return {name: value.hex() if isinstance(value, bytes) else value for name, value in known.items()}
