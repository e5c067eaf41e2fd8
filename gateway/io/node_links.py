"""Serves the bearers of the node link on asyncio's loop: UDP, one node on a wire, an RS-485 line, a radio concentrator.

Each accepts datagrams and passes received ones to `receive(datagram, peer)`, called on the loop. A peer is a UDP
address, (name,) of a wire, (name, address) on an RS-485 line or (name, MAC) behind a concentrator. A datagram that a
bearer cannot accept at once is dropped, or waits in a bounded queue of its protocol: CoAP sends it again, and a longer
queue would only make it late. Serial ports are named by /dev/serial/by-id/… and come back by themselves. It decides
nothing.
"""

import asyncio
import socket
from collections.abc import Callable, Iterable
from typing import Any

from gateway.core.concentrator import Concentrator
from gateway.io import clock
from gateway.io.serial_line import SerialLine
from gateway.io.sockets import bind_early
from wire import bus, limits, slip
from wire.bus_master import BusMaster

Receive = Callable[[bytes, Any], None]
# What a concentrator's console has.
_RADIO_BAUD = 115_200


class _Protocol(asyncio.DatagramProtocol):
    def __init__(self, receive: Receive) -> None:
        self._receive = receive

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self._receive(data, addr)

    def error_received(self, exc: Exception) -> None:
        """Ignores an ICMP error about some earlier datagram: the exchange times out by itself."""


class UdpLink:
    """Serves the UDP bearer: one bound socket. `address` is what it is really bound to (port 0 asks for a free one)."""

    def __init__(self, transport: asyncio.DatagramTransport) -> None:
        self._transport = transport
        self.dropped = 0
        self.address: tuple[str, int] = transport.get_extra_info("sockname")[:2]

    def send(self, peer: Any, datagram: bytes) -> None:
        # asyncio queues what the kernel does not accept, without bound. (Its type stubs leave the method out.)
        if self._transport.get_write_buffer_size():  # type: ignore[attr-defined]
            self.dropped += 1
            return
        self._transport.sendto(datagram, peer)

    def close(self) -> None:
        self._transport.close()


async def open_link(host: str, port: int, receive: Receive) -> UdpLink:
    """Binds the socket; OSError when the address is taken or invalid. It need not be ours yet: the network may come
    later."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_DGRAM, flags=socket.AI_PASSIVE)
    bound = bind_early(found[0])
    try:
        transport, _ = await loop.create_datagram_endpoint(lambda: _Protocol(receive), sock=bound)
    except OSError:
        bound.close()
        raise
    return UdpLink(transport)


class WireLink:
    """Serves the point-to-point bearer: one node on one serial port, one datagram a frame."""

    def __init__(self, path: str, receive: Receive, *, baud: int = 115_200, name: str = "wire") -> None:
        self.peer = (name,)
        self._receive = receive
        self._decoder = slip.Decoder(limits.DATAGRAM_BYTES_MAX)
        self._port = SerialLine(path, baud=baud, received=self._received, opened=self._decoder.reset)

    def start(self) -> None:
        self._port.start()

    def send(self, _peer: Any, datagram: bytes) -> None:
        self._port.write(slip.encode(datagram))

    def close(self) -> None:
        self._port.close()

    def health(self) -> dict[str, Any]:
        """Returns plain data for the status."""
        return {"state": self._port.state, **self._decoder.counters, **self._port.counters}

    def _received(self, data: bytes) -> None:
        for datagram in self._decoder.feed(data):
            self._receive(datagram, self.peer)


class Bus:
    """Serves the RS-485 bearer: drives `wire.bus_master` on a serial line. While its adapter is away, datagrams wait
    in the bounded queues of the addresses, and expire there."""

    def __init__(
        self,
        path: str,
        addresses: Iterable[int],
        receive: Receive,
        *,
        line: bus.Line,
        name: str = "bus",
    ) -> None:
        self._receive, self._name = receive, name
        self._master = BusMaster(line, addresses, now_ms=clock.monotonic_ms())
        self._timer: asyncio.TimerHandle | None = None
        self._loop = asyncio.get_running_loop()
        self._port = SerialLine(path, baud=line.baud, received=self._received, opened=self._opened)

    def start(self) -> None:
        self._port.start()

    def send(self, peer: Any, datagram: bytes) -> None:
        """Queues a datagram for the next turn of its address."""
        self._master.send(peer[1], datagram, now_ms=clock.monotonic_ms())
        self._serve()

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._port.close()

    def health(self) -> dict[str, Any]:
        """Returns plain data for the status."""
        line = {"state": self._port.state, "silent": self._master.silent(), "waiting": self._master.waiting()}
        rounds = {"round-ms": self._master.round_ms, "round-longest-ms": self._master.round_longest_ms}
        return {**line, **rounds, **self._master.counters, **self._port.counters}

    def _opened(self) -> None:
        self._master.reopened(now_ms=clock.monotonic_ms())
        self._serve()

    def _received(self, data: bytes) -> None:
        for address, datagram in self._master.receive(data, now_ms=clock.monotonic_ms()):
            self._receive(datagram, (self._name, address))
        self._serve()

    def _serve(self) -> None:
        """Sends if it is our turn, and sets a timer for the next turn."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._port.state != "open":
            return  # `_opened` continues
        now_ms = clock.monotonic_ms()
        frame = self._master.poll(now_ms=now_ms)
        if frame:
            self._port.write(frame)
        due_ms = self._master.deadline_ms()
        if due_ms is not None:
            self._timer = self._loop.call_later(max(1, due_ms - now_ms) / 1000, self._serve)


class ConcentratorLink:
    """Serves the radio bearer: a concentrator on a serial line. `core` decides."""

    def __init__(self, path: str, core: Concentrator, receive: Receive) -> None:
        self.core = core
        self._receive = receive
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._port = SerialLine(path, baud=_RADIO_BAUD, received=self._received, opened=self._opened, lost=self._lost)

    def start(self) -> None:
        self._port.start()

    def send(self, peer: Any, datagram: bytes) -> None:
        """Queues a datagram until the concentrator has a place."""
        self.core.send(peer, datagram, now_ms=clock.monotonic_ms())
        self.serve()

    def serve(self) -> None:
        """Writes what is due, and sets a timer for the next deadline."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        now_ms = clock.monotonic_ms()
        for frame in self.core.poll(now_ms=now_ms):
            self._port.write(frame)
        due_ms = self.core.deadline_ms()
        if due_ms is not None:
            self._timer = self._loop.call_later(max(1, due_ms - now_ms) / 1000, self.serve)

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._port.close()

    def health(self) -> dict[str, Any]:
        """Returns plain data for the status."""
        return {**self.core.health(), "port": self._port.state, "line": dict(self._port.counters)}

    def _opened(self) -> None:
        self.core.opened(now_ms=clock.monotonic_ms())
        self.serve()

    def _lost(self) -> None:
        self.core.closed()

    def _received(self, data: bytes) -> None:
        for peer, datagram in self.core.receive(data, now_ms=clock.monotonic_ms()):
            self._receive(datagram, peer)
        self.serve()
