"""Serves the screens of the centre: map and list of lights, faults, cabinets, each person what is granted to them.

It reads the warehouse through the rights of `bocage centre access`, and writes a database of its own, of
accounts and sessions. It listens on this machine only; people elsewhere reach it through a proxy with a certificate,
by the address --origin.

example:
  bocage centre web account "Léa Durand"
  bocage centre web --db centre.db
  bocage centre web --db centre.db --data /var/lib/bocage/web.sqlite3 --port 8080 --origin https://centre.example.fr
"""

import argparse
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from gateway.language import N_, Phrases, translate
from gateway.language.arguments import whole
from gateway.language.reasons import of_file
from tools.centre.arguments import add_warehouse, check_warehouse, database_faults
from tools.centre.scope import reader
from tools.centre.web.configuration import Options, is_loopback
from tools.command_line import UsageError

AT = N_("The screens are at {origin}")
_UNFIT = Phrases({
    "vector": N_("--tiles {path}: vector tiles, and maps draw images here (PNG, JPEG, WebP); how such a file is made of"
                 " a plan or a photograph: tools/centre/INSTALLATION.md, section 3"),
    "not": N_("--tiles {path}: is no PMTiles file of images"),
})  # fmt: skip
_NOT_SECURE = N_("--origin {origin}: give https://HOST; without a certificate only this machine may be its host")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_warehouse(parser)
    add_data(parser)
    text = N_("the control file: orders that people sign, which `bocage centre control --web` then sends")
    parser.add_argument("--control", metavar="FILE", help=text)
    parser.add_argument("--duty", metavar="FILE", help="`--book` of `bocage centre duty`: who was told what")
    parser.add_argument("--directory", type=Path, metavar="FILE", help="the territory's own directory (OpenID Connect)")
    parser.add_argument("--issued", metavar="FOLDER", help="certificates that the authority has signed: which end soon")
    parser.add_argument("--kwh-price", type=float, metavar="EUROS", help="what a kWh costs, for the page of a month")
    parser.add_argument("--port", type=whole(1, 65535), default=8080, help="of this machine (default: %(default)s)")
    parser.add_argument("--origin", metavar="URL", help="the address by which people reach it (default: this machine)")
    parser.add_argument(
        "--ground", metavar="FOLDER", help="what maps draw under the lights: 49135.geojson; kind: street, house, water"
    )
    parser.add_argument("--tiles", metavar="FILE", help="a PMTiles file of images (PNG, JPEG, WebP) to draw under that")


def add_data(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--data", default="web.sqlite3", metavar="FILE", help="accounts and sessions, made if missing (%(default)s)"
    )


def run(args: argparse.Namespace) -> int:
    from tools.centre.web.serving import listening, serve

    origin = args.origin or f"http://127.0.0.1:{args.port}"
    address = urlsplit(origin)
    is_allowed = address.scheme == "https" or (address.scheme == "http" and is_loopback(address.hostname or ""))
    if not is_allowed or not address.hostname:
        raise UsageError(_NOT_SECURE, origin=origin)
    check_warehouse(args.db)
    if args.control is not None and not Path(args.control).is_file():
        raise UsageError(N_("{field} {path}: no such file"), field="--control", path=args.control)
    if args.tiles is not None:
        _check_tiles(args.tiles)
    with database_faults(args.db):
        reader.areas_of(args.db, "", now_s=0)
    listener = listening(args.port)
    print(translate(AT, args.lang, origin=origin), flush=True)
    given = {name: getattr(args, name) for name in ("ground", "control", "kwh_price", "tiles", "duty", "issued")}
    directory = None if args.directory is None else _directory(args.directory)
    serve(Options(args.db, args.data, origin, directory=directory, **given), listener)
    return 0


def _check_tiles(path: str) -> None:
    from tools.centre.web import tiles

    try:
        tiles.opened(path)
    except tiles.Unfit as unfit:
        raise UsageError(_UNFIT.messages[str(unfit)], path=path) from unfit
    except OSError as error:
        raise UsageError(N_("{field} {path}: no such file"), field="--tiles", path=path) from error


def _directory(path: Path) -> Any:
    from tools.centre.web import directory

    try:
        return directory.configuration(path)
    except directory.Faulty as fault:
        message = N_("--directory {path}: {field} is missing, or not what it may be")
        raise UsageError(message, path=path, field=fault) from fault
    except OSError as error:
        raise UsageError(N_("--directory {path}: {why}"), path=error.filename, why=of_file(error)) from error
