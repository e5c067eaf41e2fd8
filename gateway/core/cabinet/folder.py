"""The state folder as the cabinet's parts use it: what they append is synced, and nobody waits for that."""

import re
from collections.abc import Sequence

from gateway.core.custody.disk import Disk

# Tickets are told apart by their owners: a budget's are small numbers, the loss ledger's begin at 2^32.
_TICKETS_FROM = 1 << 61


class Folder:
    """One a cabinet, shared by its parts. Every method raises OSError as the disk does."""

    def __init__(self, disk: Disk) -> None:
        self.disk = disk
        self._ticket = _TICKETS_FROM

    def keep(self, name: str, data: bytes) -> None:
        """Append, and start making it durable."""
        self.disk.append(name, data)
        self._ticket += 1
        self.disk.sync([name], self._ticket)

    def numbered(self, part: str, digits: int) -> list[tuple[int, str]]:
        """(number, name) of the files `<part>-<number>`, ascending."""
        pattern = re.compile(f"{part}-([0-9]{{{digits}}})")
        found = [(pattern.fullmatch(name), name) for name in self.disk.list()]
        return sorted((int(match[1]), name) for match, name in found if match)

    def read(self, name: str, length_max: int) -> bytes:
        return self.disk.read(name, 0, length_max)

    def size(self, name: str) -> int:
        return self.disk.size(name)

    def delete(self, name: str) -> None:
        self.disk.delete(name)

    def names(self) -> Sequence[str]:
        return self.disk.list()
