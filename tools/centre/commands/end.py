"""Ends a command before its expiry.

example:
  bocage centre end --db control.db --command 0a1b2c3d --key maire.pem
"""

import argparse

from tools.centre.commands import orders
from tools.centre.control.drafts import Draft, draft_end
from tools.centre.control.order_words import refusal
from tools.centre.control.orders import find
from tools.centre.store import sqlite_file


def add_arguments(parser: argparse.ArgumentParser) -> None:
    orders.add_order_arguments(parser, reason="fin de l'ordre")
    parser.add_argument("--command", required=True, metavar="ID", help="its id, or how that begins")


def run(args: argparse.Namespace) -> int:
    def drafter(connection: sqlite_file.Connection, kid: bytes, new_id: bytes, now_s: int) -> Draft:
        found = find(connection, args.command)
        if len(found) != 1:
            key = "refused.ambiguous" if found else "refused.command"
            raise refusal(key, id=args.command)
        return draft_end(connection, found[0], args.reason, kid, new_id, now_s=now_s)

    return orders.give(args, drafter)
