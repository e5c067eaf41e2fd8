"""Simulates a serial line on a desktop VM: a terminal is the other end. MicroPython only.

Like the chip's UART it never waits: reads return what is there, writes go into a buffer without end.
"""

import bench_watchdog
import uselect


class Line:
    """Wraps the terminal as a UART. `name` is the terminal's; `inner` is the file, which `select` needs."""

    def __init__(self, name):
        self.inner = open(name, "r+b")  # noqa: SIM115 - as long as the process
        self._poll = uselect.poll()
        self._poll.register(self.inner, uselect.POLLIN)
        self._arrived = bytearray()

    def any(self):
        """Returns the number of bytes that have arrived."""
        while self._poll.poll(0):
            byte = self.inner.read(1)
            if not byte:
                break
            self._arrived.extend(byte)
        return len(self._arrived)

    def read(self, count):
        """Reads at most `count` bytes that have arrived, None when none has."""
        self.any()
        data = bytes(self._arrived[:count])
        self._arrived = self._arrived[count:]
        return data or None

    def write(self, data):
        """Puts bytes onto the line."""
        bench_watchdog.may_block("uart")
        return self.inner.write(data)

    def txdone(self):
        """Returns True, for the kernel accepts all bytes at once."""
        return True
