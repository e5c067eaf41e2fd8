"""Writes small files of the data folder beside the journal, the boot number, and the lock of the agent.

Small files are replaced whole; they belong to the agent even when root writes them. The boot number is raised at every
start and never used twice (ARCHITECTURE, section 3): one empty file for each number (`boot-00000042`), made durable
before the number is used and before older ones are deleted, so that after a power cut at any moment the highest name is
the last number that may have been used; the folder may come from a backup, see `gateway/core/options.py`. The lock is
advisory and ends with the process: two agents on one journal would each delete what the other needs. Another process
sees by the lock that an agent runs, even one that does not answer.
"""

import fcntl
import os
import re
from pathlib import Path
from typing import Any

from gateway.core.custody.disk import parse_json
from gateway.core.options import START_NUMBER_MAX, number_after


def write(path: Path, data: bytes, *, gives: bool, is_public: bool = False) -> None:
    """Write a file that only its owner may read, by rename: a power cut leaves the old one or the new one. OSError.

    `gives`: when root writes it, the file gets the folder's owner: the agent is another user. `is_public`: all may
    read it.
    """
    fresh = path.with_name(path.name + ".new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        if is_public:
            os.fchmod(file.fileno(), 0o644)
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    if gives:
        give(fresh)
    fresh.replace(path)
    sync_folder(path.parent)


def read_object(path: Path, bytes_max: int) -> dict[str, Any]:
    """Returns the object that a small JSON file holds; an empty one where there is none, or it is damaged."""
    try:
        with path.open("rb") as file:
            found = parse_json(file.read(bytes_max))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def give(path: Path) -> None:
    """Makes a file that root wrote belong to the owner of its folder."""
    if os.name == "posix" and os.geteuid() == 0:
        above = path.parent.stat()
        os.chown(path, above.st_uid, above.st_gid)


def sync_folder(folder: Path) -> None:
    """Syncs what a folder lists, where the system lets a folder be synced. OSError."""
    if os.name == "posix":
        sync(folder)


def sync(path: Path) -> None:
    """Makes a file that another program wrote durable. OSError."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


_BOOT_PREFIX = "boot-"
# Old names kept: one is enough; a second survives a card that loses the newest.
_BOOTS_KEPT = 2


def next_boot(folder: Path, unix_s: int = 0) -> int:
    """Raise the counter in `folder` and return the new number. OSError when it cannot be made durable."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    numbers = sorted(_numbers(folder))
    boot = number_after(numbers[-1] if numbers else None, unix_s)
    descriptor = os.open(folder / f"{_BOOT_PREFIX}{boot:010}", os.O_CREAT | os.O_WRONLY, 0o600)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    sync_folder(folder)
    for number in numbers[: 1 - _BOOTS_KEPT]:
        (folder / f"{_BOOT_PREFIX}{number:010}").unlink(missing_ok=True)
    return boot


def last_boot(folder: Path) -> int | None:
    """Returns the last number used, None if there is none. OSError when the folder cannot be read."""
    return max(_numbers(folder), default=None) if folder.exists() else None


def foreign_boots(folder: Path) -> list[str]:
    """Returns the names in `folder` that look like a boot number and are none: they are left alone, and named."""
    numbers = {f"{_BOOT_PREFIX}{number:010}" for number in _numbers(folder)}
    return sorted({path.name for path in folder.iterdir() if path.name.startswith(_BOOT_PREFIX)} - numbers)


def _numbers(folder: Path) -> list[int]:
    """Returns the numbers of starts. A number that no counter can have reached is a stranger's: following it would use
    all numbers up."""
    names = [path.name.removeprefix(_BOOT_PREFIX) for path in folder.iterdir() if path.name.startswith(_BOOT_PREFIX)]
    return [int(name) for name in names if re.fullmatch("[0-9]{10}", name) and int(name) <= START_NUMBER_MAX]


class FolderLock:
    """Locks the data folder itself, which a read-only card allows too, from construction until `close`. BlockingIOError
    when another agent holds it, another OSError when there is no such folder."""

    def __init__(self, data: Path) -> None:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._descriptor = os.open(data, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._descriptor)
            raise BlockingIOError(f"another agent works in {data}") from error

    def close(self) -> None:
        os.close(self._descriptor)


def is_held(data: Path) -> bool:
    """Returns whether an agent works in this folder. Creates nothing."""
    try:
        descriptor = os.open(data, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False
