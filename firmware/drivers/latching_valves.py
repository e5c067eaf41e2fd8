"""Latching valves on H-bridges: a pulse opens, the opposite pulse closes, and between them they hold by themselves.

DRV8871, data sheet SLVSCY9, Bridge Control: IN1 IN2 = 0 0 coasts (and sleeps after 1 ms), 1 0 drives forward, 0 1
reverse, 1 1 brakes. Never both high here. A valve is (bridge, selector, output): a bridge of its own (`selector`
None), or one of up to eight behind a bridge, which a PCF8574 connects before the pulse and disconnects after it.

One pulse at a time, so that the capacitor feeds it alone; closings before openings; a closing takes back an opening
that still waits. `energy(opening)` says whether there is enough: an opening needs that of its own closing besides, or
it is refused; a closing waits ENERGY_WAIT_MS for it and is tried all the same. A pulse ends at the first `poll` at or
after its end (`deadline_ms`); what holds the loop longer ends in the watchdog's reset and boot.py's levels.

A valve's position is what the last pulse wanted; None until there was one: nobody can know. So the first act of an
application is `close_all`. Must not know zones' programmes, nor how long a valve may be open.
"""

from collections import namedtuple

Valve = namedtuple("Valve", ("bridge", "selector", "output"))
# What became of a wish: `failure` is None, ENERGY or SELECTOR.
Done = namedtuple("Done", ("zone", "opening", "failure"))

ENERGY = "energy"
SELECTOR = "selector"

# A selector's contacts need this much before current flows through them.
SETTLE_MS = 20
# Between pulses: the capacitor charges, and the bridge sleeps.
GAP_MS = 300
ENERGY_WAIT_MS = 10_000
CLOSE_TRIES_MAX = 5
# Of close_all: a latching valve that sticks at the first pulse often moves at the second.
CLOSE_TWICE = 2

_IDLE = 0
_SETTLING = 1
_PULSING = 2


class Bridge:
    """Two pins with `value(level)`."""

    def __init__(self, in1, in2):
        self._in1 = in1
        self._in2 = in2
        self.coast()

    def coast(self):
        """Both low."""
        self._in1.value(0)
        self._in2.value(0)

    def drive(self, forward):
        """One high. The other is low before."""
        high, low = (self._in1, self._in2) if forward else (self._in2, self._in1)
        low.value(0)
        high.value(1)


class LatchingValves:
    """`valves` is {zone: Valve}. `pulse_longest_ms` is what the loop made of `pulse_ms`; `faults` counts wishes that
    failed."""

    def __init__(self, valves, *, pulse_ms, energy, gap_ms=GAP_MS):
        self._valves = valves
        self._pulse_ms = pulse_ms
        self._energy = energy
        self._gap_ms = gap_ms
        self._closings = []  # [zone, tries]
        self._openings = []  # zone
        self._positions = {}
        self._phase = _IDLE
        self._current = None  # (zone, opening, tries)
        self._begun_ms = 0
        self._free_ms = None  # from here on the next one may begin
        self._waits_since_ms = None  # a closing for its energy
        self._done = []
        self.deadline_ms = None
        self.pulse_longest_ms = 0
        self.faults = 0
        for valve in valves.values():
            valve.bridge.coast()

    def position(self, zone):
        """True: open; False: closed; None: unknown, or on its way."""
        return self._positions.get(zone)

    def busy(self) -> bool:
        """True while a pulse is under way or waits."""
        return self._phase != _IDLE or bool(self._closings or self._openings)

    def open(self, zone, *, now_ms) -> bool:
        """Wish a valve open. False: refused, there is no energy to close it again."""
        assert zone in self._valves
        if not self._energy(True):
            self.faults += 1
            return False
        if zone not in self._openings:
            self._openings.append(zone)
        self._plan(now_ms)
        return True

    def close(self, zone, *, now_ms, times=1) -> None:
        """Wish a valve closed by so many pulses."""
        assert zone in self._valves
        if zone in self._openings:
            self._openings.remove(zone)
        waiting = [wish for wish in self._closings if wish[0] == zone]
        for _ in range(times - len(waiting)):
            self._closings.append([zone, 0])
        self._plan(now_ms)

    def close_all(self, *, now_ms) -> None:
        """Two closing pulses for every valve, the first ones first."""
        for times in range(1, CLOSE_TWICE + 1):
            for zone in sorted(self._valves):
                self.close(zone, now_ms=now_ms, times=times)

    def poll(self, *, now_ms) -> list:
        """Do what is due. [Done] of the wishes that came to their end."""
        if self._phase == _PULSING:
            if now_ms - self._begun_ms >= self._pulse_ms:
                self._end_pulse(now_ms)
        elif self._phase == _SETTLING:
            if now_ms - self._begun_ms >= SETTLE_MS:
                self._begin_pulse(now_ms)
        elif self._free_ms is None or now_ms >= self._free_ms:
            self._begin(now_ms)
        self._plan(now_ms)
        done, self._done = self._done, []
        return done

    def _begin(self, now_ms):
        if self._closings:
            if not self._closings[0][1] and not self._energy(False):
                if self._waits_since_ms is None:
                    self._waits_since_ms = now_ms
                if now_ms - self._waits_since_ms < ENERGY_WAIT_MS:
                    self._free_ms = now_ms + self._gap_ms
                    return
            self._waits_since_ms = None
            zone, tries = self._closings.pop(0)
            self._current = (zone, False, tries)
        elif self._openings:
            self._current = (self._openings.pop(0), True, 0)
            if not self._energy(True):
                self._finish(ENERGY, now_ms)
                return
        else:
            return
        self._connect(now_ms)

    def _connect(self, now_ms):
        valve = self._valves[self._current[0]]
        if valve.selector is None:
            self._begin_pulse(now_ms)
        elif valve.selector.select(valve.output):
            self._phase, self._begun_ms = _SETTLING, now_ms
        else:
            valve.selector.release()
            self._again_or_fail(now_ms)

    def _again_or_fail(self, now_ms):
        zone, opening, tries = self._current
        if not opening and tries + 1 < CLOSE_TRIES_MAX:
            self._current = None
            self._closings.append([zone, tries + 1])
            self._free_ms = now_ms + self._gap_ms
            return
        self._finish(SELECTOR, now_ms)

    def _begin_pulse(self, now_ms):
        zone, opening, _tries = self._current
        self._positions[zone] = None
        self._valves[zone].bridge.drive(opening)
        self._phase, self._begun_ms = _PULSING, now_ms

    def _end_pulse(self, now_ms):
        zone, opening, _tries = self._current
        valve = self._valves[zone]
        valve.bridge.coast()
        self.pulse_longest_ms = max(self.pulse_longest_ms, now_ms - self._begun_ms)
        self._positions[zone] = opening
        if valve.selector is not None:
            valve.selector.release()
        self._finish(None, now_ms)

    def _finish(self, failure, now_ms):
        zone, opening, _tries = self._current
        self._phase, self._current = _IDLE, None
        self._free_ms = now_ms + self._gap_ms
        if failure is not None:
            self.faults += 1
        self._done.append(Done(zone, opening, failure))

    def _plan(self, now_ms):
        if self._phase == _PULSING:
            self.deadline_ms = self._begun_ms + self._pulse_ms
        elif self._phase == _SETTLING:
            self.deadline_ms = self._begun_ms + SETTLE_MS
        elif self.busy():
            self.deadline_ms = now_ms if self._free_ms is None else max(now_ms, self._free_ms)
        else:
            self.deadline_ms = None
