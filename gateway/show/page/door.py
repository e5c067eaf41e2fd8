"""Bounds the page's listening socket, so that no client can take from the agent what it needs for its street.

`bind` is a numeric address: a name would have to be looked up, and a cabinet may have no name server.

aiohttp bounds a request, but neither the number of clients nor the time one takes to ask. Here a connection has
REQUEST_S from its acceptance until its request is complete, TLS handshake included, and DEADLINE_S until the answer is
taken. There are CONNECTIONS_MAX at once; one more takes the place of the oldest whose request is not complete. A bound
for each address would keep no place free: on one wire, addresses are had for the asking. One connection serves one
request. An error in serving it ends that connection and is logged: raised into the loop it would end the agent.
"""

import asyncio
import re
import socket
import ssl
from collections.abc import Callable
from typing import Any

from gateway.io.sockets import bind_early

CONNECTIONS_MAX = 32
# On the wire of a cabinet a request takes milliseconds, a TLS handshake of an old phone a second or two.
REQUEST_S = 5.0
DEADLINE_S = 20.0
# A head of ours has 1 kB, a form 4 kB at most.
_REQUEST_BYTES_MAX = 32_768
_BACKLOG = 32
_LENGTH = re.compile(rb"(?im)^content-length:[ \t]*([0-9]{1,9})[ \t]*\r?$")
_CHUNKED = re.compile(rb"(?im)^transfer-encoding:")
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
        request_s: float = REQUEST_S,
        deadline_s: float = DEADLINE_S,
    ) -> None:
        self._make, self._tls, self._log = make, tls, log
        self._request_s, self._deadline_s = request_s, deadline_s
        self._loop = asyncio.get_running_loop()
        self._tasks: set[asyncio.Task[None]] = set()
        self._open: dict[asyncio.Task[None], _Guarded] = {}  # the oldest first
        self.counters = {"served": 0, "dropped": 0, "cut": 0}
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
            connection, _peer = self._socket.accept()
        except (BlockingIOError, InterruptedError, ConnectionAbortedError):
            return
        except OSError:
            self._loop.remove_reader(self._socket)
            self._loop.call_later(_PAUSE_S, self._resume)
            return
        connection.setblocking(False)
        if len(self._open) >= CONNECTIONS_MAX:
            self._drop_oldest()
        guarded = _Guarded(self._make(), self._log)
        task = self._loop.create_task(self._serve(connection, guarded))
        self._open[task] = guarded
        self._tasks.add(task)
        task.add_done_callback(self._forget)

    def _drop_oldest(self) -> None:
        """Ends the oldest connection whose request is not complete; where all are, the oldest."""
        dropped = next((task for task, one in self._open.items() if not one.asked.is_set()), next(iter(self._open)))
        del self._open[dropped]
        dropped.cancel()
        self.counters["dropped"] += 1

    def _forget(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._open.pop(task, None)

    def _resume(self) -> None:
        if self._socket.fileno() >= 0:
            self._loop.add_reader(self._socket, self._accept)

    async def _serve(self, connection: socket.socket, guarded: "_Guarded") -> None:
        """Serves one connection from beginning to end; raises nothing but its cancellation."""
        transport: Any = None
        try:
            async with asyncio.timeout(self._deadline_s):
                async with asyncio.timeout(self._request_s):
                    transport, _ = await self._loop.connect_accepted_socket(lambda: guarded, connection, ssl=self._tls)
                    await guarded.asked.wait()
                await guarded.over.wait()
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


class _Guarded(asyncio.Protocol):
    """Passes everything on; an exception of the inner protocol ends the connection and is logged. `asked` is set when a
    whole request has come (RFC 9112: head, empty line, `Content-Length` bytes), `over` at the end, and `asked` then."""

    def __init__(self, inner: asyncio.Protocol, log: Callable[..., None]) -> None:
        self._inner, self._log = inner, log
        self.asked, self.over = asyncio.Event(), asyncio.Event()
        self._transport: Any = None
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._guard(lambda: self._inner.connection_made(transport))

    def data_received(self, data: bytes) -> None:
        if not self.asked.is_set():
            self._received += data
            if len(self._received) > _REQUEST_BYTES_MAX:
                return self._transport.abort()
            if _is_complete(self._received):
                self.asked.set()
        self._guard(lambda: self._inner.data_received(data))

    def eof_received(self) -> bool | None:
        return self._guard(self._inner.eof_received)

    def pause_writing(self) -> None:
        self._guard(self._inner.pause_writing)

    def resume_writing(self) -> None:
        self._guard(self._inner.resume_writing)

    def connection_lost(self, error: Exception | None) -> None:
        self.over.set()
        self.asked.set()
        self._guard(lambda: self._inner.connection_lost(error))

    def _guard(self, call: Callable[[], Any]) -> Any:
        try:
            return call()
        except Exception as error:
            self._log("page-failed", error=repr(error))
            if self._transport is not None:
                self._transport.abort()
            return None


def _is_complete(received: bytes) -> bool:
    """Returns True when these bytes hold a whole request. A body without a length, which our pages never send, never
    is."""
    head, empty_line, body = received.partition(b"\r\n\r\n")
    if not empty_line or _CHUNKED.search(head):
        return False
    length = _LENGTH.search(head)
    return length is None or len(body) >= int(length[1])


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
