"""Holds the twins of the H-bridge and of latching valves: pins in, positions out.

A valve moves when current has flowed through its coil in one direction for as long as it needs. Both inputs high is
kept as `shorted`, a pulse longer than `burn_ms` as `burnt`.

Faults of a valve: `stuck` (it does not move), `lazy` (it moves only at the second pulse).
"""


class Pin:
    """Models one input of a bridge."""

    def __init__(self, bridge):
        self._bridge = bridge
        self.level = 0

    def value(self, level):
        """Drives the pin to a level."""
        if level != self.level:
            self._bridge.settle()
            self.level = level
            self._bridge.changed()


class Bridge:
    """Models the bridge over its coils. `connected()` returns the valves whose coils are in its circuit now."""

    def __init__(self, ticks_ms, connected, burn_ms=1000):
        self._ticks_ms = ticks_ms
        self._connected = connected
        self._burn_ms = burn_ms
        self._since_ms = 0
        self.in1 = Pin(self)
        self.in2 = Pin(self)
        self.pulses = []  # (ms begun, ms long, forward)
        self.shorted = False
        self.burnt = False

    def drives(self):
        """Returns True while current flows through a coil."""
        return self.in1.level != self.in2.level and len(self._connected()) > 0

    def changed(self):
        """Accepts the change of an input."""
        self.shorted = self.shorted or bool(self.in1.level and self.in2.level)
        self._since_ms = self._ticks_ms()

    def settle(self):
        """Applies the current that has flowed since the last change."""
        forward, reverse = self.in1.level, self.in2.level
        if forward == reverse:
            return
        lasted_ms = self._ticks_ms() - self._since_ms
        self.pulses.append((self._since_ms, lasted_ms, bool(forward)))
        self.burnt = self.burnt or lasted_ms > self._burn_ms
        for valve in self._connected():
            valve.flow(lasted_ms, bool(forward))


class Valve:
    """Models a latching valve. `is_open` is its position."""

    def __init__(self, is_open=False, needs_ms=40):
        self._needs_ms = needs_ms
        self._tries = 0
        self.is_open = is_open
        self.fault = ""

    def flow(self, lasted_ms, forward):
        """Applies a current through the coil."""
        if lasted_ms < self._needs_ms or self.fault == "stuck":
            return
        self._tries = self._tries + 1 if forward != self.is_open else 0
        if self.fault == "lazy" and self._tries < 2:
            return
        self.is_open = forward


def selected(expander, valves):
    """Returns a function for Bridge: the valves that an expander's low outputs connect."""
    return lambda: [valve for at, valve in enumerate(valves) if not expander.outputs >> at & 1]
