"""Checks invariant 3 for lamps: a street is lit within two minutes when policy wants it lit, and dark when dark.

Reads every half minute the light on the street, the mains, the health of the lamp, and the policy with true UTC. Knows
nothing of nodes, clocks or gateways. A lamp with a photocell may burn where the policy wants darkness while the sky
over it is dark, or so near to it that its cell may still wait.

An order that a person gave counts once it is added to `orders`: an emergency lights. An override counts only while the
centre's lease holds, which who watches a street does not know: then either it or the policy is right.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from policy import civil, lighting
from simulator.checkers.street import Order
from simulator.plants.lamps import Lamp, LampFeeder

GRACE_S = 120
EVERY_MS = 30_000
# Twice the level at which a cell turns bright: at dawn that is some minutes of light.
DARK_SKY_LX = 110
_LOOK_EVERY_S = 600


class Watched(NamedTuple):
    """Describes one lamp under watch.

    `plan` is its policy with the true site; `sky_lx(unix_s)`: the light over it, where it has a photocell.
    """

    name: str
    lamp: Lamp
    plan: lighting.Plan
    sky_lx: Callable[[int], int] | None = None


class LampOrders:
    """Holds the orders that people gave, each with the feeders that it is for."""

    def __init__(self) -> None:
        self._given: list[tuple[Order, Sequence[LampFeeder]]] = []

    def add(self, order: Order, feeders: Sequence[LampFeeder]) -> None:
        self._given.append((order, feeders))

    def end(self, id: bytes, *, unix_s: int) -> None:
        """Ends an order now, before its time."""
        self._given = [
            (one._replace(to_s=min(one.to_s, unix_s)) if one.id == id else one, feeders)
            for one, feeders in self._given
        ]

    def in_force(self, unix_s: int) -> list[tuple[Order, Sequence[LampFeeder]]]:
        """Returns those that hold at an instant."""
        return [one for one in self._given if one[0].from_s <= unix_s < one[0].to_s]

    def of(self, id: bytes) -> Order | None:
        """Returns the order with this id."""
        return next((one for one, _ in self._given if one.id == id), None)


class LightingChecker:
    """Judges all lamps at each `check`, called at a regular pace.

    `orders`: what people ordered. `violations`: strings, the first of each lamp and kind.
    """

    def __init__(self, watched: list[Watched]) -> None:
        self._watched = watched
        # For each lamp by its place: what its policy wants, and the Unix seconds between which it wants that.
        self._wanted: list[tuple[int, int, int]] = []
        self._feeders: list[LampFeeder] = []
        # What the last look has counted; it holds until this many changes of light, and until this Unix second.
        self._counted = 0, 0, 0
        self._changes, self._until_s = 0, 0
        self.orders = LampOrders()
        self._wrong_since: dict[tuple[str, str], int] = {}
        self._reported: set[tuple[str, str]] = set()
        self.violations: list[str] = []
        self.worst_delay_s = 0
        # Checks at which a lamp burnt by its cell alone.
        self.by_cell_checks = 0
        # What the same dark hours would have drawn at full power: 0.1 W times the checks at which light was wanted.
        self.full_power_dw_checks = 0

    def check(self, *, unix_s: int) -> tuple[int, int]:
        """Judges every lamp now; returns (sound lamps lit, sound lamps that the policy wants lit).

        What was right is right until a light, a policy or the orders change. Each ten minutes all lamps are looked at
        all the same: a change that its feeder did not count stops the run.
        """
        if len(self._wanted) < len(self._watched):
            self._wanted = [(0, 0, 0)] * len(self._watched)
            self._feeders = list({one.lamp.feeder for one in self._watched})
            self._until_s = 0
        in_force, changes = self.orders.in_force(unix_s), sum([feeder.changes for feeder in self._feeders])
        is_same = changes == self._changes and unix_s < self._until_s and not in_force
        if not is_same or unix_s % _LOOK_EVERY_S == 0:
            before, self._counted, self._changes = self._counted, self._judge_all(in_force, unix_s), changes
            assert not is_same or self._counted == before, "a light changed, and its feeder did not count it"
        lit, wanted_lit, full_power_dw = self._counted
        self.full_power_dw_checks += full_power_dw
        return lit, wanted_lit

    def _judge_all(self, in_force: list[tuple[Order, Sequence[LampFeeder]]], unix_s: int) -> tuple[int, int, int]:
        """Judges every lamp now; returns what `check` does, and what those that are to be lit draw at full power."""
        lit = wanted_lit = full_power_dw = 0
        wrong_since, known = self._wrong_since, self._wanted
        right_s = unix_s if in_force else unix_s + civil.day_s  # the end of an order is no change of light
        for place, (name, lamp, plan, sky_lx) in enumerate(self._watched):
            wanted, from_s, until_s = known[place]
            if not from_s <= unix_s < until_s:
                wanted, _, until_s = known[place] = _wanted(plan.night(unix_s), unix_s)
            light = lamp.light_percent()
            is_sound = lamp.feeder.powered and not lamp.module_dead and not lamp.relay_stuck
            if is_sound and light > 0:
                lit += 1
            if wanted > 0:
                wanted_lit += is_sound
                full_power_dw += lamp.true_dw
            is_lit = _ordered(in_force, lamp.feeder, wanted > 0) if in_force else wanted > 0
            is_dark = is_sound and is_lit is True and light == 0
            burns = is_sound and is_lit is False and light > 0
            if not (is_dark or burns or wrong_since):
                right_s = min(right_s, until_s)
                continue
            right_s = unix_s
            self._judge(name, "dark", is_dark, unix_s)
            if burns and sky_lx is not None and sky_lx(unix_s) < DARK_SKY_LX:
                self.by_cell_checks += 1
                burns = False
            self._judge(name, "burning", burns, unix_s)
        self._until_s = right_s
        return lit, wanted_lit, full_power_dw

    def _judge(self, name: str, what: str, wrong: bool, unix_s: int) -> None:
        key = (name, what)
        if not wrong:
            self._wrong_since.pop(key, None)
            return
        since = self._wrong_since.setdefault(key, unix_s)
        self.worst_delay_s = max(self.worst_delay_s, unix_s - since)
        if unix_s - since > GRACE_S and key not in self._reported:
            self._reported.add(key)
            self.violations.append(f"{name} {what} for {unix_s - since} s at {unix_s}")


def _ordered(orders: list[tuple[Order, Sequence[LampFeeder]]], feeder: LampFeeder, is_lit: bool) -> bool | None:
    """Returns whether a lamp is to be lit by orders and policy; None: either is right."""
    wanted: bool | None = is_lit
    for order, feeders in sorted(orders, key=lambda one: one[0].is_sure):
        if feeder in feeders:
            wanted = order.lit if order.is_sure or order.lit == is_lit else None
    return wanted


def _wanted(night: lighting.Night, unix_s: int) -> tuple[int, int, int]:
    """Returns the level at an instant, and from when until when it is wanted, by the changes of the night alone: the
    nodes rely on the policy's `until_s`, which is judged with them."""
    level, from_s = 0, night.start_s
    for instant_s, next_level, _ in night.changes():
        if instant_s > unix_s:
            return level, from_s, instant_s
        level, from_s = next_level, instant_s
    return level, from_s, night.end_s
