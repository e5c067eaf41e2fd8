"""Lights one feeder for some minutes.

example:
  bocage centre test-feeder --db control.db --commune 49135 --target bourg --key agent.pem --wait 10
"""

import argparse

from tools.centre.commands import orders
from wire import command


def add_arguments(parser: argparse.ArgumentParser) -> None:
    orders.add_order_arguments(parser, reason="essai")
    orders.add_place_arguments(parser, "2m", duration="2m", is_target_needed=True)


def run(args: argparse.Namespace) -> int:
    return orders.give(args, orders.request_of(args, command.TEST_FEEDER))
