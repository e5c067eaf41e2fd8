"""Reads the pulses of a water meter, a rain gauge or an anemometer, which the chip's own counter counts independently
of Python.

`counter` is a `machine.Counter`, which adds up its overflows itself. It is only read, never reset: those are two steps,
and a pulse between them would be lost. The counter's filter removes 12.8 us at most, so the board removes bounce (RC
and Schmitt trigger, hardware/parts/pulse-contact.toml and pulse-meter.toml). Pulses that are faster than the board
passes are noise, and no rain; but from a meter they may be a burst: with `caps` they count as the fastest possible
flow, since an unknown flow would stop nothing. (`watering.flow` limits the pulses of any ports once more, and reports
how often.)
"""

from drivers.sensor import Sensor

# Pulses by which two readings may differ beyond the rate: one at each end.
SLACK = 2


class Pulses(Sensor):
    """Counts the pulses since the first reading. `noise`: pulses that came faster than the board passes."""

    def __init__(self, counter, *, hz_max, caps=False):
        super().__init__()
        self._counter = counter
        self._hz_max = hz_max
        self._caps = caps
        self._last = None
        self._last_ms = 0
        self._total = 0
        self.noise = 0

    def _finish(self, now_ms):
        count = self._counter.value()
        if self._last is None:
            self._last, self._last_ms = count, now_ms
            return 0
        step = count if count < self._last else count - self._last  # the counter began again
        elapsed_ms = now_ms - self._last_ms
        self._last, self._last_ms = count, now_ms
        most = elapsed_ms * self._hz_max // 1000 + SLACK
        if step > most:
            if not self._caps:
                self.noise += step
                return None
            self.noise += step - most
            step = most
        self._total += step
        return self._total
