"""What is let go when the journal is full, and in which order. Pure: it reads nothing and writes nothing.

In this order, and only from segments that are sealed, durable and not freed:

    telemetry   the lowest level first, the oldest first within a level: of each node and set of reading keys every
                other record goes, the others stay as they are: level 1 keeps one in 2, level 2 in 4, level 3 in 8
    telemetry   once all of it is at the last level: whole segments, the oldest first
    events      the oldest first, but not what is a statement about records (boot, gap, hole, raw)
    gaps        our own of the oldest segment of events, once each (node, boot) there has one that covers them all
    alarms      the oldest first, and only when everything that is configured is full

A payload that cannot be decoded stays. Turns are by level and go on from segment to segment, so that a node with
one record in each segment is thinned like the others; a start begins them afresh, which keeps a record more.
"""

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any

from gateway.core import entry, limits
from gateway.core.journal import Journal, Stream
from gateway.core.shelf import Segment
from wire import event
from wire.faults import WireFault
from wire.record import EventBody
from wire.senml import Item

THINNED = "thinned"
FULL = "journal-full"
# What the lane `event` says about other records: without it something would be missing unexplained.
STATEMENTS = (event.BOOT, event.GAP, event.HOLE, event.RAW)

GONE = limits.THINNING_LEVEL_MAX + 1  # the level of a segment from which all has gone that may go
MERGED = GONE + 1  # of one whose gap records have been put together as well
Lost = dict[tuple[bytes, int], list[tuple[int, int]]]  # (node, boot) -> [(index in the segment, sequence)]
Turn = tuple[int, bytes, tuple[int, ...]]  # level, node, reading keys


@dataclass
class Plan:
    """One segment on its way to `level`: which of its positions will be void, and who is let go."""

    stream: Stream
    segment: Segment
    level: int
    void: bytearray = field(default_factory=bytearray)  # by index: 1 where nothing will stand
    lost: Lost = field(default_factory=dict)
    merged: dict[tuple[bytes, int], tuple[int, int]] = field(default_factory=dict)  # what gaps in `lost` covered
    bytes: int = 0  # of the records in `lost`, on the disk
    turns: dict[Turn, int] = field(default_factory=dict)

    @property
    def why(self) -> str:
        return why(self.level)

    @property
    def is_worth_it(self) -> bool:
        """Gap records take room too: with a record or two of each node in a segment, more than they make."""
        gaps = (len(self.lost) + len(self.merged)) * limits.THINNING_GAP_BYTES
        return self.bytes > (gaps if self.level == GONE else 2 * gaps)

    @property
    def gaps(self) -> list[EventBody]:
        """What explains it. To cover more than is missing does no harm: a record beats a gap."""
        spans = {
            about: (min(sequence for _, sequence in pairs), max(sequence for _, sequence in pairs))
            for about, pairs in self.lost.items()
        }
        for about, (first, last) in self.merged.items():
            spans[about] = _wider(spans.get(about), first, last)
        return [EventBody(event.GAP, None, [*about, *span, self.why]) for about, span in spans.items()]

    def takes(self, item: Item, turns: "Turns") -> bool:
        """Whether this record goes; what follows from that is noted."""
        body = item.record.body
        if self.level == MERGED:
            return _merge(self.merged, body)
        if self.level == GONE:
            return isinstance(body, dict) or body.code not in STATEMENTS
        if not isinstance(body, dict):
            return False
        key = (self.level, item.node, tuple(sorted(body)))
        turn = self.turns.get(key, turns.of(key))
        self.turns[key] = 1 - turn
        return turn == 1


class Turns:
    """Whose record stays and whose goes next, carried from one segment to the next of a level."""

    def __init__(self) -> None:
        self._turns: OrderedDict[Turn, int] = OrderedDict()

    def of(self, key: Turn) -> int:
        """1 where the next record goes."""
        return self._turns.get(key, 0)

    def take(self, turns: dict[Turn, int]) -> None:
        """Take in the turns after a segment that was really rewritten."""
        for key, turn in turns.items():
            self._turns[key] = turn
            self._turns.move_to_end(key)
        while len(self._turns) > limits.THINNING_TURNS_MAX:
            self._turns.popitem(last=False)


def choose(journal: Journal, *, alarms: bool, cramped: bool) -> Plan | None:
    """The next segment to let records go from. `cramped`: there is no room for a copy, so all of one must go."""
    telemetry = _candidates(journal, event.TELEMETRY, GONE)
    if telemetry:
        stream, segment = min(telemetry, key=lambda candidate: candidate[1].level)
        if segment.level < limits.THINNING_LEVEL_MAX and not cramped:
            return Plan(stream, segment, segment.level + 1)
        return Plan(*telemetry[0], GONE)
    for lane, level in (event.EVENT, GONE), (event.EVENT, MERGED), (event.ALARM, GONE):
        if lane != event.ALARM or alarms:
            for stream, segment in _candidates(journal, lane, level):
                return Plan(stream, segment, level)
    return None


def _candidates(journal: Journal, lane: str, level: int) -> list[tuple[Stream, Segment]]:
    return [
        (stream, segment)
        for stream, segment in journal.sealed(lane)
        if segment.level < level and segment.read_failures < limits.JOURNAL_READ_FAILURES_MAX
    ]


def why(level: int) -> str:
    """The reason in the gap record and in the ledger."""
    return THINNED if level < GONE else FULL


def _wider(span: tuple[int, int] | None, first: int, last: int) -> tuple[int, int]:
    return (first, last) if span is None else (min(first, span[0]), max(last, span[1]))


def _merge(merged: dict[tuple[bytes, int], tuple[int, int]], body: Any) -> bool:
    """Take in what a gap record of ours covers; False if this is none."""
    if not isinstance(body, EventBody) or body.code != event.GAP:
        return False
    node, boot, first, last, why = body.detail[:5]
    if node is None or last is None or why not in (THINNED, FULL):
        return False
    merged[node, boot] = _wider(merged.get((node, boot)), first, last)
    return True


def decoded(payload: bytes) -> Item | None:
    """The record at a position, or None when this version cannot read it."""
    try:
        return entry.decode(payload)
    except WireFault:
        return None
