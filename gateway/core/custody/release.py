"""Chooses what is let go when the journal is full, and in which order. It must read and write nothing itself.

In this order, and only from segments that are sealed, durable and not freed:

    surplus     what nodes sent beyond their fair use, readings, events and alarms alike: as telemetry below, then whole
                segments, the oldest first. Nothing else goes before all of it has gone
    telemetry   the lowest level first, the oldest first within a level: of each node and set of reading keys every
                other record goes, the others stay as they are: level 1 keeps one in 2, level 2 in 4, level 3 in 8
    gaps        our own gap records, of several segments of events at once: for each (node, boot, why) one record that
                covers them all replaces them. Explanations must not crowd out what they explain
    telemetry   once all of it is at the last level: whole segments, the oldest first
    events      the oldest first, but not those that are statements about records (boot, gap, hole, raw)
    alarms      the oldest first, and only when everything that is configured is full

A payload that cannot be decoded stays. Turns (which record of a node goes next) are kept by level and continue from
segment to segment, so that a node with one record in each segment is thinned like the others; a start resets them,
which keeps a record more.

Gap records need room too. Where they would need more than the records free, a release takes more segments, which share
their gap records. It is tried again only with twice as many, so that no segment is read in vain more than a few times,
or with one more when nothing else is left to do.
"""

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any

from gateway.core import limits
from gateway.core.custody import entry
from gateway.core.custody.journal import Journal, Stream
from gateway.core.custody.segment import Segment
from wire import event
from wire.faults import WireFault
from wire.record import EventBody
from wire.senml import Item

THINNED = "thinned"
BEYOND_FAIR_USE = "fair-use"
FULL = "journal-full"
# Our own gap records, now covered by another gap record of ours: no record of a node is lost by it.
JOINED = "gaps-joined"
# Events of the lane `event` about other records: without them something would be missing unexplained.
STATEMENTS = (event.BOOT, event.GAP, event.HOLE, event.RAW)

GAPS_JOINED = 1  # the level of a segment of events whose gap records have been joined
GONE = limits.THINNING_LEVEL_MAX + 1  # the level of a segment from which everything that may go has gone
GONE_AND_JOINED = GONE + 1  # the level of such a segment whose gap records have been joined as well
Lost = dict[tuple[bytes, int], list[tuple[int, int]]]  # (node, boot) -> [(index in the segment, sequence)]
Spans = dict[tuple[bytes, int, str], tuple[int, int]]  # (node, boot, why) -> sequences, from and to
Turn = tuple[int, bytes, tuple[int, ...]]  # level, node, reading keys or event


@dataclass
class SegmentPlan:
    """Plans how one segment is brought to `level`: which positions become void, which records go, and which gaps are
    due.

    `joins_gaps`: our own gap records go, and `spans` covers them and all that they covered.
    """

    stream: Stream
    segment: Segment
    level: int
    joins_gaps: bool = False
    void: bytearray = field(default_factory=bytearray)  # by index: 1 where no record remains
    lost: Lost = field(default_factory=dict)
    spans: Spans = field(default_factory=dict)
    bytes: int = 0  # bytes on the disk of the records in `lost`
    turns: dict[Turn, int] = field(default_factory=dict)

    @property
    def why(self) -> str:
        return why(self.stream.lane, self.level)

    def add(self, index: int, item: Item, size: int, turns: "ThinningTurns") -> None:
        """Mark this record as let go if the level demands it."""
        body = item.record.body
        if not (self._covers(body) if self.joins_gaps else self._may_go(item, turns)):
            return
        self.void[index] = 1
        self.bytes += size
        self.lost.setdefault((item.node, item.record.boot), []).append((index, item.record.sequence))
        _widen(self.spans, (item.node, item.record.boot, self.why), item.record.sequence, item.record.sequence)

    def _may_go(self, item: Item, turns: "ThinningTurns") -> bool:
        body = item.record.body
        if self.level == GONE:
            return isinstance(body, dict) or body.code not in STATEMENTS
        if isinstance(body, dict):
            kind = tuple(sorted(body))
        elif self.stream.lane == event.SURPLUS and body.code not in STATEMENTS:
            kind = (-1 - body.code,)  # no key of a reading
        else:
            return False
        key = (self.level, item.node, kind)
        turn = self.turns.get(key, turns.of(key))
        self.turns[key] = 1 - turn
        return turn == 1

    def _covers(self, body: Any) -> bool:
        """Widen the spans by what a gap record of ours covers; return False if `body` is no such record."""
        if not isinstance(body, EventBody) or body.code != event.GAP:
            return False
        node, boot, first, last, why = body.detail[:5]
        if node is None or last is None or why not in (THINNED, FULL, JOINED, BEYOND_FAIR_USE):
            return False
        _widen(self.spans, (node, boot, why), first, last)
        return True


