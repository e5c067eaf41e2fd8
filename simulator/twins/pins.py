"""Holds the twins of parts on a pin: a contact that bounces, a pulse counter, an analogue voltage.

Faults: of the contact `open` (a cut wire); of the counter `restarted` (it began anew, once); of the voltage `absent`
(the ADC refuses).
"""


class Contact:
    """Models a contact that pulls the pin to ground when closed.

    After each change it bounces for `bounce_ms`: every other reading is wrong.
    """

    def __init__(self, ticks_ms, bounce_ms=0):
        self._ticks_ms = ticks_ms
        self._bounce_ms = bounce_ms
        self._closed = False
        self._moved_ms = -bounce_ms
        self._reads = 0
        self.fault = ""

    def move(self, closed):
        """Closes or opens it."""
        if closed != self._closed:
            self._closed = closed
            self._moved_ms = self._ticks_ms()

    def value(self):
        """Returns the pin's level."""
        level = 1 if self.fault == "open" or not self._closed else 0
        if self._ticks_ms() - self._moved_ms < self._bounce_ms:
            self._reads += 1
            return level ^ self._reads % 2
        return level


class Counter:
    """Models the chip's `machine.Counter`."""

    def __init__(self):
        self._count = 0
        self.fault = ""

    def turn(self, pulses):
        """Makes `pulses` pulses arrive."""
        self._count += pulses

    def value(self):
        """Returns the count of the pulses."""
        if self.fault == "restarted":
            self.fault = ""
            self._count = 0
        return self._count


class Adc:
    """Models a voltage behind a divider. `noise_uv` is added and subtracted in turn.

    Beyond the range of its attenuation it reads the end of that range (of an ESP32-S3, by its data sheet).
    """

    ATTN_0DB, ATTN_2_5DB, ATTN_6DB, ATTN_11DB = 0, 1, 2, 3
    RANGES_UV = (950_000, 1_250_000, 1_750_000, 3_100_000)

    def __init__(self, millivolts=0, upper_ohm=0, lower_ohm=1000, noise_uv=0):
        self._upper_ohm = upper_ohm
        self._lower_ohm = lower_ohm
        self._noise_uv = noise_uv
        self._reads = 0
        self._range_uv = self.RANGES_UV[self.ATTN_0DB]
        self.millivolts = millivolts
        self.fault = ""

    def atten(self, attenuation):
        """Selects the range of an attenuation."""
        self._range_uv = self.RANGES_UV[attenuation]

    def read_uv(self):
        """Returns the voltage by the calibrated ADC."""
        if self.fault == "absent":
            raise OSError(5)
        self._reads += 1
        plain = self.millivolts * 1000 * self._lower_ohm // (self._upper_ohm + self._lower_ohm)
        return min(self._range_uv, plain + (self._noise_uv if self._reads % 2 else -self._noise_uv))
