"""Computes the progress of an order, by cabinet and feeder, from what was sent and reported; as lines for people and as
data.

A directive is fulfilled when one node has received it. A feeder is fulfilled when its contactor follows the command and
no measured power contradicts that: `measured`, `applied` (the measurement is awaited), or `unmeasured` for want of a
meter. It stays so when the command is over: watts that were awaited then are awaited no more, and a command is over at
its expiry, though its cabinet may be cut off and have reported nothing of that. Nothing is ever called delivered:
without a report of the gateway, only what the broker did with the command is known. Must not change anything.
"""

from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple

from gateway.language import directives
from tools.centre.arguments import local_time
from tools.centre.control import communes, gateways, orders
from tools.centre.control.drafts import addressed_feeders
from tools.centre.control.order_words import why, word
from tools.centre.store import sqlite_file
from wire import command

# States of a gateway that has reported nothing.
WAITING = "waiting"  # not sent: the daemon or the broker is not reached, or the broker has no session of the gateway
SENT = "sent"
WITHDRAWN = "withdrawn"  # ended before any report
UNANSWERED = "unanswered"  # expired without a report

RECEIVED, APPLIED, MEASURED, REFUSED, EXPIRED, ENDED, UNMEASURED = (
    "received", "applied", "measured", "refused", "expired", "ended", "unmeasured",
)  # fmt: skip
_OVER = (EXPIRED, ENDED)
_NO_MORE = (REFUSED, WITHDRAWN, UNANSWERED, *_OVER)
# Why a feeder is not measured: it has no meter, or the order was over before anything was reported.
_NO_METER, _TOO_SHORT = "meter", "over"
# Reason of a cabinet that has none of the feeders of a commune-wide command: it is not one of the cabinets concerned.
_SCOPE = "scope"
# Reason of a cabinet that had nothing to end.
_UNKNOWN = "unknown"


class FeederProgress(NamedTuple):
    """Holds the progress of one feeder. `outcomes`: those reported of it, oldest first; the last is its state.
    `is_over`: the order is, at its cabinet."""

    name: str
    outcomes: tuple[orders.ReportedOutcome, ...]
    is_over: bool

    @property
    def last(self) -> orders.ReportedOutcome:
        last = self.outcomes[-1]
        return last._replace(outcome=UNMEASURED, why=_TOO_SHORT) if self.is_over and last.outcome == APPLIED else last

    @property
    def is_fulfilled(self) -> bool:
        return _holds(self.last)

    @property
    def is_settled(self) -> bool:
        """Returns True when no further outcome is awaited."""
        return self.last.outcome not in (RECEIVED, APPLIED)


class CabinetProgress(NamedTuple):
    """Holds the progress of one cabinet. `outcomes`: of the cabinet as a whole; `state`: the last of these, or a state
    of this module."""

    name: str
    state: str
    sending: orders.Sending | None
    outcomes: tuple[orders.ReportedOutcome, ...]
    feeders: tuple[FeederProgress, ...]

    @property
    def why(self) -> str | None:
        return self.outcomes[-1].why if self.outcomes else None

    @property
    def is_meant(self) -> bool:
        return not (self.state == REFUSED and self.why in (_SCOPE, _UNKNOWN))


class Progress(NamedTuple):
    """Holds the progress of one order. `expected`: the feeders that the policy names for it; `missing`: those that no
    cabinet has fulfilled."""

    order: orders.Order
    ended_by: bytes | None
    cabinets: tuple[CabinetProgress, ...]
    expected: tuple[str, ...]
    missing: tuple[str, ...]

    @property
    def is_fulfilled(self) -> bool:
        """Returns True when every feeder concerned follows the command; for an END: when every cabinet that had the
        ended command has ended it."""
        meant = [one for one in self.cabinets if one.is_meant]
        if self.order.command.kind == command.END:
            return all(one.state == APPLIED for one in meant)
        if self.order.command.kind == command.DIRECTIVE:  # only a cabinet with such nodes can pass it on
            return any(APPLIED in [report.outcome for report in one.outcomes] for one in meant) and not any(
                one.state == REFUSED for one in meant
            )
        reported = [feeder for one in meant for feeder in one.feeders]
        refused = any(one.state == REFUSED for one in meant)
        return bool(reported) and not self.missing and not refused and all(one.is_fulfilled for one in reported)

    @property
    def is_settled(self) -> bool:
        """Returns True when no further outcome is awaited."""
        meant = [one for one in self.cabinets if one.is_meant]
        if self.order.command.kind in (command.END, command.DIRECTIVE):
            return all(one.state in (APPLIED, *_NO_MORE) for one in meant)
        if self.cabinets and all(one.state in _NO_MORE for one in self.cabinets):
            return True
        reported = {feeder.name for one in meant for feeder in one.feeders}
        are_settled = all(feeder.is_settled for one in meant for feeder in one.feeders)
        # Where the policy names the feeders, a silent cabinet may have none of them.
        all_answered = bool(reported) and all(one.feeders or one.state in _NO_MORE for one in meant)
        return are_settled and (reported >= set(self.expected) if self.expected else all_answered)


