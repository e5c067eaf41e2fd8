"""Implements the disk of the journal and of the state: a flat folder, written and synced, or only read.

Implements `gateway/core/custody/disk.py` and decides nothing. `FileDisk` writes in the caller's thread and syncs in one
worker thread, which reports through `on_synced(ticket, error)`: the agent must pass that on to its own thread. A sync
uses a duplicate of the descriptor that wrote: the kernel reports a failed write-back to the descriptors open at the
time. While one sync is under way, all later requests are joined in one more: a card that stalls for a minute under
alarms costs a handful of descriptors, not three for each alarm.

`WatchedDisk` is the agent's: it expects a sign of life while a sync is under way. `ReadOnlyFolder` is for another
process beside a running agent (`bocage gateway losses`), which must not change any file, and `UnwritableDisk` for an
agent whose card cannot be written at its start.
"""

import errno
import os
import stat
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Condition, Thread

from gateway.core.custody.disk import Ticket
from gateway.core.heartbeats import Heartbeats
from gateway.io import clock

# One file written per lane, and one each that was just rotated.
_OPEN_FILES_MAX = 6


@dataclass
class _Job:
    """Holds duplicates to sync and close, and the tickets that wait for them. An error in preparing fails them all."""

    tickets: list[Ticket] = field(default_factory=list)
    descriptors: dict[str, int] = field(default_factory=dict)
    folder: int | None = None
    error: str | None = None


