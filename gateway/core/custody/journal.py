"""Keeps every record that the gateway has acknowledged until the warehouse has it: the durable journal.

There are four lanes of append-only segments. `append` hands a record to the disk, `flush` starts a sync of
everything that is dirty, `on_synced` returns the positions that became durable: only then may the caller acknowledge.
`read` returns durable records only. `release_through` deletes whole segments that the warehouse has received. One
owner, no thread, no clock, no file: the disk is an argument (`gateway/core/custody/disk.py`). When there is no room,
`gateway/core/custody/thinning.py` decides what to let go; here a segment is replaced by another that it has written.

It must never
* report a position durable before a sync that started after its append has finished without error;
* trust a file after an error: a new segment is opened, and what is not durable is written again
  (gateway/core/custody/lane.py);
* reuse a position of a record it accepted, or continue an epoch of an earlier start.

What an earlier start left is readable at once, durable or not: its epoch is over, so no other bytes can ever
be written at these positions, and reading is not acknowledging.

Long because lanes, syncs, files and room change the same streams.
"""

import errno
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any, NamedTuple

from gateway.core.custody.arrangement import Replacement
from gateway.core.custody.disk import Disk, Ticket
from gateway.core.custody.inventory import Inventory, ListedSegment, ListedStream
from gateway.core.custody.lane import Lane
from gateway.core.custody.recovery import Recoverer
from gateway.core.custody.recovery_report import RecoveryReport
from gateway.core.custody.segment import EPOCH_SIZE, LANES, Content, Identity, Segment
from gateway.core.custody.space import JournalCounters, JournalFiles, Refused, Space
from gateway.core.custody.stream import Hole, Stream, StreamLog, Void, read_despite_errors
from gateway.core.limits import (
    JOURNAL_ALARM_RESERVE_BYTES,
    JOURNAL_BALLAST_BYTES,
    JOURNAL_BYTES_MAX,
    JOURNAL_FREE_MARGIN_BYTES,
    JOURNAL_PENDING_BYTES_MAX,
    JOURNAL_READ_FAILURES_MAX,
    JOURNAL_RECORD_BYTES_MAX,
    JOURNAL_SEGMENT_BYTES_MAX,
)

__all__ = ["Hole", "Journal", "JournalCounters", "LaneEnd", "RecoveryReport", "Refused", "Stream", "Void"]

_NOT_LISTED = -1  # no count of moves


class LaneEnd(NamedTuple):
    """Reports that all positions of the current epoch's lane before `durable_end` are durable."""

    lane: str
    durable_end: int


@dataclass
class _Flush:
    """Holds a sync in flight: the ends it will make durable, less those of lanes that failed meanwhile."""

    ends: dict[str, int]
    done: bool = False


def journal_bytes_min(segment_bytes_max: int, alarm_reserve_bytes: int) -> int:
    """Return the least room for a journal. A lane's active segment is not freed: with less, a drained journal could
    still refuse. (A record longer than a segment gets a segment of its own.)"""
    return alarm_reserve_bytes + (len(LANES) + 1) * segment_bytes_max


