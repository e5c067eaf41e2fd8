"""Defines what the core asks of a disk: one flat folder of files, and syncs that finish later.

The real disk is `gateway/io/disk.py`, its twin with faults `simulator/world/disk.py`. No call here waits for the
medium except `read`; durability is reported later, by the shell, as `on_synced(ticket, error)`.
Nothing in the core may open a file by any other way.
"""

import json
import re
from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol


class Ticket(NamedTuple):
    """Names one sync: which part of the core asked for it, and which of that part's syncs it is.

    The disk returns it unread with the outcome. Parts that share a disk receive every outcome; each recognises its own
    by `owner`, so their numbers need not differ.
    """

    owner: str
    number: int


class Disk(Protocol):
    """Declares a folder of plain files. Names have no separator; every method but `sync` may raise OSError."""

    def size(self, name: str) -> int:
        """Return the length of a file in bytes."""

    def read(self, name: str, offset: int, length: int) -> bytes:
        """Return up to `length` bytes from `offset`; fewer only at the end of the file."""

    def append(self, name: str, data: bytes) -> None:
        """Hand bytes to the operating system at the end of a file, which is created if absent.

        An OSError leaves any prefix of `data`, even all of it, in the file.
        """

    def write(self, name: str, offset: int, data: bytes) -> None:
        """Hand bytes to the operating system at `offset`, at most the file's length, which grows where it must; a file
        that is absent is created.

        Bytes written inside the file cost a flush no change of length, so no entry in the file system's own journal. An
        OSError leaves any prefix of `data`, even all of it, in the file.
        """

    def cut(self, name: str, length: int) -> None:
        """Shorten a file to `length` bytes. May be undone by a power cut, as for `delete`."""

    def sync(self, names: Sequence[str], ticket: Ticket) -> None:
        """Start making durable all that was written to these files, and the folder as it is now.

        Never raises and never reports from inside the call: the outcome comes later with the ticket, once.
        """

    def delete(self, name: str) -> None:
        """Remove a file. It may come back after a power cut until a later sync has finished."""

    def rename(self, old: str, new: str) -> None:
        """Rename a file to a name that is free. May be undone by a power cut, as for `delete`."""

    def free_bytes(self) -> int:
        """Return how many bytes the partition has left for us. A snapshot: others write to it as well."""

    def foreign(self) -> Sequence[str]:
        """Return the names in the folder that are no plain files: links, folders, pipes. They may only be renamed and
        deleted; reading or writing one raises OSError, and never waits."""

    # Last in the class, so that the name does not hide the built-in type from the annotations above.
    def list(self) -> Sequence[str]:
        """Return the names of the plain files in the folder, sorted."""


class SharedFolder:
    """Gives one part its view of a disk that others use too: what it saves is synced under its own name, and it does
    not wait for the sync. Every method raises OSError as the disk does."""

    def __init__(self, disk: Disk, owner: str) -> None:
        self.disk = disk
        self._ticket = Ticket(owner, 0)

    def save(self, name: str, data: bytes) -> None:
        """Append to a file, and start making it durable."""
        self.disk.append(name, data)
        self._ticket = Ticket(self._ticket.owner, self._ticket.number + 1)
        self.disk.sync([name], self._ticket)

    def read(self, name: str, length_max: int) -> bytes:
        """Return the beginning of a file."""
        return self.disk.read(name, 0, length_max)


def parse_json(data: bytes) -> Any:
    """Return what a file's bytes say in JSON; ValueError for any others, and where they are nested too deeply."""
    try:
        return json.loads(data)
    except RecursionError:
        raise ValueError("nested") from None


_NAME_KEPT_MAX = 200  # bytes of the old name; Linux allows 255 in all


def aside_name(part: str, number: int, name: str) -> str:
    """Return the name `<part>-<number>-<old name>` for a file that is moved aside, cut to what a folder takes."""
    kept = name.encode("utf-8", "surrogateescape")[:_NAME_KEPT_MAX].decode("utf-8", "surrogateescape")
    return f"{part}-{number:08d}-{kept}"


def numbered(disk: Disk, part: str, digits: int = 8) -> Sequence[tuple[int, str]]:
    """Return (number, name) of the files `<part>-<number>`, ascending. OSError as the disk raises it."""
    pattern = re.compile(f"{part}-([0-9]{{{digits}}})")
    found = [(pattern.fullmatch(name), name) for name in disk.list()]
    return sorted((int(match[1]), name) for match, name in found if match)


class NumberedFile:
    """Keeps a small document on a disk: each version is a new file `<part>-<number>`; the newest readable one counts.

    Disk failures are counted, never raised. Parts for which that is not enough (they must know what is durable) use
    `numbered` alone."""

    def __init__(self, folder: SharedFolder, part: str, *, bytes_max: int) -> None:
        self._folder = folder
        self._part = part
        self._bytes_max = bytes_max
        self._number = 0
        self.disk_errors = 0

    def restore(self) -> Sequence[bytes]:
        """Return what the files hold, the newest first."""
        try:
            files = numbered(self._folder.disk, self._part)
            self._number = max((number for number, _name in files), default=0)
            return [self._folder.read(name, self._bytes_max) for _number, name in reversed(files)]
        except OSError:
            self.disk_errors += 1
            return []

    def save(self, data: bytes) -> None:
        """Write another version, and delete old ones."""
        self._number += 1
        try:
            self._folder.save(f"{self._part}-{self._number:08}", data)
            for number, name in numbered(self._folder.disk, self._part):
                if number <= self._number - 2:  # the one before stays, in case this one is torn
                    self._folder.disk.delete(name)
        except OSError:
            self.disk_errors += 1
