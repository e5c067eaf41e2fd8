"""A relay that gives a duty: on for a part of each cycle, never for less than it likes.

On-time below the least on-time becomes 0; off-time below the least off-time becomes on all through (Versatile
Thermostat): the regulator sees what the room makes of it. Where nobody measures the room nothing makes up for that, and
a duty that is *blind* is given whatever it is: its cycle is longer, as long as the least on-time and the least off-time
ask for. Between any two edges the least time passes, whatever the demand does: a boiler that short-cycles dies. A
demand that changed much starts a new cycle. Every edge is a deadline: whoever looks late switches late, by as much and
no more; nothing adds up.
"""

from collections import namedtuple

from heating import limits

CycleTiming = namedtuple("CycleTiming", ("cycle_ms", "min_on_ms", "min_off_ms"))

ELECTRIC_CYCLE = CycleTiming(600_000, 30_000, 30_000)
WATER_CYCLE = CycleTiming(1_800_000, 300_000, 300_000)


class RelayCycle:
    """`is_on`: what the relay is to be, since `edge_ms`. `on_ms`: for how long it was on, ever."""

    def __init__(self, timing, *, now_ms, is_relay=True):
        self._timing = timing
        self._start_ms = now_ms
        self._duty = 0
        self._length_ms = timing.cycle_ms
        self._is_blind = False
        # A start let the relay go, and nobody knows when: starts in a row must not make it chatter. A boiler that is
        # spoken to saw none.
        self.edge_ms = now_ms if is_relay else now_ms - timing.min_off_ms
        self.is_on = False
        self.on_ms = 0
        self._counted_ms = now_ms

    def step(self, duty_permille, *, now_ms, at_once=False, anew=False, blind=False) -> bool:
        """Brings `is_on` up to date for a demand in 1/1000. `at_once`: an order to be off does not wait. `anew`: the
        demand does not wait for the next cycle; least times hold all the same. `blind`: nobody measures the room."""
        timing = self._timing
        if self.is_on:
            self.on_ms += now_ms - self._counted_ms
        self._counted_ms = now_ms
        # Blindness begins with heat: the cycle before may have had none, and the first pause may take hours.
        anew = anew or (blind and not self._is_blind)
        self._is_blind = blind
        self._length_ms = self._length_of(duty_permille)
        jumped = abs(duty_permille - self._duty) >= limits.CYCLE_RESTART_PERMILLE
        if now_ms - self._start_ms >= self._length_ms or jumped or anew:
            # What nobody makes up for does not begin before the relay may close.
            waits_ms = self.edge_ms + timing.min_off_ms - now_ms if blind and not self.is_on else 0
            self._start_ms = now_ms + max(0, waits_ms)
            self._duty = duty_permille
        # A smaller demand ends the present on-time earlier; a somewhat larger one waits for the next cycle.
        wanted = now_ms - self._start_ms < min(self._on_ms(duty_permille), self._on_ms(self._duty))
        if wanted != self.is_on and (at_once or self._may_switch(now_ms)):
            self.is_on = wanted
            self.edge_ms = now_ms
        return self.is_on

    def deadline_ms(self, now_ms):
        """When `step` must be asked again at the latest for the edge to be in time."""
        timing = self._timing
        instants = [self._start_ms + self._length_ms]
        on_until_ms = self._start_ms + self._on_ms(self._duty)
        if on_until_ms > now_ms:
            instants.append(on_until_ms)
        free_ms = self.edge_ms + (timing.min_on_ms if self.is_on else timing.min_off_ms)
        if free_ms > now_ms:
            instants.append(free_ms)
        return max(now_ms, min(instants))

    def _length_of(self, duty_permille):
        """Of a cycle with this duty; whole seconds longer than need be rather than one that its least times refuse."""
        timing = self._timing
        if not self._is_blind or not 0 < duty_permille < 1000:
            return timing.cycle_ms
        for_on_s = -(-timing.min_on_ms // duty_permille)
        for_off_s = -(-timing.min_off_ms // (1000 - duty_permille))
        return max(timing.cycle_ms, 1000 * for_on_s, 1000 * for_off_s)

    def _on_ms(self, duty_permille):
        timing = self._timing
        length_ms = self._length_of(duty_permille)
        on_ms = length_ms * duty_permille // 1000
        if on_ms < timing.min_on_ms:
            return 0
        return on_ms if length_ms - on_ms >= timing.min_off_ms else length_ms

    def _may_switch(self, now_ms):
        return now_ms - self.edge_ms >= (self._timing.min_on_ms if self.is_on else self._timing.min_off_ms)


OPENING = "opening"
CLOSING = "closing"


class ValveExercise:
    """`last_day` is the civil day of the last one, to be remembered; `phase` None, OPENING or CLOSING."""

    def __init__(self, stroke_ms, last_day, *, now_ms):
        self._stroke_ms = stroke_ms
        self.last_day = last_day
        self._last_ms = now_ms
        self._phase_ms = now_ms
        self.phase = None

    def is_due(self, civil_day, is_free, *, now_ms) -> bool:
        """civil_day None: unknown. is_free: empty, and for two hours more."""
        if self._stroke_ms == 0:
            return False
        if civil_day is None:
            return now_ms - self._last_ms >= limits.EXERCISE_NO_CLOCK_MS
        if self.last_day is None or civil_day < self.last_day:
            self.last_day = civil_day  # a new node, or a clock that was wrong: count from now
        return is_free and civil_day - self.last_day >= limits.EXERCISE_DAYS

    def begin(self, *, now_ms) -> None:
        self.phase = OPENING
        self._phase_ms = now_ms

    def step(self, civil_day, *, now_ms) -> bool:
        """Goes on; True when it has just ended well."""
        if now_ms - self._phase_ms < self._stroke_ms:
            return False
        self._phase_ms = now_ms
        if self.phase == OPENING:
            self.phase = CLOSING
            return False
        self.phase = None
        self._last_ms = now_ms
        if civil_day is not None:
            self.last_day = civil_day
        return True

    def abandon(self) -> None:
        """Something matters more; it is tried again."""
        self.phase = None

    def stroke_s(self) -> int:
        return self._stroke_ms // 1000

    def deadline_ms(self):
        """When `step` is due, or None."""
        return None if self.phase is None else self._phase_ms + self._stroke_ms


def flow_ck(setpoint_ck, offset_ck, room_ck, outdoor_ck, curve_percent, flow_max_ck) -> int:
    """A boiler's flow set-point by its heating curve, 0.01 °C: set-point + curve · (set-point - outdoors), and
    ROOM_INFLUENCE kelvin more for each that is missing in the room; the offset of PI shifts both, so that a curve which
    was set too low is made good."""
    aimed_ck = setpoint_ck + offset_ck
    outdoor_ck = limits.OUTDOOR_ASSUMED_CK if outdoor_ck is None else outdoor_ck
    flow = aimed_ck + curve_percent * max(0, aimed_ck - outdoor_ck) // 100
    if room_ck is not None:
        flow += limits.ROOM_INFLUENCE * (aimed_ck - room_ck)
    return max(limits.FLOW_MIN_CK, min(flow_max_ck, flow))


def blind_flow_ck(duty_permille, outdoor_ck, curve_percent, flow_max_ck) -> int:
    """The same for a room that nobody can measure: not at comfort, for nobody sees what sun and people add to it; and
    the duty's share of what radiators are rated for at least, for no room makes good a curve that is set too low."""
    keep_ck = limits.SAFE_KEEP_CK
    share_ck = min(flow_max_ck, keep_ck + limits.RADIATOR_CK * duty_permille // 1000)
    return max(share_ck, flow_ck(keep_ck, 0, None, outdoor_ck, curve_percent, flow_max_ck))


def valve_percent(duty_permille, held, is_blind) -> int:
    """How far a valve is opened that stands at `held`: a small step is not worth its wear. Where nobody measures the
    room nothing makes up for a step that was spared: never less than the duty, and hardly more."""
    if is_blind:
        wanted = (duty_permille + 9) // 10
        return held if 0 < wanted <= held <= wanted + limits.VALVE_BLIND_PERCENT else wanted
    wanted = (duty_permille + 5) // 10
    return held if 0 < wanted < 100 and abs(wanted - held) < limits.VALVE_STEP_PERCENT else wanted
