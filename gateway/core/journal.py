"""The gateway's durable journal: keeps every record it has acknowledged until the warehouse has it.

Three lanes of append-only segments. `append` hands a record to the disk, `flush` starts a sync for all that
is dirty, `on_synced` tells which positions became durable: only then may the caller acknowledge. `read` gives
durable records only. `free_through` deletes whole segments behind the warehouse's watermark. One owner, no
thread, no clock, no file: the disk is an argument (`gateway/core/disk.py`). What is let go when there is no
room, `gateway/core/thinning.py` decides; here a segment is replaced by another that it has written.

It must never
* report a position durable before a sync that started after its append has finished without error;
* write again to a file after an error: the tail is unknown after a failed write, and after a failed sync the
  kernel may drop what it could not write yet succeed next time. A new segment is opened; what is not durable
  is written again;
* reuse a position of a record it accepted, or continue an epoch of an earlier start.

What an earlier start left is readable at once, durable or not: its epoch is over, so no other bytes can ever
stand at these positions, and reading is not acknowledging.
"""

import errno
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, NamedTuple

from gateway.core.disk import Disk
from gateway.core.limits import (
    JOURNAL_ALARM_RESERVE_BYTES,
    JOURNAL_BALLAST_BYTES,
    JOURNAL_BYTES_MAX,
    JOURNAL_FREE_MARGIN_BYTES,
    JOURNAL_LITTER_FILES_MAX,
    JOURNAL_PENDING_BYTES_MAX,
    JOURNAL_RECORD_BYTES_MAX,
    JOURNAL_SEGMENT_BYTES_MAX,
)
from gateway.core.recovery import Recoverer, Recovery, Replacement
from gateway.core.room import Room
from gateway.core.segment import (
    EPOCH_SIZE,
    HEADER_SIZE,
    LANES,
    RECORD_OVERHEAD,
    Content,
    Identity,
    encode_header,
    encode_record,
)
from gateway.core.shelf import Hole, Segment, Shelf, Stream, Void

__all__ = ["Hole", "Journal", "JournalCounters", "LaneEnd", "Recovery", "Refused", "Stream", "Void"]


class Refused(Enum):
    """Why `append` did not take a record. The sender keeps it and tries again, except after TOO_LONG."""

    FULL = "full"  # the byte cap, less the reserve for lanes other than `alarm`
    PENDING = "pending"  # too much waits for its sync: flush, and wait
    DISK = "disk"  # the disk refused the write
    TOO_LONG = "too long"


class LaneEnd(NamedTuple):
    """All positions of the current epoch's lane before `durable_end` are durable."""

    lane: str
    durable_end: int


@dataclass
class JournalCounters:
    """What happened since the start; only ever rises."""

    appended: int = 0
    appended_bytes: int = 0  # payloads
    written_bytes: int = 0  # payloads, overheads, headers, copies
    refused: dict[Refused, int] = field(default_factory=lambda: dict.fromkeys(Refused, 0))
    flushes: int = 0
    sync_errors: int = 0
    rewritten: int = 0  # records written again after a sync error
    append_errors: int = 0
    delete_errors: int = 0
    read_errors: int = 0
    segments_opened: int = 0
    segments_deleted: int = 0
    segments_replaced: int = 0  # rewritten without some of their records
    watermarks_ahead: int = 0  # watermarks beyond what was ever durable


@dataclass
class _Lane:
    """The writing side of one lane: what is not durable, in files as far as `written_end`."""

    shelf: Shelf
    pending: deque[bytes] = field(default_factory=deque)  # from shelf.durable_end on
    pending_bytes: int = 0
    written_end: int = 0
    active: Segment | None = None

    @property
    def next_position(self) -> int:
        return self.shelf.durable_end + len(self.pending)


@dataclass
class _Flush:
    """A sync in flight and the ends it will make durable, less the lanes that failed meanwhile."""

    ends: dict[str, int]
    done: bool = False


