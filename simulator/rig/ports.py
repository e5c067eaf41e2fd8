"""Gives real parts their ports of the loopback interface, each to one process alone."""

import errno
import fcntl
import os
import secrets
import socket
import tempfile
from functools import cache
from pathlib import Path

_HOST = "127.0.0.1"
# Below the ports that the kernel gives to a program that asks for any (from 32768 on Linux): while a broker is away no
# other process gets its port by chance, not even the near end of a connection that is tried to it.
_PORTS = range(20_000, 32_000)
_PORT_TRIES = 100
_drawn: set[int] = set()  # by this process, whose own locks do not keep it out


def free_port(kind: socket.SocketKind) -> int:
    """Returns a port of the loopback interface that is free, and ours as long as this process lives: no rig beside is
    given it, bound or not."""
    for _ in range(_PORT_TRIES):
        port = secrets.choice(_PORTS)
        if not _claim(port):
            continue
        with socket.socket(socket.AF_INET, kind) as probe:
            try:
                probe.bind((_HOST, port))
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    raise
            else:
                return port
    raise OSError(errno.EADDRINUSE, f"no free port from {_PORTS.start} to {_PORTS.stop - 1}")


def listens(port: int) -> bool:
    """Returns whether connections to this port of the loopback interface are accepted."""
    with socket.socket() as probe:
        return probe.connect_ex((_HOST, port)) == 0


@cache
def _claims() -> int:
    """Opens the file whose byte n is locked by the process that has port n (fcntl(2)). It stays open, for a process
    that closes it loses its locks."""
    return os.open(Path(tempfile.gettempdir()) / f"bocage-ports-{os.getuid()}", os.O_RDWR | os.O_CREAT, 0o600)


def _claim(port: int) -> bool:
    """Returns whether the port has become ours: each is drawn once by a process, and held until that ends."""
    try:
        fcntl.lockf(_claims(), fcntl.LOCK_EX | fcntl.LOCK_NB, 1, port)
    except OSError as error:
        if error.errno not in (errno.EACCES, errno.EAGAIN):
            raise
        return False
    is_new = port not in _drawn
    _drawn.add(port)
    return is_new
