"""Sends nodes a directive: a drought level, a load shed, a day's exception, the weather.

example:
  bocage centre tell drought 2 --db control.db --commune 49135 --to irrigation --until 2027-08-31
      --reason 'arrêté préfectoral 2027-41' --key maire.pem
"""

import argparse

from gateway.language import N_, directives
from tools.centre.commands import orders
from tools.centre.control.order_words import refusal
from wire import command


def add_arguments(parser: argparse.ArgumentParser) -> None:
    orders.add_order_arguments(parser)
    parser.add_argument("what", nargs="+", metavar="NAME VALUE", help="drought 2, sécheresse alerte, load-shed 1.5")
    orders.add_cabinet_arguments(parser)
    text = N_("a kind of node, a group of nodes of the cabinets, or a node's id (all nodes)")
    parser.add_argument("--to", dest="target", metavar="SCOPE", help=text)
    parser.add_argument("--for", dest="duration", metavar="TIME", help="how long, such as 2h or 3j")
    parser.add_argument("--until", metavar="TIME", help="instead: 2027-08-31 (that day included), or 2027-08-31T22:30")
    parser.add_argument("--not-before", metavar="TIME", help="22:30, or 2026-11-26T22:30, time of France (now)")


def run(args: argparse.Namespace) -> int:
    values, fault = directives.values_of(args.what, args.lang)
    if fault is not None:
        raise refusal(f"refused.{fault[0]}", **fault[1])
    return orders.give(args, orders.request_of(args, command.DIRECTIVE, values=values))
