"""The UDP bearer of the node link: datagrams in, datagrams out, on asyncio's loop. Decides nothing.

A datagram that the kernel does not take at once is dropped: CoAP sends it again, and a queue here would
only make it late.
"""

import asyncio
import socket
from collections.abc import Callable
from typing import Any

from gateway.io.early_socket import bind_early

Receive = Callable[[bytes, Any], None]


class _Protocol(asyncio.DatagramProtocol):
    def __init__(self, receive: Receive) -> None:
        self._receive = receive

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self._receive(data, addr)

    def error_received(self, exc: Exception) -> None:
        """An ICMP error about some earlier datagram: the exchange times out by itself."""


class UdpLink:
    """One bound socket. `address` is what it is really bound to (port 0 asks for a free one)."""

    def __init__(self, transport: asyncio.DatagramTransport) -> None:
        self._transport = transport
        self.dropped = 0
        self.address: tuple[str, int] = transport.get_extra_info("sockname")[:2]

    def send(self, peer: Any, datagram: bytes) -> None:
        # asyncio keeps what the kernel does not take, without bound. (Its type stubs leave the method out.)
        if self._transport.get_write_buffer_size():  # type: ignore[attr-defined]
            self.dropped += 1
            return
        self._transport.sendto(datagram, peer)

    def close(self) -> None:
        self._transport.close()


async def open_link(host: str, port: int, receive: Receive) -> UdpLink:
    """Bind; OSError when the address is taken or is none. It need not be ours yet: the network may come later."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_DGRAM, flags=socket.AI_PASSIVE)
    bound = bind_early(found[0])
    try:
        transport, _ = await loop.create_datagram_endpoint(lambda: _Protocol(receive), sock=bound)
    except OSError:
        bound.close()
        raise
    return UdpLink(transport)
