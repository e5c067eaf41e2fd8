"""Lists where the register disagrees with technicians who stated at a cabinet which light a node serves; answers them.

Where the register has no node at a light, `bocage centre rollup` brings in by itself what was stated; this lists the
rest. `--accept` puts it in place of what the register has, from the day of the statement on; give both nodes of an
exchanged pair at once. `--refuse` sets it aside. What was so before stays known.

example:
  bocage centre register placed --db centre.db
  bocage centre register placed --db centre.db --accept 7c1f0a2c01000001 --accept 7c1f0a2c01000002
"""

import argparse
import json
import time
from contextlib import closing

from gateway.language import N_, Phrases, translate
from tools.centre.arguments import (
    add_reading,
    check_warehouse,
    database_faults,
    local_time,
    note,
    opened_connection,
    parse_node,
)
from tools.centre.register import placed, words
from tools.centre.register.placed import Placed
from tools.centre.store import schema
from tools.command_line import Refused, UsageError, add_json

_LINE = N_("node {node} serves light {light}, stated {at} at a cabinet of {commune}; the register: {has}")
_NOTHING_LEFT = N_("The register agrees with all that was stated at cabinets.")
_NONE = N_("{node}: nothing is stated of it that the register knows and could follow")
_FORBIDDEN = N_("{node} {problem}; {remedy}")
_HAS = Phrases({
    "unknown": N_("has no such light: import it, or correct its number"),
    "several": N_("has several such lights: state the street as well, or correct it there"),
    "holder": N_("node {node} serves it"),
    "serves": N_("this node serves {lights}"),
    "apply": N_("has no node there; the roll-up brings this in"),
})  # fmt: skip
_NO_LIGHT = N_("none")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_reading(parser)
    for option, text in (("--accept", "a node whose statement the register follows"), ("--refuse", "one to set aside")):
        parser.add_argument(option, action="append", default=[], metavar="NODE", help=f"{text}; may be repeated")
    add_json(parser, "for programs")


def run(args: argparse.Namespace) -> int:
    """Returns the exit status: 0 done, 1 the register forbids it, 2 nothing is stated of a node."""
    accepted, refused = ([parse_node(text) for text in given] for given in (args.accept, args.refuse))
    if accepted or refused:
        _answer(args, accepted, refused)
    with opened_connection(args) as connection:
        found = [one for one in placed.open_statements(connection) if one.state != placed.AGREES]
    if args.json:
        print(json.dumps([_plain(one) for one in found], ensure_ascii=False, indent=2))
        return 0
    for one in found:
        print(_line(one, args.lang))
    if not found:
        print(translate(_NOTHING_LEFT, args.lang))
    return 0


def _answer(args: argparse.Namespace, accepted: list[bytes], refused: list[bytes]) -> None:
    check_warehouse(args.db)
    with database_faults(args.db), closing(schema.open_to_write(args.db)) as connection:
        missing, faults = placed.accept(connection, accepted)
        if faults:
            told = words.fault_plain(faults[0], args.lang)
            raise Refused(_FORBIDDEN, node=accepted[0].hex(), problem=told["problem"], remedy=told["remedy"])
        missing += placed.refuse(connection, refused)
    done = [node.hex() for node in (*accepted, *refused) if node not in missing]
    note(args, "register placed", " ".join(done), "")
    if missing:
        raise UsageError(_NONE, node=missing[0].hex())


def _line(one: Placed, language: str) -> str:
    light = ", ".join(part for part in (one.light or translate(_NO_LIGHT, language), one.street) if part)
    at = local_time(one.stated_unix_s, now_s=int(time.time()))
    has = []
    if one.state in ("unknown", "several", "apply"):
        has.append(_HAS.text(one.state, language))
    if one.holder is not None:
        has.append(_HAS.text("holder", language, node=one.holder.hex()))
    if one.serves:
        lights = ", ".join(words.address_text(key, language) for key, _ in one.serves)
        has.append(_HAS.text("serves", language, lights=lights))
    return translate(
        _LINE, language, node=one.node.hex(), light=light, at=at, commune=one.insee, has="; ".join(has)
    )


def _plain(one: Placed) -> dict[str, object]:
    return {
        "node": one.node.hex(),
        "commune": one.insee,
        "light": one.light,
        "street": one.street,
        "stated_unix_s": one.stated_unix_s,
        "state": one.state,
        "id": None if one.key is None else one.key.address,
        "holder": None if one.holder is None else one.holder.hex(),
        "serves": [key.address for key, _ in one.serves],
    }
