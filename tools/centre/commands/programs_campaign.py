"""Begins, shows or stops the campaigns that bring a published program to nodes: a first few cabinets, a tenth, all.

In each cabinet a few nodes go first (--canary) and run the program for --soak hours before its others follow, lamps in
their hours; more than --failures halt it there. When each of the first cabinets has come past that, and --after, a
tenth of all follows, then the others. It stops by itself, also in the cabinets, where the campaign of one of the first
halted, or later that of more than one in fifty. A cabinet reads the plan each hour of the day, and a timer takes it
further each hour.

example:
  sudo bocage centre programs campaign streetlight 12 --first 49135-cab-1 --first 49007-mairie-1
  sudo bocage centre programs campaign
  sudo bocage centre programs campaign streetlight --stop
"""

import argparse
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from gateway.language import N_, NC_, Phrases, values
from tools.centre.arguments import add_root, database_faults, parse_duration, parse_gateway
from tools.centre.moments import moment
from tools.command_line import Refused, UsageError

if TYPE_CHECKING:
    from tools.centre.agents.programs import NodePlan
    from tools.centre.broker.files import Place
    from tools.centre.store import database

# What a cabinet accepts (gateway/core/campaigns/wanted.py).
_BOUNDS = {"canary": (0, 1000), "soak": (0, 720), "failures": (0, 1000), "pace": (1, 100)}
_WORDS = Phrases({
    "none": N_("no campaign has been begun"),
    "first": N_('program no. {number} for "{product}": the first cabinets, {count}, since {when}'),
    "tenth": N_('program no. {number} for "{product}": a tenth of the cabinets, {count}, since {when}'),
    "all": N_('program no. {number} for "{product}": all cabinets, since {when}'),
    "stopped": N_('program no. {number} for "{product}": stopped since {when}; nodes keep what they have confirmed'),
    "counts": N_("{told} cabinets follow it; {confirmed} nodes have confirmed it, {failed} failed"),
    "cabinet": N_("  {name}: {state}"),
    "phase": N_("{phase}; {confirmed} confirmed, {failed} failed"),
    "waits": NC_("cabinet", "has not begun"),
})  # fmt: skip


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("kind", nargs="?", help="of node, as `programs publish` named it")
    parser.add_argument("number", nargs="?", type=int, help="of the program")
    parser.add_argument("--first", action="append", default=[], metavar="INSEE-NAME", help="a cabinet that goes first")
    parser.add_argument("--after", default="1d", metavar="DURATION", help="beyond their soak (default: %(default)s)")
    parser.add_argument("--canary", type=int, default=3, metavar="N", help="nodes that go first in a cabinet (3)")
    parser.add_argument("--soak", type=int, default=24, metavar="HOURS", help="they run it (24)")
    parser.add_argument("--failures", type=int, default=1, metavar="N", help="more halt it in a cabinet (1)")
    parser.add_argument("--pace", type=int, default=10, metavar="PERCENT", help="of the air (10)")
    parser.add_argument("--stop", action="store_true", help="no further node changes")
    add_root(parser)


def run(args: argparse.Namespace) -> int:
    from tools.centre.agents import programs
    from tools.centre.broker.files import Place, faults

    place, now_s = Place(args.root), int(time.time())
    _check(args)
    with faults(place.agents), _warehouse(place) as connection:
        plans = programs.read(place.programs)
        if args.stop:
            plans = _stopped(plans, args.kind, now_s=now_s)
        elif args.kind:
            plans = _begun(connection, place, plans, args, now_s=now_s)
        shown = list(lines(connection, plans, args.lang, now_s=now_s))
    if args.kind:
        with faults(place.agents):
            programs.save(place.programs, plans)
    print("\n".join(shown))
    return 0


