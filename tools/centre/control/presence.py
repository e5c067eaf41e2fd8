"""Whether a control daemon serves a control file: a lock beside the file that ends with its process, however that ends.

The lock's file, `<control file>.daemon`, tells in JSON which broker the daemon uses and whether it reaches it. One
daemon a file. POSIX, one host: a lock is not seen over a network.
"""

import fcntl
import json
import os
import time
from typing import NamedTuple

# A question holds the lock for an instant; a daemon that starts just then tries again.
_TRIES = 5
_TRY_S = 0.1
_BYTES_MAX = 1024


class Busy(Exception):
    """Another daemon serves this file."""


class Daemon(NamedTuple):
    """`connected` None: not known at this instant. `broker` is HOST:PORT."""

    broker: str
    connected: bool | None
    since_unix_s: int


class Presence:
    """Held by the daemon as long as it runs."""

    def __init__(self, path: str, broker: str) -> None:
        """OSError when the folder refuses; Busy when a daemon is there."""
        self._broker = broker
        self._file = os.open(_lock_path(path), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        for left in reversed(range(_TRIES)):
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if not left:
                    os.close(self._file)
                    raise Busy from None
                time.sleep(_TRY_S)

    def tell(self, *, connected: bool, now_s: int) -> None:
        """What a question sees from now on."""
        said = json.dumps({"broker": self._broker, "connected": connected, "since_unix_s": now_s}).encode()
        os.pwrite(self._file, said.ljust(_BYTES_MAX), 0)

    def close(self) -> None:
        os.close(self._file)


def look(path: str) -> Daemon | None:
    """The daemon that serves the control file at `path`; None when there is none."""
    try:
        file = os.open(_lock_path(path), os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        return None
    except BlockingIOError:
        return _read(os.pread(file, _BYTES_MAX, 0))
    finally:
        os.close(file)


def _read(said: bytes) -> Daemon:
    try:
        found = json.loads(said)
        return Daemon(str(found["broker"]), bool(found["connected"]), int(found["since_unix_s"]))
    except (ValueError, KeyError, TypeError):
        return Daemon("", None, 0)  # it is just starting


def _lock_path(path: str) -> str:
    return f"{path}.daemon"
