"""Bounds how many bytes the journal may hold: by the configured cap, the room on the partition, the alarms' reserve.
It also counts what the journal does hold, file by file.

    cap       the configured one; less where the partition cannot hold it (free space is read now and
              then, never at each append); more where an earlier start left more: a lowered cap is reached by
              draining, and records are let go only once new ones have been refused
    limit     the cap less the reserve; for alarms all but the last of the configured cap, which is for records
              that explain a loss: only trying shows whether the partition still holds one of these
    headroom  below the limit: thinning begins there, so that it can write a segment anew before the end; the surplus
              of nodes beyond their fair use may not fill it

The *ballast* is a file without meaning: real bytes of the partition, which no other program can take. Where that is
full, the ballast is shortened by just what an alarm needs, or the record that explains why others are let go, or the
file in whose place a whole segment goes. Given up as a whole it would be another program's the next moment. What comes
free makes it whole again before anything else may use it.

Decides nothing about records. It must never raise because of a disk failure: if the disk cannot report its free
space, the last figure holds.
"""

import errno
from dataclasses import dataclass, field
from enum import Enum

from gateway.core import limits
from gateway.core.custody.disk import Disk
from wire import event

BALLAST = "ballast"


class Space:
    """Computes the limits. `held` is always the bytes of all files that count, as the journal counts them."""

    def __init__(
        self,
        disk: Disk,
        *,
        bytes_max: int,
        alarm_reserve_bytes: int,
        segment_bytes_max: int,
        free_margin_bytes: int = limits.JOURNAL_FREE_MARGIN_BYTES,
        ballast_bytes: int = limits.JOURNAL_BALLAST_BYTES,
    ) -> None:
        self._disk = disk
        self._bytes_max = bytes_max
        self._reserve = alarm_reserve_bytes
        self._segment_bytes_max = segment_bytes_max
        self._margin = free_margin_bytes + segment_bytes_max
        self._ballast_bytes = ballast_bytes
        self._grace = 0  # the cap while more than the configured one is held
        self._was_full = False
        self._partition: int | None = None
        self.claimed_bytes = 0  # of a segment being rewritten, not yet written: kept free of records
        self.free_bytes: int | None = None
        self.counters = {"ballast-made": 0, "ballast-given-up": 0, "disk-errors": 0}
        self._set_caps()

    def _set_caps(self) -> None:
        """Compute what follows from the configured cap, the grace and the partition, when one of them has changed.

        `ceiling`: how many bytes the files may reach, even if the partition has less. `cap`: the cap in effect."""
        self.ceiling = max(self._bytes_max, self._grace)
        self.cap = self.ceiling if self._partition is None else min(self.ceiling, self._partition)
        limit = self.cap - self._kept_for_alarms()
        headroom = self._headroom(limit)
        self._short_from = limit - headroom
        # Half a segment as shipped, twice what the lanes have ahead: a copy and the input meanwhile have the rest.
        self._ahead_to = self._short_from + headroom // 4

    def limit(self, lane: str, *, explains: bool) -> int:
        """Return how far a record of this lane may fill the journal; `explains`: it explains why others are let go."""
        if explains:
            return self.ceiling
        if lane == event.SURPLUS:
            return self._short_from
        if lane == event.ALARM:
            return self.ceiling - self._kept_to_explain()
        return self.cap - self._kept_for_alarms() - self.claimed_bytes

    def has_room(self, held: int, more: int) -> bool:
        """Return whether `more` bytes fit into the journal and, as last measured, onto the partition."""
        free = self.free_bytes
        return held + more <= self.ceiling and (free is None or more <= free)

    def has_room_ahead(self, held: int, more: int) -> bool:
        """Return whether files may be `more` bytes longer than their records, to `held` in all: never with the bytes
        that are kept for alarms or in which thinning makes room, nor with the last ones of the partition."""
        free = self.free_bytes
        return held <= self._ahead_to and (free is None or free - more > self._margin)

    def is_short(self, held: int) -> bool:
        """Return True when lanes other than `alarm` come near their limit."""
        return held > self._short_from and (self._was_full or self._grace <= self._bytes_max)

    def is_short_of_all(self, held: int) -> bool:
        """Return True when all that is configured is nearly full. A lack of room on the partition is no reason to let
        alarms go."""
        return held > self.ceiling - 2 * self._kept_to_explain()

    def restore(self, held: int) -> None:
        """Adopt the bytes that an earlier start left."""
        if held > self._bytes_max:
            self._grace = held + self._reserve
            self._set_caps()

    def note_shrunk(self, held: int) -> None:
        """Lower the cap after a deletion: what is held above the configured cap only ever becomes less."""
        if held + self._reserve < self._grace:
            self._grace = held + self._reserve
            self._set_caps()

    def note_refusal(self, lane: str) -> None:
        """Note that a record of this lane was refused; what is beyond fair use is refused long before the end."""
        self._was_full = self._was_full or lane != event.SURPLUS

    def refresh(self, held: int, *, restores_ballast: bool = False) -> None:
        """Read from the disk how much is free; with `restores_ballast`, make it whole again from that."""
        try:
            self.free_bytes = self._disk.free_bytes()
            if restores_ballast:
                self._restore_ballast(self.free_bytes)
        except OSError:
            self.counters["disk-errors"] += 1
        if self.free_bytes is not None:
            partition = max(0, held + self.free_bytes - self._margin)
            if partition != self._partition:
                self._partition = partition
                self._set_caps()

    def give_up_ballast(self, length: int) -> bool:
        """Shorten the ballast on a full disk by `length` bytes to write, a block that they begin and one that the
        folder may need for a new name; return False where nothing is left of it."""
        try:
            size = self._ballast_size()
            if size:
                self._disk.cut(BALLAST, max(0, size - length - 2 * limits.JOURNAL_BLOCK_BYTES))
                self.counters["ballast-given-up"] += 1
        except OSError:
            return False
        return size > 0

    def _kept_for_alarms(self) -> int:
        return self._reserve if self.cap >= self._bytes_max else min(self._reserve, self.cap // 4)

    def _kept_to_explain(self) -> int:
        return min(limits.JOURNAL_EXPLAIN_BYTES, self.ceiling // 16)

    def _headroom(self, limit: int) -> int:
        return min(limits.THINNING_HEADROOM_SEGMENTS * self._segment_bytes_max, max(0, limit) // 4)

    def _restore_ballast(self, free_bytes: int) -> None:
        more = min(self._ballast_bytes - self._ballast_size(), free_bytes)
        if more > 0:
            self._disk.append(BALLAST, bytes(more))
            self.free_bytes = free_bytes - more
            self.counters["ballast-made"] += 1

    def _ballast_size(self) -> int:
        try:
            return self._disk.size(BALLAST)
        except FileNotFoundError:
            return 0


class Refused(Enum):
    """Names why `Journal.append` refused a record. The sender keeps the record and retries, except after TOO_LONG."""

    FULL = "full"  # the byte cap, less the reserve for lanes other than `alarm`
    PENDING = "pending"  # too much waits for its sync: flush, and wait
    DISK = "disk"  # the disk refused the write
    TOO_LONG = "too long"


@dataclass
class JournalCounters:
    """Counts what happened since the start; each figure only rises."""

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


class JournalFiles:
    """Writes and deletes the journal's files, and counts their bytes; keeps lists of files to sync and files to delete.

    A file counts, with all its bytes, until it is really gone: after a failed write its size is read from the disk, and
    one that could not be deleted is *litter*, whose deletion is retried whenever there is reason to. The ballast and
    files set aside do not count. A deletion never raises.
    """

    def __init__(self, disk: Disk, space: Space, counters: JournalCounters) -> None:
        self._disk = disk
        self._space = space
        self._counters = counters
        self._sizes: dict[str, int] = {}
        self._dirty: set[str] = set()
        self._litter: list[str] = []
        self.bytes_held = 0

    def restore(self, sizes: dict[str, int]) -> None:
        """Adopt the files that an earlier start left."""
        self._sizes = sizes
        self.bytes_held = sum(sizes.values())

    def size(self, name: str) -> int:
        """Return the length of a file; 0 if there is none."""
        return self._sizes.get(name, 0)

    def write(self, name: str, offset: int, data: bytes, *, ahead_to: int = 0, urgent: bool) -> None:
        """Write bytes behind those that the file holds, on a full disk, if they are `urgent`, at the ballast's expense.

        The file is kept longer than that, up to `ahead_to`, where there is room: a flush inside a file spares the file
        system's own journal. The bytes that the disk accepted before an OSError count as well."""
        end = offset + len(data)
        if end > self._sizes.get(name, 0):
            self._write_ahead(name, end, ahead_to)
        while True:
            try:
                self._disk.write(name, offset, data)
                break
            except OSError as error:
                self._counters.append_errors += 1
                self._count_anew(name)
                if not urgent or error.errno != errno.ENOSPC or not self._space.give_up_ballast(len(data)):
                    raise
        self._count(name, max(0, end - self._sizes.get(name, 0)))
        self._counters.written_bytes += len(data)

    def mark(self, name: str) -> None:
        """Put a file on the list of files that the next flush makes durable."""
        self._dirty.add(name)

    def unmark(self, names: set[str]) -> None:
        """Remove these files from that list: their bytes beyond what is durable are not worth a sync any more."""
        self._dirty -= names

    def drain_marked(self) -> list[str]:
        """Return the files to sync, and empty the list."""
        names, self._dirty = sorted(self._dirty), set()
        return names

    def delete(self, name: str) -> None:
        """Delete a file, or put it on the list of deletions to retry."""
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
        self.bytes_held -= self._sizes.pop(name, 0)
        self._space.note_shrunk(self.bytes_held)

    def retry_deletes(self) -> bool:
        """Try again to delete what could not be deleted; False while any of it is left."""
        names, self._litter = self._litter, []
        for name in names:
            self.delete(name)
        return not self._litter

    def can_open(self) -> bool:
        """Return whether a new file may be begun: not while too many could be neither written nor deleted."""
        return self.retry_deletes() or len(self._litter) <= limits.JOURNAL_LITTER_FILES_MAX

    def _write_ahead(self, name: str, end: int, length_max: int) -> None:
        """Lengthen a file by zeros beyond `end`. Where that fails or there is no room, it grows with each record."""
        held = self._sizes.get(name, 0)
        wanted = end + min(end, limits.JOURNAL_AHEAD_BYTES_MAX)
        more = min(wanted + -wanted % limits.JOURNAL_BLOCK_BYTES, length_max) - held
        if held + more < end or not self._space.has_room_ahead(self.bytes_held + more, more):
            return
        try:
            self._disk.write(name, held, bytes(more))
        except OSError:
            self._count_anew(name)
            return
        self._count(name, more)
        self._counters.written_bytes += more

    def _count_anew(self, name: str) -> None:
        """Correct the count of a file to its size after a failed write."""
        try:
            size = self._disk.size(name)
        except OSError:
            size = 0  # not even created, or as good as
        self._count(name, size - self._sizes.get(name, 0))

    def _count(self, name: str, more: int) -> None:
        self._sizes[name] = self._sizes.get(name, 0) + more
        self.bytes_held += more