class FileDisk:
    """Implements `Disk` on a folder that only this object writes; created if absent, readable by its owner alone."""

    def __init__(self, folder: Path, on_synced: Callable[[Ticket, str | None], None]) -> None:
        """Raises OSError if the folder cannot be made or opened."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        self._on_synced = on_synced
        self._open: OrderedDict[str, int] = OrderedDict()  # descriptors that write, the least recent first
        self._folder_dirty = True  # an earlier process may have died before its sync
        self._wake = Condition()  # guards the next two
        self._waiting: _Job | None = None
        self._closing = False
        self._worker = Thread(target=self._work, name="journal-sync", daemon=True)
        self._worker.start()

    def close(self) -> None:
        """Finish the requested syncs, report them, end the thread and close the files."""
        with self._wake:
            self._closing = True
            self._wake.notify()
        self._worker.join()
        while self._open:
            os.close(self._open.popitem()[1])
        os.close(self._folder)

    def size(self, name: str) -> int:
        """Returns the length of a file, as `Disk`."""
        return os.stat(self._plain(name), dir_fd=self._folder, follow_symlinks=False).st_size

    def read(self, name: str, offset: int, length: int) -> bytes:
        """Returns bytes of a file, as `Disk`."""
        descriptor = self._opened(name, os.O_RDONLY)
        try:
            data = b""
            while len(data) < length:
                more = os.pread(descriptor, length - len(data), offset + len(data))
                if not more:
                    break
                data = data + more if data else more
            return data
        finally:
            os.close(descriptor)

    def append(self, name: str, data: bytes) -> None:
        """Writes at the end of a file, as `Disk`."""
        descriptor = self._writer(name)
        _put(descriptor, os.fstat(descriptor).st_size, data)

    def write(self, name: str, offset: int, data: bytes) -> None:
        """Writes inside a file and beyond its end, as `Disk`."""
        _put(self._writer(name), offset, data)

    def cut(self, name: str, length: int) -> None:
        """Shortens a file, as `Disk`."""
        os.ftruncate(self._writer(name), length)

    def sync(self, names: Sequence[str], ticket: Ticket) -> None:
        """Starts a sync, as `Disk`."""
        with self._wake:
            job = self._waiting = self._waiting or _Job()
            job.tickets.append(ticket)
            try:
                for name in names:
                    if name not in job.descriptors:
                        job.descriptors[name] = self._duplicate(name)
                if self._folder_dirty and job.folder is None:
                    job.folder = os.dup(self._folder)
                self._folder_dirty = False
            except OSError as exception:
                job.error = job.error or str(exception)
            self._wake.notify()

    def delete(self, name: str) -> None:
        """Removes a file, as `Disk`."""
        self._close(name)
        os.unlink(self._plain(name), dir_fd=self._folder)
        self._folder_dirty = True

    def rename(self, old: str, new: str) -> None:
        """Renames a file, as `Disk`."""
        self._close(old)
        os.rename(self._plain(old), self._plain(new), src_dir_fd=self._folder, dst_dir_fd=self._folder)
        self._folder_dirty = True

    def free_bytes(self) -> int:
        """Returns the free bytes of the partition, as `Disk`."""
        state = os.fstatvfs(self._folder)
        return state.f_bavail * state.f_frsize

    def foreign(self) -> Sequence[str]:
        """Returns the names of what is no plain file, as `Disk`."""
        with os.scandir(self._folder) as entries:
            return sorted(entry.name for entry in entries if not entry.is_file(follow_symlinks=False))

    def list(self) -> Sequence[str]:
        """Returns the names of the files, as `Disk`."""
        with os.scandir(self._folder) as entries:
            return sorted(entry.name for entry in entries if entry.is_file(follow_symlinks=False))

    def _plain(self, name: str) -> str:
        assert "/" not in name and name not in ("", ".", ".."), name
        return name

    def _writer(self, name: str) -> int:
        """Return the descriptor that writes to a file, opening it if needed."""
        descriptor = self._open.get(name)
        if descriptor is None:
            descriptor = self._opened(name, os.O_WRONLY | os.O_CREAT)
            self._folder_dirty = True
            self._open[name] = descriptor
            if len(self._open) > _OPEN_FILES_MAX:
                os.close(self._open.popitem(last=False)[1])
        self._open.move_to_end(name)
        return descriptor

    def _duplicate(self, name: str) -> int:
        descriptor = self._open.get(name)
        if descriptor is not None:
            return os.dup(descriptor)
        # Closed since: the kernel keeps an error that was not reported for the next descriptor.
        return self._opened(name, os.O_RDONLY)

    def _opened(self, name: str, flags: int) -> int:
        """Return a descriptor of a plain file; OSError, and never a wait, for a link, a folder or a pipe."""
        flags |= os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
        descriptor = os.open(self._plain(name), flags, 0o600, dir_fd=self._folder)
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise OSError(errno.EINVAL, "no plain file", name)
        return descriptor

    def _close(self, name: str) -> None:
        descriptor = self._open.pop(name, None)
        if descriptor is not None:
            os.close(descriptor)
        with self._wake:
            # A later file of this name is another file. (No name has a separator.)
            if self._waiting is not None and name in self._waiting.descriptors:
                duplicate = self._waiting.descriptors.pop(name)
                self._waiting.descriptors[f"{name}/{duplicate}"] = duplicate

    def _work(self) -> None:
        while True:
            with self._wake:
                self._wake.wait_for(lambda: self._waiting is not None or self._closing)
                job, self._waiting = self._waiting, None
            if job is None:
                return
            error = _run(job)
            for ticket in job.tickets:
                self._on_synced(ticket, error)


# Bytes are handed over a page at a time: written at once, the kernel keeps up to 64 kB as one folio of its cache, and
# counts, with some file systems even writes, the whole of it at each flush of a few records.
_PAGE_BYTES = 4096


def _put(descriptor: int, offset: int, data: bytes) -> None:
    written = 0
    while written < len(data):
        at = offset + written
        more = os.pwrite(descriptor, data[written : written + _PAGE_BYTES - at % _PAGE_BYTES], at)
        if more == 0:
            raise OSError(errno.EIO, "nothing was written")
        written += more


def _run(job: _Job) -> str | None:
    """Sync all that a job names, even after an error; close its descriptors; return the first error."""
    error = job.error
    for descriptor in job.descriptors.values():
        try:
            try:
                os.fdatasync(descriptor)  # writes a new length too; spares the time stamps
            finally:
                os.close(descriptor)
        except OSError as exception:
            error = error or str(exception)
    if job.folder is not None:
        try:
            try:
                os.fsync(job.folder)
            finally:
                os.close(job.folder)
        except OSError as exception:
            error = error or str(exception)
    return error


# Cards stall for seconds, some for twenty; a card that stalls for a minute will not come back.
_SYNC_ALLOWED_MS = 60_000


class WatchedDisk(FileDisk):
    """Is a FileDisk whose syncs are watched. `sync` and `reported` are called in the loop's thread; `unreported` counts
    the syncs under way. `name` is the one in the ledger of heartbeats."""

    def __init__(
        self, folder: Path, on_synced: Callable[[Ticket, str | None], None], heartbeats: Heartbeats, name: str
    ) -> None:
        super().__init__(folder, on_synced)
        self._heartbeats = heartbeats
        self._name = name
        self.unreported = 0

    def sync(self, names: Sequence[str], ticket: Ticket) -> None:
        """Starts a sync, as `Disk`, and expects its end."""
        if not self.unreported:
            self._heartbeats.expect(self._name, _SYNC_ALLOWED_MS, now_ms=clock.monotonic_ms())
        self.unreported += 1
        super().sync(names, ticket)

    def reported(self) -> None:
        """Note that a sync's outcome has arrived in the loop."""
        self.unreported -= 1
        if self.unreported:
            self._heartbeats.beat(self._name, now_ms=clock.monotonic_ms())
        else:
            self._heartbeats.forget(self._name)


