"""Begins, shows or stops the campaign that brings a published version, or Debian's updates, to the cabinets: a first
few, a tenth, all.

Name the first cabinets: some that people pass by every day. When each has run the version for --after without a start
between, a tenth of all follows, then the others; a cabinet that is silent catches up later. It stops by itself where
one of the first took the version back, or later more than one in fifty did. A new campaign takes the place of the one
before.

With --system it is that of Debian's updates: cabinets bring their system to what Debian's archive had at last midnight
(UTC), or at the instant given, start again, and put their former packages back where not all that held before holds
again. A cabinet that has read no such plan for 30 days updates its system by itself.

example:
  sudo bocage centre agents campaign 0.3.0 --first 49135-cab-1 --first 49007-mairie-1 --after 3j
  sudo bocage centre agents campaign --system --first 49135-cab-1 --first 49007-mairie-1 --after 3j
  sudo bocage centre agents campaign --system 20261130T140000Z --first 49135-cab-1
  sudo bocage centre agents campaign
  sudo bocage centre agents campaign --stop
"""

import argparse
import re
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from gateway.language import N_, NC_, Phrases
from gateway.language.figures import duration
from tools.centre.arguments import add_root, database_faults, parse_duration, parse_gateway
from tools.centre.moments import moment
from tools.command_line import Refused, UsageError

if TYPE_CHECKING:
    from tools.centre.agents.campaign import Plan, Seen
    from tools.centre.broker.files import Place

# As cabinets accept it (gateway/core/self_update.py).
_WATCH_S = (30, 7200)
_WORDS = Phrases({
    "none": N_("no campaign has been begun"),
    "first": N_("campaign no. {number}, version {version}: the first {count}, since {when}; each runs it for {after}"),
    "tenth": N_("campaign no. {number}, version {version}: a tenth, {count} cabinets, since {when}"),
    "all": N_("campaign no. {number}, version {version}: all cabinets, since {when}"),
    "stopped": N_("campaign no. {number}, version {version}: stopped since {when}; no further cabinet changes"),
    "counts": N_("{have} of {count} cabinets have it, {failed} took it back"),
    "cabinet": N_("  {name}: {version}, {state}"),
    "well": NC_("cabinet", "well"),
    "waits": NC_("cabinet", "not for long enough yet"),
    "before": NC_("cabinet", "not yet"),
    "failed": NC_("cabinet", "took it back"),
    "alone": NC_("cabinet", "silent"),
})  # fmt: skip


def add_arguments(parser: argparse.ArgumentParser) -> None:
    text = N_("a version that `agents publish` has published; with --system an instant, as 20261130T140000Z")
    parser.add_argument("version", nargs="?", help=text)
    parser.add_argument("--system", action="store_true", help="the campaign of Debian's updates")
    parser.add_argument("--first", action="append", default=[], metavar="INSEE-NAME", help="a cabinet that goes first")
    parser.add_argument("--after", default="3d", metavar="DURATION", help="how long they run it (default: %(default)s)")
    # An agent starts within a minute or two, a batch leaves each minute, a node reports every quarter of an hour.
    text = N_("how long each watches before it keeps the version (default: %(default)s)")
    parser.add_argument("--watch", default="20m", metavar="DURATION", help=text)
    parser.add_argument("--stop", action="store_true", help="no further cabinet changes")
    add_root(parser)


def run(args: argparse.Namespace) -> int:
    from tools.centre.agents import campaign
    from tools.centre.broker.files import Place, faults

    place, now_s = Place(args.root), int(time.time())
    path = place.system_plan if args.system else place.plan
    after_s, watch_s = parse_duration("--after", args.after), parse_duration("--watch", args.watch)
    if not _WATCH_S[0] <= watch_s <= _WATCH_S[1]:
        raise UsageError(N_("--watch {text}: give 30s to 2h"), text=args.watch)
    for name in args.first:
        parse_gateway("--first", name)
    if args.version and not args.first:
        raise UsageError(N_("--first: name the cabinets that go first"))
    version = args.version or (_state_of_day(now_s) if args.system and args.first else None)
    with faults(place.agents):
        plan, known = campaign.read(path), seen(place, path, now_s=now_s)
        if version:
            if args.system:
                _check_state(version, args.first, known, now_s=now_s)
            else:
                _check(place, version, args.first, known)
            first = tuple(dict.fromkeys(args.first))
            plan = campaign.begin(plan, version, first, after_s=after_s, watch_s=watch_s, now_s=now_s)
            campaign.save(path, plan)
        elif args.stop and plan is not None:
            plan = campaign.stop(plan, now_s=now_s)
            campaign.save(path, plan)
    print("\n".join(lines(plan, known, args.lang, now_s=now_s)))
    return 0


