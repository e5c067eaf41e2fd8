"""The clock chip of a board that has one, on the sensors' bus: read once after a start or a sleep, set when the node
wants it. No call takes longer than 3 ms. Decides nothing: `node.clock_chip` does."""

from drivers.i2c_bus import open_bus
from node import clock_chip


class ChipClock:
    """Reads and sets the clock chip of a `board` that has open_rtc."""

    def __init__(self, board, machine):
        self._part = board.open_rtc(open_bus(machine, board))

    def read(self, node, *, is_start, now_ms):
        """What it says, to the node."""
        self._part.begin(now_ms=now_ms)
        unix_s = self._part.collect(now_ms=now_ms)
        fault = clock_chip.SILENT if self._part.temperature_ck is None else clock_chip.STOPPED
        node.chip.read(unix_s, fault, is_start=is_start, now_ms=now_ms)

    def turn(self, node, *, now_ms):
        """Set it, if that is wanted."""
        unix_s = node.chip.wants_set(now_ms)
        if unix_s is not None:
            node.chip.was_set(unix_s, self._part.set(unix_s), now_ms=now_ms)
