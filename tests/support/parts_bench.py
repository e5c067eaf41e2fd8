"""A desk with a clock, an I2C bus and parts on it: what the drivers' tests share."""

from drivers.i2c_bus import Bus
from drivers.sensor import PENDING
from simulator.twins.i2c import I2c


class Bench:
    """Time goes on by `pass_ms` alone."""

    def __init__(self):
        self.now_ms = 0
        self.slept_us = 0
        self.i2c = I2c()
        self.bus = Bus(self.i2c, self.i2c.scl, self.i2c.sda, self._sleep_us)

    def _sleep_us(self, us):
        self.slept_us += us

    def ticks_ms(self):
        return self.now_ms

    def pass_ms(self, ms):
        self.now_ms += ms

    def measure(self, sensor, step_ms=1):
        """(outcome, ms it took), polled as the shell polls."""
        begun_ms = self.now_ms
        sensor.begin(now_ms=self.now_ms)
        while (outcome := sensor.collect(now_ms=self.now_ms)) is PENDING:
            assert self.now_ms - begun_ms < 2000, "it never ends"
            self.pass_ms(step_ms)
        assert not sensor.waiting()
        return outcome, self.now_ms - begun_ms
