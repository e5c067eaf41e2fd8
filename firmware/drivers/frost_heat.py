"""Keeps a room from frost when no application does: in the rescue, and when no program can be imported.

There is no measurement, and it is not known which output heats this room, so every output that the board may carry is
used: relay and pump close for five minutes of twenty; the valve's converter (GP8403), which holds its voltage through
every reset, opens and shuts the valve with them; a boiler behind an OpenTherm Gateway, whose lease ends within a minute
of silence, is asked for a low flow temperature all the time, which heats about as much. A part that is not fitted does
not answer, which does no harm. A meter in the bridge's place receives lines that are no frames of its own.
"""

from drivers.i2c_bus import open_bus

VALVE_OPEN_MV = 10_000
PERIOD_MS = 1_200_000
ON_MS = 300_000
# Radiators at 40 °C give a good quarter of their heat at 70 °C.
FLOW = "40.00"
# The gateway forgets `CS=` after just over a minute, and takes one command at a time.
COMMAND_EVERY_MS = 10_000


class FrostHeat:
    """Heats by the pins of `board` (boards/<kind>). Call `turn` in every turn; it never ends."""

    is_brief = False

    def __init__(self, board, machine, *, now_ms):
        self._started_ms = now_ms
        self._pins = []
        for pin, closed in ((board.RELAY_PIN, board.RELAY_CLOSED_LEVEL), (board.PUMP_PIN, board.PUMP_CLOSED_LEVEL)):
            self._pins.append((machine.Pin(pin, machine.Pin.OUT, value=1 - closed), closed))
        self._valve = board.open_valve(open_bus(machine, board))
        self._boiler = board.open_opentherm(machine)
        self._is_on = False
        self._is_flow_next = False
        self._command_ms = now_ms
        self.deadline_ms = None  # its switching need not be exact

    def turn(self, *, now_ms, wanted=None) -> bool:
        """Does what is due and returns True. `wanted`: False for no heat at all, True for heat now, None for the five
        minutes of twenty."""
        is_on = wanted
        if wanted is None:
            is_on = (now_ms - self._started_ms) % PERIOD_MS < ON_MS
        if is_on != self._is_on:
            self._is_on = is_on
            for pin, closed in self._pins:
                pin.value(closed if is_on else 1 - closed)
        self._valve.set(VALVE_OPEN_MV if is_on else 0, now_ms=now_ms)
        if now_ms >= self._command_ms:
            self._command_ms = now_ms + COMMAND_EVERY_MS
            self._is_flow_next = not self._is_flow_next
            heats = wanted is not False
            word = "CS=" + (FLOW if heats else "0.00") if self._is_flow_next else "CH=" + str(int(heats))
            self._boiler.send(word.encode() + b"\r")
        return True
