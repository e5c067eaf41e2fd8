"""Simulates an I2C bus with parts on it, as `machine.SoftI2C` and its two pins give it.

A part has `fault`, `write(data)` (False: the first byte is refused) and `read(count)` (bytes, or None: the address is
not acknowledged). As in MicroPython's extmod/machine_i2c.c only two conditions raise an OSError: 19, no part
acknowledges an address, and 110, the clock stays low. A data line that a part holds acknowledges every byte sent and
reads as zeros. A byte that is refused ends a write early, which only its count shows.
"""

NO_PART = 19
HELD = 110
LOG_MAX = 1000
BYTE_CLOCKS = 9


class Line:
    """Models an open-drain line: low when we or a part pull it."""

    def __init__(self, rises):
        self._ours = 1
        self._rises = rises
        self.pulled = False

    def value(self, level=None):
        """Reads or drives the line, as a pin in open-drain mode."""
        if level is None:
            return 0 if self.pulled or not self._ours else 1
        rose = level and not self._ours
        self._ours = level
        if rose and not self.pulled:
            self._rises()


class I2c:
    """Models the I2C bus; `scl` and `sda` are its lines.

    `log` has (address, bytes written) of the last LOG_MAX writes that were accepted.
    """

    def __init__(self):
        self._parts = {}
        self._clocks = 0
        self._taken = None
        self.scl = Line(self._clocked)
        self.sda = Line(lambda: None)
        self.log = []

    def attach(self, address, part):
        """Puts a part on the bus; returns it for the caller to keep."""
        self._parts[address] = part
        return part

    def hold_data(self, clocks):
        """Makes a part that lost a clock pull SDA until it has received `clocks` more."""
        self._clocks = clocks
        self.sda.pulled = True

    def refuse_after(self, count):
        """Makes the next write end after `count` acknowledged bytes (a part whose supply gives way)."""
        self._taken = count

    def hold_clock(self):
        """Makes a part, or a short circuit, pull SCL for good."""
        self.scl.pulled = True

    def _clocked(self):
        if self.sda.pulled:
            self._clocks -= 1
            self.sda.pulled = self._clocks > 0

    def _begin(self, address):
        """Returns the part at an address, or None while the data line is held.

        No part has then seen the start, and every byte sent seems accepted.
        """
        if self.scl.pulled:
            raise OSError(HELD)
        if self.sda.pulled:
            if self._pass_held(1):
                return None
            raise OSError(NO_PART)
        part = self._parts.get(address)
        if part is None or part.fault == "absent":
            raise OSError(NO_PART)
        return part

    def _pass_held(self, count):
        """Clocks `count` bytes past a line that is held; returns how many, until it was released."""
        for passed in range(count):
            for _ in range(BYTE_CLOCKS):
                self._clocked()
            if not self.sda.pulled:
                return passed
        return count

    def writeto(self, address, data, stop=True):
        """Writes as the port does; returns the number of bytes that were acknowledged."""
        data = bytes(data)
        part = self._begin(address)
        if part is None:
            return self._pass_held(len(data))
        if not data:
            return 0
        count, self._taken = self._taken, None
        if count is not None:
            if data[:count]:
                part.write(data[:count])
            return min(count, len(data))
        if not part.write(data):
            return 0
        self.log.append((address, data))
        if len(self.log) > LOG_MAX:
            self.log.pop(0)  # a node that runs for days on a VM has no heap for all of them
        return len(data)

    def writevto(self, address, pieces, stop=True):
        """Writes as the port does, in one transfer."""
        return self.writeto(address, b"".join([bytes(piece) for piece in pieces]), stop)

    def readfrom_into(self, address, buffer, stop=True):
        """Reads as the port does."""
        part = self._begin(address)
        if part is None:
            self._pass_held(len(buffer))
            buffer[:] = bytes(len(buffer))
            return
        data = part.read(len(buffer))
        if data is None:
            raise OSError(NO_PART)
        buffer[:] = data
