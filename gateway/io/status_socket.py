"""Serves the agent's status on a Unix socket: a client that connects reads one line of JSON and the end of the stream.

No request, no session: the line is written into the fresh socket's buffer at once and the connection is closed, so
that a client which does not read costs nothing and the number of clients needs no bound. Only the agent's user may use
the socket (0600). The line is made at most twice a second, however often it is requested.
"""

import asyncio
import json
import os
import socket
import stat
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from gateway.core.status import Status, as_json, parse
from gateway.io import clock
from gateway.io.log import clean

# Below what the kernel buffers for a Unix stream (212,992 bytes by default): a full cabinet with its policy takes 90
# kB.
LINE_BYTES_MAX = 131_072
_SAME_LINE_MS = 500
_BACKLOG = 16


class StatusServer:
    """Serves what `state()` returns, called in the loop's thread. OSError when the socket cannot be made."""

    def __init__(self, path: Path, state: Callable[[], Status]) -> None:
        self._path = path
        self._state = state
        self._line = b""
        self._made_ms: int | None = None
        self.counters = {"served": 0, "not-served": 0}
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._socket = _bind(path)
        asyncio.get_running_loop().add_reader(self._socket, self._accept)

    def close(self) -> None:
        """Stops, and removes the socket's name: a name without an agent would mislead."""
        asyncio.get_running_loop().remove_reader(self._socket)
        self._socket.close()
        self._path.unlink(missing_ok=True)

    def _accept(self) -> None:
        try:
            connection, _ = self._socket.accept()
        except OSError:  # gone before we came, or no descriptor left
            self.counters["not-served"] += 1
            return
        with connection:
            connection.setblocking(False)
            try:
                sent = connection.send(self._current())
            except OSError:
                sent = 0
            self.counters["served" if sent and sent == len(self._line) else "not-served"] += 1

    def _current(self) -> bytes:
        now_ms = clock.monotonic_ms()
        if self._made_ms is None or now_ms - self._made_ms >= _SAME_LINE_MS:
            self._made_ms = now_ms
            self._line = encode(self._state())
        return self._line


def encode(state: Status) -> bytes:
    """Returns one line of JSON, without secrets; if it is too long, without the counters, then without the cabinet."""
    for shown in (state, state._replace(health={}), state._replace(health={}, cabinet=None)):
        line = json.dumps(clean(as_json(shown))).encode() + b"\n"
        if len(line) <= LINE_BYTES_MAX:
            break
    return line[:LINE_BYTES_MAX]


def ask(path: Path, timeout_s: float) -> Status:
    """Returns the status of the agent behind the socket. OSError when there is no answer, ValueError if it is
    invalid."""
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
            client.settimeout(timeout_s)
            _connect(client, _within(folder, path.name), timeout_s)
            line = b""
            while len(line) <= LINE_BYTES_MAX and (more := client.recv(LINE_BYTES_MAX)):
                line += more
    finally:
        os.close(folder)
    state = json.loads(line)
    if not isinstance(state, dict):
        raise ValueError("not a status")
    return parse(state)


def _connect(client: socket.socket, name: str, timeout_s: float) -> None:
    """Connects within the timeout: while others queue, a Unix socket with a timeout raises EAGAIN instead of
    waiting."""
    end_ms = clock.monotonic_ms() + int(1000 * timeout_s)
    while True:
        try:
            return client.connect(name)
        except BlockingIOError:
            if clock.monotonic_ms() >= end_ms:
                raise
            time.sleep(0.01)


def _bind(path: Path) -> socket.socket:
    """Binds under another name, closed to other users, then renames: at no moment may another user connect, and
    the socket of an agent that was killed is replaced."""
    name = f"{path.name}.new"
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        _refuse_other_files(path)
        with suppress(FileNotFoundError):
            os.unlink(name, dir_fd=folder)
        made.setblocking(False)
        made.bind(_within(folder, name))
        os.chmod(name, 0o600, dir_fd=folder)
        made.listen(_BACKLOG)
        os.rename(name, path.name, src_dir_fd=folder, dst_dir_fd=folder)
    except OSError:
        made.close()
        raise
    finally:
        os.close(folder)
    return made


def _refuse_other_files(path: Path) -> None:
    """Raises FileExistsError for another kind of file: a wrong path in the configuration must not delete it."""
    with suppress(FileNotFoundError):
        if not stat.S_ISSOCK(path.lstat().st_mode):
            raise FileExistsError(f"{path} is not a socket")


def _within(folder: int, name: str) -> str:
    """Returns a name that fits the 107 bytes of sun_path, however long the folder's name is (Linux)."""
    return f"/proc/self/fd/{folder}/{name}"
