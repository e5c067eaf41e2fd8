"""Simulates the journal's disk: in memory, from a seed, with power cuts, failing calls, and cards that die.

Implements `gateway/core/custody/disk.py`. Harsher than a real disk where it may be: what was not synced is kept, torn
at 512 bytes, zeroed (where the file grew), reordered or lost, each file by itself; creations, renames and deletions not
yet synced are undone at random. A failed sync makes the bytes it covered unsavable, though later syncs of the file
succeed (as on Linux). No clock, no thread: a sync completes when the scheduler calls `complete(ticket)`.
"""

import errno
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple, Protocol

from gateway.core.custody.disk import Ticket

BLOCK_SIZE = 512

# What a power cut leaves of the bytes not synced: none, a prefix, the length without the data, some blocks in any
# order, all.
TEARS = ("drop", "prefix", "zero", "blocks", "keep")


class Prng(Protocol):
    """Declares the one method that is needed of a random source; `random.Random` has it."""

    def randrange(self, stop: int, /) -> int:
        """Returns an integer from 0 to `stop` - 1."""


class PowerCut(Exception):
    """Is raised in the middle of an operation by `stop_after`. Not an OSError: no code under test may handle it."""


class PendingSync(NamedTuple):
    """Describes a sync that was started: what it covers and the duration that the scheduler should give it."""

    ticket: Ticket
    names: tuple[str, ...]
    latency_ms: int


@dataclass(eq=False)
class _Dirty:
    """Is one write that no sync has made safe yet, as a range of its file."""

    start: int
    end: int


@dataclass
class _File:
    data: bytearray = field(default_factory=bytearray)
    safe: bytearray = field(default_factory=bytearray)  # what outlives a power cut
    dirty: list[_Dirty] = field(default_factory=list)  # what was written and not synced yet
    name: str | None = None  # None: deleted
    past: list[str | None] = field(default_factory=list)  # other names that it may have after a power cut
    is_plain: bool = True  # else a link, a folder or a pipe, made by a stranger

    def save(self, one: _Dirty, data: bytes) -> None:
        """Makes bytes safe; without `data` (a failed sync) only their place, as zeros where the file grew."""
        self.safe += bytes(max(0, one.end - len(self.safe)))
        self.safe[one.start : one.start + len(data)] = data

    def unsafe(self) -> Iterator[tuple[int, int]]:
        """Yields the ranges of `data` whose bytes a power cut may lose, joined and ascending."""
        end = -1
        start = 0
        for low, high in sorted((one.start, one.end) for one in self.dirty):
            if low > end:
                if end > start:
                    yield start, end
                start = low
            end = max(end, high)
        if end > start:
            yield start, end


class _Covered(NamedTuple):
    files: list[tuple[_File, list[tuple[_Dirty, bytes]]]]  # with all that was dirty, as it was
    names: list[tuple[_File, str | None]]


