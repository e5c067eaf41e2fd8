"""Carries a node's datagrams over a point-to-point serial line, one a frame (`wire.slip`), both ways at any time, never
blocking.

It has the small interface of `links.udp`: `receive`, `send`, `wait`. A datagram that does not fit the chip's buffer is
a lost datagram, which CoAP sends again. Must not know what a datagram means.
"""

from wire import limits, slip

# A loop that turns every 100 ms may find 1,152 bytes waiting at 115,200 baud.
RECEIVED_BYTES_MAX = 2048
# Two of the longest frames: a write never waits for the line.
SENT_BYTES_MAX = 1024
GATEWAY = "gateway"  # the only peer of a wire


def open_uart(machine_module, number, *, tx, rx, baud):
    """Opens the chip's UART with buffers that suit a bearer; reads and writes return at once."""
    return machine_module.UART(
        number, baudrate=baud, tx=tx, rx=rx, timeout=0, rxbuf=RECEIVED_BYTES_MAX, txbuf=SENT_BYTES_MAX
    )


class UartLink:
    """Sends and receives datagrams. `uart` is one of `open_uart`. `counters`: {name: integer}; `frames` those of the
    decoder."""

    def __init__(self, uart, select_module):
        self._uart = uart
        self._poll = select_module.poll()
        self._poll.register(uart, select_module.POLLIN)
        self._decoder = slip.Decoder(limits.DATAGRAM_BYTES_MAX)
        self._leaving_bytes = 0
        self.frames = self._decoder.counters
        self.counters = {"sent": 0, "send-failed": 0, "received": 0}

    def send(self, _peer, datagram) -> None:
        """Sends a datagram now, or drops it when the chip's buffer has no room."""
        if self._uart.txdone():
            self._leaving_bytes = 0
        framed = slip.encode(datagram)
        if self._leaving_bytes + len(framed) > SENT_BYTES_MAX:
            self.counters["send-failed"] += 1
            return
        self._leaving_bytes += len(framed)
        self._uart.write(framed)
        self.counters["sent"] += 1

    def receive(self) -> list:
        """Returns the datagrams that have arrived, [(datagram, GATEWAY)]; at most as many as the chip's buffer
        holds."""
        arrived = []
        waiting = self._uart.any()
        if waiting:
            for datagram in self._decoder.feed(self._uart.read(waiting) or b""):
                self.counters["received"] += 1
                arrived.append((datagram, GATEWAY))
        return arrived

    def wait(self, timeout_ms) -> None:
        """Returns when bytes wait, or after `timeout_ms`."""
        self._poll.poll(timeout_ms)
