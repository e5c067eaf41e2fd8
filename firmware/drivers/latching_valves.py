"""Drives latching valves by H-bridges: a pulse opens, the opposite pulse closes, and between pulses a valve holds by
itself.

DRV8871, data sheet SLVSCY9, Bridge Control: IN1 IN2 = 0 0 coasts (and sleeps after 1 ms), 1 0 drives forward, 0 1
reverse, 1 1 brakes. Both are never high here. `watering.valves` and `kinds.irrigation` decide which valve gets which
pulse, and for how long.
"""


class Bridge:
    """Drives the two inputs of an H-bridge, pins with `value(level)`."""

    def __init__(self, in1, in2):
        self._in1 = in1
        self._in2 = in2
        self.coast()

    def coast(self):
        """Puts both inputs low."""
        self._in1.value(0)
        self._in2.value(0)

    def drive(self, forward):
        """Puts one input high, after it has put the other low."""
        high, low = (self._in1, self._in2) if forward else (self._in2, self._in1)
        low.value(0)
        high.value(1)
