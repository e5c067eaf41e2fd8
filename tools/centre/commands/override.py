"""Switches feeders on or off for a while, or lowers their lamps.

A level between lowers: lamps with a controller of their own give no more light than that, and less where the policy
wants less. A feeder without controllers refuses.

example:
  bocage centre override --db control.db --commune 49135 --target bourg --level 100 --for 4h --not-before 22:00
      --reason 'bal du 14 juillet' --key maire.pem
"""

import argparse

from gateway.language import N_
from tools.centre.commands import orders
from tools.command_line import UsageError
from wire import command


def add_arguments(parser: argparse.ArgumentParser) -> None:
    orders.add_order_arguments(parser)
    orders.add_place_arguments(parser, "4h")
    parser.add_argument("--level", required=True, type=int, help="0: dark, 100: lit, between: %% of light")
    parser.add_argument("--not-before", metavar="TIME", help="22:30, or 2026-11-26T22:30, time of France (now)")
    parser.add_argument("--yes", action="store_true", help="sign a wide or dark command without being asked")


def run(args: argparse.Namespace) -> int:
    if args.level != 0 and not command.LEVEL_MIN <= args.level <= 100:
        raise UsageError(N_("--level {value}: give 0, or {low} to 100"), value=args.level, low=command.LEVEL_MIN)
    return orders.give(args, orders.request_of(args, command.OVERRIDE, level=args.level))
