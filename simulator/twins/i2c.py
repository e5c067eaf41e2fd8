"""An I2C bus with parts on it, as `machine.SoftI2C` and its two pins see it.

A part has `fault`, `write(data)` (False: not acknowledged) and `read(count)` (bytes, or None: not acknowledged).
Errors are OSError 19 (nobody acknowledges) and 110 (the bus is held), as MicroPython raises them.
"""

NOBODY = 19
HELD = 110
LOG_MAX = 1000


class Line:
    """An open-drain line: low when we pull it or somebody else does."""

    def __init__(self, rises):
        self._ours = 1
        self._rises = rises
        self.pulled = False

    def value(self, level=None):
        """Read or drive, as a pin in open-drain mode."""
        if level is None:
            return 0 if self.pulled or not self._ours else 1
        rose = level and not self._ours
        self._ours = level
        if rose and not self.pulled:
            self._rises()


class I2c:
    """The bus; `scl` and `sda` are its lines. `log` has (address, bytes written) of the last LOG_MAX writes that
    were taken."""

    def __init__(self):
        self._parts = {}
        self._clocks = 0
        self.scl = Line(self._clocked)
        self.sda = Line(lambda: None)
        self.log = []

    def attach(self, address, part):
        """Put a part on the bus; returned for the caller to keep."""
        self._parts[address] = part
        return part

    def hold_data(self, clocks):
        """A part lost a clock: it pulls SDA until it has seen so many more."""
        self._clocks = clocks
        self.sda.pulled = True

    def hold_clock(self):
        """A part, or a short circuit, pulls SCL for ever."""
        self.scl.pulled = True

    def _clocked(self):
        if self.sda.pulled:
            self._clocks -= 1
            self.sda.pulled = self._clocks > 0

    def _part(self, address):
        if self.sda.pulled or self.scl.pulled:
            raise OSError(HELD)
        part = self._parts.get(address)
        if part is None or part.fault == "absent":
            raise OSError(NOBODY)
        return part

    def writeto(self, address, data):
        """As the port's."""
        data = bytes(data)
        if not self._part(address).write(data):
            raise OSError(NOBODY)
        self.log.append((address, data))
        if len(self.log) > LOG_MAX:
            self.log.pop(0)  # a node that runs for days on a VM has no heap for all of them
        return len(data)

    def readfrom_into(self, address, buffer):
        """As the port's."""
        data = self._part(address).read(len(buffer))
        if data is None:
            raise OSError(NOBODY)
        buffer[:] = data

    def readfrom_mem_into(self, address, register, buffer):
        """As the port's: a repeated start between the two."""
        if not self._part(address).write(bytes((register,))):
            raise OSError(NOBODY)
        self.readfrom_into(address, buffer)

    def writeto_mem(self, address, register, data):
        """As the port's."""
        self.writeto(address, bytes((register,)) + bytes(data))
