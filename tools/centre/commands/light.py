"""Lights a commune at once, against its policy if need be (emergency).

example:
  bocage centre light --db control.db --commune 49135 --for 2h --reason 'accident rue des Lilas' --key maire.pem
      --wait 10
"""

import argparse

from tools.centre.commands import orders
from wire import command


def add_arguments(parser: argparse.ArgumentParser) -> None:
    orders.add_order_arguments(parser)
    orders.add_place_arguments(parser, "2h")


def run(args: argparse.Namespace) -> int:
    return orders.give(args, orders.request_of(args, command.EMERGENCY))
