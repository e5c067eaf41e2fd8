"""Binds sockets on Linux: to one interface or source address, or to an address that is not ours yet.

Shared by the probes, the broker's connection, the node link and the technician's page; also counts the bytes that
crossed an interface. It decides nothing; errors name the remedy.
"""

import errno
import socket
from contextlib import suppress
from pathlib import Path
from typing import Any

_CLASS = Path("/sys/class/net")
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class BearerError(OSError):
    """Reports that the socket cannot be bound to this bearer. The text names the remedy."""


def bind_socket(sock: socket.socket, *, interface: str | None = None, source: str | None = None) -> None:
    """Make an unconnected socket leave by `interface` (SO_BINDTODEVICE), from the address `source`, or both.

    Where the kernel refuses the interface for lack of rights, `source` alone is used: the system's routes must then
    send what comes from it by that interface (ip rule). Without `source` that is a BearerError, never a guess: a
    probe of mobile that in truth leaves by fibre would call a dead modem good.
    """
    if interface is not None:
        try:
            # With the final NUL: the option's value is a C string of at most 16 bytes.
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface.encode() + b"\0")
        except OSError as error:
            if error.errno not in (errno.EPERM, errno.EACCES) or source is None:
                raise _explained(error, interface) from error
    if source is not None:
        try:
            sock.bind((source, 0))
        except OSError as error:
            message = f"{source}: cannot be the source ({error.strerror}); give an address of the interface, or none"
            raise BearerError(error.errno, message) from error


def interface_bytes(interface: str) -> int | None:
    """Returns bytes received and sent since the interface was made, as the kernel counts them; None while it is
    absent."""
    folder = _CLASS / interface / "statistics"
    try:
        return int((folder / "rx_bytes").read_text()) + int((folder / "tx_bytes").read_text())
    except (OSError, ValueError):
        return None


def interface_count(interface: str) -> tuple[int, str] | None:
    """Returns (bytes, identity) of one and the same interface; None while it is absent, or if it was replaced
    meanwhile: the counter of one under the name of the other would be charged twice."""
    identity = interface_identity(interface)
    counter = interface_bytes(interface)
    if counter is None or identity is None or identity != interface_identity(interface):
        return None
    return counter, identity


def interface_identity(interface: str) -> str | None:
    """Returns a name of this very interface: one that is unplugged and returns has another. None while it is absent."""
    try:
        boot_id = _BOOT_ID.read_text().strip()
        return f"{boot_id}/{int((_CLASS / interface / 'ifindex').read_text())}"
    except (OSError, ValueError):
        return None


def _explained(error: OSError, interface: str) -> BearerError:
    if error.errno in (errno.EPERM, errno.EACCES):
        remedy = "a kernel before 5.7 wants CAP_NET_RAW for it: grant that, or give the bearer's source address"
    elif error.errno == errno.ENODEV:
        remedy = "there is no such interface now: plug it in, or correct its name (ip link)"
    else:
        remedy = "check its name (ip link)"
    return BearerError(error.errno, f"{interface}: cannot bind ({error.strerror}); {remedy}")


_IP_FREEBIND = 15  # of Linux; the module `socket` has no name for it before Python 3.14


def bind_early(found: tuple[Any, ...], *, reuses: bool = False) -> socket.socket:
    """Returns a non-blocking socket at what `getaddrinfo` found. `reuses`: SO_REUSEADDR. OSError if it is taken."""
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