def progress_of(connection: sqlite_file.Connection, order: orders.Order, *, now_s: int) -> Progress:
    """Returns the progress of one order as it is now."""
    one = order.command
    reports = orders.outcomes(connection, one.id)
    sendings = {sending.gateway: sending for sending in orders.sendings(connection, one.id)}
    ended_by = orders.ended_by(connection, one.id)
    names = {one.gateway} if one.gateway else {found.name for found in gateways.list_gateways(connection, one.insee)}
    if one.ends is not None:
        names &= {sending.gateway for sending in orders.sendings(connection, one.ends) if sending.problem is None}
    names |= {report.gateway for report in reports} | set(sendings)
    is_expired = now_s >= one.expires_s
    nothing = UNANSWERED if is_expired else WITHDRAWN if ended_by is not None else None
    by_cabinet: dict[str, list[orders.ReportedOutcome]] = {name: [] for name in names}
    for report in reports:
        by_cabinet[report.gateway].append(report)
    cabinets = tuple(
        _cabinet(name, by_cabinet[name], sendings.get(name), nothing, is_expired=is_expired) for name in sorted(names)
    )
    expected = () if one.kind in (command.END, command.DIRECTIVE) else _expected(connection, order)
    followed = {feeder.name for found in cabinets for feeder in found.feeders if feeder.is_fulfilled}
    return Progress(order, ended_by, cabinets, expected, tuple(name for name in expected if name not in followed))


def _cabinet(name, reports, sending, nothing, *, is_expired) -> CabinetProgress:
    whole = tuple(report for report in reports if report.feeder is None)
    by_feeder: dict[str, list[orders.ReportedOutcome]] = {}
    for report in reports:
        if report.feeder is not None:
            by_feeder.setdefault(report.feeder, []).append(report)
    if reports:
        state = whole[-1].outcome if whole else RECEIVED  # else the report of the cabinet itself was lost on the way
        state = EXPIRED if is_expired and state == RECEIVED else state
    else:
        state = nothing or (SENT if sending is not None and sending.problem is None else WAITING)
    is_over = state in _NO_MORE
    feeders = tuple(FeederProgress(feeder, tuple(own), is_over) for feeder, own in sorted(by_feeder.items()))
    return CabinetProgress(name, state, sending, whole, feeders)


def _expected(connection, order) -> tuple[str, ...]:
    """Returns the feeders concerned, by the policy that was in force when the order was given."""
    policy = communes.policy_in_force(connection, order.command.insee, now_s=order.made_unix_s)
    if policy is None or (order.command.gateway is not None and order.command.target is None):
        return ()  # which feeders one cabinet has is known from its own reports only
    return tuple(feeder.name for feeder in addressed_feeders(policy, order.command.target))


def _holds(report: orders.ReportedOutcome) -> bool:
    is_unproved = report.outcome == UNMEASURED and report.why in (_NO_METER, _TOO_SHORT)
    return is_unproved or report.outcome in (APPLIED, MEASURED)


# --- in words, and as data ---------------------------------------------------------------------------------------

KINDS = {
    command.OVERRIDE: "override",
    command.EMERGENCY: "emergency",
    command.END: "end",
    command.TEST_FEEDER: "test-feeder",
    command.DIRECTIVE: "tell",
}


def title(one: command.Command, language: str) -> str:
    """Returns the line that names the command, and its place."""
    level = f".{one.level}" if one.kind == command.OVERRIDE and one.level in (0, 100) else ""
    values = directives.text(one.values, language) if one.values else ""
    everything = "nodes" if one.kind == command.DIRECTIVE else "all"
    return word(
        "title",
        language,
        id=one.id.hex(),
        kind=word(f"kind.{one.kind}{level}", language, level=one.level, ends=one.ends.hex() if one.ends else "",
                  values=values),
        insee=one.insee,
        gateway=one.gateway or word("everywhere", language),
        target=one.target or word(everything, language),
    )


def lines(progress: Progress, language: str, *, now_s: int) -> Iterator[str]:
    """Yields the lines of one order: who gave it and why, then each cabinet and each feeder."""
    one = progress.order.command
    yield title(one, language)
    times = {"start": local_time(one.not_before_s, now_s=now_s), "end": local_time(one.expires_s, now_s=now_s)}
    yield f"  {word('by', language, author=one.author, reason=one.reason)}, {word('window', language, **times)}"
    if not progress.cabinets:
        yield "  " + word("unheard", language)
    when = partial(local_time, now_s=now_s)
    for cabinet in progress.cabinets:
        yield f"  {cabinet.name}  {cabinet_text(progress, cabinet, language, when)}"
        for feeder in cabinet.feeders:
            yield f"    {feeder.name}  {outcome_text(feeder.last, language)}  {when(reported_s(feeder.last))}"
    if progress.missing and any(cabinet.outcomes for cabinet in progress.cabinets):
        yield "  " + word("missing", language, names=", ".join(progress.missing))


