"""Writes the register, or what it was on a day, as CSV or GeoPackage; `register import` reads both back.

By its ending the file is a .csv (with --lang en for programs: commas, points, English headings) or a .gpkg.

example:
  bocage centre register export angers.gpkg --db centre.db --commune 49007 --at 2026-11-29
"""

import argparse
import os
import time
from pathlib import Path

from gateway.language import N_, translate
from gateway.language.reasons import of_file
from tools.centre.arguments import add_reading, check_insee, first_day, opened_connection
from tools.centre.register import csv_file, geopackage
from tools.centre.register.equipment import KINDS, Version
from tools.centre.register.register import Register
from tools.centre.store import database
from tools.command_line import Refused, UsageError

_ENDINGS = (".csv", ".gpkg")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, metavar="FILE", help="to write: .csv or .gpkg")
    add_reading(parser)
    parser.add_argument("--commune", metavar="INSEE", help="of one commune")
    parser.add_argument("--kind", choices=tuple(KINDS), help="of one kind")
    parser.add_argument("--at", metavar="DAY", help="what was so on that day (default: everything, with its days)")


def run(args: argparse.Namespace) -> int:
    if args.file.suffix.lower() not in _ENDINGS:
        raise UsageError(N_("{file}: give a name that ends in .csv or .gpkg"), file=args.file)
    if args.commune is not None:
        check_insee("--commune", args.commune)
    at_unix_s = None if args.at is None else first_day("--at", args.at, now_s=int(time.time()))
    with opened_connection(args) as connection:
        register = Register(connection)
        versions = list(register.versions(insee=args.commune, kind=args.kind, at_unix_s=at_unix_s))
    _write(args.file, versions, args.lang)
    print(translate(N_("{file}: {count} lines"), args.lang, file=args.file, count=len(versions)))
    return 0


def _write(path: Path, versions: list[Version], language: str) -> None:
    """Replaces the file as a whole, or leaves it as it was."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        try:
            if path.suffix.lower() == ".csv":
                beside.write_bytes(csv_file.write(versions, language))
            else:
                geopackage.write(beside, versions)
            beside.replace(path)
        finally:
            beside.unlink(missing_ok=True)
    except OSError as error:
        raise Refused(N_("{path} cannot be written: {why}"), path=path, why=of_file(error)) from error
    except database.Error as error:
        raise Refused(N_("{path} cannot be written: {why}"), path=path, why=error) from error
