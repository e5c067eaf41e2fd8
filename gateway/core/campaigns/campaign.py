"""Decides which node of one kind may fetch a new program now, and follows each by what it reports.

    waiting ──admitted──▶ offered ──fetched──▶ fetching ──ready──▶ trying ──runs──▶ confirmed
       ▲                     │                    │                   │                 │
       └──────paused─────────┴────────────────────┘                   └──fails──▶ failed ◀── a crash within the soak

The first nodes that ask in their hours are the canaries. No other node is let in until each of them has confirmed
the program and has run it for the soak; a canary that fails halts the campaign, and so do more failures than the plan
allows. A node asks once more before its restart, so that a halt keeps even those whose image is complete. A transfer
takes its share of the air of a bearer (`limits.CAMPAIGN_EXCHANGE_AIR_MS`): as many nodes fetch at once as the plan's
share holds, one at least.

What a node reports is the only evidence: its question states the number that it starts from and the one that it gave
up; its events say ready, confirmed, or why not. An event that a state does not list changes nothing. A node in rescue
mode runs no program that could be hurt: it need not wait for its hours or for canaries.

It must not know files, clocks, calendars or the link: the caller passes the time and the seconds until a node's hours.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from gateway.core import limits
from wire.image import Question

WAITING, OFFERED, FETCHING, TRYING = "waiting", "offered", "fetching", "trying"
CONFIRMED, FAILED, SKIPPED = "confirmed", "failed", "skipped"
STATES = (WAITING, OFFERED, FETCHING, TRYING, CONFIRMED, FAILED, SKIPPED)

# What happens to a node. NEWER: it runs a later number than ours, or has given ours up before.
ADMITTED, FETCHED, PAUSED, READY = "admitted", "fetched", "paused", "ready"
RUNS, FAILS, NEWER = "runs", "fails", "newer"
_ENDS = {RUNS: CONFIRMED, FAILS: FAILED, NEWER: SKIPPED}
TABLE = {
    WAITING: {ADMITTED: OFFERED, READY: TRYING, **_ENDS},
    OFFERED: {ADMITTED: OFFERED, FETCHED: FETCHING, PAUSED: WAITING, READY: TRYING, **_ENDS},
    FETCHING: {ADMITTED: OFFERED, PAUSED: WAITING, READY: TRYING, **_ENDS},
    # It asks once more before its restart; for files again when a power cut came before that.
    TRYING: {ADMITTED: TRYING, FETCHED: FETCHING, **_ENDS},
    # Only a node in rescue mode asks again for what it has confirmed.
    CONFIRMED: {ADMITTED: OFFERED, FAILS: FAILED, NEWER: SKIPPED},
    FAILED: {},
    SKIPPED: {},
}

# Phases of the campaign.
CANARY, SOAK, REST, DONE, HALTED, STOPPED = "canary", "soak", "rest", "done", "halted", "stopped"

# Why a node failed: it went back to its former program, for a reason unknown; it never reported after its restart.
FELL_BACK, SILENT = "fell-back", "silent"


class Plan(NamedTuple):
    """Holds what a person has decided. `nodes`: only these; empty: every node of the kind. `canaries`: how many go
    first; `soak_s`: for how long they must have run the program. `pace_percent`: the share of each bearer's air."""

    product: str
    number: int
    begun_s: int
    nodes: frozenset[bytes] = frozenset()
    canaries: int = limits.CAMPAIGN_CANARIES
    soak_s: int = limits.CAMPAIGN_SOAK_S
    failures_max: int = limits.CAMPAIGN_FAILURES
    pace_percent: int = limits.CAMPAIGN_PACE_PERCENT
    is_stopped: bool = False

    @property
    def id(self) -> tuple[int, int]:
        """Returns what makes it another campaign: its progress begins anew."""
        return self.number, self.begun_s


@dataclass(slots=True)
class NodeProgress:
    """Holds where one node stands. `since_s`: Unix time of the last change of state, 0 unknown."""

    state: str = WAITING
    since_s: int = 0
    why: str = ""
    is_canary: bool = False
    bearer: str = ""
    heard_ms: int | None = None
    is_rescue: bool = False


