"""Shuts the latching valves of a board by pulses when no application does: in the rescue, and without usable settings.

A latching valve stays as its last pulse left it, so one that was open when a program ended is still open: the levels
that boot.py sets do not move it. No settings name the outputs with a valve, so each output gets a pulse, twice, the
master first, since it stops the water. Nothing is ever opened. A pulse waits until the capacitor is charged, which
without settings means that its voltage no longer rises; after ten seconds the pulse is given anyway.
"""

from drivers import latching_valves
from drivers.analog import Analog
from drivers.i2c_bus import open_bus

# The time from one reading of the capacitor to the next, and before the first pulse.
READ_EVERY_MS = 200
FIRST_MS = 1000
# The capacitor is charged when its voltage rises by less than one part in this many between two readings.
STILL_PARTS = 32
GAP_MS = 100
ENERGY_WAIT_MS = 10_000
# The selector's contacts need this much before current flows through them.
SETTLE_MS = 20
# A latching valve that sticks at the first pulse often moves at the second.
TIMES = 2
TRIES_MAX = 5

_RESTING = 0
_SETTLING = 1
_PULSING = 2


class Shutter:
    """Shuts valves on the pins of `board` (boards/<kind>). Call `turn` until it returns False; `deadline_ms` is when it
    is due next."""

    is_brief = True  # its work is soon done

    def __init__(self, board, machine, *, now_ms):
        self._boost = machine.Pin(board.BOOST_PIN, machine.Pin.OUT, value=board.BOOST_ACTIVE_LEVEL)
        self._boost_off = 1 - board.BOOST_ACTIVE_LEVEL
        master, zones = [
            latching_valves.Bridge(
                machine.Pin(in1, machine.Pin.OUT, value=0), machine.Pin(in2, machine.Pin.OUT, value=0)
            )
            for in1, in2 in (
                (board.MASTER_IN1_PIN, board.MASTER_IN2_PIN),
                (board.ZONES_IN1_PIN, board.ZONES_IN2_PIN),
            )
        ]
        self._selector = board.open_selector(open_bus(machine, board))
        self._capacitor = Analog(
            machine.ADC(machine.Pin(board.CAPACITOR_PIN)),
            upper_ohm=board.CAPACITOR_UPPER_OHM,
            lower_ohm=board.CAPACITOR_LOWER_OHM,
        )
        self._mv = None
        self._is_charged = False
        self._read_ms = now_ms + FIRST_MS - READ_EVERY_MS
        self._pulse_ms = max(board.MASTER_PULSE_MS, board.ZONES_PULSE_MS)
        # (bridge, output of the selector or None, tries) of each pulse to come.
        valves = [(master, None, 0)] + [(zones, output, 0) for output in range(board.ZONES_COUNT)]
        self._waiting = valves * TIMES
        self._phase = _RESTING
        self._waits_since_ms = None  # for the capacitor
        self.deadline_ms = now_ms

    def turn(self, *, now_ms, wanted=None) -> bool:
        """Does what is due; returns False once every output has had its pulses. It shuts valves for every
        value of `wanted`."""
        if now_ms >= self._read_ms:
            self._read_ms = now_ms + READ_EVERY_MS
            self._read_capacitor(now_ms)
        if self.deadline_ms is not None and now_ms >= self.deadline_ms:
            if self._phase == _PULSING:
                self._end(now_ms)
            elif self._phase == _SETTLING:
                self._begin(now_ms)
            else:
                self._next(now_ms)
        if self.deadline_ms is not None:
            return True
        self._boost.value(self._boost_off)
        return False

    def _next(self, now_ms):
        """Begins the next pulse once the capacitor is charged, or ENERGY_WAIT_MS have passed."""
        if not self._waiting:
            self.deadline_ms = None
            return
        if self._waits_since_ms is None:
            self._waits_since_ms = now_ms
        if not self._is_charged and now_ms - self._waits_since_ms < ENERGY_WAIT_MS:
            self.deadline_ms = now_ms + GAP_MS
            return
        bridge, output, tries = self._waiting[0]
        if output is None:
            self._begin(now_ms)
        elif self._selector.select(output):
            self._phase, self.deadline_ms = _SETTLING, now_ms + SETTLE_MS
        else:
            self._selector.release()
            del self._waiting[0]
            if tries + 1 < TRIES_MAX:
                self._waiting.append((bridge, output, tries + 1))
            self.deadline_ms = now_ms + GAP_MS

    def _begin(self, now_ms):
        self._waiting[0][0].drive(False)
        self._phase, self.deadline_ms = _PULSING, now_ms + self._pulse_ms

    def _end(self, now_ms):
        bridge, output, _tries = self._waiting.pop(0)
        bridge.coast()
        if output is not None:
            self._selector.release()
        self._mv, self._is_charged, self._waits_since_ms = None, False, None
        self._phase, self.deadline_ms = _RESTING, now_ms + GAP_MS

    def _read_capacitor(self, now_ms):
        """Reads the capacitor, which counts as charged when it cannot be read."""
        self._capacitor.begin(now_ms=now_ms)
        mv, before_mv = self._capacitor.collect(now_ms=now_ms), self._mv
        self._mv = mv
        self._is_charged = mv is None or (before_mv is not None and STILL_PARTS * (mv - before_mv) <= before_mv)
