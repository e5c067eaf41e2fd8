"""Counts what each node sends in a day, and tells which of its records are beyond its fair use.

A node's key that was stolen, or a node that has gone wrong, must not cost other nodes their room in the journal, the
alarms' reserve or the 4G budget. So a node has, a day and apart from each other, a number of alarms, a number of events
and a number of bytes of readings (`limits.FAIR_USE_…`, more than the most talkative honest node sends in its worst
day):

    within     the record goes its way, in the lane of its kind
    beyond     it is kept and acknowledged like any other, but in the lane `surplus`: sent last, not sent where bytes
               are short, let go first when the journal is full
    refused    from FAIR_USE_TIMES_MAX times that on: 4.29 (RFC 8516), and the node keeps it

The first record of each boot costs an event more: the gateway dates each boot by a record of its own, and a thief could
invent a boot a record.
The centre gets one alarm, which ends after a day without excess. A file names the nodes that are beyond, written when
that begins or ends. Days are those of the agent's own monotonic clock, for a cabinet may have no other. A restart
begins a new day, in which a node that was beyond has already spent what it had.
"""

import json
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any

from gateway.core import limits
from gateway.core.custody.disk import NumberedFile, SharedFolder, parse_json
from wire import event
from wire import limits as wire_limits
from wire.record import EventBody

_DAY_MS = 86_400_000


class Use(Enum):
    """Judges a record against the fair use of its node."""

    WITHIN = "within"
    BEYOND = "beyond"
    REFUSED = "refused"


@dataclass(slots=True)
class NodeUse:
    """Counts what one node has sent in the day `day`; `beyond`: how many of these records were not within its fair
    use."""

    node: bytes
    day: int
    used: dict[str, int]  # by lane: alarms, events, bytes of readings
    boots: tuple[int, ...] = ()  # seen last: as many as have their time remembered (`anchors`)
    beyond: int = 0

    @property
    def counts(self) -> tuple[int, ...]:
        """Returns the alarms, the events and the bytes of readings."""
        return tuple(self.used[lane] for lane in event.LANES)


class FairUse:
    """Judges the records of all nodes. `percent` of the shipped fair use is what each node has; `report` makes a record
    of the gateway. Call `start` once, first."""

    def __init__(self, percent: int, report: Callable[..., Any], folder: SharedFolder) -> None:
        self._most = {
            event.ALARM: limits.FAIR_USE_ALARMS_A_DAY * percent // 100,
            event.EVENT: limits.FAIR_USE_EVENTS_A_DAY * percent // 100,
            event.TELEMETRY: limits.FAIR_USE_READING_BYTES_A_DAY * percent // 100,
        }
        self._report = report
        self._file = NumberedFile(folder, "fair-use", bytes_max=limits.FAIR_USE_FILE_BYTES_MAX)
        self._uses: OrderedDict[bytes, NodeUse] = OrderedDict()
        self._exceeding: dict[bytes, NodeUse] = {}  # those of whom the centre has been told
        self._day = 0
        self.counters = {"beyond": 0, "refused": 0}

    def start(self, *, now_ms: int) -> None:
        """Restore who was beyond fair use when the agent last stopped."""
        self._day = now_ms // _DAY_MS
        for data in self._file.restore():
            try:
                plain = {bytes.fromhex(node): tuple(counts) for node, counts in parse_json(data).items()}
                found = [
                    NodeUse(node, self._day, dict(zip(event.LANES, counts, strict=True)))
                    for node, counts in plain.items()
                    if _are_sound(counts)
                ]
            except (ValueError, TypeError, AttributeError):
                continue
            self._exceeding = {use.node: use for use in found[: limits.INBOX_NODES_MAX]}
            self._uses.update(self._exceeding)
            return

    def of(self, node: bytes, *, now_ms: int) -> NodeUse:
        """Return what the node has sent today."""
        use = self._uses.get(node)
        day = now_ms // _DAY_MS
        if use is None:
            use = self._uses[node] = NodeUse(node, day, dict.fromkeys(event.LANES, 0))
            if len(self._uses) > limits.INBOX_NODES_MAX:
                self._exceeding.pop(self._uses.popitem(last=False)[0], None)
            return use
        self._uses.move_to_end(node)
        if use.day != day:
            self.poll(now_ms=now_ms)  # before the figures of the day that is over are gone
            use.day, use.used, use.beyond = day, dict.fromkeys(event.LANES, 0), 0
        return use

    def judge(self, use: NodeUse, boot: int | None, lane: str) -> Use:
        """Return where the node's next record stands; `boot` None: it has none that can be read."""
        used, most = use.used[lane], self._most[lane]
        if used < most and boot is not None and boot not in use.boots:
            used, most = use.used[event.EVENT], self._most[event.EVENT]
        if used < most:
            return Use.WITHIN
        return Use.BEYOND if used < limits.FAIR_USE_TIMES_MAX * most else Use.REFUSED

    def note(self, use: NodeUse, boot: int | None, lane: str, size: int, judged: Use, *, now_ms: int) -> None:
        """Note a record of `size` bytes that was journaled, or refused for what `judge` said of it."""
        if judged is not Use.WITHIN:
            self._note_beyond(use, judged, now_ms)
            if judged is Use.REFUSED:
                return
        if boot is not None and boot not in use.boots:
            use.used[event.EVENT] += 1
            use.boots = (*use.boots, boot)[-limits.TIMEMAP_BOOTS_PER_NODE_MAX :]
        use.used[lane] += size if lane == event.TELEMETRY else 1

    def poll(self, *, now_ms: int) -> None:
        """Report the end of the excess of nodes that have had none for a day."""
        day = now_ms // _DAY_MS
        if day == self._day:
            return
        self._day = day
        for use in list(self._exceeding.values()):
            if use.day < day - 1 or not use.beyond:
                del self._exceeding[use.node]
                self._report_use(use, False, now_ms)

    def deadline_ms(self) -> int | None:
        """Return when `poll` is due; None: no node is beyond its fair use."""
        return (self._day + 1) * _DAY_MS if self._exceeding else None

    def exceeding(self) -> list[NodeUse]:
        """Return the nodes that are beyond their fair use, the loudest of this day first."""
        return sorted(self._exceeding.values(), key=lambda use: (-use.beyond, use.node))

    # --- inside -------------------------------------------------------------------------------------------------

    def _note_beyond(self, use: NodeUse, judged: Use, now_ms: int) -> None:
        use.beyond += 1
        self.counters[judged.value] += 1
        if use.node not in self._exceeding:
            self._exceeding[use.node] = use
            self._report_use(use, True, now_ms)

    def _report_use(self, use: NodeUse, active: bool, now_ms: int) -> None:
        detail = [use.node, *use.counts]
        self._report(EventBody(event.FAIR_USE_EXCEEDED, active, detail), now_ms=now_ms)
        known = {one.node.hex(): one.counts for one in self._exceeding.values()}
        self._file.save(json.dumps(known).encode() + b"\n")


def _are_sound(counts: tuple[Any, ...]) -> bool:
    """Return whether these are three counts that a record can hold."""
    return len(counts) == 3 and all(
        type(count) is int and 0 <= count <= wire_limits.READING_ABS_MAX for count in counts
    )
