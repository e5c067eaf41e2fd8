"""The files of the journal as bytes: what counts against the cap, what waits for a sync, what is to be deleted.

A file counts, whatever is in it, until it is really gone: after a failed write its size is asked for, and one that
could not be deleted is *litter*, tried again whenever there is reason to. Knows no record, position or lane, and
decides nothing about what may go. It must never raise for a deletion's sake.
"""

from gateway.core.custody.disk import Disk
from gateway.core.custody.room import Room
from gateway.core.custody.wear import JournalCounters
from gateway.core.limits import JOURNAL_LITTER_FILES_MAX


class Files:
    """See the module. `bytes_held` is of all files that count; the ballast and files set aside do not."""

    def __init__(self, disk: Disk, room: Room, counters: JournalCounters) -> None:
        self._disk = disk
        self._room = room
        self._counters = counters
        self._sizes: dict[str, int] = {}
        self._dirty: set[str] = set()
        self._litter: list[str] = []
        self.bytes_held = 0

    def found(self, sizes: dict[str, int]) -> None:
        """Take in what an earlier start left."""
        self._sizes = sizes
        self.bytes_held = sum(sizes.values())

    def append(self, name: str, data: bytes) -> None:
        """Hand bytes to the disk. Whatever it took of them before an OSError counts as well."""
        try:
            self._disk.append(name, data)
        except OSError:
            self._counters.append_errors += 1
            self._count_anew(name)
            raise
        self._count(name, len(data))
        self._counters.written_bytes += len(data)

    def mark(self, name: str) -> None:
        """The next flush is to make this file durable."""
        self._dirty.add(name)

    def unmark(self, names: set[str]) -> None:
        """What these files hold beyond what is durable is not worth a sync any more."""
        self._dirty -= names

    def take_marked(self) -> list[str]:
        """The files to sync, once."""
        names, self._dirty = sorted(self._dirty), set()
        return names

    def delete(self, name: str) -> None:
        """Delete a file, or remember to."""
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
        self._room.shrank(self.bytes_held)

    def tidy(self) -> bool:
        """Try again to delete what could not be deleted; False while any of it is left."""
        names, self._litter = self._litter, []
        for name in names:
            self.delete(name)
        return not self._litter

    def may_open(self) -> bool:
        """Whether a new file may be begun: not while too many could be neither written nor deleted."""
        return self.tidy() or len(self._litter) <= JOURNAL_LITTER_FILES_MAX

    def _count_anew(self, name: str) -> None:
        """Count a file as it is after a failed write."""
        try:
            size = self._disk.size(name)
        except OSError:
            size = 0  # not even created, or as good as
        self._count(name, size - self._sizes.get(name, 0))

    def _count(self, name: str, more: int) -> None:
        self._sizes[name] = self._sizes.get(name, 0) + more
        self.bytes_held += more
