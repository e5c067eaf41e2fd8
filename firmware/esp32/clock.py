"""Milliseconds that grow for ever, from the chip's counter that wraps after 12.4 days.

The only place that sees raw ticks. Must be read at least once in half a period (6.2 days); the loop does so at
every turn.
"""


class Clock:
    """`ticks_ms` and `ticks_diff` are those of the `time` module of MicroPython; the scale starts at 0."""

    def __init__(self, ticks_ms, ticks_diff):
        self._ticks_ms = ticks_ms
        self._ticks_diff = ticks_diff
        self._last = ticks_ms()
        self._total_ms = 0

    def now_ms(self) -> int:
        """Milliseconds since this clock was made."""
        ticks = self._ticks_ms()
        passed_ms = self._ticks_diff(ticks, self._last)
        assert passed_ms >= 0, "the clock was not read for half a period"
        self._last = ticks
        self._total_ms += passed_ms
        return self._total_ms
