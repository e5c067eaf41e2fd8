"""Switches feeders on or off for a while.

example:
  bocage centre override --db control.db --commune 49135 --target bourg --level 100 --for 4h --not-before 22:00
      --reason 'bal du 14 juillet' --key maire.pem
"""

import argparse

from tools.centre.commands import orders
from wire import command


def add_arguments(parser: argparse.ArgumentParser) -> None:
    orders.add_order_arguments(parser)
    orders.add_place_arguments(parser, "4h")
    parser.add_argument("--level", required=True, type=int, choices=(0, 100), help="0: dark, 100: lit")
    parser.add_argument("--not-before", metavar="TIME", help="22:30, or 2026-11-26T22:30, time of France (now)")
    parser.add_argument("--yes", action="store_true", help="sign a wide or dark command without being asked")


def run(args: argparse.Namespace) -> int:
    return orders.give(args, orders.request_of(args, command.OVERRIDE, level=args.level))
