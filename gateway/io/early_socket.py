"""A socket bound before its address is ours: the network, or the cable of the maintenance port, may come later."""

import socket
from contextlib import suppress
from typing import Any

_IP_FREEBIND = 15  # of Linux; the module `socket` has no name for it before Python 3.14


def bind_early(found: tuple[Any, ...], *, reuses: bool = False) -> socket.socket:
    """A socket that never blocks, at what `getaddrinfo` has found. `reuses`: SO_REUSEADDR. OSError if it is taken."""
    family, kind, protocol, _, address = found
    made = socket.socket(family, kind, protocol)
    try:
        if reuses:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with suppress(OSError):
            made.setsockopt(socket.IPPROTO_IP, _IP_FREEBIND, 1)
        made.setblocking(False)
        made.bind(address)
    except OSError:
        made.close()
        raise
    return made
