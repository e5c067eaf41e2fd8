"""A serial line on a desktop VM: the terminal that BOCAGE_LINE names is the other end. MicroPython only.

As the chip's UART it never waits: reads return what is there, writes go into a buffer without end.
"""

import os

import uselect


class Line:
    """See the module. `inner` is the file, which `select` needs."""

    def __init__(self):
        self.inner = open(os.getenv("BOCAGE_LINE"), "r+b")  # noqa: SIM115 - as long as the process
        self._poll = uselect.poll()
        self._poll.register(self.inner, uselect.POLLIN)
        self._arrived = bytearray()

    def any(self):
        """How many bytes have arrived."""
        while self._poll.poll(0):
            byte = self.inner.read(1)
            if not byte:
                break
            self._arrived.extend(byte)
        return len(self._arrived)

    def read(self, count):
        """At most `count` bytes that have arrived, None when none has."""
        self.any()
        data = bytes(self._arrived[:count])
        self._arrived = self._arrived[count:]
        return data or None

    def write(self, data):
        """Onto the line."""
        return self.inner.write(data)

    def txdone(self):
        """The kernel takes all at once."""
        return True
