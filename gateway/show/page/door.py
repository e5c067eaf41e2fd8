"""Bounds the page's listening socket, so that no client can take from the agent what it needs for its street.

`bind` is a numeric address: a name would have to be looked up, and a cabinet may have no name server.

aiohttp bounds a request, but neither the number of clients nor the time one takes to ask. Here each connection
counts from its acceptance, TLS handshake included: CONNECTIONS_MAX in all, PER_ADDRESS_MAX of one address,
DEADLINE_S from beginning to end; any beyond that is closed at once. One connection serves one request. An error in
serving it ends that connection and is logged: raised into the loop it would end the agent.
"""

import asyncio
import socket
import ssl
from collections import Counter
from collections.abc import Callable
from typing import Any

from gateway.io.sockets import bind_early

CONNECTIONS_MAX = 32
PER_ADDRESS_MAX = 12
DEADLINE_S = 20.0
_HANDSHAKE_S = 8.0
_BACKLOG = 32
# After an accept that failed (no descriptor left) the listener pauses for so long.
_PAUSE_S = 1.0


class Door:
    """Accepts at `bind` and gives each connection a protocol of `make`. OSError when the address is not available."""

    def __init__(
        self,
        bind: tuple[str, int],
        make: Callable[[], asyncio.Protocol],
        tls: ssl.SSLContext | None,
        log: Callable[..., None],
        *,
        deadline_s: float = DEADLINE_S,
    ) -> None:
        self._make, self._tls, self._log = make, tls, log
        self._deadline_s = deadline_s
        self._loop = asyncio.get_running_loop()
        self._tasks: set[asyncio.Task[None]] = set()
        self._by_address: Counter[str] = Counter()
        self.counters = {"served": 0, "turned-away": 0, "cut": 0}
        self._socket = _listen(bind)
        self.address: tuple[str, int] = self._socket.getsockname()[:2]
        self._loop.add_reader(self._socket, self._accept)

    async def close(self) -> None:
        """Stop accepting, and end the open connections."""
        self._loop.remove_reader(self._socket)
        self._socket.close()
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)

    def _accept(self) -> None:
        try:
            connection, peer = self._socket.accept()
        except (BlockingIOError, InterruptedError, ConnectionAbortedError):
            return
        except OSError:
            self._loop.remove_reader(self._socket)
            self._loop.call_later(_PAUSE_S, self._resume)
            return
        address = str(peer[0])
        if len(self._tasks) >= CONNECTIONS_MAX or self._by_address[address] >= PER_ADDRESS_MAX:
            self.counters["turned-away"] += 1
            connection.close()
            return
        connection.setblocking(False)
        self._by_address[address] += 1
        task = self._loop.create_task(self._serve(connection, address))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _resume(self) -> None:
        if self._socket.fileno() >= 0:
            self._loop.add_reader(self._socket, self._accept)

    async def _serve(self, connection: socket.socket, address: str) -> None:
        """Serves one connection from beginning to end; raises nothing but its cancellation."""
        over = asyncio.Event()
        transport: Any = None
        try:
            async with asyncio.timeout(self._deadline_s):
                transport, _ = await self._loop.connect_accepted_socket(
                    lambda: _Guarded(self._make(), over, self._log),
                    connection,
                    ssl=self._tls,
                    ssl_handshake_timeout=None if self._tls is None else _HANDSHAKE_S,
                )
                await over.wait()
            self.counters["served"] += 1
        except (OSError, ssl.SSLError, TimeoutError):
            self.counters["cut"] += 1
        except Exception as error:
            self._log("page-failed", error=repr(error))
        finally:
            if transport is not None:
                transport.abort()
            else:
                connection.close()
            self._by_address[address] -= 1
            if not self._by_address[address]:
                del self._by_address[address]


class _Guarded(asyncio.Protocol):
    """Passes everything on; an exception of the inner protocol ends the connection and is logged."""

    def __init__(self, inner: asyncio.Protocol, over: asyncio.Event, log: Callable[..., None]) -> None:
        self._inner, self._over, self._log = inner, over, log
        self._transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._guard(lambda: self._inner.connection_made(transport))

    def data_received(self, data: bytes) -> None:
        self._guard(lambda: self._inner.data_received(data))

    def eof_received(self) -> bool | None:
        return self._guard(self._inner.eof_received)

    def pause_writing(self) -> None:
        self._guard(self._inner.pause_writing)

    def resume_writing(self) -> None:
        self._guard(self._inner.resume_writing)

    def connection_lost(self, error: Exception | None) -> None:
        self._over.set()
        self._guard(lambda: self._inner.connection_lost(error))

    def _guard(self, call: Callable[[], Any]) -> Any:
        try:
            return call()
        except Exception as error:
            self._log("page-failed", error=repr(error))
            if self._transport is not None:
                self._transport.abort()
            return None


def _listen(bind: tuple[str, int]) -> socket.socket:
    host, port = bind
    flags = socket.AI_NUMERICHOST | socket.AI_PASSIVE
    made = bind_early(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=flags)[0], reuses=True)
    try:
        made.listen(_BACKLOG)
    except OSError:
        made.close()
        raise
    return made
