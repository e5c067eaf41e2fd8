"""The serial line to an OpenTherm Gateway: 9600 baud, 8N1, ASCII lines. Carries bytes between the UART and
`heating.boiler.Boiler`; knows no command and never blocks.

`uart` has `any`, `read`, `write` as in `machine.UART`, made with `timeout=0`. A command is at most 9 bytes, so that a
write never waits: the port's transmit buffer holds 256. The gateway reports two frames a second, 22 bytes: a loop that
was away for 8 s finds 180 bytes waiting, fewer than the receive buffer's 256.
"""

BAUD = 9600
# Taken up a turn at most: a line that screams must not hold the loop.
READ_BYTES_MAX = 256


class Bridge:
    """`poll` every turn. The boiler machine is given, so that a twin's line serves it alike."""

    def __init__(self, uart, boiler):
        self._uart = uart
        self.boiler = boiler

    def poll(self, *, now_ms) -> None:
        """What has come goes to the machine; what it says goes out."""
        waiting = self._uart.any()
        if waiting:
            data = self._uart.read(min(waiting, READ_BYTES_MAX))
            if data:
                self.boiler.receive(data, now_ms=now_ms)
        for line in self.boiler.outgoing(now_ms=now_ms):
            self._uart.write(line)
