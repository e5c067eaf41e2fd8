"""A real probe through a bearer: a TCP handshake with the broker's address, and the time it takes.

Good means that the path carries: a broker that refuses the connection is away, but its machine has answered. The
probe's connection ends with a reset, which costs one packet where an orderly end costs three. Never blocks the loop
and decides nothing.
"""

import asyncio
import errno
import socket
import struct
from typing import NamedTuple

from gateway.io.bearer import bind_socket
from gateway.io.resolver import Resolver

_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class Outcome(NamedTuple):
    """`rtt_ms` None unless ok; `why` for people: "connected", "refused", or the error with its remedy."""

    ok: bool
    rtt_ms: int | None
    why: str


async def probe(
    resolver: Resolver, *, interface: str | None = None, source: str | None = None, timeout_ms: int
) -> Outcome:
    """Try the addresses one after the other until one answers or the time is over. Raises nothing of the world's."""
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
        # The kernel's own, ETIMEDOUT; ours has no number and must go on to the caller.
        if error.errno != errno.ETIMEDOUT:
            raise
        return Outcome(False, None, str(error))
    except OSError as error:
        return Outcome(False, None, str(error))
    finally:
        sock.close()
