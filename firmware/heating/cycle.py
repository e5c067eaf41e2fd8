"""A relay that gives a duty: on for a part of each cycle, never for less than it likes.

On-time below the least on-time becomes 0; off-time below the least off-time becomes on all through (Versatile
Thermostat). Between any two edges the least time passes, whatever the demand does: a boiler that short-cycles dies. A
demand that changed much starts a new cycle. Every edge is a deadline: whoever looks late switches late, by as much and
no more; nothing adds up.
"""

from collections import namedtuple

from heating import limits

Timing = namedtuple("Timing", ("cycle_ms", "min_on_ms", "min_off_ms"))

ELECTRIC = Timing(600_000, 30_000, 30_000)
WATER = Timing(1_800_000, 300_000, 300_000)


class Cycle:
    """`is_on`: what the relay is to be, since `edge_ms`. `switched`: how often it went on, ever."""

    def __init__(self, timing, *, now_ms, is_relay=True):
        self._timing = timing
        self._start_ms = now_ms
        self._duty = 0
        # A start let the relay go, and nobody knows when: starts in a row must not make it chatter. A boiler that is
        # spoken to saw none.
        self.edge_ms = now_ms if is_relay else now_ms - timing.min_off_ms
        self.is_on = False
        self.switched = 0
        self.on_ms = 0
        self._counted_ms = now_ms

    def step(self, duty_permille, *, now_ms, at_once=False, anew=False) -> bool:
        """Brings `is_on` up to date for a demand in 1/1000. `at_once`: an order to be off does not wait. `anew`: the
        demand does not wait for the next cycle; least times hold all the same."""
        timing = self._timing
        if self.is_on:
            self.on_ms += now_ms - self._counted_ms
        self._counted_ms = now_ms
        jumped = abs(duty_permille - self._duty) >= limits.CYCLE_RESTART_PERMILLE
        if now_ms - self._start_ms >= timing.cycle_ms or jumped or anew:
            self._start_ms = now_ms
            self._duty = duty_permille
        # A smaller demand ends the present on-time earlier; a somewhat larger one waits for the next cycle.
        wanted = now_ms - self._start_ms < self._on_ms(min(duty_permille, self._duty))
        if wanted != self.is_on and (at_once or self._may_switch(now_ms)):
            self.is_on = wanted
            self.edge_ms = now_ms
            self.switched += wanted
        return self.is_on

    def deadline_ms(self, now_ms):
        """When `step` must be asked again at the latest for the edge to be in time."""
        timing = self._timing
        instants = [self._start_ms + timing.cycle_ms]
        on_until_ms = self._start_ms + self._on_ms(self._duty)
        if on_until_ms > now_ms:
            instants.append(on_until_ms)
        free_ms = self.edge_ms + (timing.min_on_ms if self.is_on else timing.min_off_ms)
        if free_ms > now_ms:
            instants.append(free_ms)
        return max(now_ms, min(instants))

    def _on_ms(self, duty_permille):
        timing = self._timing
        on_ms = timing.cycle_ms * duty_permille // 1000
        if on_ms < timing.min_on_ms:
            return 0
        return on_ms if timing.cycle_ms - on_ms >= timing.min_off_ms else timing.cycle_ms

    def _may_switch(self, now_ms):
        return now_ms - self.edge_ms >= (self._timing.min_on_ms if self.is_on else self._timing.min_off_ms)
