"""Gives the portable code what it needs of any chip: milliseconds that grow for ever, and unpredictable numbers."""


class Clock:
    """Turns the chip's counter, which wraps after 12.4 days, into milliseconds that grow for ever.

    No other code handles raw ticks. It must be read at least once in half a period (6.2 days); the loop reads it at
    every turn. `ticks_ms` and `ticks_diff` are those of MicroPython's `time`; the scale starts at 0."""

    def __init__(self, ticks_ms, ticks_diff):
        self._ticks_ms = ticks_ms
        self._ticks_diff = ticks_diff
        self._last = ticks_ms()
        self._total_ms = 0

    def now_ms(self) -> int:
        """Returns the milliseconds since this clock was made."""
        ticks = self._ticks_ms()
        passed_ms = self._ticks_diff(ticks, self._last)
        assert passed_ms >= 0, "the clock was not read for half a period"
        self._last = ticks
        self._total_ms += passed_ms
        return self._total_ms


def random_below_of(urandom):
    """Makes the `random_below` of the portable code from `os.urandom`: n -> integer in [0, n), each equally likely. It
    is for tokens, message ids and jitter, never for keys: an ESP32's generator is truly random only while its radio is
    on."""

    def random_below(bound):
        assert bound > 0
        width = 1
        while 1 << 8 * width < bound:
            width += 1
        usable = (1 << 8 * width) - (1 << 8 * width) % bound
        while True:
            value = int.from_bytes(urandom(width), "little")
            if value < usable:
                return value % bound

    return random_below
