"""A folder of the agent's as another process sees it: to be read, and nothing else.

Where the agent's own disk creates, writes and syncs, this refuses: `bocage gateway losses` beside a running
agent must not so much as touch a file.
"""

import errno
import os
from collections.abc import Sequence
from pathlib import Path


class ReadOnlyFolder:
    """Implements `gateway/core/custody/disk.py`. An absent folder is an empty one."""

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

    def sync(self, names: Sequence[str], ticket: int) -> None:
        raise AssertionError("a folder that is only read has nothing to sync")

    def delete(self, name: str) -> None:
        raise _refusal(name)

    def rename(self, old: str, new: str) -> None:
        raise _refusal(old)

    def list(self) -> Sequence[str]:
        try:
            with os.scandir(self._folder) as entries:
                return sorted(entry.name for entry in entries if entry.is_file(follow_symlinks=False))
        except FileNotFoundError:
            return []


def _refusal(name: str) -> OSError:
    return OSError(errno.EROFS, "only to be read", name)
