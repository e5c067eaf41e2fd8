"""Drives the serial line to an OpenTherm Gateway: 9600 baud, 8N1, ASCII lines. It carries bytes between the UART and
`heating.boiler.BoilerLink`, knows no command and never blocks.

`uart` has `any`, `read`, `write` as in `machine.UART`, made with `timeout=0`. A command has at most 9 bytes, so that a
write never waits: the port's transmit buffer holds 256. The gateway reports two frames a second, 22 bytes: a loop that
did not turn for 8 s finds 180 bytes waiting, fewer than the receive buffer's 256.
"""

# A turn reads no more than this, so that a noisy line does not delay the loop.
READ_BYTES_MAX = 256


class OpenthermBridge:
    """Carries lines to the gateway and its bytes back."""

    def __init__(self, uart):
        self._uart = uart

    def send(self, line) -> None:
        """Writes one line, its end included."""
        self._uart.write(line)

    def exchange(self, boiler, *, now_ms) -> None:
        """Passes received bytes to the boiler machine and sends its lines. Call it every turn."""
        waiting = self._uart.any()
        if waiting:
            data = self._uart.read(min(waiting, READ_BYTES_MAX))
            if data:
                boiler.receive(data, now_ms=now_ms)
        for line in boiler.outgoing(now_ms=now_ms):
            self.send(line)
