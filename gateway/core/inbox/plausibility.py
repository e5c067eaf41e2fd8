"""Judges each record once, as it is journaled. The record is sent unchanged, plausible or not.

Counted, and noted in the known nodes for the status page: readings outside the range of their quantity, and
codes that are not in our tables. Reported in a record of the gateway's own as well: an impossible time
(`timeDoubtful`) and one identity with two bodies (`conflict`).

A time can be judged only while our clock is good. It is doubtful when it lies

    ahead    after now, by more than both uncertainties and TIME_MARGIN_S
    behind   before anything a node can still hold, NODE_HOLD_S_MAX, by more than both and TIME_BEHIND_MARGIN_S

It is reported once for each (node, boot, ahead or behind), and so many times an hour in all: one wrong clock, ours
included, must not fill the journal. Beyond this limit, it is counted as `unsaid`.
"""

from collections import OrderedDict
from typing import Protocol

from gateway.core import limits
from gateway.core.inbox.known_nodes import KnownNodes
from gateway.core.wallclock import WallClock
from wire import event, event_table, quantity, quantity_table
from wire.record import UNSET, EventBody, Record, Stamp


class Report(Protocol):
    """Makes a record of the gateway itself; returns None when the journal refuses it."""

    def __call__(self, body: EventBody, *, now_ms: int) -> object | None: ...


_AHEAD, _BEHIND = "time-ahead", "time-behind"
# By code, the lowest and highest value of a quantity.
_RANGES = {one.code: (one.low, one.high) for one in quantity_table.BY_CODE.values()}


class HourlyLimit:
    """Allows at most `count_max` notes in any hour that begins with one of them."""

    def __init__(self, count_max: int) -> None:
        self._count_max = count_max
        self._count = 0
        self._since_ms: int | None = None

    def allows(self, *, now_ms: int) -> bool:
        return self._since_ms is None or now_ms - self._since_ms >= 3_600_000 or self._count < self._count_max

    def note(self, *, now_ms: int) -> None:
        if self._since_ms is None or now_ms - self._since_ms >= 3_600_000:
            self._since_ms, self._count = now_ms, 0
        self._count += 1


class PlausibilityCheck:
    """Observes records, counts what is odd about them and reports it. `counters` only rise."""

    def __init__(self, clock: WallClock, known_nodes: KnownNodes, report: Report) -> None:
        self._clock = clock
        self._known_nodes = known_nodes
        self._report_own = report
        self._reported: OrderedDict[tuple[bytes, int, str], None] = OrderedDict()
        self._doubts = HourlyLimit(limits.DOUBTS_PER_HOUR_MAX)
        self._conflicts = HourlyLimit(limits.CONFLICTS_PER_HOUR_MAX)
        self.counters = {
            "out-of-range": 0,
            "unknown-quantities": 0,
            "unknown-events": 0,
            _AHEAD: 0,
            _BEHIND: 0,
            "conflicts": 0,
            "unsaid": 0,
        }

    def observe(self, node: bytes, made: Record, *, now_ms: int) -> None:
        """Observe a record that has been journaled for the first time."""
        body = made.body
        if isinstance(body, EventBody):
            if body.code not in event_table.BY_CODE:
                self.counters["unknown-events"] += 1
                self._known_nodes.note_odd(node, now_ms=now_ms)
            if isinstance(body.detail, dict):
                self._check_readings(node, body.detail, now_ms)
        else:
            self._check_readings(node, body, now_ms)
        if made.stamp.quality != UNSET and self._clock.good_since_ms is not None:
            self._check_time(node, made, now_ms)

    def conflict(self, node: bytes, made: Record, *, now_ms: int) -> None:
        """Report that a second body for an identity has been journaled."""
        self.counters["conflicts"] += 1
        self._known_nodes.note_odd(node, now_ms=now_ms)
        self._report(self._conflicts, EventBody(event.CONFLICT, None, [node, made.boot, made.sequence]), now_ms)

    def _check_readings(self, node: bytes, readings: dict[int, int], now_ms: int) -> None:
        for key, value in readings.items():
            span = _RANGES.get(key % quantity.CHANNEL_STEP)
            if span is None:
                self.counters["unknown-quantities"] += 1
                self._known_nodes.note_odd(node, now_ms=now_ms)
            elif not span[0] <= value <= span[1]:
                self.counters["out-of-range"] += 1
                self._known_nodes.note_odd(node, now_ms=now_ms)

    def _check_time(self, node: bytes, made: Record, now_ms: int) -> None:
        heard_s = self._clock.unix_s(now_ms=now_ms)
        assert heard_s is not None
        doubt_s = self._clock.uncertainty_s + made.stamp.uncertainty_s
        kind = _judge(made.stamp, heard_s, doubt_s)
        if kind is None:
            return
        self.counters[kind] += 1
        self._known_nodes.note_odd(node, now_ms=now_ms)
        subject = (node, made.boot, kind)
        if subject in self._reported:
            return
        detail = [node, made.boot, made.sequence, made.stamp.seconds, heard_s, doubt_s]
        if self._report(self._doubts, EventBody(event.TIME_DOUBTFUL, None, detail), now_ms):
            self._reported[subject] = None
            if len(self._reported) > limits.DOUBTS_REMEMBERED_MAX:
                self._reported.popitem(last=False)

    def _report(self, hourly: HourlyLimit, body: EventBody, now_ms: int) -> bool:
        if not hourly.allows(now_ms=now_ms) or self._report_own(body, now_ms=now_ms) is None:
            self.counters["unsaid"] += 1
            return False
        hourly.note(now_ms=now_ms)
        return True


def _judge(stamp: Stamp, heard_s: int, doubt_s: int) -> str | None:
    apart_s = stamp.seconds - heard_s
    if apart_s > doubt_s + limits.TIME_MARGIN_S:
        return _AHEAD
    if -apart_s > doubt_s + limits.NODE_HOLD_S_MAX + limits.TIME_BEHIND_MARGIN_S:
        return _BEHIND
    return None