def advanced(place: "Place", language: str, *, now_s: int) -> list[str]:
    """Takes the campaigns a step further; returns how they stand. Refused; OSError."""
    from tools.centre.agents import programs

    plans = programs.read(place.programs)
    if not plans:
        return []
    with _warehouse(place) as connection:
        further = programs.changed(plans, programs.seen(connection, plans, now_s=now_s), now_s=now_s)
        shown = list(lines(connection, further, language, now_s=now_s))
    if further != plans:
        programs.save(place.programs, further)
    return shown


@contextmanager
def _warehouse(place: "Place") -> "Iterator[database.Connection]":
    from tools.centre.store import schema

    with database_faults(place.warehouse), place.acting(), closing(schema.open_to_read(place.warehouse)) as connection:
        yield connection


def lines(connection: "database.Connection", plans: "list[NodePlan]", language: str, *, now_s: int) -> Iterator[str]:
    """Yields how the campaigns stand: each in two lines, and of each cabinet that was asked and is not done."""
    from tools.centre.agents import programs

    if not plans:
        yield _WORDS.text("none", language)
    by_product = programs.reported(connection, plans, now_s=now_s)
    for plan in plans:
        stages, reported = plan.stages, by_product[plan.product]
        yield _WORDS.text(
            stages.state, language, number=plan.number, product=plan.product, count=len(stages.cabinets or ()),
            when=moment(stages.since_unix_s, language, now_s=now_s),
        )  # fmt: skip
        confirmed, failed = (sum(one.detail[at] or 0 for one in reported.values()) for at in (3, 4))
        yield _WORDS.text("counts", language, told=len(reported), confirmed=confirmed, failed=failed)
        for name in sorted({*(stages.cabinets or ()), *reported}):
            one = reported.get(name)
            if one is None:
                yield _WORDS.text("cabinet", language, name=name, state=_WORDS.text("waits", language))
            elif one.phase != "done":
                phase = values.value_text("phase", one.phase, language)
                said = _WORDS.text("phase", language, phase=phase, confirmed=one.detail[3], failed=one.detail[4])
                yield _WORDS.text("cabinet", language, name=name, state=said)


def _check(args: argparse.Namespace) -> None:
    """Raises UsageError."""
    for name, (low, high) in _BOUNDS.items():
        if not low <= getattr(args, name) <= high:
            raise UsageError(N_("--{name}: give a number from {low} to {high}"), name=name, low=low, high=high)
    for name in args.first:
        parse_gateway("--first", name)
    if args.stop and not args.kind:
        raise UsageError(N_("--stop: say for which kind of node"))
    if args.kind and not args.stop and (args.number is None or not args.first):
        raise UsageError(N_("give the kind, the number of its program, and with --first the cabinets that go first"))


def _begun(
    connection: "database.Connection", place: "Place", plans: "list[NodePlan]", args: argparse.Namespace, *, now_s: int
) -> "list[NodePlan]":
    from tools.centre.agents import campaign, programs

    if not programs.is_published(place.agents, args.kind, args.number):
        message = N_('no. {number} for "{kind}" is not published here: bocage centre programs publish IMAGE')
        raise Refused(message, number=args.number, kind=args.kind)
    known = {name for _, name, _ in campaign.cabinets(connection, now_s=now_s)}
    for name in args.first:
        if name not in known:
            raise Refused(N_("{name}: the warehouse has never heard this cabinet"), name=name)
    first = tuple(dict.fromkeys(args.first))
    after_s = parse_duration("--after", args.after)
    stages = campaign.begin(None, str(args.number), first, after_s=after_s, watch_s=0, now_s=now_s)
    wanted = programs.NodePlan(args.kind, args.number, args.canary, 3600 * args.soak, args.failures, args.pace, stages)
    return programs.begin(plans, wanted)


def _stopped(plans: "list[NodePlan]", kind: str, *, now_s: int) -> "list[NodePlan]":
    from tools.centre.agents import campaign

    if kind not in [one.product for one in plans]:
        raise Refused(N_('no campaign for "{product}"'), product=kind)
    return [
        one._replace(stages=campaign.stop(one.stages, now_s=now_s)) if one.product == kind else one for one in plans
    ]