class ReadOnlyFolder:
    """Implements `Disk` for reading; every write is refused. An absent folder counts as empty."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def size(self, name: str) -> int:
        return (self._folder / name).stat().st_size

    def read(self, name: str, offset: int, length: int) -> bytes:
        with (self._folder / name).open("rb") as file:
            file.seek(offset)
            return file.read(length)

    def free_bytes(self) -> int:
        found = os.statvfs(self._folder)
        return found.f_bavail * found.f_frsize

    def append(self, name: str, data: bytes) -> None:
        raise _refusal(name)

    def write(self, name: str, offset: int, data: bytes) -> None:
        raise _refusal(name)

    def cut(self, name: str, length: int) -> None:
        raise _refusal(name)

    def sync(self, names: Sequence[str], ticket: Ticket) -> None:
        raise AssertionError("a folder that is only read has nothing to sync")

    def delete(self, name: str) -> None:
        raise _refusal(name)

    def foreign(self) -> Sequence[str]:
        return ()

    def rename(self, old: str, new: str) -> None:
        raise _refusal(old)

    def list(self) -> Sequence[str]:
        try:
            with os.scandir(self._folder) as entries:
                return sorted(entry.name for entry in entries if entry.is_file(follow_symlinks=False))
        except FileNotFoundError:
            return []


class UnwritableDisk(ReadOnlyFolder):
    """Is the agent's disk where the card could not be written at the start: what can be read is read, every write is
    refused, until a restart. Has what the agent asks of a `WatchedDisk`."""

    unreported = 0

    def __init__(self, folder: Path, on_synced: Callable[[Ticket, str | None], None]) -> None:
        super().__init__(folder)
        self._on_synced = on_synced

    def sync(self, names: Sequence[str], ticket: Ticket) -> None:
        """Reports failure, which the agent posts to its loop."""
        self._on_synced(ticket, "the card cannot be written")

    def reported(self) -> None:
        """Does nothing: no sync is ever under way."""

    def close(self) -> None:
        """Does nothing: no file is open."""

    # Last in the class, so that the name does not hide the built-in type from the annotations above.
    def list(self) -> Sequence[str]:
        """Returns the names of the files; none where the folder cannot be read at all."""
        try:
            return super().list()
        except OSError:
            return []


def _refusal(name: str) -> OSError:
    return OSError(errno.EROFS, "only to be read", name)
