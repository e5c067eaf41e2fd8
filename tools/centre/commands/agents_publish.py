"""Publishes a version of the cabinets' agent: signs it into their repository; no cabinet installs it yet.

Run it where the key's stick is: at the centre, or anywhere with `--to`, into a folder that goes to a cabinet on a
stick. Publish first the version that runs in the cabinets: without it there is no way back, and no cabinet updates.

example:
  sudo bocage centre agents publish bocage-gateway_0.3.0_all.deb --key /media/usb/paquets.key
  bocage centre agents publish bocage-gateway_0.3.0_all.deb --key paquets.key --to /media/usb/agents
"""

import argparse
from pathlib import Path

from gateway.language import N_, translate
from tools.centre.arguments import add_root


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("package", type=Path, metavar="PACKAGE", help="from `bocage package build`")
    parser.add_argument("--key", type=Path, required=True, metavar="FILE", help="the territory's key for packages")
    parser.add_argument("--to", type=Path, metavar="FOLDER", help="repository (default: that of this centre)")
    add_root(parser)


def run(args: argparse.Namespace) -> int:
    from tools.centre.agents import repository
    from tools.centre.broker.files import Place, faults

    folder = args.to or Place(args.root).agents
    with faults(folder):
        version = repository.publish(folder, args.package, args.key)
    print(translate(N_("version {version} is published: {path}"), args.lang, version=version, path=folder))
    return 0
