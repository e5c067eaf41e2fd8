"""Keeps how far each stream (gateway, epoch, lane) is held. `extend` decides it without database or clock."""

from collections.abc import Callable
from typing import NamedTuple

from tools.centre.ingest import alarms
from tools.centre.ingest.alarms import Alarms
from tools.centre.ingest.intake import Envelope
from tools.centre.limits import OVERLAP_S_MIN, SPANS_MAX, STREAMS_PER_GATEWAY_MAX
from tools.centre.store import database
from wire import event


class Extent(NamedTuple):
    """States how far the warehouse holds one stream (gateway, epoch, lane): `end` is the first position that is not
    held; `spans` are the pieces `(first, last)` held beyond it, ascending and disjoint."""

    end: int
    spans: tuple[tuple[int, int], ...] = ()


class Step(NamedTuple):
    """Holds the new extent, `(first, last)` of every hole jumped over, and the number of spans that were forgotten."""

    extent: Extent
    skipped: tuple[tuple[int, int], ...]
    forgotten: int


def extend(extent: Extent | None, first: int, last: int, oldest: int, spans_max: int) -> Step:
    """Returns the step for positions `[first, last]` (`last == first - 1`: none) from a gateway that holds `oldest`.

    The gateway frees each position that the prefix has passed; so the prefix may only pass what is held here, or what
    the gateway no longer holds:

        no prefix yet                as if it ended at 0, where every stream begins
        `oldest` beyond it           what lies between will never come: it jumps to `oldest` and reports it (`skipped`)
        batch begins at or below it  it moves to the batch's end, and over the spans that it now meets
        batch begins beyond it       the batch is remembered as a span ahead, until the hole before it closes
        batch sent again             nothing moves
        empty batch                  a question: only `oldest` counts

    It never goes back. Spans are bounded: the farthest is forgotten first, which costs a resend and loses nothing.
    """
    if extent is None:
        extent = Extent(0)
    spans = list(extent.spans)
    if last >= first:
        spans.append((first, last))
    end, spans = _merge(max(extent.end, oldest), sorted(spans))
    forgotten = max(0, len(spans) - spans_max)
    return Step(Extent(end, tuple(spans[:spans_max])), _holes(extent, oldest), forgotten)


def _holes(extent: Extent, oldest: int) -> tuple[tuple[int, int], ...]:
    """Returns the holes that a jump from the old end to `oldest` skips."""
    holes = []
    position = extent.end
    for first, last in (*extent.spans, (oldest, oldest)):
        if position < min(first, oldest):
            holes.append((position, min(first, oldest) - 1))
        position = max(position, last + 1)
    return tuple(holes)


def _merge(end, spans):
    apart: list[tuple[int, int]] = []
    for first, last in spans:
        if first <= end:
            end = max(end, last + 1)
        elif apart and first <= apart[-1][1] + 1:
            apart[-1] = (apart[-1][0], max(apart[-1][1], last))
        else:
            apart.append((first, last))
    return end, apart


# --- in the database -------------------------------------------------------------------------------------------


_HELD = """SELECT next_position, held_end, first_received_unix_s, latest_unix_s, first, last
    FROM prefixes LEFT JOIN spans USING (gateway, epoch, lane) WHERE gateway = ? AND epoch = ? AND lane = ?
    ORDER BY first"""
_EXTEND = """INSERT INTO prefixes VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (gateway, epoch, lane) DO UPDATE SET
    next_position = excluded.next_position, extended_unix_s = excluded.extended_unix_s,
    first_received_unix_s = excluded.first_received_unix_s, latest_unix_s = excluded.latest_unix_s,
    held_end = excluded.held_end"""
_STATE = "UPDATE prefixes SET held_end = ? WHERE gateway = ? AND epoch = ? AND lane = ?"


class Sender(NamedTuple):
    """Names who brought a batch: the gateway's number and id, and its cabinet (insee-name)."""

    number: int
    identity: bytes
    cabinet: str


class _Stream(NamedTuple):
    """Holds how far a stream is held here and at its gateway, when its first record was received, and the latest time
    that one states."""

    extent: Extent
    held_end: int
    first_received_s: int
    latest_s: int


class Prefixes:
    """Reads and writes within the transactions of its owner; `count(name, times)` counts for it."""

    def __init__(self, connection: database.Connection, alarms_: Alarms, count: Callable[[str, int], None]):
        self._connection = connection
        self._alarms = alarms_
        self._count = count

    def extend(self, sender: Sender, envelope: Envelope, latest_s: int, now_s: int) -> int:
        """Extends the stream by a batch, whose records state `latest_s` at the latest; returns its end."""
        stream = (sender.number, envelope.epoch, event.BATCH_LANES.index(envelope.lane))
        before = self._stream(stream)
        extent = None if before is None else before.extent
        step = extend(extent, envelope.first, envelope.last, envelope.oldest, SPANS_MAX)
        held_end = envelope.last + 1 + envelope.waiting
        if before is None:
            self._forget_streams(sender.number)
        if extent is None or extent.end != step.extent.end:
            first_s, before_s = (now_s, 0) if before is None else before[2:]
            latest_s = max(latest_s, before_s)
            self._connection.execute(_EXTEND, (*stream, step.extent.end, now_s, first_s, latest_s, held_end))
            self._compare_epochs(sender, envelope.epoch, first_s, latest_s)
        elif before is not None and before.held_end != held_end:
            self._connection.execute(_STATE, (held_end, *stream))
        if step.extent.spans != (extent.spans if extent else ()):
            self._connection.execute("DELETE FROM spans WHERE gateway = ? AND epoch = ? AND lane = ?", stream)
            self._connection.executemany(
                "INSERT INTO spans VALUES (?, ?, ?, ?, ?)", [(*stream, *span) for span in step.extent.spans]
            )
        self._count("spans_forgotten", step.forgotten)
        for first, last in step.skipped:
            self._count("positions_skipped", last - first + 1)
            self._connection.execute(
                "INSERT INTO skips VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING", (*stream, first, last, now_s)
            )
        return step.extent.end

    def _stream(self, stream) -> _Stream | None:
        held = self._connection.execute(_HELD, stream).fetchall()
        if not held:
            return None
        end, held_end, first_s, latest_s, *_ = held[0]
        spans = tuple(tuple(row[4:]) for row in held if row[4] is not None)
        return _Stream(Extent(end, spans), held_end, first_s, latest_s)

    def _compare_epochs(self, sender, epoch, first_s, latest_s):
        """Raises an alarm when this epoch and another were continued beside each other: see `doubts`."""
        twin = self._connection.execute(
            "SELECT 1 FROM prefixes WHERE gateway = ? AND epoch != ?"
            " AND first_received_unix_s < ? AND latest_unix_s > ? LIMIT 1",
            (sender.number, epoch, latest_s - OVERLAP_S_MIN, first_s + OVERLAP_S_MIN),
        ).fetchone()
        if twin is not None:
            self._alarms.raise_for(alarms.CLONE, sender.cabinet, sender.identity.hex(), alarms.EPOCHS)

    def _forget_streams(self, gateway):
        streams = self._connection.execute(
            "SELECT gateway, epoch, lane FROM prefixes WHERE gateway = ? ORDER BY extended_unix_s DESC", (gateway,)
        ).fetchall()[STREAMS_PER_GATEWAY_MAX - 1 :]
        for table in ("prefixes", "spans"):
            self._connection.executemany(f"DELETE FROM {table} WHERE gateway = ? AND epoch = ? AND lane = ?", streams)
        self._count("streams_forgotten", len(streams))
