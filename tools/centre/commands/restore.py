"""Makes this machine the centre that a backup was made of, where there is none yet, and starts it.

Every file is compared with what was saved first. Cabinets send again what they still hold; `bocage centre stats` names
what is gone for good. Who was enrolled or revoked after the backup is enrolled or revoked again.

example:
  sudo bocage centre restore /media/usb/2026-11-29T021500
"""

import argparse
from pathlib import Path

from gateway.language import N_, translate
from tools.centre.arguments import add_root, add_server, check_server, database_faults, local_time

_AGAIN = N_("Restored to {when}. Give again what you enrolled or revoked since then: a revoked cabinet is not, here.")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("backup", type=Path, metavar="FOLDER", help="a folder that `bocage centre backup` wrote")
    add_server(parser, "where the warehouse is to be, empty yet (default: where it was)")
    add_root(parser)


def run(args: argparse.Namespace) -> int:
    check_server(args)
    from tools.centre.broker import backup, installation
    from tools.centre.broker.files import Place

    place, now = Place(args.root), installation.now()
    with installation.faults(), database_faults(args.db or str(place.var)):
        made = backup.restore(place, args.backup, now=now, server=args.db)
    installation.start(place)
    when = local_time(int(made.timestamp()), now_s=int(now.timestamp()))
    print(translate(_AGAIN, args.lang, when=when))
    return 0