class Journal:
    """See the module. Call `recover` once, first."""

    def __init__(
        self,
        disk: Disk,
        *,
        epoch: bytes,
        segment_bytes_max: int = JOURNAL_SEGMENT_BYTES_MAX,
        journal_bytes_max: int = JOURNAL_BYTES_MAX,
        alarm_reserve_bytes: int = JOURNAL_ALARM_RESERVE_BYTES,
        pending_bytes_max: int = JOURNAL_PENDING_BYTES_MAX,
        free_margin_bytes: int = JOURNAL_FREE_MARGIN_BYTES,
        ballast_bytes: int = JOURNAL_BALLAST_BYTES,
    ) -> None:
        """`epoch` is 8 random bytes, new at every start. ValueError on limits that could never be met."""
        if len(epoch) != EPOCH_SIZE:
            raise ValueError(f"an epoch has {EPOCH_SIZE} bytes")
        # A lane's active segment is not freed: with less, a drained journal could still refuse. (A record
        # longer than a segment gets one for itself.)
        if journal_bytes_max < alarm_reserve_bytes + (len(LANES) + 1) * segment_bytes_max:
            raise ValueError("journal_bytes_max leaves no room beside the reserve and one segment a lane")
        if segment_bytes_max > 0x7FFF_FFFF:
            raise ValueError("segment_bytes_max exceeds the file format")
        self._disk = disk
        self._epoch = epoch
        self._segment_bytes_max = segment_bytes_max
        self.room = Room(
            disk,
            bytes_max=journal_bytes_max,
            alarm_reserve_bytes=alarm_reserve_bytes,
            segment_bytes_max=segment_bytes_max,
            free_margin_bytes=free_margin_bytes,
            ballast_bytes=ballast_bytes,
        )
        self._pending_bytes_max = pending_bytes_max
        self._generation = 0
        self._serial = 0
        self._ticket = 0
        self._shelves: dict[Stream, Shelf] = {}
        self._lanes: dict[str, _Lane] = {}
        self._sizes: dict[str, int] = {}  # of all files that count against the cap
        self._bytes_held = 0
        self._dirty: set[str] = set()
        self._disk_full = False  # why the last write failed, if it did
        self._flushes: dict[int, _Flush] = {}  # in the order of their tickets
        self._file_syncs: dict[int, str | None] = {}  # of rewritten segments: ticket -> None, an error, or ""
        self._interrupted: list[Replacement] = []
        self._litter: list[str] = []  # files to delete that could not be deleted yet
        self._counters = JournalCounters()

    # --- life -----------------------------------------------------------------------------------------------

    def recover(self) -> Recovery:
        """Read what earlier starts left and open this epoch. Creates no file, deletes unfinished copies.

        Raises ValueError if the epoch is already on the disk (draw another), OSError if the folder cannot be
        listed.
        """
        assert not self._lanes, "recover is called once"
        found = Recoverer(self._disk).run(self._epoch)
        self._generation = found.generation
        self._shelves = found.shelves
        self._sizes = found.sizes
        self._bytes_held = sum(found.sizes.values())
        for lane in LANES:
            shelf = Shelf(Stream(self._epoch, lane), self._generation)
            self._shelves[shelf.stream] = shelf
            self._lanes[lane] = _Lane(shelf)
        for name in found.leftovers:
            self._delete(name)
        self._interrupted = found.replacements
        self.room.started(self._bytes_held)
        return found.report

    @property
    def bytes_held(self) -> int:
        """Bytes of all segments and of files of newer versions; files set aside have their own limit."""
        return self._bytes_held

    @property
    def counters(self) -> JournalCounters:
        """What happened since the start."""
        return self._counters

    # --- writing --------------------------------------------------------------------------------------------

    def append(self, lane: str, payload: bytes, *, reserve: bool = False) -> int | Refused:
        """Hand a record to the disk; return its position in this epoch's lane. Written, not durable.

        `reserve`: it explains why others are let go, so it may use what is kept for alarms, and the last bytes.
        """
        assert payload, "nothing at a position is what a void is"
        state = self._lanes[lane]
        refusal = self._refusal(state, len(payload), reserve)
        if refusal is None and not self._put(state, payload, reserve):
            refusal = Refused.DISK
        if refusal is not None:
            self._counters.refused[refusal] += 1
            return refusal
        state.pending.append(payload)
        state.pending_bytes += len(payload)
        self._counters.appended += 1
        self._counters.appended_bytes += len(payload)
        return state.written_end - 1

    def flush(self) -> int | None:
        """Start making durable all that was appended; return the ticket, or None if nothing is dirty."""
        for state in self._lanes.values():
            self._catch_up(state)
        if not self._dirty:
            return None
        self._ticket += 1
        ends = {
            lane: state.written_end
            for lane, state in self._lanes.items()
            if state.written_end > state.shelf.durable_end
        }
        self._flushes[self._ticket] = _Flush(ends)
        names = sorted(self._dirty)
        self._dirty.clear()
        self._counters.flushes += 1
        self._disk.sync(names, self._ticket)
        return self._ticket

    def on_synced(self, ticket: int, error: str | None) -> list[LaneEnd]:
        """Take in the outcome of a flush; return the lanes that became durable further than before.

        Tickets of flushes count in their order: a later one that is done waits for the ones before. After an error,
        what was not durable in the flush's lanes has been written again and needs another flush. Unknown tickets
        are ignored.
        """
        if ticket in self._file_syncs:
            self._file_syncs[ticket] = error or ""
            return []
        flush = self._flushes.get(ticket)
        if flush is None:
            return []
        flush.done = True
        if error is not None:
            self._counters.sync_errors += 1
            for lane in list(flush.ends):
                self._abandon_files(lane)
        ends: dict[str, int] = {}
        for number in list(self._flushes):
            if not self._flushes[number].done:
                break
            ends.update(self._flushes.pop(number).ends)
        return [LaneEnd(lane, end) for lane, end in ends.items() if self._advance(lane, end)]

    # --- reading --------------------------------------------------------------------------------------------

    def streams(self) -> list[Stream]:
        """Return the streams, oldest epoch first, alarms first in an epoch; this epoch's are always there."""
        shelves = self._shelves.items()
        order = [(shelf.generation, epoch, LANES.index(lane)) for (epoch, lane), shelf in shelves]
        return [Stream(epoch, LANES[lane]) for _, epoch, lane in sorted(order)]

    def durable_end(self, stream: Stream) -> int:
        """Return the position after the last durable one. KeyError if the stream is not held (any more)."""
        return self._shelves[stream].durable_end

    def oldest(self, stream: Stream) -> int:
        """Return the first position held and above the watermark, or the durable end. KeyError as above."""
        return self._shelves[stream].start

    def waiting(self, stream: Stream) -> int:
        """Return how many durable positions, holes included, are above the watermark. KeyError as above."""
        shelf = self._shelves[stream]
        return shelf.durable_end - shelf.start

    def read(self, stream: Stream, first: int, *, count_max: int, bytes_max: int) -> list[bytes | Hole | Void]:
        """Return successive durable records from position `first` on, a `Hole` in place of lost ones, a `Void` of
        those let go.

        At most `count_max` items and `bytes_max` payload bytes, but one item at least if there is any. Short
        or empty while the disk has a passing read error (counted); after a few, what cannot be read becomes a
        hole. ValueError unless oldest <= first <= durable end; KeyError as above.
        """
        shelf = self._shelves[stream]
        errors = shelf.read_errors
        try:
            return shelf.read(self._disk, first, count_max, bytes_max)
        finally:
            self._counters.read_errors += shelf.read_errors - errors

    def free_through(self, stream: Stream, position: int) -> None:
        """Take in a watermark: all up to `position` may go. Late, repeated, foreign watermarks do no harm."""
        shelf = self._shelves.get(stream)
        if shelf is None:
            return
        if position >= shelf.durable_end:
            self._counters.watermarks_ahead += 1
        keep = self._lanes[stream.lane].active if stream.epoch == self._epoch else None
        for name in [*self._take_litter(), *shelf.free(position, keep=keep)]:
            self._delete(name)
        if stream.epoch != self._epoch and not shelf.segments:
            for name in shelf.drop_superseded(shelf.durable_end):
                self._delete(name)
            del self._shelves[stream]

    # --- making room (gateway/core/thinning.py) ---------------------------------------------------------------

    def sealed(self, lane: str) -> Iterator[tuple[Stream, Segment]]:
        """Yield the segments of a lane that will not grow, are wholly durable and not freed, the oldest first."""
        active = self._lanes[lane].active
        for stream in self.streams():
            if stream.lane == lane:
                shelf = self._shelves[stream]
                for segment in list(shelf.segments):
                    if segment is not active and shelf.start < segment.end <= shelf.durable_end:
                        yield stream, segment

    def holds(self, stream: Stream, segment: Segment) -> bool:
        """True while the segment answers for its positions and is not freed."""
        shelf = self._shelves.get(stream)
        return shelf is not None and any(held is segment for held in shelf.segments)

    def void_before(self, stream: Stream, segment: Segment, void: bytearray) -> list[Segment]:
        """Return the segment before this one if all of both is void, so that one file may stand for them."""
        segments = self._shelves[stream].segments if stream in self._shelves else []
        at = next((at for at, held in enumerate(segments) if held is segment), 0)
        before = segments[at - 1] if at else None
        if before is None or void.find(0) >= 0 or before.end != segment.first:
            return []
        return [before] if before.void_positions == before.end - before.first else []

    def is_durable(self, lane: str, position: int) -> bool:
        """True once a position of the current epoch is durable."""
        return self._lanes[lane].shelf.durable_end > position

    def take_interrupted(self) -> list[Replacement]:
        """Return, once, the replacements that a cut ended before the old files were deleted."""
        interrupted, self._interrupted = self._interrupted, []
        return interrupted

    def scan_segment(self, segment: Segment) -> Iterator[tuple[int, Content]]:
        """Yield (index, payload or void run) of all a segment answers for. OSError as the disk has it."""
        for index, _, content in segment.scan(lambda offset, length: self._disk.read(segment.name, offset, length)):
            if segment.first + index >= segment.end:
                return
            yield index, content

    def new_segment(self, stream: Stream, first: int, level: int) -> Segment:
        """Return a segment to write in the place of others; nothing is on the disk yet."""
        shelf = self._shelves[stream]
        serial = shelf.serial_max + 1
        if stream.epoch == self._epoch:
            serial, self._serial = self._serial, self._serial + 1
        shelf.serial_max = serial
        # The generation stays: it is the age of the stream.
        identity = Identity(shelf.generation, serial, stream.epoch, stream.lane, first)
        return Segment(identity.name, identity, level)

    def write_file(self, name: str, data: bytes) -> bool:
        """Write to such a segment; False if the disk refuses: it is to be deleted. On a full disk the ballast goes."""
        try:
            self._disk.append(name, data)
        except OSError as error:
            self._counters.append_errors += 1
            self._count_anew(name)
            if error.errno == errno.ENOSPC:
                self.room.give_up_ballast()
            return False
        self._count_bytes(name, len(data))
        self._counters.written_bytes += len(data)
        return True

    def sync_file(self, name: str) -> int:
        """Start making such a segment durable; return the ticket."""
        self._ticket += 1
        self._file_syncs[self._ticket] = None
        self._disk.sync([name], self._ticket)
        return self._ticket

    def has_ended(self, ticket: int) -> bool:
        """True once a sync of `sync_file` is over."""
        return self._file_syncs[ticket] is not None

    def took_effect(self, ticket: int) -> bool:
        """Whether it made the segment durable; asked once, after its end."""
        error = self._file_syncs.pop(ticket)
        self._counters.sync_errors += error != ""
        return error == ""

    def replace(self, stream: Stream, olds: list[Segment], new: Segment) -> bool:
        """Let `new`, durable, answer for `olds`; False, and nothing done, if they are not all held any more."""
        shelf = self._shelves.get(stream)
        if shelf is None or not shelf.replace(olds, new):
            return False
        self._counters.segments_replaced += len(olds)
        return True

    def delete_file(self, name: str) -> None:
        """Delete a file that was replaced, or that was to replace another; until it is gone, its bytes count."""
        self._delete(name)

    def tidy(self) -> bool:
        """Try again to delete what could not be deleted; False while any of it is left."""
        for name in self._take_litter():
            self._delete(name)
        return not self._litter

    def look_at_disk(self) -> None:
        """Ask how much the partition still holds. Once a JOURNAL_LOOK_EVERY_MS is often enough."""
        self.room.look(self._bytes_held)

    def wear(self, *, lasted_ms: int) -> dict[str, Any]:
        """What the journal wrote to the card since the start, `lasted_ms` ago, and what room it has.

        File system metadata and the state folder come on top. No rate before the first minute: it would be noise.
        """
        counters, room = self._counters, self.room
        payload, written = counters.appended_bytes, counters.written_bytes
        return {
            "bytes_written": written,
            "written_per_payload_byte": round(written / payload, 2) if payload else None,
            "megabytes_a_day": round(written * 86_400 / lasted_ms / 1000, 1) if lasted_ms >= 60_000 else None,
            "flushes": counters.flushes,
            "segments_replaced": counters.segments_replaced,
            "cap_bytes": room.cap,
            "free_bytes": room.free_bytes,
            **room.counters,
        }

    # --- inside ---------------------------------------------------------------------------------------------

    def _put(self, state: _Lane, payload: bytes, reserve: bool) -> bool:
        """Write a record behind what a sync error took from the files; False if the disk refuses."""
        if self._catch_up(state) and self._write(state, payload):
            return True
        # A full card must not refuse an alarm: that is what the ballast is for.
        urgent = reserve or state.shelf.stream.lane == "alarm"
        if not (self._disk_full and urgent and self.room.give_up_ballast()):
            return False
        return self._catch_up(state) and self._write(state, payload)

    def _refusal(self, state: _Lane, length: int, reserve: bool) -> Refused | None:
        if length > JOURNAL_RECORD_BYTES_MAX:
            return Refused.TOO_LONG
        need = HEADER_SIZE + RECORD_OVERHEAD + length
        if self._bytes_held + need > self.room.limit(alarm=state.shelf.stream.lane == "alarm", explains=reserve):
            self.room.was_full()
            return Refused.FULL
        if state.pending and state.pending_bytes + length > self._pending_bytes_max:
            return Refused.PENDING
        return None

    def _catch_up(self, state: _Lane) -> bool:
        """Write what a sync error took from the files; return False if the disk refuses."""
        missing = state.next_position - state.written_end
        if missing == 0:
            return True
        for payload in list(state.pending)[-missing:]:
            if not self._write(state, payload):
                return False
            self._counters.rewritten += 1
        return True

    def _write(self, state: _Lane, payload: bytes) -> bool:
        """Write a record at the lane's `written_end`. If the disk refuses: give up the file, return False."""
        segment = state.active
        data = b""
        if segment is None or segment.size + RECORD_OVERHEAD + len(payload) > self._segment_bytes_max:
            if not self._sweep():
                return False
            lane = state.shelf.stream.lane
            identity = Identity(self._generation, self._serial, self._epoch, lane, state.written_end)
            self._serial += 1
            segment = Segment(identity.name, identity)
            data = encode_header(identity)
        index = state.written_end - segment.first
        data += encode_record(segment.seed, index, payload)
        try:
            self._disk.append(segment.name, data)
        except OSError as error:
            self._give_up(state, segment)
            self._disk_full = error.errno == errno.ENOSPC
            if self._disk_full and self.room.free_bytes is not None:
                self.look_at_disk()
            return False
        self._disk_full = False
        if segment is not state.active:
            state.active = segment
            state.shelf.segments.append(segment)
            self._counters.segments_opened += 1
        segment.note(index, segment.size, payload)
        state.written_end += 1
        self._dirty.add(segment.name)
        self._count_bytes(segment.name, len(data))
        self._counters.written_bytes += len(data)
        return True

    def _give_up(self, state: _Lane, segment: Segment) -> None:
        """After a failed write: never write to the file again; delete it if it holds nothing."""
        self._counters.append_errors += 1
        self._count_anew(segment.name)
        if segment is not state.active:
            self._delete(segment.name)
        state.active = None

    def _abandon_files(self, lane: str) -> None:
        """After a failed sync: take the lane's records that are not durable to a new file."""
        state = self._lanes[lane]
        # What an earlier failed sync left is a third copy by now; a disk that always fails must not fill up.
        for name in state.shelf.drop_superseded(state.next_position):
            self._delete(name)
        self._dirty.difference_update(
            segment.name for segment in state.shelf.segments if segment.end > state.shelf.durable_end
        )
        state.shelf.abandon()
        state.active = None
        state.written_end = state.shelf.durable_end
        for flush in self._flushes.values():
            flush.ends.pop(lane, None)
        self._catch_up(state)

    def _advance(self, lane: str, end: int) -> bool:
        """Make a lane durable up to `end`; return False if it was already."""
        state = self._lanes[lane]
        if end <= state.shelf.durable_end:
            return False
        for _ in range(end - state.shelf.durable_end):
            state.pending_bytes -= len(state.pending.popleft())
        state.shelf.durable_end = end
        for name in state.shelf.drop_superseded(end):
            self._delete(name)
        return True

    def _count_anew(self, name: str) -> None:
        """Count a file as it is after a failed write."""
        try:
            size = self._disk.size(name)
        except OSError:
            size = 0  # not even created, or as good as
        self._count_bytes(name, size - self._sizes.get(name, 0))

    def _count_bytes(self, name: str, more: int) -> None:
        self._sizes[name] = self._sizes.get(name, 0) + more
        self._bytes_held += more

    def _delete(self, name: str) -> None:
        """Delete a file, or remember to: its bytes count until it is gone."""
        self._dirty.discard(name)
        try:
            self._disk.delete(name)
        except FileNotFoundError:
            pass
        except OSError:
            self._counters.delete_errors += 1
            self._litter.append(name)
            return
        self._counters.segments_deleted += 1
        self._bytes_held -= self._sizes.pop(name, 0)
        self.room.shrank(self._bytes_held)

    def _sweep(self) -> bool:
        """Try again to delete what could not be; return False while too much of it is left."""
        for name in self._take_litter():
            self._delete(name)
        return len(self._litter) <= JOURNAL_LITTER_FILES_MAX

    def _take_litter(self) -> list[str]:
        names, self._litter = self._litter, []
        return names
