"""What became of a command: by gateway and feeder, from what was sent and what was said. Changes nothing.

What nodes are told is `fulfilled` when one of them has been told it. A feeder is `fulfilled` when its contactor was
ordered by the command and no watts contradict it: `measured`, `applied` (the watts are awaited), or without a meter. It
stays so when the command is over. Nothing is ever taken for delivered: without a word of the gateway there is only what
the broker did with the command.
"""

import sqlite3
from typing import NamedTuple

from tools.centre.control import communes, gateways, orders
from tools.centre.control.drafting import addressed
from wire import command

# Of a gateway that has said nothing.
WAITING = "waiting"  # not sent: the daemon or the broker is away, or the broker keeps nothing for it
SENT = "sent"
WITHDRAWN = "withdrawn"  # ended before it said a word
UNANSWERED = "unanswered"  # expired without a word

RECEIVED, APPLIED, MEASURED, REFUSED, EXPIRED, ENDED, UNMEASURED = (
    "received", "applied", "measured", "refused", "expired", "ended", "unmeasured",
)  # fmt: skip
_OVER = (EXPIRED, ENDED)
_NO_MORE = (REFUSED, WITHDRAWN, UNANSWERED, *_OVER)
_NO_METER = "meter"
# Where a cabinet of a whole commune has none of the feeders, it says so, and is none of those that are meant.
_SCOPE = "scope"
# There was nothing to end.
_UNKNOWN = "unknown"


class Feeder(NamedTuple):
    """`words`: what it said, oldest first; the last is its state."""

    name: str
    words: tuple[orders.Said, ...]

    @property
    def last(self) -> orders.Said:
        return self.words[-1]

    @property
    def is_fulfilled(self) -> bool:
        return _holds(self.last)

    @property
    def is_settled(self) -> bool:
        """Nothing more is awaited."""
        return self.last.outcome not in (RECEIVED, APPLIED)


class Cabinet(NamedTuple):
    """One gateway. `words`: of the cabinet as a whole; `state`: its last one, or one of this module's."""

    name: str
    state: str
    sending: orders.Sending | None
    words: tuple[orders.Said, ...]
    feeders: tuple[Feeder, ...]

    @property
    def why(self) -> str | None:
        return self.words[-1].why if self.words else None

    @property
    def is_meant(self) -> bool:
        return not (self.state == REFUSED and self.why in (_SCOPE, _UNKNOWN))


class Standing(NamedTuple):
    """`expected`: the feeders that the policy says are meant; `missing`: those that no cabinet has fulfilled."""

    kept: orders.Kept
    ended_by: bytes | None
    cabinets: tuple[Cabinet, ...]
    expected: tuple[str, ...]
    missing: tuple[str, ...]

    @property
    def is_fulfilled(self) -> bool:
        """Every feeder that is meant follows the command; of one that ends another: every cabinet that had it."""
        meant = [one for one in self.cabinets if one.is_meant]
        if self.kept.command.kind == command.END:
            return all(one.state == APPLIED for one in meant)
        if self.kept.command.kind == command.DIRECTIVE:  # only a cabinet with such nodes can tell them
            return any(APPLIED in [said.outcome for said in one.words] for one in meant) and not any(
                one.state == REFUSED for one in meant
            )
        told = [feeder for one in meant for feeder in one.feeders]
        refused = any(one.state == REFUSED for one in meant)
        return bool(told) and not self.missing and not refused and all(one.is_fulfilled for one in told)

    @property
    def is_settled(self) -> bool:
        """Nothing more is awaited."""
        meant = [one for one in self.cabinets if one.is_meant]
        if self.kept.command.kind in (command.END, command.DIRECTIVE):
            return all(one.state in (APPLIED, *_NO_MORE) for one in meant)
        if self.cabinets and all(one.state in _NO_MORE for one in self.cabinets):
            return True
        told = {feeder.name for one in meant for feeder in one.feeders}
        are_settled = all(feeder.is_settled for one in meant for feeder in one.feeders)
        # Where the policy names the feeders, a cabinet that is silent may have none of them.
        all_spoke = bool(told) and all(one.feeders or one.state in _NO_MORE for one in meant)
        return are_settled and (told >= set(self.expected) if self.expected else all_spoke)


def standing(connection: sqlite3.Connection, kept: orders.Kept, *, now_s: int) -> Standing:
    """Of one command, now."""
    one = kept.command
    said = orders.words(connection, one.id)
    sendings = {sending.gateway: sending for sending in orders.sendings(connection, one.id)}
    ended_by = orders.ended_by(connection, one.id)
    names = {one.gateway} if one.gateway else {found.name for found in gateways.listed(connection, one.insee)}
    if one.ends is not None:
        names &= {sending.gateway for sending in orders.sendings(connection, one.ends) if sending.problem is None}
    names |= {word.gateway for word in said} | set(sendings)
    nothing = UNANSWERED if now_s >= one.expires_s else WITHDRAWN if ended_by is not None else None
    cabinets = tuple(_cabinet(name, said, sendings.get(name), nothing) for name in sorted(names))
    expected = () if one.kind in (command.END, command.DIRECTIVE) else _expected(connection, kept)
    followed = {feeder.name for found in cabinets for feeder in found.feeders if feeder.is_fulfilled}
    return Standing(kept, ended_by, cabinets, expected, tuple(name for name in expected if name not in followed))


def _cabinet(name, said, sending, nothing) -> Cabinet:
    own = [word for word in said if word.gateway == name]
    whole = tuple(word for word in own if word.feeder is None)
    feeders = tuple(
        Feeder(feeder, tuple(word for word in own if word.feeder == feeder))
        for feeder in sorted({word.feeder for word in own if word.feeder is not None})
    )
    if whole:
        state = whole[-1].outcome
    elif feeders:
        state = RECEIVED  # its own word of that was lost on the way
    else:
        state = nothing or (SENT if sending is not None and sending.problem is None else WAITING)
    return Cabinet(name, state, sending, whole, feeders)


def _expected(connection, kept) -> tuple[str, ...]:
    """By the policy of the day on which it was ordered."""
    policy = communes.policy_in_force(connection, kept.command.insee, now_s=kept.made_unix_s)
    if policy is None or (kept.command.gateway is not None and kept.command.target is None):
        return ()  # which feeders one cabinet has, it tells itself
    return tuple(feeder.name for feeder in addressed(policy, kept.command.target))


def _holds(said: orders.Said) -> bool:
    return said.outcome in (APPLIED, MEASURED) or (said.outcome == UNMEASURED and said.why == _NO_METER)
