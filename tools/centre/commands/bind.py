"""Lets a cabinet speak for nodes: before they are first heard, after a move, or beside another cabinet.

A node belongs to the cabinet that was first heard to speak for it. What another says of it is kept apart and counts for
nothing (`bocage centre apart`).

example:
  bocage centre bind --db centre.db --gateway 49007-mairie-1 --node 0011223344556677
  bocage centre bind --db centre.db --gateway 49007-mairie-2 --node 0011223344556677 --also
"""

import argparse
import time
from collections.abc import Iterator
from contextlib import contextmanager

from tools.centre.arguments import add_warehouse, check_warehouse, database_faults, note, parse_gateway, parse_node
from tools.centre.ingest.warehouse import Warehouse
from tools.centre.register.equipment import cabinet_of


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_warehouse(parser)
    parser.add_argument("--gateway", required=True, metavar="INSEE-NAME", help="as in its certificate")
    parser.add_argument("--node", required=True, action="append", metavar="HEX", help="its id; may be repeated")
    parser.add_argument("--also", action="store_true", help="those that speak for it now go on doing so")


def run(args: argparse.Namespace) -> int:
    cabinet = cabinet_of(*parse_gateway("--gateway", args.gateway))
    nodes = [parse_node(text) for text in args.node]
    with opened_warehouse(args, "bind", f"{cabinet} {' '.join(args.node)}", cabinet[:5]) as warehouse:
        warehouse.bind(nodes, cabinet, alone=not args.also, now_s=int(time.time()))
    return 0


@contextmanager
def opened_warehouse(args: argparse.Namespace, deed: str, about: str, insee: str) -> Iterator[Warehouse]:
    """Opens the warehouse of `--db` for what a person decides, beside the ingest; once that is done it is put into the
    journal, and the warehouse closed."""
    check_warehouse(args.db)
    with database_faults(args.db):
        warehouse = Warehouse(args.db)
        try:
            yield warehouse
        finally:
            warehouse.close()
        note(args, deed, about, insee)
