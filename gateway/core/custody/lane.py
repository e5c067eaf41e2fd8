"""Writes one lane of the journal: holds the records that are not durable yet, and the file they are written to.

Keeps every record in memory until its sync is reported, for after an error it must be written again, elsewhere.
It must never write again to a file after an error: after a failed write the tail is unknown, and after a failed
sync the kernel may drop what it could not write and yet succeed next time. (A want of room that the ballast ends is no
error here: the same bytes are written again at the same place.) It handles no sync, cap or receipt,
and gives no position to two records.
"""

import errno
from collections import deque
from collections.abc import Callable

from gateway.core.custody.segment import HEADER_SIZE, RECORD_OVERHEAD, Identity, Segment, encode_header, encode_record
from gateway.core.custody.space import JournalCounters, JournalFiles, Space
from gateway.core.custody.stream import StreamLog


class Lane:
    """Writes records, and writes them again after an error. All positions before `written_end` are in files, durable or
    not."""

    def __init__(
        self,
        log: StreamLog,
        files: JournalFiles,
        space: Space,
        counters: JournalCounters,
        *,
        next_serial: Callable[[], int],
        segment_bytes_max: int,
    ) -> None:
        self.log = log
        self._files = files
        self._space = space
        self._counters = counters
        self._next_serial = next_serial
        self._segment_bytes_max = segment_bytes_max
        self._pending: deque[bytes] = deque()  # from log.durable_end on
        self.pending_bytes = 0
        self.written_end = 0
        self.active: Segment | None = None
        self.closed = 0  # segments that were written to their end

    @property
    def next_position(self) -> int:
        return self.log.durable_end + len(self._pending)

    @property
    def is_urgent(self) -> bool:
        """Returns True for the lane of alarms, which alone may use the reserve and the ballast."""
        return self.log.stream.lane == "alarm"

    def growth(self, length: int) -> int:
        """Return by how many bytes a record of this length makes the files longer."""
        segment, need = self.active, RECORD_OVERHEAD + length
        if segment is None or segment.size + need > self._segment_bytes_max:
            return HEADER_SIZE + need
        return max(0, segment.size + need - self._files.size(segment.name))

    def append(self, payload: bytes, *, explains: bool) -> bool:
        """Write a record after those that a sync error took from the files; return False if the disk refuses it.

        `explains`: it explains why others are let go. A full card makes us refuse neither that nor an alarm."""
        if not (self.catch_up(explains=explains) and self._write(payload, explains=explains)):
            return False
        self._pending.append(payload)
        self.pending_bytes += len(payload)
        return True

    def catch_up(self, *, explains: bool = False) -> bool:
        """Write what a sync error took from the files; return False if the disk refuses."""
        missing = self.next_position - self.written_end
        if missing == 0:
            return True
        for payload in list(self._pending)[-missing:]:
            if not self._write(payload, explains=explains):
                return False
            self._counters.rewritten += 1
        return True

    def advance(self, end: int) -> bool:
        """Mark all positions before `end` as durable; return False if they were already."""
        if end <= self.log.durable_end:
            return False
        for _ in range(end - self.log.durable_end):
            self.pending_bytes -= len(self._pending.popleft())
        self.log.durable_end = end
        for name in self.log.drop_superseded(end):
            self._files.delete(name)
        return True

    def abandon(self) -> None:
        """Write what is not durable to a new file, after a failed sync."""
        # What an earlier failed sync left is a third copy by now; a disk that always fails must not fill up.
        for name in self.log.drop_superseded(self.next_position):
            self._files.delete(name)
        end = self.log.durable_end
        self._files.unmark({segment.name for segment in self.log.segments if segment.end > end})
        self.log.abandon()
        self.active = None
        self.written_end = end
        self.catch_up()

    # --- inside -------------------------------------------------------------------------------------------------

    def _write(self, payload: bytes, *, explains: bool) -> bool:
        """Write a record at `written_end`. If the disk refuses: give up the file, return False."""
        segment = self.active
        data = b""
        start = 0 if segment is None else segment.size
        if segment is None or segment.size + RECORD_OVERHEAD + len(payload) > self._segment_bytes_max:
            if not self._files.can_open():
                return False
            epoch, lane = self.log.stream
            identity = Identity(self.log.generation, self._next_serial(), epoch, lane, self.written_end)
            segment = Segment(identity.name, identity)
            data, start = encode_header(identity), 0
        index, urgent = self.written_end - segment.first, explains or self.is_urgent
        data += encode_record(segment.seed, index, payload)
        try:
            self._files.write(segment.name, start, data, ahead_to=self._segment_bytes_max, urgent=urgent)
        except OSError as error:
            self._give_up(segment, is_full=error.errno == errno.ENOSPC)
            return False
        if segment is not self.active:
            if self.active is not None:
                self.active.close()
                self.closed += 1
            self.active = segment
            self.log.segments.append(segment)
            self._counters.segments_opened += 1
        segment.hash(data)
        segment.note(index, segment.size, payload)
        self.written_end += 1
        self._files.mark(segment.name)
        return True

    def _give_up(self, segment: Segment, *, is_full: bool) -> None:
        """Stop writing to a file after a failed write; delete it if it holds nothing."""
        if segment is not self.active:
            self._files.delete(segment.name)
        self.active = None
        if is_full and self._space.free_bytes is not None:
            self._space.refresh(self._files.bytes_held)