@dataclass
class Release:
    """Holds plans that share their gap records. `is_widest`: no more segments could be added."""

    plans: list[SegmentPlan]
    is_widest: bool = True

    @property
    def joins_gaps(self) -> bool:
        return self.plans[0].joins_gaps

    def drop_poor(self) -> None:
        """Drop, after reading, the plans that free nothing or only a few gap records: a copy wears the card for
        nothing."""
        kept = []
        for plan in self.plans:
            if plan.joins_gaps and 4 * plan.bytes < plan.segment.size:
                plan.segment.tried_joining = limits.THINNING_TOGETHER_SEGMENTS_MAX
            elif not plan.lost:
                plan.segment.level = plan.level
            else:
                kept.append(plan)
        self.plans = kept

    def spans(self) -> Spans:
        """Return what the gap records will cover. Covering more than is missing does no harm: a record overrides a
        gap."""
        spans: Spans = {}
        for plan in self.plans:
            for about, (first, last) in plan.spans.items():
                _widen(spans, about, first, last)
        return spans

    def is_worth_it(self, gaps: int) -> bool:
        """Return whether this frees more than its `gaps` gap records take."""
        made, spent = sum(plan.bytes for plan in self.plans), gaps * limits.THINNING_GAP_BYTES
        return made > (spent if self.plans[0].level == GONE else 2 * spent)

    def leave(self) -> None:
        """Give this release up: its segments are not tried again before there are twice as many, or at all."""
        tried = limits.THINNING_TOGETHER_SEGMENTS_MAX if self.is_widest else len(self.plans)
        for plan in self.plans:
            if plan.joins_gaps:
                plan.segment.tried_joining = max(plan.segment.tried_joining, tried)
            elif self.is_widest:
                plan.segment.level = plan.level
            else:
                plan.segment.tried_drop = max(plan.segment.tried_drop, tried)


class ThinningTurns:
    """Remembers, from one segment of a level to the next, whether a node's next record stays or goes."""

    def __init__(self) -> None:
        self._turns: OrderedDict[Turn, int] = OrderedDict()

    def of(self, key: Turn) -> int:
        """Return 1 where the next record goes."""
        return self._turns.get(key, 0)

    def update(self, turns: dict[Turn, int]) -> None:
        """Adopt the turns after a segment that was really rewritten."""
        for key, turn in turns.items():
            self._turns[key] = turn
            self._turns.move_to_end(key)
        while len(self._turns) > limits.THINNING_TURNS_MAX:
            self._turns.popitem(last=False)


def choose_release(journal: Journal, *, alarms: bool, cramped: bool) -> Release | None:
    """Return the next segments to let records go from. `cramped`: no room for a copy, so all records of one must go."""
    surplus, telemetry = (_candidates(journal, lane, GONE) for lane in (event.SURPLUS, event.TELEMETRY))
    first = (None if cramped else _thin(surplus)) or _drop(surplus, 1) or (None if cramped else _thin(telemetry))
    if first is not None:
        return first
    events = _candidates(journal, event.EVENT, GONE)
    release = None if cramped else _join_gaps(journal, 2)
    release = release or _drop(telemetry, 2) or _drop(events, 2) or _join_gaps(journal, 1)
    release = release or _drop(telemetry, 1) or _drop(events, 1)
    if release is None and alarms:
        return _drop(_candidates(journal, event.ALARM, GONE), 1)
    return release


