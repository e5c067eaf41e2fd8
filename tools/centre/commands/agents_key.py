"""Makes the territory's key for packages: cabinets install what it has signed. Keep it on a stick, in a safe.

The public part goes to each cabinet (`bocage gateway update --trust`); it is printed, or written beside the key.

example:
  bocage centre agents key /media/usb/paquets.key --name "Syndicat d'énergie"
"""

import argparse
from pathlib import Path

from gateway.language import N_, translate
from gateway.language.reasons import of_file
from tools.centre.agents import repository
from tools.centre.broker.files import write
from tools.command_line import Refused


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("key", type=Path, metavar="FILE", help="where the key is to be: on a stick, not on the centre")
    parser.add_argument("--name", required=True, help="whose key it is")


def run(args: argparse.Namespace) -> int:
    public = args.key.with_name(repository.PUBLIC_KEY)
    try:
        write(public, repository.make_key(args.key, args.name), mode=0o644)
    except OSError as error:
        raise Refused(N_("{path}: {why}"), path=args.key, why=of_file(error)) from error
    print(translate(N_("{key} is secret and stays on its stick; each cabinet is given {public}"), args.lang,
                    key=args.key, public=public))  # fmt: skip
    return 0
