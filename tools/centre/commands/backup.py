"""Copies the running centre: warehouse, control file, authority, keys, roles; a timer does it each night.

The copy is checked before older ones are deleted. It holds the keys of the territory: keep one on another machine, and
nobody else's.

example:
  sudo bocage centre backup --out /media/usb
"""

import argparse
from pathlib import Path

from gateway.language import N_, translate
from tools.centre.arguments import add_root
from tools.command_line import UsageError

_KEEP = 7


def add_arguments(parser: argparse.ArgumentParser) -> None:
    text = N_("folder for it (default: /var/backups/bocage-centre)")
    parser.add_argument("--out", type=Path, metavar="FOLDER", help=text)
    parser.add_argument("--keep", type=int, default=_KEEP, help="so many stay there (default: %(default)s)")
    add_root(parser)


def run(args: argparse.Namespace) -> int:
    if args.keep < 1:
        raise UsageError(N_("--keep {keep}: give 1 or more"), keep=args.keep)
    from tools.centre.arguments import database_faults
    from tools.centre.broker import backup, installation, roles
    from tools.centre.broker.files import Place

    place = Place(args.root)
    with installation.faults(), database_faults(str(place.var)):
        installation.address(place, roles.ADMIN)  # there is a centre
        made = backup.make(place, args.out or place.backups, keep=args.keep, now=installation.now())
    print(translate(N_("backup written: {path}"), args.lang, path=made))
    return 0
