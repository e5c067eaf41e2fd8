"""Mounts a tiny real partition: a file with an ext4 file system in it; where that is refused, a tmpfs.

Needs root: `why_not` returns what is missing. Must leave nothing mounted.
"""

import contextlib
import errno
import os
import shutil
import subprocess
import time
from pathlib import Path

_UNMOUNT_TRIES = 20
_PIECES_BYTES = (65_536, 4096, 1)


def why_not() -> str | None:
    """Returns what is missing to mount a partition here; None when root may mount. Only trying shows whether a mount
    succeeds."""
    if os.geteuid() != 0:
        return "mounting a partition needs root"
    if shutil.which("mount") is None:
        return "no mount command: apt-get install mount"
    return None


class Partition:
    """Mounts a partition, as a context manager; OSError when nothing can be mounted. `kind` is `ext4` or `tmpfs`."""

    def __init__(self, folder: Path, image: Path, megabytes: int) -> None:
        self.folder = folder
        self._image = image
        self._megabytes = megabytes
        self.kind = ""

    def __enter__(self) -> "Partition":
        self.folder.mkdir(parents=True, exist_ok=True)
        if self._has_ext4() and _run("mount", "-o", "loop", str(self._image), str(self.folder)):
            self.kind = "ext4"
        elif _run("mount", "-t", "tmpfs", "-o", f"size={self._megabytes}m", "bocage", str(self.folder)):
            self.kind = "tmpfs"
        else:
            raise OSError(f"no file system can be mounted at {self.folder}")
        return self

    def __exit__(self, *_: object) -> None:
        for _try in range(_UNMOUNT_TRIES):
            if _run("umount", str(self.folder)):
                break
            time.sleep(0.1)
        else:
            _run("umount", "-l", str(self.folder))
        self._image.unlink(missing_ok=True)

    def free_bytes(self) -> int:
        """Returns the bytes that an ordinary program may still write."""
        found = os.statvfs(self.folder)
        return found.f_bavail * found.f_frsize

    def fill(self, name: str) -> int:
        """Writes a foreign file until not one more byte fits; returns its length."""
        with (self.folder / name).open("ab", buffering=0) as file:
            for size in _PIECES_BYTES:
                try:
                    while True:
                        if file.write(bytes(size)) < size:
                            break
                except OSError as error:
                    if error.errno != errno.ENOSPC:
                        raise
            with contextlib.suppress(OSError):
                os.fsync(file.fileno())
            return file.tell()

    def remove(self, name: str) -> None:
        (self.folder / name).unlink()

    def _has_ext4(self) -> bool:
        if shutil.which("mkfs.ext4") is None:
            return False
        with self._image.open("wb") as file:
            file.truncate(self._megabytes << 20)
        # -m 0: the gateway here runs as root, which could still write into the blocks reserved for root.
        return _run("mkfs.ext4", "-q", "-F", "-m", "0", str(self._image))


def _run(*command: str) -> bool:
    return subprocess.run(command, capture_output=True, check=False).returncode == 0
