"""What the journal asks of a disk: one flat folder of files that only grow, and syncs that finish later.

The real disk is `gateway/io/disk.py`, its twin with faults `simulator/world/disk.py`. No call here waits for the
medium except `read`; durability is reported later, by the shell, as `journal.on_synced(ticket, error)`.
Nothing in the core may open a file by any other way.
"""

from collections.abc import Sequence
from typing import Protocol


class Disk(Protocol):
    """A folder of plain files. Names have no separator; every method but `sync` may raise OSError."""

    def size(self, name: str) -> int:
        """Return the length of a file in bytes."""

    def read(self, name: str, offset: int, length: int) -> bytes:
        """Return up to `length` bytes from `offset`; fewer only at the end of the file."""

    def append(self, name: str, data: bytes) -> None:
        """Hand bytes to the operating system at the end of a file, which is created if absent.

        An OSError leaves any prefix of `data`, even all of it, in the file.
        """

    def sync(self, names: Sequence[str], ticket: int) -> None:
        """Start making durable all that was appended to these files, and the folder as it is now.

        Never raises and never reports from inside the call: the outcome comes later with the ticket, once.
        """

    def delete(self, name: str) -> None:
        """Remove a file. It may come back after a power cut until a later sync has finished."""

    def rename(self, old: str, new: str) -> None:
        """Rename a file to a name that is free. May be undone by a power cut, as for `delete`."""

    def free_bytes(self) -> int:
        """Return how many bytes the partition has left for us. A snapshot: others write to it as well."""

    # Last in the class, so that the name does not hide the built-in type from the annotations above.
    def list(self) -> Sequence[str]:
        """Return the names of the plain files in the folder, sorted."""