def _candidates(journal: Journal, lane: str, level: int) -> list[tuple[Stream, Segment]]:
    return [
        (stream, segment)
        for stream, segment in journal.sealed(lane)
        if segment.level < level and segment.read_failures < limits.JOURNAL_READ_FAILURES_MAX
    ]


def _thin(candidates: list[tuple[Stream, Segment]]) -> Release | None:
    """Return the oldest segment of the lowest level, unless all are at the last."""
    if not candidates:
        return None
    stream, segment = min(candidates, key=lambda candidate: candidate[1].level)
    if segment.level == limits.THINNING_LEVEL_MAX:
        return None
    return Release([SegmentPlan(stream, segment, segment.level + 1)])


def _join_gaps(journal: Journal, times: int) -> Release | None:
    """Return the oldest segments with gap records, as many as one release may hold. `times`: see `_wanted`."""
    found = [
        (stream, segment)
        for stream, segment in _candidates(journal, event.EVENT, GONE_AND_JOINED)
        if segment.level in (0, GONE) and segment.tried_joining < limits.THINNING_TOGETHER_SEGMENTS_MAX
    ]
    group, is_widest = _first(found, limits.THINNING_TOGETHER_SEGMENTS_MAX)
    tried = max((segment.tried_joining for _, segment in group), default=0)
    if len(group) < _wanted(tried, 1 if is_widest else times):
        return None
    plans = [
        SegmentPlan(stream, held, GONE_AND_JOINED if held.level else GAPS_JOINED, joins_gaps=True)
        for stream, held in group
    ]
    return Release(plans, is_widest)


def _drop(candidates: list[tuple[Stream, Segment]], times: int) -> Release | None:
    """Return the oldest segment, or the oldest few where one alone holds too little of each node."""
    if not candidates:
        return None
    want = _wanted(candidates[0][1].tried_drop, times)
    group, is_widest = _first(candidates, want)
    if len(group) < want and not is_widest:
        return None
    return Release([SegmentPlan(stream, segment, GONE) for stream, segment in group], is_widest)


def _wanted(tried: int, times: int) -> int:
    """Return how many segments to try after `tried` were not worth it: `times` as many, at least one more."""
    return max(1, tried + 1, times * tried)


def _first(candidates: list[tuple[Stream, Segment]], count: int) -> tuple[list[tuple[Stream, Segment]], bool]:
    """Return the first candidates, as many as one release may hold, and whether they are at that limit."""
    group: list[tuple[Stream, Segment]] = []
    size = 0
    for stream, segment in candidates[: min(count, limits.THINNING_TOGETHER_SEGMENTS_MAX)]:
        size += segment.size
        if group and size > limits.THINNING_TOGETHER_BYTES_MAX:
            return group, True
        group.append((stream, segment))
    return group, len(group) == limits.THINNING_TOGETHER_SEGMENTS_MAX


def why(lane: str, level: int) -> str:
    """Return the reason for the gap record and the ledger."""
    if level in (GAPS_JOINED, GONE_AND_JOINED) and lane == event.EVENT:
        return JOINED
    if lane == event.SURPLUS:
        return BEYOND_FAIR_USE
    return THINNED if lane == event.TELEMETRY and level < GONE else FULL


def _widen(spans: Spans, about: tuple[bytes, int, str], first: int, last: int) -> None:
    before = spans.get(about)
    spans[about] = (first, last) if before is None else (min(first, before[0]), max(last, before[1]))


def decoded(payload: bytes) -> Item | None:
    """Return the record at a position, or None when this version cannot read it."""
    try:
        return entry.decode(payload)
    except WireFault:
        return None
