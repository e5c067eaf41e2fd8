"""The broker's addresses by name, without ever waiting for a resolver: a thread asks, the loop uses what is known.

What was found stays good for ever when no newer answer comes, for the resolver often dies with the bearer it is
reached by. One question at a time: a resolver that hangs holds one thread, not one a probe. Decides nothing.
"""

import asyncio
import socket
from collections.abc import Callable
from threading import Thread
from typing import Any

# An answer older than this is asked for again, behind the back of whoever wants it now.
_FRESH_S = 600
# How long the very first question is waited for; its answer is kept all the same when it comes later.
_FIRST_S = 2.0

Address = tuple[int, Any]  # family and socket address, with literal hosts only
Lookup = Callable[[str, int], list[Address]]


def system_lookup(host: str, port: int) -> list[Address]:
    """getaddrinfo, which may block for half a minute; OSError when there is no answer."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [(family, address) for family, _, _, _, address in found]


class Resolver:
    """Of one host and port. To be used from one event loop."""

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
        """What is known now; may be read from any thread. Empty: nothing yet."""
        return self._known

    async def addresses(self) -> list[Address]:
        """What is known; empty when nothing is and no answer came within two seconds."""
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

        # Not the loop's own pool: its threads are joined at the end, and this one may hang.
        Thread(target=work, name="resolver", daemon=True).start()


def _literal(host: str, port: int) -> list[Address]:
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            socket.inet_pton(family, host)
        except OSError:
            continue
        return [(family, (host, port) if family == socket.AF_INET else (host, port, 0, 0))]
    return []
