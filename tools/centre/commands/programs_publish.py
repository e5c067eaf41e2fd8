"""Publishes a signed program of a kind of node: cabinets fetch it from here once a campaign wants it.

The image is as `bocage link image --kind` made it, signed by the key whose public half the nodes have (`bocage node new
--signer`). The centre carries it and cannot change it: each node checks who signed it, and takes no lower number.

example:
  sudo bocage centre programs publish streetlight-12.img
"""

import argparse
from pathlib import Path

from gateway.language import N_, translate
from tools.centre.arguments import add_root

_PUBLISHED = N_(
    'no. {number} for "{product}" is published; to bring it to the nodes: bocage centre programs campaign '
    "{product} {number} --first INSEE-NAME"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("images", type=Path, nargs="+", metavar="IMAGE", help="from `bocage link image`")
    add_root(parser)


def run(args: argparse.Namespace) -> int:
    from tools.centre.agents import programs
    from tools.centre.broker.files import Place, faults

    for path in args.images:
        with faults(path):
            made = programs.publish(Place(args.root).agents, path)
        print(translate(_PUBLISHED, args.lang, number=made.number, product=made.product))
    return 0
