"""Says what is well in this centre and what to do: services, broker, certificates, cabinets, disk, backup.

Run it as root, for the keys are root's. The exit status is 1 where something must be done now.

example:
  sudo bocage centre status
"""

import argparse
import json

from tools.centre.arguments import add_root
from tools.centre.commands.check_broker import lines_of, plain_of
from tools.command_line import add_json

_FAULTY = 1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_root(parser)
    add_json(parser, "for programs")


def run(args: argparse.Namespace) -> int:
    from tools.centre.broker import health, installation
    from tools.centre.broker.files import Place

    with installation.faults():
        found = health.findings(Place(args.root), now=installation.now())
    if args.json:
        print(json.dumps([plain_of(one, args.lang) for one in found], ensure_ascii=False, indent=2))
    else:
        print("\n".join(lines_of(found, args.lang)))
    return _FAULTY if any(one.is_fault for one in found) else 0
