"""Turns a heating duty into a relay's edges, a valve's position and weekly stroke, and a boiler's flow set-point."""

from collections import namedtuple

from heating import limits

CycleTiming = namedtuple("CycleTiming", ("cycle_ms", "min_on_ms", "min_off_ms"))

ELECTRIC_CYCLE = CycleTiming(600_000, 30_000, 30_000)
WATER_CYCLE = CycleTiming(1_800_000, 300_000, 300_000)


class RelayCycle:
    """Turns a heating duty into relay edges: on for that share of each cycle, never shorter than the minimum on-time.

    On-time below the minimum becomes 0; off-time below the minimum becomes on for the whole cycle (Versatile
    Thermostat): the regulator sees the effect on the room and corrects it. While the room is not measured nothing
    corrects it; such a *blind* duty is given exactly, in a cycle that is as long as both minimum times require. Between
    any two edges the minimum time passes, however the demand changes: a boiler that short-cycles dies. A demand that
    changed much starts a new cycle. Every edge is a deadline: a late call switches late by as much and no more; nothing
    adds up.

    `is_on`: the relay's position to apply, since `edge_ms`. `on_ms`: how long it was on since the start.
    """

    def __init__(self, timing, *, now_ms, is_relay=True):
        self._timing = timing
        self._start_ms = now_ms
        self._duty = 0
        self._length_ms = timing.cycle_ms
        self._is_blind = False
        # A start opened the relay at an unknown instant: several starts in a row must not make it chatter. A boiler
        # behind a bridge had no such edge.
        self.edge_ms = now_ms if is_relay else now_ms - timing.min_off_ms
        self.is_on = False
        self.on_ms = 0
        self._counted_ms = now_ms

    def step(self, duty_permille, *, now_ms, at_once=False, anew=False, blind=False) -> bool:
        """Brings `is_on` up to date for a demand in 1/1000; returns it.

        `at_once`: the minimum times do not hold. `anew`: the demand does not wait for the next cycle. `blind`: the room
        is not measured.
        """
        timing = self._timing
        if self.is_on:
            self.on_ms += now_ms - self._counted_ms
        self._counted_ms = now_ms
        # Blind operation begins with heat: the cycle before may have had none, and its first pause may take hours.
        anew = anew or (blind and not self._is_blind)
        self._is_blind = blind
        self._length_ms = self._blind_length_ms(duty_permille) if blind else timing.cycle_ms
        jumped = abs(duty_permille - self._duty) >= limits.CYCLE_RESTART_PERMILLE
        if now_ms - self._start_ms >= self._length_ms or jumped or anew:
            # A blind cycle does not begin before the relay may close.
            waits_ms = self.edge_ms + timing.min_off_ms - now_ms if blind and not self.is_on else 0
            self._start_ms = now_ms + max(0, waits_ms)
            self._duty = duty_permille
        elif self.is_on and not blind:
            # The present on-time follows the demand either way: if it could only end earlier, a demand that swings
            # would not be given in full. Once off, a slightly larger demand waits for the next cycle.
            self._duty = duty_permille
        on_ms = self._on_ms(duty_permille)
        if duty_permille != self._duty:
            on_ms = min(on_ms, self._on_ms(self._duty))
        wanted = now_ms - self._start_ms < on_ms
        if wanted != self.is_on and (at_once or self._may_switch(now_ms)):
            self.is_on = wanted
            self.edge_ms = now_ms
        return self.is_on

    def deadline_ms(self, now_ms):
        """Returns when `step` must be called again at the latest for the edge to be in time."""
        timing = self._timing
        due_ms = self._start_ms + self._length_ms
        on_until_ms = self._start_ms + self._on_ms(self._duty)
        free_ms = self.edge_ms + (timing.min_on_ms if self.is_on else timing.min_off_ms)
        for other_ms in (on_until_ms, free_ms):
            if now_ms < other_ms < due_ms:
                due_ms = other_ms
        return max(now_ms, due_ms)

    def _blind_length_ms(self, duty_permille):
        """Returns the length of a cycle with this duty, rounded up to whole seconds so that both minimum times fit."""
        timing = self._timing
        if not 0 < duty_permille < 1000:
            return timing.cycle_ms
        for_on_s = -(-timing.min_on_ms // duty_permille)
        for_off_s = -(-timing.min_off_ms // (1000 - duty_permille))
        return max(timing.cycle_ms, 1000 * for_on_s, 1000 * for_off_s)

    def _on_ms(self, duty_permille):
        timing = self._timing
        length_ms = self._blind_length_ms(duty_permille) if self._is_blind else timing.cycle_ms
        on_ms = length_ms * duty_permille // 1000
        if on_ms < timing.min_on_ms:
            return 0
        return on_ms if length_ms - on_ms >= timing.min_off_ms else length_ms

    def _may_switch(self, now_ms):
        return now_ms - self.edge_ms >= (self._timing.min_on_ms if self.is_on else self._timing.min_off_ms)


OPENING = "opening"
CLOSING = "closing"


class ValveExercise:
    """Moves a valve once a week so that it does not stick: fully open, fully shut, outside occupied hours.

    A stroke is due when seven civil days have passed since the last one and the room is empty for two hours more;
    without a clock, after eight days of uptime. Must not take precedence over frost or a fault: the caller asks only
    when nothing else needs the valve. `last_day`: civil day of the last stroke, to be saved; `phase`: None, OPENING or
    CLOSING.
    """

    def __init__(self, stroke_ms, last_day, *, now_ms):
        self._stroke_ms = stroke_ms
        self.last_day = last_day
        self._last_ms = now_ms
        self._phase_ms = now_ms
        self.phase = None

    def is_due(self, civil_day, is_free, *, now_ms) -> bool:
        """Returns True when a stroke is due. civil_day None: unknown. is_free: the room is empty for two hours more."""
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
        """Continues the stroke and returns True when it has just ended completely."""
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
        """Abandons the stroke for something that matters more; it is tried again."""
        self.phase = None

    def stroke_s(self) -> int:
        return self._stroke_ms // 1000

    def deadline_ms(self):
        """Returns when `step` is due, or None."""
        return None if self.phase is None else self._phase_ms + self._stroke_ms


def flow_ck(setpoint_ck, offset_ck, room_ck, outdoor_ck, curve_percent, flow_max_ck) -> int:
    """Returns a boiler's flow set-point by its heating curve, 0.01 °C.

    It is set-point + curve · (set-point - outdoors), and ROOM_INFLUENCE kelvin more for each kelvin that the room is
    too cold. The offset of PI shifts both set-points, so that it corrects a curve that was set too low.
    """
    aimed_ck = setpoint_ck + offset_ck
    outdoor_ck = limits.OUTDOOR_ASSUMED_CK if outdoor_ck is None else outdoor_ck
    flow = aimed_ck + curve_percent * max(0, aimed_ck - outdoor_ck) // 100
    if room_ck is not None:
        flow += limits.ROOM_INFLUENCE * (aimed_ck - room_ck)
    return max(limits.FLOW_MIN_CK, min(flow_max_ck, flow))


def blind_flow_ck(duty_permille, outdoor_ck, curve_percent, flow_max_ck) -> int:
    """Returns a boiler's flow set-point for a room that cannot be measured.

    It does not aim at comfort, for sun and people may add heat that is not measured. It gives at least the duty's share
    of what radiators are rated for, for no room temperature corrects a curve that is set too low.
    """
    keep_ck = limits.SAFE_KEEP_CK
    share_ck = min(flow_max_ck, keep_ck + limits.RADIATOR_CK * duty_permille // 1000)
    return max(share_ck, flow_ck(keep_ck, 0, None, outdoor_ck, curve_percent, flow_max_ck))


def valve_percent(duty_permille, held, is_blind) -> int:
    """Returns the position for a valve that is at `held`: a small step is not worth its wear.

    While the room is not measured nothing corrects a step that was omitted: the position is then never below the duty,
    and hardly above.
    """
    if is_blind:
        wanted = (duty_permille + 9) // 10
        return held if 0 < wanted <= held <= wanted + limits.VALVE_BLIND_PERCENT else wanted
    wanted = (duty_permille + 5) // 10
    return held if 0 < wanted < 100 and abs(wanted - held) < limits.VALVE_STEP_PERCENT else wanted
