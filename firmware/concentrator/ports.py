"""The concentrator's line to its gateway: the chip's own USB (or the console's UART), or a UART with an
adapter.

What else appears on the console (the boot messages of the chip, a traceback) is noise to `wire.slip`. Neither
port waits for the line, but for a host that has the USB open and does not read, which the driver waits for,
bounded.
"""

import select
import sys

from links import uart
from wire import slip
from wire.radio import BODY_BYTES_MAX

_READ_BYTES_MAX = 512
_FRAME_BYTES_MAX = 2 * (BODY_BYTES_MAX + 2) + 2


class ConsolePort:
    """`sys.stdin` and `sys.stdout`. On chips with USB of their own the host waits for us; on a console UART
    the input buffer holds one frame, and what comes meanwhile is lost: there a UART of its own is better."""

    def __init__(self, kbd_intr):
        kbd_intr(-1)  # a byte of 3 is a byte, no Ctrl-C
        self._poll = select.poll()
        self._poll.register(sys.stdin, select.POLLIN)
        self.source = sys.stdin

    def read(self) -> bytes:
        """What has come: byte by byte, since a longer read waits."""
        data = bytearray()
        while len(data) < _READ_BYTES_MAX and self._poll.poll(0):
            byte = sys.stdin.buffer.read(1)
            if not byte:  # on a desk: the other end is gone
                break
            data.extend(byte)
        return bytes(data)

    def takes_frame(self) -> bool:
        return True

    def write(self, frame):
        sys.stdout.buffer.write(frame)


class UartPort:
    """`uart_` is one of `links.uart.open_uart`."""

    def __init__(self, uart_):
        self._uart = uart_
        self._leaving_bytes = 0
        self.source = uart_

    def read(self) -> bytes:
        waiting = min(self._uart.any(), _READ_BYTES_MAX)
        return self._uart.read(waiting) or b"" if waiting else b""

    def takes_frame(self) -> bool:
        """Whether the longest frame fits the chip's buffer."""
        if self._uart.txdone():
            self._leaving_bytes = 0
        return self._leaving_bytes + _FRAME_BYTES_MAX <= uart.SENT_BYTES_MAX

    def write(self, frame):
        assert frame[0] == slip.END
        self._leaving_bytes += len(frame)
        self._uart.write(frame)
