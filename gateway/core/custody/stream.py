"""Reads and releases one stream of the journal as it lies on the disk: its segments, by a sparse index.

It knows positions and files, but nothing of the policies of lanes, of syncs or of what to do with a damaged file.
Memory is one entry per segment and per JOURNAL_MARK_RECORDS records, never per record. Holes and voids are not stored:
each read finds them again, so damage that comes after the start is found as well.
"""

from bisect import bisect_right
from collections.abc import Iterator
from itertools import zip_longest
from typing import NamedTuple

from gateway.core.custody.disk import Disk
from gateway.core.custody.segment import LANES, Content, Segment, VoidRun
from gateway.core.limits import JOURNAL_BLOCK_BYTES, JOURNAL_READ_FAILURES_MAX


class Stream(NamedTuple):
    """Identifies a sequence of positions 0, 1, 2, …: those of one lane in one epoch."""

    epoch: bytes
    lane: str


class Hole(NamedTuple):
    """Marks positions from `first` to `last`, both included, whose records cannot be read any more."""

    first: int
    last: int


class Void(NamedTuple):
    """Marks positions from `first` to `last`, both included, let go on purpose; a durable gap record explains them."""

    first: int
    last: int


class StreamLog:
    """Holds the segments of one stream, by rising positions, and how far it is durable and freed."""

    def __init__(self, stream: Stream, generation: int) -> None:
        self.stream = stream
        self.generation = generation
        self.segments: list[Segment] = []
        self.superseded: list[tuple[int, str]] = []  # (end, name) of files another file has replaced
        self.serial_max = 0  # of the files of an earlier epoch: those written anew come after them
        self.start = 0  # the first position not freed
        self.durable_end = 0
        # Of an earlier epoch: the end that its own life has listed. Beyond it, perhaps only the kernel has the records.
        self.listed_end = 0
        self.read_errors = 0
        self._resume = ("", 0, 0)  # file, position and offset of the record the last read ended with

    def age(self) -> tuple[int, bytes, int]:
        """Return the place among streams: oldest epoch first, in each epoch alarms first."""
        return self.generation, self.stream.epoch, LANES.index(self.stream.lane)

    def free(self, position: int, *, keep: Segment | None = None) -> list[str]:
        """Forget everything up to `position`; return the files that are not needed any more, never `keep`."""
        self.start = max(self.start, min(position + 1, self.durable_end))
        gone = 0
        while gone < len(self.segments) and self.segments[gone].end <= self.start:
            if self.segments[gone] is keep:
                break
            gone += 1
        names = [segment.name for segment in self.segments[:gone]]
        del self.segments[:gone]
        return names + self.drop_superseded(self.start)

    def abandon(self) -> None:
        """Forget that the files hold what is not durable: it will be written again in others."""
        kept = []
        for segment in self.segments:
            if segment.end > self.durable_end:
                if segment.first >= self.durable_end:
                    self.superseded.append((segment.end, segment.name))
                    continue
                segment.cut(self.durable_end)
            kept.append(segment)
        self.segments = kept

    def drop_superseded(self, end: int) -> list[str]:
        """Return, and forget, the replaced files that held nothing from `end` on."""
        names = [name for until, name in self.superseded if until <= end]
        self.superseded = [(until, name) for until, name in self.superseded if until > end]
        return names

    def replace(self, olds: list[Segment], new: Segment) -> bool:
        """Put `new` in the place of successive segments; return False and change nothing if they are not all here."""
        at = next((at for at, segment in enumerate(self.segments) if segment is olds[0]), None)
        if at is None or any(a is not b for a, b in zip_longest(self.segments[at : at + len(olds)], olds)):
            return False
        self.segments[at : at + len(olds)] = [new]
        return True

    def restore(self, new: Segment, olds: list[Segment]) -> bool:
        """Put back the segments that `new` has replaced; return False and change nothing if it is not here."""
        if not self.replace([new], olds[0]):
            return False
        at = self.segments.index(olds[0])
        self.segments[at : at + 1] = olds
        names = {old.name for old in olds}
        self.superseded = [(end, name) for end, name in self.superseded if name not in names]
        return True

    def read(self, disk: Disk, first: int, count_max: int, bytes_max: int) -> list[bytes | Hole | Void]:
        """Return the contents from position `first` on, as `Journal.read` does."""
        if not self.start <= first <= self.durable_end:
            raise ValueError(f"position {first} is not in {self.start}..{self.durable_end}")
        out: list[bytes | Hole | Void] = []
        due, used = first, 0
        for position, content in self._walk(disk, first):
            if position > due:
                if len(out) >= count_max:
                    break
                out.append(Hole(due, position - 1))
                due = position
            if isinstance(content, VoidRun):
                before = out[-1] if out else None
                if isinstance(before, Void):
                    out[-1] = Void(before.first, position + content.positions - 1)
                elif len(out) < count_max:
                    out.append(Void(position, position + content.positions - 1))
                else:
                    break
                due = position + content.positions
                continue
            if content is None or len(out) >= count_max or (out and used + len(content) > bytes_max):
                break
            out.append(content)
            used += len(content)
            due += 1
            if len(out) >= count_max:
                break
        return out

    def _walk(self, disk: Disk, first: int) -> Iterator[tuple[int, Content | None]]:
        """Yield (position, payload or void run) of what is durable from `first` on.

        Ends with (durable end, None), so that the caller sees a hole at the end; ends early on a transient read
        error.
        """
        at = self._find(first)
        due = first
        while at < len(self.segments) and self.segments[at].first < self.durable_end:
            segment = self.segments[at]
            stop = min(segment.end, self.durable_end)
            due = max(due, segment.first)
            try:
                for position, content, offset in self._records(disk, segment, due):
                    if position >= stop:
                        break
                    self._resume = (segment.name, position, offset)
                    if isinstance(content, VoidRun):
                        start = max(position, due)
                        yield start, VoidRun(min(position + content.positions, stop) - start)
                    else:
                        yield position, content
            except OSError:
                self.read_errors += 1
                segment.read_failures += 1
                return
            due = max(due, stop)
            at += 1
        yield self.durable_end, None

    def _records(self, disk: Disk, segment: Segment, due: int) -> Iterator[tuple[int, Content, int]]:
        """Yield (position, content, offset) of one segment, from the one that holds position `due` on."""
        start = segment.near(due)
        name, position, offset = self._resume
        if name == segment.name and start[1] < offset and position <= due:
            start = position - segment.first, offset

        def fetch(offset: int, length: int) -> bytes:
            if segment.read_failures < JOURNAL_READ_FAILURES_MAX:
                return disk.read(segment.name, offset, length)
            data, failures = read_despite_errors(disk, segment.name, offset, length)
            self.read_errors += failures
            return data

        for index, offset, content in segment.scan(fetch, index=start[0], offset=start[1]):
            count = content.positions if isinstance(content, VoidRun) else 1
            if segment.first + index + count > due:
                yield segment.first + index, content, offset

    def _find(self, position: int) -> int:
        """Return the index of the first segment that ends after `position`."""
        return bisect_right(self.segments, position, key=lambda segment: segment.end)


def read_despite_errors(disk: Disk, name: str, offset: int, length: int) -> tuple[bytes, int]:
    """Read as `disk.read`, with zeros for blocks that cannot be read; also return how many there were."""
    try:
        return disk.read(name, offset, length), 0
    except OSError:
        pass
    data, failures = bytearray(), 0
    while len(data) < length:
        at = offset + len(data)
        want = min(JOURNAL_BLOCK_BYTES - at % JOURNAL_BLOCK_BYTES, length - len(data))
        try:
            block = disk.read(name, at, want)
        except OSError:
            block, failures = bytes(want), failures + 1
        data += block
        if len(block) < want:
            break
    return bytes(data), failures
