"""Small files that are there whole or not at all, and belong to the agent also when root writes them."""

import os
from pathlib import Path


def write(path: Path, data: bytes, *, gives: bool) -> None:
    """Write a file that only its owner may read, by rename: a cut leaves the old one or the new one. OSError.

    `gives`: when root writes it, it becomes the folder's owner's: the agent is another user.
    """
    fresh = path.with_name(path.name + ".new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    if gives:
        give(fresh)
    fresh.replace(path)
    sync_folder(path.parent)


def give(path: Path) -> None:
    """Root hands it to whom the folder above belongs."""
    if os.name == "posix" and os.geteuid() == 0:
        above = path.parent.stat()
        os.chown(path, above.st_uid, above.st_gid)


def sync_folder(folder: Path) -> None:
    """What a folder lists is on the disk, where a system lets a folder be synced. OSError."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
