"""The point-to-point serial bearer of the node link: one node on one port, one datagram a frame. Decides nothing.

A datagram that the port does not take at once is dropped: CoAP sends it again.
"""

from collections.abc import Callable
from typing import Any

from gateway.io.serial_line import SerialLine
from wire import limits, slip

Receive = Callable[[bytes, Any], None]


class WireLink:
    """One port. Its node is the peer (name,); `receive(datagram, peer)` is called on the loop."""

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
        """Plain data for the status."""
        return {"state": self._port.state, **self._decoder.counters, **self._port.counters}

    def _received(self, data: bytes) -> None:
        for datagram in self._decoder.feed(data):
            self._receive(datagram, self.peer)