class Journal:
    """Holds the lanes, streams and files of the journal. Call `recover` once, first."""

    def __init__(
        self,
        disk: Disk,
        *,
        epoch: bytes,
        inventory: Inventory | None = None,
        segment_bytes_max: int = JOURNAL_SEGMENT_BYTES_MAX,
        journal_bytes_max: int = JOURNAL_BYTES_MAX,
        alarm_reserve_bytes: int = JOURNAL_ALARM_RESERVE_BYTES,
        pending_bytes_max: int = JOURNAL_PENDING_BYTES_MAX,
        free_margin_bytes: int = JOURNAL_FREE_MARGIN_BYTES,
        ballast_bytes: int = JOURNAL_BALLAST_BYTES,
    ) -> None:
        """`epoch` is 8 random bytes, new at every start; without an `inventory`, files that vanish between two
        lives are not missed at the ends of a stream. ValueError on limits that could never be met."""
        if len(epoch) != EPOCH_SIZE:
            raise ValueError(f"an epoch has {EPOCH_SIZE} bytes")
        if journal_bytes_max < journal_bytes_min(segment_bytes_max, alarm_reserve_bytes):
            raise ValueError("journal_bytes_max leaves no room beside the reserve and one segment a lane")
        if segment_bytes_max > 0x7FFF_FFFF:
            raise ValueError("segment_bytes_max exceeds the file format")
        self._disk = disk
        self._epoch = epoch
        self._segment_bytes_max = segment_bytes_max
        self.space = Space(
            disk,
            bytes_max=journal_bytes_max,
            alarm_reserve_bytes=alarm_reserve_bytes,
            segment_bytes_max=segment_bytes_max,
            free_margin_bytes=free_margin_bytes,
            ballast_bytes=ballast_bytes,
        )
        self._pending_bytes_max = pending_bytes_max
        self._serials = count()
        self._tickets = (Ticket("journal", number) for number in count(1))
        self._logs: dict[Stream, StreamLog] = {}  # oldest first, as `streams` returns them
        self._lanes: dict[str, Lane] = {}
        self._flushes: dict[Ticket, _Flush] = {}  # in the order of their tickets
        self._file_syncs: dict[Ticket, str | None] = {}  # of rewritten segments: ticket -> None, an error, or ""
        self._interrupted: list[Replacement] = []
        self._inventory = inventory
        self._closed = 0  # segments of this epoch that were closed, by the last list
        self._moves_listed = _NOT_LISTED
        self._is_unlisted = False  # something has happened that the inventory should list at once
        self._leaving: list[str] = []  # freed, to be deleted once an inventory without them is durable
        # Freed to their end in this life. A power cut may bring some of their files back, which are no loss.
        self._forgotten: dict[Stream, ListedStream] = {}
        self._listed_without: list[str] = []  # of these, those that the save under way leaves out
        self._resumed_later: set[str] = set()  # the files of these: their records are to be listed before they go
        self.moves = 0  # rises whenever a durable end or an oldest position moves
        self.counters = JournalCounters()
        self._files = JournalFiles(disk, self.space, self.counters)

    # --- life -----------------------------------------------------------------------------------------------

    def recover(self) -> RecoveryReport:
        """Read what earlier starts left and open this epoch. Creates no file; deletes unfinished copies.

        Raises ValueError if the epoch is already on the disk (draw another), OSError if the folder cannot be
        listed.
        """
        assert not self._lanes, "recover is called once"
        found = Recoverer(self._disk, {} if self._inventory is None else self._inventory.found).run(self._epoch)
        self._logs = {log.stream: log for log in sorted(found.logs.values(), key=StreamLog.age)}
        self._files.restore(found.sizes)
        self._interrupted = found.replacements
        self._resumed_later = {file.name for one in found.replacements for file in (one.new, *one.olds)}
        for log in list(self._logs.values()):
            self._forget_freed(log)  # what the inventory says is freed, and the last life had not deleted yet
        for lane in LANES:
            log = StreamLog(Stream(self._epoch, lane), found.generation)
            self._logs[log.stream] = log
            self._lanes[lane] = Lane(
                log,
                self._files,
                self.space,
                self.counters,
                next_serial=self._serials.__next__,
                segment_bytes_max=self._segment_bytes_max,
            )
        for name in found.leftovers:
            self._files.delete(name)
        self.space.restore(self.bytes_held)
        return found.report

    @property
    def bytes_held(self) -> int:
        """Counts the bytes of all segments and of files of other versions; files set aside have their own limit."""
        return self._files.bytes_held

    # --- writing --------------------------------------------------------------------------------------------

    def append(self, lane: str, payload: bytes, *, reserve: bool = False) -> int | Refused:
        """Hand a record to the disk; return its position in this epoch's lane. The record is written, not durable.

        `reserve`: the record explains why others are let go, so it may use the alarms' reserve and the last bytes.
        """
        assert payload, "nothing at a position is what a void is"
        state = self._lanes[lane]
        refusal = self._refusal(state, len(payload), reserve)
        if refusal is None and not state.append(payload, explains=reserve):
            refusal = Refused.DISK
        if refusal is not None:
            self.counters.refused[refusal] += 1
            return refusal
        self.counters.appended += 1
        self.counters.appended_bytes += len(payload)
        return state.written_end - 1

    def flush(self) -> Ticket | None:
        """Start making durable all that was appended; return the ticket, or None if nothing is dirty."""
        for state in self._lanes.values():
            state.catch_up()
        names = self._files.drain_marked()
        if not names:
            return None
        ends = {
            lane: state.written_end for lane, state in self._lanes.items() if state.written_end > state.log.durable_end
        }
        ticket = next(self._tickets)
        self._flushes[ticket] = _Flush(ends)
        self.counters.flushes += 1
        self._disk.sync(names, ticket)
        return ticket

    def on_synced(self, ticket: Ticket, error: str | None) -> list[LaneEnd]:
        """Process the outcome of a flush; return the lanes that became durable further than before.

        Flushes count in the order of their tickets: a later one that is done waits for the ones before. After an error,
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
            self.counters.sync_errors += 1
            for lane in list(flush.ends):
                for other in self._flushes.values():
                    other.ends.pop(lane, None)
                self._lanes[lane].abandon()
        ends: dict[str, int] = {}
        for earliest in list(self._flushes):
            if not self._flushes[earliest].done:
                break
            ends.update(self._flushes.pop(earliest).ends)
        begun = [lane for lane in ends if not self._lanes[lane].log.durable_end]
        moved = [LaneEnd(lane, end) for lane, end in ends.items() if self._lanes[lane].advance(end)]
        self.moves += bool(moved)
        closed = sum([self._lanes[lane].closed for lane in LANES])
        if begun or closed > self._closed or any(self._lanes[lane].is_urgent for lane, _ in moved):
            self._closed = closed
            self.save_inventory()
        return moved

    # --- reading --------------------------------------------------------------------------------------------

    def streams(self) -> list[Stream]:
        """Return the streams, oldest epoch first, in each epoch alarms first; includes this epoch's always."""
        return list(self._logs)

    def durable_end(self, stream: Stream) -> int:
        """Return the position after the last durable one. KeyError if the stream is not held (any more)."""
        return self._logs[stream].durable_end

    def oldest(self, stream: Stream) -> int:
        """Return the first position that is held and not freed, or the durable end. KeyError as above."""
        return self._logs[stream].start

    def held_from(self, stream: Stream) -> int:
        """Return the first position that could be held again: the open segment keeps what is freed. KeyError as
        above."""
        log, active = self._logs[stream], self._lanes[stream.lane].active
        return log.start if active is None or stream.epoch != self._epoch else min(log.start, active.first)

    def hold_again(self, stream: Stream, position: int) -> None:
        """Take back the release of what lies from `position` on, as far as `held_from`. KeyError as above."""
        log = self._logs[stream]
        log.start = min(log.start, max(position, self.held_from(stream)))
        self.moves += 1

    def waiting(self, stream: Stream) -> int:
        """Return how many durable positions, holes included, are not freed. KeyError as above."""
        log = self._logs[stream]
        return log.durable_end - log.start

    def read(self, stream: Stream, first: int, *, count_max: int, bytes_max: int) -> list[bytes | Hole | Void]:
        """Return successive durable records from position `first` on, a `Hole` in place of lost ones, a `Void` in place
        of those let go.

        At most `count_max` items and `bytes_max` payload bytes, but at least one item if there is any. Short
        or empty while the disk has a transient read error (counted); after a few, what cannot be read becomes a
        hole. ValueError unless oldest <= first <= durable end; KeyError as above.
        """
        log = self._logs[stream]
        errors = log.read_errors
        try:
            return log.read(self._disk, first, count_max, bytes_max)
        finally:
            self.counters.read_errors += log.read_errors - errors

    def release_through(self, stream: Stream, position: int) -> None:
        """Free all up to `position`. What is freed already, or of another stream, has no effect."""
        log = self._logs.get(stream)
        if log is None:
            return
        self.moves += 1
        keep = self._lanes[stream.lane].active if stream.epoch == self._epoch else None
        self._files.retry_deletes()
        self._leaving += [name for name in log.free(position, keep=keep) if name not in self._resumed_later]
        self._forget_freed(log)
        if self._leaving:
            self.save_inventory()

    # --- the inventory (gateway/core/custody/inventory.py) ----------------------------------------------------------

    @property
    def is_listed(self) -> bool:
        """Return whether nothing has moved since the last list, and the state folder has not refused it."""
        return self._inventory is None or self._moves_listed == self.moves

    def save_inventory(self) -> None:
        """Start listing what is held, and delete what is freed once the list without it is durable; at once where there
        is no list, or the state folder refuses it: a card that is full must be able to free."""
        inventory = self._inventory
        if inventory is not None and inventory.is_busy:
            self._is_unlisted = True
            return
        self._is_unlisted = False
        self._listed_without, self._leaving = self._leaving, []
        is_saved = inventory is not None and inventory.save(self._listing())
        self._moves_listed = self.moves if is_saved else _NOT_LISTED
        if inventory is None or not inventory.is_busy:
            self._delete_unlisted()

    def on_state_synced(self, ticket: Ticket, error: str | None) -> None:
        """Process the outcome of a sync of the state disk."""
        if self._inventory is not None and self._inventory.on_synced(ticket, error):
            if error is not None:
                self._moves_listed = _NOT_LISTED
            self._delete_unlisted()
            if self._is_unlisted:
                self.save_inventory()

    # --- making room (gateway/core/custody/thinning.py) ---------------------------------------------------------------

    def sealed(self, lane: str) -> Iterator[tuple[Stream, Segment]]:
        """Yield the segments of a lane that will not grow, are wholly durable and not freed, oldest first."""
        active = self._lanes[lane].active
        for stream in self.streams():
            if stream.lane == lane:
                log = self._logs[stream]
                for segment in list(log.segments):
                    if segment is not active and log.start < segment.end <= log.durable_end:
                        yield stream, segment

    def holds(self, stream: Stream, segment: Segment) -> bool:
        """Return True while the segment answers for its positions and is not freed."""
        log = self._logs.get(stream)
        return log is not None and any(held is segment for held in log.segments)

    def void_before(self, stream: Stream, segment: Segment, void: bytearray) -> list[Segment]:
        """Return the segment before this one if all positions of both are void, so that one file may replace them."""
        segments = self._logs[stream].segments if stream in self._logs else []
        at = next((at for at, held in enumerate(segments) if held is segment), 0)
        before = segments[at - 1] if at else None
        if before is None or void.find(0) >= 0 or before.end != segment.first:
            return []
        return [before] if before.void_positions == before.end - before.first else []

    def is_durable(self, lane: str, position: int) -> bool:
        """Return True once a position of the current epoch is durable."""
        return self._lanes[lane].log.durable_end > position

    def drain_interrupted(self) -> list[Replacement]:
        """Return, once, the replacements that a power cut ended before the old files were deleted. Their files, even if
        freed meanwhile, stay until `delete_file`."""
        interrupted, self._interrupted = self._interrupted, []
        return interrupted

    def scan_segment(self, segment: Segment) -> Iterator[tuple[int, Content]]:
        """Yield (index, payload or void run) of all that a segment answers for. OSError as the disk, a few times."""

        def fetch(offset: int, length: int) -> bytes:
            if segment.read_failures < JOURNAL_READ_FAILURES_MAX:
                return self._disk.read(segment.name, offset, length)
            return read_despite_errors(self._disk, segment.name, offset, length)[0]

        for index, _, content in segment.scan(fetch):
            if segment.first + index >= segment.end:
                return
            yield index, content

    def new_segment(self, stream: Stream, first: int, level: int) -> Segment:
        """Return a segment to write in place of others; nothing is on the disk yet."""
        log = self._logs[stream]
        serial = log.serial_max + 1
        if stream.epoch == self._epoch:
            serial = next(self._serials)
        log.serial_max = serial
        # The generation stays: it is the age of the stream.
        identity = Identity(log.generation, serial, stream.epoch, stream.lane, first)
        return Segment(identity.name, identity, level)

    def write_file(self, name: str, data: bytes, *, urgent: bool) -> OSError | None:
        """Append to such a segment, on a full disk, if that is `urgent`, at the ballast's expense. If an error is
        returned, delete the file."""
        try:
            self._files.write(name, self._files.size(name), data, urgent=urgent)
        except OSError as error:
            if error.errno == errno.ENOSPC:
                # What comes free from now on is for alarms and gap records: telemetry's limit must shrink first.
                self.space.refresh(self.bytes_held)
            return error
        return None

    def sync_file(self, name: str) -> Ticket:
        """Start making such a segment durable; return the ticket."""
        ticket = next(self._tickets)
        self._file_syncs[ticket] = None
        self._disk.sync([name], ticket)
        return ticket

    def has_finished(self, ticket: Ticket) -> bool:
        """Return True once a sync started by `sync_file` has ended."""
        return self._file_syncs[ticket] is not None

    def has_succeeded(self, ticket: Ticket) -> bool:
        """Return whether that sync made the segment durable; call it once, after the end of the sync."""
        error = self._file_syncs.pop(ticket)
        self.counters.sync_errors += error != ""
        return error == ""

    def replace(self, stream: Stream, olds: list[Segment], new: Segment) -> bool:
        """Let `new`, durable, answer for `olds`; return False and change nothing if they are not all held any more."""
        log = self._logs.get(stream)
        if log is None or not log.replace(olds, new):
            return False
        self.counters.segments_replaced += len(olds)
        self.save_inventory()
        return True

    def restore(self, stream: Stream, new: Segment, olds: list[Segment]) -> None:
        """Let the old files of an interrupted replacement, which still exist, answer again, and delete `new`."""
        log = self._logs.get(stream)
        if log is not None and log.restore(new, olds):
            self._files.delete(new.name)

    def delete_file(self, name: str) -> None:
        """Delete a file that was replaced, or that was to replace another; until it is gone, its bytes count."""
        self._files.delete(name)

    def retry_deletes(self) -> bool:
        """Try again to delete what could not be deleted; False while any of it is left."""
        return self._files.retry_deletes()

    def refresh_space(self) -> None:
        """Read how many bytes the partition has left, and make the ballast whole. Once per JOURNAL_CHECK_EVERY_MS, and
        whenever room was made, is often enough."""
        self.space.refresh(self.bytes_held, restores_ballast=True)

    def wear(self, *, lasted_ms: int) -> dict[str, Any]:
        """Return what the journal wrote to the card since the start, `lasted_ms` ago, and what room it has.

        File system metadata and the state folder add to it. No rate before the first minute: it would be noise.
        """
        payload, written = self.counters.appended_bytes, self.counters.written_bytes
        return {
            "bytes_written": written,
            "written_per_payload_byte": round(written / payload, 2) if payload else None,
            "megabytes_a_day": round(written * 86_400 / lasted_ms / 1000, 1) if lasted_ms >= 60_000 else None,
            "flushes": self.counters.flushes,
            "segments_replaced": self.counters.segments_replaced,
            "cap_bytes": self.space.cap,
            "free_bytes": self.space.free_bytes,
            **self.space.counters,
        }

    # --- inside ---------------------------------------------------------------------------------------------

    def _refusal(self, state: Lane, length: int, reserve: bool) -> Refused | None:
        if length > JOURNAL_RECORD_BYTES_MAX:
            return Refused.TOO_LONG
        if self.bytes_held + state.growth(length) > self.space.limit(state.log.stream.lane, explains=reserve):
            self.space.note_refusal(state.log.stream.lane)
            return Refused.FULL
        if state.pending_bytes and state.pending_bytes + length > self._pending_bytes_max:
            return Refused.PENDING
        return None

    def _forget_freed(self, log: StreamLog) -> None:
        """Delete files of earlier lives that are freed, and forget the stream when it holds nothing any more."""
        if log.stream.epoch == self._epoch:
            return
        self._leaving += [name for name in log.free(log.start - 1) if name not in self._resumed_later]
        if not log.segments and log.start == log.durable_end:
            self._leaving += [name for _, name in log.superseded]
            del self._logs[log.stream]
            self._forgotten[log.stream] = ListedStream(log.generation, log.start, log.start, {})

    def _listing(self) -> Iterator[tuple[Stream, ListedStream]]:
        yield from self._forgotten.items()
        for stream, log in self._logs.items():
            end = log.listed_end if stream.epoch != self._epoch else log.durable_end
            if end:
                segments = {
                    segment.identity.serial: ListedSegment(segment.size, segment.digest)
                    for segment in log.segments
                    if segment.digest is not None and segment.end <= end
                }
                yield stream, ListedStream(log.generation, min(log.start, end), end, segments)

    def _delete_unlisted(self) -> None:
        for name in self._listed_without:
            self._files.delete(name)
        self._listed_without = []
