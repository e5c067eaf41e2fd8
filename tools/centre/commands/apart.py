"""Shows what a cabinet has said about nodes of another cabinet; releases or discards it.

Such records are kept whole and count for nothing until a person decides; undecided they go with the readings of their
time (`bocage centre keep`), unless the cabinet was bound to the node. After a cabinet was replaced, or nodes were
moved, they are honest: released, they count as if they had counted when they came. With `--move` the cabinet alone
speaks for these nodes from now on, with `--also` beside those that do; with neither, only what is there is released.
If the cabinet was opened by a stranger, discard them, and withdraw its certificate.

example:
  bocage centre apart --db centre.db
  bocage centre apart --db centre.db --gateway 49007-mairie-2 --release --move
  bocage centre apart --db centre.db --gateway 49135-cab-3 --discard
"""

import argparse
import json
import time
from typing import Any

from gateway.language import N_, NN_, Phrases, translate
from tools.centre.arguments import add_reading, local_time, opened_connection, parse_gateway, parse_node
from tools.centre.commands.bind import opened_warehouse
from tools.centre.register import words
from tools.centre.register.equipment import cabinet_of
from tools.centre.register.register import Register
from tools.centre.store.archive import Archive, Kept
from tools.command_line import Refused, UsageError, add_json

_NOTHING = N_("Nothing is kept apart.")
_LINE = N_("{cabinet} about {node}, of {owners}: {records}, {first} to {last}")
_WORDS = Phrases(
    {
        "records": NN_("{count} record", "{count} records"),
        "release": NN_("{count} record counts now", "{count} records count now"),
        "discard": NN_("{count} record discarded", "{count} records discarded"),
    }
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_reading(parser)
    parser.add_argument("--gateway", metavar="INSEE-NAME", help="the cabinet that sent the records")
    parser.add_argument("--node", action="append", metavar="HEX", help="only about this node; may be repeated")
    decision = parser.add_mutually_exclusive_group()
    decision.add_argument("--release", action="store_true", help="they count")
    decision.add_argument("--discard", action="store_true", help="they are removed")
    serving = parser.add_mutually_exclusive_group()
    serving.add_argument("--move", action="store_true", help="with --release: this cabinet alone speaks for the nodes")
    serving.add_argument("--also", action="store_true", help="with --release: this cabinet too speaks for the nodes")
    add_json(parser, "for programs")


def run(args: argparse.Namespace) -> int:
    if (args.move or args.also) and not args.release:
        raise UsageError(N_("--move, --also: give them with --release"))
    cabinet = None if args.gateway is None else cabinet_of(*parse_gateway("--gateway", args.gateway))
    nodes = None if args.node is None else {parse_node(text) for text in args.node}
    with opened_connection(args) as connection:
        kept = [one for one in Archive(connection).kept_apart() if cabinet in (None, one.cabinet)]
    kept = [one for one in kept if nodes is None or one.node in nodes]
    if args.release or args.discard:
        if cabinet is None:
            raise UsageError(N_("--gateway: give the cabinet whose records are meant"))
        if not kept:
            raise Refused(_NOTHING)
        return _decide(args, cabinet, [one.node for one in kept])
    now_s = int(time.time())
    with opened_connection(args) as connection:
        register = Register(connection)
        named = {one.node: words.id_text(register, one.node.hex(), args.lang, unix_s=now_s) for one in kept}
    _show(kept, named, args, now_s)
    return 0


def _decide(args: argparse.Namespace, cabinet: str, nodes: list[bytes]) -> int:
    now_s = int(time.time())
    deed = "apart --discard" if args.discard else "apart --release"
    with opened_warehouse(args, deed, f"{cabinet} {' '.join(node.hex() for node in nodes)}", cabinet[:5]) as warehouse:
        if args.discard:
            count = warehouse.discard(cabinet, nodes, now_s=now_s)
        else:
            if args.move or args.also:
                warehouse.bind(nodes, cabinet, alone=args.move, now_s=now_s)
            count = warehouse.release(cabinet, nodes, now_s=now_s)
    print(_WORDS.text("discard" if args.discard else "release", args.lang, count=count))
    return 0


def _show(kept: list[Kept], named: dict[bytes, str], args: argparse.Namespace, now_s: int) -> None:
    if args.json:
        print(json.dumps([_plain(one) for one in kept], indent=2))
        return
    for one in kept:
        first, last = (local_time(at_s, now_s=now_s) for at_s in (one.first_unix_s, one.last_unix_s))
        records = _WORDS.text("records", args.lang, count=one.records)
        owners = ", ".join(one.owners)
        print(translate(_LINE, args.lang, cabinet=one.cabinet, node=named[one.node], owners=owners, records=records,
                        first=first, last=last))  # fmt: skip
    if not kept:
        print(translate(_NOTHING, args.lang))


def _plain(one: Kept) -> dict[str, Any]:
    return {**one._asdict(), "node": one.node.hex()}