class Campaign:
    """Runs one plan. `reported`: the phase that the centre knows. `is_changed`: something is to be saved."""

    def __init__(self, plan: Plan, nodes: dict[bytes, NodeProgress] | None = None, reported: str = "") -> None:
        self.plan = plan
        self.nodes = {} if nodes is None else nodes
        self.reported = reported
        self.is_halted = reported == HALTED
        self.is_changed = nodes is None

    # --- questions ----------------------------------------------------------------------------------------------

    def admit(
        self,
        node: bytes,
        bearer: str,
        question: Question | None,
        *,
        hours_s: int,
        unix_s: int | None,
        now_ms: int,
    ) -> int | None:
        """Accept a node's question for the manifest, or with `question` None for a file; return 0: serve it, seconds:
        it may ask again after them, None: there is nothing for it. `hours_s`: the time until its hours."""
        if self.plan.nodes and node not in self.plan.nodes:
            return None
        one = self.nodes.get(node)
        if one is None:
            if len(self.nodes) >= limits.INBOX_NODES_MAX:
                return limits.CAMPAIGN_AGAIN_S
            one = self.nodes[node] = NodeProgress(since_s=unix_s or 0)
            self.is_changed = True
        one.bearer, one.heard_ms = bearer, now_ms
        if question is not None:
            one.is_rescue = question.is_rescue
            self._learn(one, question, unix_s)
        if self.plan.is_stopped or self.is_halted or ADMITTED not in TABLE[one.state]:
            return None
        if one.state == CONFIRMED and not one.is_rescue:
            return None
        wait_s = 0 if one.is_rescue else hours_s or self._turn_s(one, unix_s)
        is_short = one.state == TRYING and question is not None
        if wait_s == 0 and not is_short and not self._has_room(one, now_ms):
            wait_s = limits.CAMPAIGN_AGAIN_S
        if wait_s:
            self._move(one, PAUSED, unix_s)
            return min(wait_s, limits.CAMPAIGN_WAIT_S_MAX)
        one.is_canary = one.is_canary or (self.phase() == CANARY and not one.is_rescue)
        if question is not None or one.state not in (OFFERED, FETCHING, TRYING):
            self._move(one, ADMITTED, unix_s)
        if question is None:
            self._move(one, FETCHED, unix_s)
        return 0

    def _learn(self, one: NodeProgress, question: Question, unix_s: int | None) -> None:
        number = self.plan.number
        if question.failed == number:
            # What it gave up before it was offered here, in another campaign, is no failure of this one.
            is_ours = one.is_canary or one.state != WAITING
            self._move(one, FAILS if is_ours else NEWER, unix_s, one.why or FELL_BACK)
        elif question.number == number and not question.is_rescue:
            if one.state != CONFIRMED:
                self._move(one, RUNS, unix_s)
        elif question.number is not None and question.number > number:
            self._move(one, NEWER, unix_s)

    def _turn_s(self, one: NodeProgress, unix_s: int | None) -> int:
        """Return the seconds until it is this node's turn, by canaries and soak."""
        phase = self.phase(unix_s)
        if phase == CANARY:
            is_free = one.is_canary or len(self._canaries()) < self._canaries_wanted()
            return 0 if is_free else limits.CAMPAIGN_WAIT_S_MAX
        if phase == SOAK:
            left_s = self.soak_left_s(unix_s)
            return limits.CAMPAIGN_AGAIN_S if left_s is None else max(1, left_s)
        return 0

    def _has_room(self, one: NodeProgress, now_ms: int) -> bool:
        """Return whether the air of the node's bearer has room for its transfer."""
        if self._is_active(one, now_ms) and one.state in (OFFERED, FETCHING):
            return True
        others = sum(other.bearer == one.bearer and self._is_active(other, now_ms) for other in self.nodes.values())
        air_ms = limits.CAMPAIGN_EXCHANGE_AIR_MS[one.bearer]
        return others < max(1, self.plan.pace_percent * limits.CAMPAIGN_EXCHANGE_EVERY_MS // (100 * air_ms))

    def _is_active(self, one: NodeProgress, now_ms: int) -> bool:
        if one.state not in (OFFERED, FETCHING) or one.heard_ms is None:
            return False
        return now_ms - one.heard_ms < limits.CAMPAIGN_SILENT_MS

    # --- reports ------------------------------------------------------------------------------------------------

    def on_update(self, node: bytes, number: int, outcome: str, *, unix_s: int | None) -> None:
        """Accept a node's event about an image. Number 0: it could not read which one was offered."""
        one = self.nodes.get(node)
        if one is None or number not in (self.plan.number, 0):
            return
        if number == 0 and one.state not in (OFFERED, FETCHING):
            return
        if outcome == "ready":
            self._move(one, READY, unix_s)
        elif outcome == "confirmed":
            self._move(one, RUNS, unix_s)
        elif outcome.startswith("no-"):  # what one trial lacked; there may be another
            self._note(one, outcome)
        else:
            self._move(one, FAILS, unix_s, one.why if one.why and outcome == FELL_BACK else outcome)

    def on_trouble(self, node: bytes, why: str, *, unix_s: int | None) -> None:
        """Accept that a node has crashed, or is in rescue mode: a failure of ours within the soak after its
        confirmation; on trial the reason why it may fall back."""
        one = self.nodes.get(node)
        if one is not None and one.state == TRYING:
            self._note(one, why)
        if one is None or one.state != CONFIRMED or not one.since_s or unix_s is None:
            return
        if unix_s - one.since_s < self.plan.soak_s:
            self._move(one, FAILS, unix_s, why)

    def _note(self, one: NodeProgress, why: str) -> None:
        self.is_changed = self.is_changed or one.why != why
        one.why = why

    def poll(self, *, unix_s: int | None, now_ms: int) -> None:
        """Pause transfers that have fallen silent, and give up nodes that never came back from their trial."""
        for one in self.nodes.values():
            if one.state in (OFFERED, FETCHING) and not self._is_active(one, now_ms):
                self._move(one, PAUSED, unix_s)
            elif one.state in (TRYING, CONFIRMED) and unix_s is not None:
                if not one.since_s:  # it came before we had the time
                    one.since_s, self.is_changed = unix_s, True
                if one.state == TRYING and unix_s - one.since_s >= limits.CAMPAIGN_TRYING_S:
                    self._move(one, FAILS, unix_s, SILENT)

    # --- where it stands ----------------------------------------------------------------------------------------

    def phase(self, unix_s: int | None = None) -> str:
        """Return the phase; without a time a soak is not over. `is_done` tells DONE from REST."""
        if self.plan.is_stopped:
            return STOPPED
        if self.is_halted:
            return HALTED
        canaries = [one for one in self._canaries() if one.state in (CONFIRMED, SKIPPED)]
        if len(canaries) < self._canaries_wanted():
            return CANARY
        if self.reported in (REST, DONE):
            return REST
        left_s = self.soak_left_s(unix_s)
        return REST if left_s == 0 else SOAK

    def soak_left_s(self, unix_s: int | None) -> int | None:
        """Return the seconds until the last canary has run for the soak; None: not known."""
        since = [one.since_s for one in self._canaries()]
        if unix_s is None or not all(since):
            return None if self._canaries_wanted() else 0
        return max(0, max(since, default=0) + self.plan.soak_s - unix_s)

    def is_done(self, expected: Iterable[bytes], unix_s: int | None) -> bool:
        """Return whether every node of the kind has reached an end; after CAMPAIGN_ASKED_S, every node that has asked,
        and be it none, or fewer than canaries: they have run it for the soak."""
        ended = {node for node, one in self.nodes.items() if one.state in (CONFIRMED, FAILED, SKIPPED)}
        phase = self.phase(unix_s)
        if unix_s is not None and unix_s - self.plan.begun_s >= limits.CAMPAIGN_ASKED_S:
            is_soaked = phase == CANARY and self.soak_left_s(unix_s) == 0
            return (phase == REST or is_soaked) and self.nodes.keys() <= ended
        wanted = self.plan.nodes or set(expected) | self.nodes.keys()
        return phase == REST and bool(wanted) and wanted <= ended

    def counts(self) -> dict[str, int]:
        """Return how many nodes are in each state; states without a node are left out."""
        found = dict.fromkeys(STATES, 0)
        for one in self.nodes.values():
            found[one.state] += 1
        return {state: count for state, count in found.items() if count}

    def is_moving(self) -> bool:
        """Return whether `poll` may find something: it is not over, or a transfer or a trial is under way."""
        if self.reported not in (DONE, HALTED, STOPPED):
            return True
        return any(one.state in (OFFERED, FETCHING, TRYING) for one in self.nodes.values())

    # --- inside -------------------------------------------------------------------------------------------------

    def _canaries(self) -> list[NodeProgress]:
        return [one for one in self.nodes.values() if one.is_canary]

    def _canaries_wanted(self) -> int:
        return min(self.plan.canaries, len(self.plan.nodes)) if self.plan.nodes else self.plan.canaries

    def _move(self, one: NodeProgress, happened: str, unix_s: int | None, why: str = "") -> None:
        """Change a node's state; the only place that does."""
        state = TABLE[one.state].get(happened)
        if state is None or state == one.state:
            return
        one.state, one.since_s, one.why = state, unix_s or 0, why
        self.is_changed = True
        if state == FAILED and (one.is_canary or self.counts()[FAILED] > self.plan.failures_max):
            self.is_halted = True