def outcome_text(one: orders.ReportedOutcome, language: str) -> str:
    """Returns an outcome of a feeder or a cabinet in words."""
    if one.outcome == REFUSED:
        return word("refused", language, why=why(one.why, language))
    if one.outcome == MEASURED:
        power = word("unknown", language) if one.power_dw is None else _power(one.power_dw, language)
        return word("measured", language, power=power)
    if one.outcome == UNMEASURED and one.why in (_NO_METER, _TOO_SHORT, "no-dimming"):
        return word(f"unmeasured.{one.why}", language)
    return word(one.outcome, language)


def plain(progress: Progress, *, now_s: int) -> dict:
    """Returns the progress as data for programs: power in W, times in Unix seconds, ids in hexadecimal."""
    one = progress.order.command
    return {
        "id": one.id.hex(),
        "kind": KINDS[one.kind],
        "author": one.author,
        "reason": one.reason,
        "key": progress.order.kid.hex(),
        "insee": one.insee,
        "gateway": one.gateway,
        "target": one.target,
        "level": one.level,
        "ends": one.ends.hex() if one.ends else None,
        "values": {str(code): value for code, value in one.values.items()} if one.values else None,
        "ended_by": progress.ended_by.hex() if progress.ended_by else None,
        "made_unix_s": progress.order.made_unix_s,
        "not_before_s": one.not_before_s,
        "expires_s": one.expires_s,
        "is_expired": now_s >= one.expires_s,
        "is_fulfilled": progress.is_fulfilled,
        "is_settled": progress.is_settled,
        "missing": list(progress.missing),
        "gateways": [_plain_cabinet(cabinet) for cabinet in progress.cabinets],
    }


def cabinet_text(progress: Progress, cabinet: CabinetProgress, language: str, when: Callable[[int], str]) -> str:
    """Returns what is known of an order at a cabinet as a whole. `when` writes Unix seconds."""
    sending = cabinet.sending
    if cabinet.state == SENT and sending is not None:
        return word("sent", language, at=when(sending.last_unix_s))
    if cabinet.state == WAITING and sending is not None:
        return word("waiting.problem", language, problem=sending.problem)
    if cabinet.state == APPLIED and progress.order.command.kind == command.END:
        return word("applied.end", language)
    if cabinet.state in (RECEIVED, APPLIED) and progress.order.command.kind == command.DIRECTIVE:
        return f"{word(f'{cabinet.state}.told', language)}  {when(reported_s(cabinet.outcomes[-1]))}"
    if cabinet.outcomes and cabinet.outcomes[-1].outcome == cabinet.state:
        return f"{outcome_text(cabinet.outcomes[-1], language)}  {when(reported_s(cabinet.outcomes[-1]))}"
    return word(cabinet.state, language)


def reported_s(one: orders.ReportedOutcome) -> int:
    """Returns the time of a report: the gateway's own time where it was known, else the time at which we received the
    report."""
    return one.heard_unix_s if one.unix_s is None else one.unix_s


def _power(power_dw: int, language: str) -> str:
    whole, tenth = divmod(abs(power_dw), 10)
    return ("-" if power_dw < 0 else "") + word("power", language, whole=whole, tenth=tenth)


def _plain_cabinet(cabinet: CabinetProgress) -> dict:
    sending = cabinet.sending
    return {
        "gateway": cabinet.name,
        "state": cabinet.state,
        "why": cabinet.why,
        "sent_unix_s": None if sending is None or sending.problem is not None else sending.first_unix_s,
        "sent_times": 0 if sending is None else sending.times,
        "problem": None if sending is None else sending.problem,
        "words": [_plain_outcome(one) for one in cabinet.outcomes],
        "feeders": [
            {
                "feeder": feeder.name,
                "state": feeder.last.outcome,
                "why": feeder.last.why,
                "power_w": None if feeder.last.power_dw is None else feeder.last.power_dw / 10,
                "is_fulfilled": feeder.is_fulfilled,
                "words": [_plain_outcome(one) for one in feeder.outcomes],
            }
            for feeder in cabinet.feeders
        ],
    }


def _plain_outcome(one: orders.ReportedOutcome) -> dict:
    return {
        "outcome": one.outcome,
        "why": one.why,
        "power_w": None if one.power_dw is None else one.power_dw / 10,
        "unix_s": one.unix_s,
        "heard_unix_s": one.heard_unix_s,
    }
