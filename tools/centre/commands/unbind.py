"""Frees a gateway's name for another gateway, after a replacement or a move; its nodes stay those of the name.

example:
  bocage centre unbind --db centre.db --gateway 49007-mairie-1
"""

import argparse

from gateway.language import N_
from tools.centre.arguments import add_warehouse, parse_gateway
from tools.centre.commands.bind import opened_warehouse
from tools.command_line import UsageError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_warehouse(parser)
    parser.add_argument("--gateway", required=True, metavar="INSEE-NAME", help="as in its certificate")


def run(args: argparse.Namespace) -> int:
    insee, name = parse_gateway("--gateway", args.gateway)
    with opened_warehouse(args, "unbind", args.gateway, insee) as warehouse:
        is_unbound = warehouse.unbind(insee, name)
    if not is_unbound:
        message = N_("--gateway {gateway}: no such gateway is bound; see `bocage centre stats`")
        raise UsageError(message, gateway=args.gateway)
    return 0
