"""The RS-485 bearer of the node link: drives `wire.bus` on a serial line. Datagrams in, datagrams out. Decides nothing.

A peer is (name of the line, address). With an adapter away, what is to be sent waits in the bounded queues of the
addresses, and gets too old there.
"""

import asyncio
from collections.abc import Callable, Iterable
from typing import Any

from gateway.io import clock
from gateway.io.serial_line import ADAPTER, SerialLine
from wire import bus_frame
from wire.bus import BusMaster

Receive = Callable[[bytes, Any], None]


class Bus:
    """One line. `receive(datagram, peer)` is called on the loop."""

    def __init__(
        self,
        path: str,
        addresses: Iterable[int],
        receive: Receive,
        *,
        line: bus_frame.Line,
        name: str = "bus",
        direction: str = ADAPTER,
    ) -> None:
        self._receive, self._name = receive, name
        self._master = BusMaster(line, addresses, now_ms=clock.monotonic_ms())
        self._timer: asyncio.TimerHandle | None = None
        self._loop = asyncio.get_running_loop()
        self._port = SerialLine(path, baud=line.baud, received=self._received, opened=self._opened, direction=direction)

    def start(self) -> None:
        self._port.start()

    def send(self, peer: Any, datagram: bytes) -> None:
        """Keep it for the next turn of its address."""
        self._master.send(peer[1], datagram, now_ms=clock.monotonic_ms())
        self._serve()

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._port.close()

    def health(self) -> dict[str, Any]:
        """Plain data for the status."""
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
        """Speak if it is our turn, and wake when it will be."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._port.state != "open":
            return  # `_opened` takes it up again
        now_ms = clock.monotonic_ms()
        frame = self._master.poll(now_ms=now_ms)
        if frame:
            self._port.write(frame)
        due_ms = self._master.deadline_ms()
        if due_ms is not None:
            self._timer = self._loop.call_later(max(1, due_ms - now_ms) / 1000, self._serve)
