"""Probes the path to the broker over one bearer: makes a TCP handshake with its address, and measures its time.

Good means that the path carries: a broker that refuses the connection is away, but its machine has answered. The
probe's connection ends with a reset, which costs one packet where an orderly end costs three. The broker's name is
looked up in a thread of its own, and the addresses found remain in use when no newer answer comes, for the resolver
often fails with the bearer over which it is reached. It never blocks the loop and decides nothing.
"""

import asyncio
import errno
import socket
import struct
from collections.abc import Callable
from threading import Thread
from typing import Any, NamedTuple

from gateway.io.sockets import bind_socket

# An answer older than this is looked up again, while the old one is used.
_FRESH_S = 600
# How long the very first lookup is waited for; its answer is kept all the same when it comes later.
_FIRST_S = 2.0

Address = tuple[int, Any]  # family and socket address, with literal hosts only
Lookup = Callable[[str, int], list[Address]]


def system_lookup(host: str, port: int) -> list[Address]:
    """Looks up by getaddrinfo, which may block for half a minute; OSError when there is no answer."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [(family, address) for family, _, _, _, address in found]


class Resolver:
    """Looks up the addresses of one host and port, for one event loop."""

    def __init__(self, host: str, port: int, lookup: Lookup = system_lookup) -> None:
        self._host = host
        self._port = port
        self._lookup = lookup
        self._known = _literal(host, port)
        self._is_literal = bool(self._known)
        self._known_at_s = 0.0
        self._asking: asyncio.Future[None] | None = None

    @property
    def known(self) -> list[Address]:
        """Returns the addresses that are known now; may be read from any thread. Empty: none yet."""
        return self._known

    async def addresses(self) -> list[Address]:
        """Returns the known addresses; empty when there are none and no answer came within two seconds."""
        if self._is_literal:
            return self._known
        loop = asyncio.get_running_loop()
        if not self._known or loop.time() - self._known_at_s > _FRESH_S:
            self._ask(loop)
        if not self._known and self._asking is not None:
            await asyncio.wait([self._asking], timeout=_FIRST_S)
        return self._known

    def _ask(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._asking is not None and not self._asking.done():
            return
        asking = self._asking = loop.create_future()

        def answered(found: list[Address]) -> None:
            if found:
                self._known, self._known_at_s = found, loop.time()
            asking.set_result(None)

        def work() -> None:
            try:
                found = self._lookup(self._host, self._port)
            except (OSError, UnicodeError):  # a name that IDNA refuses is a UnicodeError
                found = []
            if not loop.is_closed():
                loop.call_soon_threadsafe(answered, found)

        # Not the loop's own pool: its threads are joined at the end, and this thread may hang.
        Thread(target=work, name="resolver", daemon=True).start()


def _literal(host: str, port: int) -> list[Address]:
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            socket.inet_pton(family, host)
        except OSError:
            continue
        return [(family, (host, port) if family == socket.AF_INET else (host, port, 0, 0))]
    return []


_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class Outcome(NamedTuple):
    """Is the outcome of a probe. `rtt_ms` None unless ok; `why` for people: "connected", "refused", or the error."""

    ok: bool
    rtt_ms: int | None
    why: str


async def probe(
    resolver: Resolver, *, interface: str | None = None, source: str | None = None, timeout_ms: int
) -> Outcome:
    """Try the addresses one after the other until one answers or the time is over. Raises no network error."""
    why = "the broker's name has no address; give a literal address, or a resolver that answers"
    try:
        async with asyncio.timeout(timeout_ms / 1000):
            for family, address in await resolver.addresses():
                outcome = await _handshake(family, address, interface, source)
                if outcome.ok:
                    return outcome
                why = outcome.why
    except TimeoutError:
        why = f"no answer within {timeout_ms} ms"
    return Outcome(False, None, why)


async def _handshake(family: int, address: object, interface: str | None, source: str | None) -> Outcome:
    loop = asyncio.get_running_loop()
    try:
        sock = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
    except OSError as error:
        return Outcome(False, None, str(error))
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        bind_socket(sock, interface=interface, source=source)
        start_s = loop.time()
        why = "connected"
        try:
            await loop.sock_connect(sock, address)  # type: ignore[arg-type]
        except ConnectionRefusedError:
            why = "refused"
        return Outcome(True, max(0, round(1000 * (loop.time() - start_s))), why)
    except TimeoutError as error:
        # The kernel's ETIMEDOUT ends here; our own timeout has no errno and must reach the caller.
        if error.errno != errno.ETIMEDOUT:
            raise
        return Outcome(False, None, str(error))
    except OSError as error:
        return Outcome(False, None, str(error))
    finally:
        sock.close()