class SimDisk:
    """Is a folder in memory. `operations` counts writes, syncs, deletions and renames; reads are not counted."""

    def __init__(
        self,
        prng: Prng,
        *,
        latency_ms: tuple[int, int] = (1, 30),
        capacity_bytes: int | None = None,
        on_pending: Callable[[PendingSync], None] | None = None,
    ) -> None:
        """Makes an empty folder. The scheduler gets each sync by `on_pending`; without it, by `pending`."""
        self._prng = prng
        self._latency_ms = latency_ms
        self._on_pending = on_pending
        self._files: list[_File] = []
        self._names: dict[str, _File] = {}
        self._covered: dict[Ticket, _Covered] = {}
        self._stop_at: int | None = None
        self.capacity_bytes = capacity_bytes
        self.pending: list[PendingSync] = []
        self.operations = 0
        self.append_error: int | None = None  # an errno: the next append raises it, and the ones after
        self.sync_error: str | None = None  # the next sync to complete has it, and the ones after
        self.delete_error: int | None = None
        self.read_error_names: set[str] = set()

    # --- the interface of the core --------------------------------------------------------------------------

    def size(self, name: str) -> int:
        return len(self._plain(name).data)

    def read(self, name: str, offset: int, length: int) -> bytes:
        if name in self.read_error_names:
            raise OSError(errno.EIO, "simulated read error")
        return bytes(self._plain(name).data[offset : offset + length])

    def append(self, name: str, data: bytes) -> None:
        """Appends data, or only a random part of it at an error or a power cut."""
        self.write(name, len(self._names[name].data) if name in self._names else 0, data)

    def write(self, name: str, offset: int, data: bytes) -> None:
        """Writes data, or only a random part of it at an error or a power cut."""
        stopped = self._count()
        file = self._names.get(name)
        if file is None:
            file = _File(name=name, past=[None])
            self._files.append(file)
            self._names[name] = file
        self._plain(name)
        assert offset <= len(file.data), "no file is written with a gap"
        fits = len(data)
        if self.capacity_bytes is not None:
            fits = len(file.data) - offset + max(0, self.capacity_bytes - self.bytes_used)
        part = data[:fits]
        if stopped or self.append_error is not None:
            part = data[: min(fits, self._prng.randrange(len(data) + 1))]
        file.data[offset : offset + len(part)] = part
        if part:
            file.dirty.append(_Dirty(offset, offset + len(part)))
        if stopped:
            raise PowerCut
        if self.append_error is not None:
            raise OSError(self.append_error, "simulated write error")
        if fits < len(data):
            raise OSError(errno.ENOSPC, "simulated full disk")

    def cut(self, name: str, length: int) -> None:
        """Shortens a file; the blocks that are cut off come back after a power cut, if the random source says so."""
        stopped = self._count()
        file = self._plain(name)
        del file.data[length:]
        if self._prng.randrange(2):
            del file.safe[length:]
        file.dirty = [one for one in file.dirty if one.start < length]
        for one in file.dirty:
            one.end = min(one.end, length)
        if stopped:
            raise PowerCut

    def sync(self, names: Sequence[str], ticket: Ticket) -> None:
        stopped = self._count()
        given = map(self._get, names)
        files = [(file, [(one, bytes(file.data[one.start : one.end])) for one in file.dirty]) for file in given]
        entries = [(file, file.name) for file in self._files]
        self._covered[ticket] = _Covered(files, entries)
        low, high = self._latency_ms
        pending = PendingSync(ticket, tuple(names), low + self._prng.randrange(high - low + 1))
        self.pending.append(pending)
        if stopped:
            raise PowerCut
        if self._on_pending is not None:
            self._on_pending(pending)

    def delete(self, name: str) -> None:
        if self.delete_error is not None:
            raise OSError(self.delete_error, "simulated deletion error")
        self._rename(name, None)

    def rename(self, old: str, new: str) -> None:
        assert new not in self._names, "the journal renames to free names only"
        self._rename(old, new)

    def free_bytes(self) -> int:
        """Returns the free bytes; without a capacity, more than a run can ever fill."""
        return 1 << 50 if self.capacity_bytes is None else max(0, self.capacity_bytes - self.bytes_used)

    # --- the hand of the simulation -------------------------------------------------------------------------

    @property
    def bytes_used(self) -> int:
        """Returns the bytes of all files that have a name."""
        return sum(len(file.data) for file in self._names.values())

    def complete(self, ticket: Ticket) -> str | None:
        """Finishes a sync and returns the error to report with the ticket, or None."""
        self.pending = [pending for pending in self.pending if pending.ticket != ticket]
        covered = self._covered.pop(ticket)
        for file, written in covered.files:
            for one, data in written:
                if one in file.dirty:  # or else another sync has settled it already
                    file.dirty.remove(one)
                    file.save(one, data if self.sync_error is None else b"")
        if self.sync_error is None:
            for file, name in covered.names:
                # Nearly always its present name is safe, or else a later sync has completed already.
                if file.past and name in (history := [*file.past, file.name]):
                    latest = len(history) - 1 - history[::-1].index(name)
                    file.past = history[latest:-1]
            self._files = [file for file in self._files if file.name is not None or file.past]
        return self.sync_error

    def stop_after(self, operations: int) -> None:
        """Makes the operation after this many more raise PowerCut in its middle."""
        self._stop_at = self.operations + operations

    def power_cut(self, tear: str | None = None) -> None:
        """Keeps what was synced and part of the rest, drops the syncs in flight, and turns the power on again.

        `tear` is one of TEARS, for all files; without it, one is drawn for each file.
        """
        self._stop_at = None
        self.pending.clear()
        self._covered.clear()
        survivors: dict[str, _File] = {}
        for file in self._files:
            names = [*file.past, file.name]
            name = names[self._prng.randrange(len(names))]
            if name is not None:
                data = self._torn(file, TEARS[self._prng.randrange(len(TEARS))] if tear is None else tear)
                survivors[name] = _File(data, bytearray(data), name=name, is_plain=file.is_plain)
        self._names = survivors
        self._files = list(survivors.values())

    def steal(self, name: str) -> None:
        """Takes a file away for good, as a stranger does."""
        self._files.remove(self._names.pop(name))

    def put_foreign(self, name: str) -> None:
        """Puts something that is no plain file at a name, as a stranger does."""
        self.put(name, b"")
        self._names[name].is_plain = False

    def put(self, name: str, data: bytes) -> None:
        """Sets a file's bytes without the journal, durably."""
        if name in self._names:
            self._files.remove(self._names[name])
        self._names[name] = _File(bytearray(data), bytearray(data), name=name)
        self._files.append(self._names[name])

    # --- inside ---------------------------------------------------------------------------------------------

    def _count(self) -> bool:
        """Counts an operation, and returns True if the power fails in its middle."""
        self.operations += 1
        return self._stop_at is not None and self.operations > self._stop_at

    def _get(self, name: str) -> _File:
        file = self._names.get(name)
        if file is None:
            raise FileNotFoundError(errno.ENOENT, "no such file", name)
        return file

    def _plain(self, name: str) -> _File:
        file = self._get(name)
        if not file.is_plain:
            raise OSError(errno.EINVAL, "no plain file", name)
        return file

    def _rename(self, old: str, new: str | None) -> None:
        file = self._get(old)
        stopped = self._count()
        del self._names[old]
        file.past.append(file.name)
        file.name = new
        if new is not None:
            self._names[new] = file
        if stopped:
            raise PowerCut

    def _torn(self, file: _File, tear: str) -> bytearray:
        """Returns what a power cut leaves of a file: what is safe, and what the tear keeps of each other range."""
        data = bytearray(file.safe)
        for start, end in file.unsafe():
            kept = bytes(file.data[start:end])
            if tear == "drop":
                continue
            if tear == "prefix":
                kept = kept[: self._prng.randrange(len(kept) + 1)]
            elif tear == "zero":
                kept = bytes(data[start:end]) + bytes(max(0, end - max(start, len(data))))
            elif tear == "blocks":
                kept = self._some_blocks(data, start, kept)
            if kept:
                data += bytes(max(0, start - len(data)))
            data[start : start + len(kept)] = kept
        return data

    def _some_blocks(self, safe: bytearray, start: int, data: bytes) -> bytes:
        end = start + len(data)
        out = b""
        for low, high in pairwise([start, *range(start - start % BLOCK_SIZE + BLOCK_SIZE, end, BLOCK_SIZE), end]):
            before = bytes(safe[low:high])
            out += data[low - start : high - start] if self._prng.randrange(2) else before.ljust(high - low, b"\0")
        return out

    def foreign(self) -> Sequence[str]:
        return sorted(name for name, file in self._names.items() if not file.is_plain)

    # Last in the class, so that the name does not hide the built-in type from the annotations above.
    def list(self) -> Sequence[str]:
        return sorted(name for name, file in self._names.items() if file.is_plain)


