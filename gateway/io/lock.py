"""One agent a data folder: an advisory lock that ends with the process, however it ends.

Two agents on one journal would each delete what the other needs. The lock also tells, from outside, whether
an agent runs that does not answer.
"""

import fcntl
import os
from pathlib import Path

_NAME = "agent.lock"


class FolderLock:
    """Held from construction until `close`. OSError when another agent holds it."""

    def __init__(self, data: Path) -> None:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._descriptor = os.open(data / _NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._descriptor)
            raise BlockingIOError(f"another agent works in {data}") from error

    def close(self) -> None:
        os.close(self._descriptor)


def is_held(data: Path) -> bool:
    """Whether an agent works in this folder. Creates nothing."""
    try:
        descriptor = os.open(data / _NAME, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False
