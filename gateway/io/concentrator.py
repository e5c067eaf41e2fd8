"""The radio bearer of the node link: a concentrator on a serial line. Datagrams in, datagrams out. Decides nothing.

Its port is named by /dev/serial/by-id/…; it comes back by itself. A peer is (name of the concentrator, MAC).
"""

import asyncio
from collections.abc import Callable
from typing import Any

from gateway.core.concentrator import Concentrator
from gateway.io import clock
from gateway.io.serial_line import SerialLine

Receive = Callable[[bytes, Any], None]


class ConcentratorLink:
    """`core` decides; `receive(datagram, peer)` is called on the loop."""

    def __init__(self, path: str, core: Concentrator, receive: Receive, *, baud: int = 115_200) -> None:
        self.core = core
        self._receive = receive
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._port = SerialLine(path, baud=baud, received=self._received, opened=self._opened, lost=self._lost)

    def start(self) -> None:
        self._port.start()

    def send(self, peer: Any, datagram: bytes) -> None:
        """Keep it until the concentrator has a place."""
        self.core.send(peer, datagram, now_ms=clock.monotonic_ms())
        self._serve()

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._port.close()

    def health(self) -> dict[str, Any]:
        """Plain data for the status."""
        return {**self.core.health(), "port": self._port.state, "line": dict(self._port.counters)}

    def _opened(self) -> None:
        self.core.opened(now_ms=clock.monotonic_ms())
        self._serve()

    def _lost(self) -> None:
        self.core.closed()

    def _received(self, data: bytes) -> None:
        for peer, datagram in self.core.receive(data, now_ms=clock.monotonic_ms()):
            self._receive(datagram, peer)
        self._serve()

    def _serve(self) -> None:
        """Write what is due, and wake when something will be."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        now_ms = clock.monotonic_ms()
        for frame in self.core.poll(now_ms=now_ms):
            self._port.write(frame)
        due_ms = self.core.deadline_ms()
        if due_ms is not None:
            self._timer = self._loop.call_later(max(1, due_ms - now_ms) / 1000, self._serve)