SOUND, ERRORS, STALLS, FULL = "sound", "errors", "stalls", "full"


class DyingDisk(SimDisk):
    """Is one folder of a card that may die, with a switch for each way in which flash ends.

        errors   every operation raises OSError, and syncs that were under way report one
        stalls   writes go to the page cache, and no sync ever completes
        full     not one byte is free

    SOUND again is a sound card with the same files in its place.
    """

    def __init__(self, prng: Prng, *, latency_ms: tuple[int, int], on_pending: Callable[[PendingSync], None]) -> None:
        super().__init__(prng, latency_ms=latency_ms, on_pending=self._begun)
        self._pass_on = on_pending
        self._stalled: list[PendingSync] = []
        self.state = SOUND

    def become(self, state: str) -> None:
        """Sets the state to SOUND, ERRORS, STALLS or FULL."""
        self.state = state
        self.sync_error = "simulated dead card" if state == ERRORS else None
        self.capacity_bytes = self.bytes_used if state == FULL else None
        if state == SOUND:
            stalled, self._stalled = self._stalled, []
            for sync in stalled:
                self._pass_on(sync)

    def abandon(self) -> None:
        """Drops the syncs of a process that is gone."""
        self._stalled.clear()

    def power_cut(self, tear: str | None = None) -> None:
        self._stalled.clear()
        super().power_cut(tear)

    def size(self, name: str) -> int:
        self._try()
        return super().size(name)

    def read(self, name: str, offset: int, length: int) -> bytes:
        self._try()
        return super().read(name, offset, length)

    def append(self, name: str, data: bytes) -> None:
        self._try()
        super().append(name, data)

    def write(self, name: str, offset: int, data: bytes) -> None:
        self._try()
        super().write(name, offset, data)

    def cut(self, name: str, length: int) -> None:
        self._try()
        super().cut(name, length)

    def delete(self, name: str) -> None:
        self._try()
        super().delete(name)

    def rename(self, old: str, new: str) -> None:
        self._try()
        super().rename(old, new)

    def free_bytes(self) -> int:
        self._try()
        return super().free_bytes()

    def _begun(self, sync: PendingSync) -> None:
        if self.state == STALLS:
            self._stalled.append(sync)
        else:
            self._pass_on(sync)

    def _try(self) -> None:
        if self.state == ERRORS:
            raise OSError(errno.EIO, "simulated dead card")

    # Last in the class, so that the name does not hide the built-in type from the annotations above.
    def list(self) -> Sequence[str]:
        self._try()
        return super().list()
