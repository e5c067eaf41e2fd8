"""Pulses of a water meter, a rain gauge or an anemometer, counted by the chip's own counter while Python sleeps or
works.

`counter` is a `machine.Counter` (`wrap` 0: it adds up its overflows itself), or an `esp32.PCNT`, which begins at 0
again when it reaches its limit (`wrap`: that limit, 32767 at most). It is only ever read: to read and reset is two
steps, and a pulse between them would be lost. The counter's filter takes 12.8 us at most, so bounce is for the board
(RC and Schmitt trigger, hardware/parts/pulse-contact.toml); what is faster than the meter can turn is noise, and no
water.
"""

from drivers.sensor import Sensor

# Pulses that any two readings may differ by beyond the rate: one at each end.
SLACK = 2


class Pulses(Sensor):
    """Values are pulses since the first reading. `noise`: pulses that came too fast to be any; `restarts`: times the
    counter began anew."""

    def __init__(self, counter, *, hz_max, wrap=0):
        super().__init__()
        self._counter = counter
        self._hz_max = hz_max
        self._wrap = wrap
        self._last = None
        self._last_ms = 0
        self._total = 0
        self.noise = 0
        self.restarts = 0

    def _finish(self, now_ms):
        count = self._counter.value()
        if self._last is None:
            self._last, self._last_ms = count, now_ms
            return 0
        step = self._step(count)
        elapsed_ms = now_ms - self._last_ms
        self._last, self._last_ms = count, now_ms
        if step > elapsed_ms * self._hz_max // 1000 + SLACK:
            self.noise += step
            return None
        self._total += step
        return self._total

    def _step(self, count):
        if self._wrap:
            return (count - self._last) % self._wrap
        if count < self._last:
            self.restarts += 1
            return count
        return count - self._last
