"""Simulates a lamp from its relay and 0-10 V input to its power. Runs on MicroPython (behind `machine`) and CPython.

BOCAGE_LAMP is "nominal,standby" in 0.1 W. The file `bench-fault` in the working folder, read at each question, makes
it misbehave: `dead` (draws standby only), `stuck` (burns always), `meter-silent` (the meter's twin does not answer).
The file `bench-lamp` records for an onlooker what the lamp gets, each time that changes: relay, volts in 0.1 V. Must
not share code with the firmware's drivers, only the board's facts: a wrong map would otherwise cancel out.
"""

import os

from boards import streetlight as board

FAULT_FILE = "bench-fault"
STATE_FILE = "bench-lamp"
FULL = 65535


class Lamp:
    """Models the lamp on the bench: `drive(pin, mean level of 65535)` from the pins; `power_dw()` for the meter."""

    def __init__(self):
        nominal, standby = (os.getenv("BOCAGE_LAMP") or "700,4").split(",")
        self._nominal_dw = int(nominal)
        self._standby_dw = int(standby)
        self._pins = {}
        self._published = None

    def drive(self, number, mean):
        """Sets the mean level of a pin, 0 to 65535."""
        self._pins[number] = mean
        self._publish()

    def level(self, number):
        """Returns the level of the pin, 0 or 1."""
        return 1 if self._pins.get(number, 0) > FULL // 2 else 0

    def fed(self):
        """Returns True while the relay feeds the lamp. A pin that is not driven is low: the relay's coil is idle."""
        return self.level(board.RELAY_PIN) == board.RELAY_CLOSED_LEVEL

    def volts_dv(self):
        """Returns the dimming voltage in 0.1 V."""
        mean = self._pins.get(board.DIM_PIN, 0)
        if board.DIM_INVERTED:
            mean = FULL - mean
        return (100 * mean + FULL // 2) // FULL

    def power_dw(self):
        """Returns the power in 0.1 W: proportional from 1 V to 10 V, minimum below, standby without the relay."""
        fault = self.fault()
        if fault == "stuck":
            return self._nominal_dw
        if not self.fed() or fault == "dead":
            return self._standby_dw
        volts_dv = max(10, self.volts_dv())
        return self._standby_dw + (self._nominal_dw - self._standby_dw) * volts_dv // 100

    def fault(self):
        """Returns the word in the fault file, or ""."""
        try:
            with open(FAULT_FILE) as file:
                return file.read().strip()
        except OSError:
            return ""

    def _publish(self):
        state = (int(self.fed()), self.volts_dv())
        if state == self._published:
            return
        with open(STATE_FILE, "w") as file:
            file.write(f"{state[0]} {state[1]}\n")
        self._published = state