def seen(place: "Place", path: Path, *, now_s: int) -> "dict[str, Seen]":
    """Returns what the warehouse knows of each cabinet, for the campaign whose plan is there. Refused."""
    from tools.centre.agents import campaign
    from tools.centre.store import schema

    known = campaign.known_systems if path == place.system_plan else campaign.known
    with database_faults(place.warehouse), place.acting(), closing(schema.open_to_read(place.warehouse)) as connection:
        return known(connection, now_s=now_s)


def lines(plan: "Plan | None", known: "dict[str, Seen]", language: str, *, now_s: int) -> Iterator[str]:
    """Yields how a campaign stands: in one line, in figures, and of each cabinet that was asked and is not well."""
    if plan is None:
        yield _WORDS.text("none", language)
        return
    asked = tuple(known) if plan.cabinets is None else plan.cabinets
    failed = {name for name, one in known.items() if one.has_failed(plan)}
    yield _WORDS.text(
        plan.state, language, number=plan.number, version=plan.version, count=len(asked),
        when=moment(plan.since_unix_s, language, now_s=now_s), after=duration(plan.after_s, language),
    )  # fmt: skip
    have = sum(one.version == plan.version for one in known.values())
    yield _WORDS.text("counts", language, have=have, count=len(known), failed=len(failed))
    for name in sorted({*asked, *failed}):
        one = known.get(name)
        state = _state(plan, one, is_failed=name in failed, now_s=now_s)
        if state != "well" or plan.state == "first":
            version = (one and one.version) or "?"
            yield _WORDS.text("cabinet", language, name=name, version=version, state=_WORDS.text(state, language))


def _state(plan: "Plan", one: "Seen | None", *, is_failed: bool, now_s: int) -> str:
    if is_failed:
        return "failed"
    if one is None or not one.is_linked:
        return "alone"
    if one.version != plan.version:
        return "before"
    return "well" if one.is_well(plan, now_s=now_s) else "waits"


def _state_of_day(now_s: int) -> str:
    """Returns the state that Debian's archive had at last midnight: snapshots of it are complete by then."""
    return f"{datetime.fromtimestamp(now_s, UTC):%Y%m%d}T000000Z"


def _check_state(state: str, first: list[str], known: "dict[str, Seen]", *, now_s: int) -> None:
    """Raises UsageError where it is no state that has been, Refused where the first cabinets could not follow."""
    now = f"{datetime.fromtimestamp(now_s, UTC):%Y%m%dT%H%M%SZ}"
    if not re.fullmatch("20[0-9]{6}T[0-9]{6}Z", state) or state > now:
        raise UsageError(N_("--system {text}: give an instant that has been, as 20261130T140000Z"), text=state)
    for name in first:
        if name not in known:
            raise Refused(N_("{name}: the warehouse has never heard this cabinet"), name=name)
        has = known[name].version
        if has is not None and has > state:
            raise Refused(N_("{name} runs version {version} already, which is higher"), name=name, version=has)


def _check(place: "Place", version: str, first: list[str], known: "dict[str, Seen]") -> None:
    """Raises Refused where the first cabinets could not follow, or not go back."""
    from tools.centre.agents import repository

    try:
        published = repository.versions(place.agents)
    except FileNotFoundError:
        published = []
    if version not in published:
        message = N_("version {version} is not published here: bocage centre agents publish")
        raise Refused(message, version=version)
    for name in first:
        if name not in known:
            raise Refused(N_("{name}: the warehouse has never heard this cabinet"), name=name)
        runs = known[name].version
        if runs is not None and runs not in published:
            message = N_("{name} runs version {version}, which is not published: there would be no way back")
            raise Refused(message, name=name, version=runs)
        if runs is not None and repository.is_newer(runs, version):
            raise Refused(N_("{name} runs version {version} already, which is higher"), name=name, version=runs)
