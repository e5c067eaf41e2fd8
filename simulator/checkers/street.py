"""Checks invariant 3 for feeders of plain lamps: lit when policy and orders want it, dark when not, within two minutes.

`StreetChecker` is given every change of the true light; in between, light does not change, so that every second is
judged and counted exactly. Where the equipment hinders (mains, hand switch, contactor, breaker, cable) nothing is
judged, and afterwards the grace begins anew.

`Wanting` decides what the street should get, by true UTC: policy, orders that were given, and what can be known where a
clock is missing. Neither knows gateway code.

    KNOWN     the agent runs and has been given the time: policy and orders
    NIGHTLY   it runs without a clock, but with a photocell: lit in the dark, dark by day; in twilight and in the
              hours of extinction either is right
    ORDINARY  no agent runs, or it has no time: the hardware fallback holds the ordinary hours. Where policy or
              orders want otherwise, nothing is judged: no hardware could know
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from policy import lighting, sun
from simulator.plants.feeder import Light

KNOWN, NIGHTLY, ORDINARY = "known", "nightly", "ordinary"
# True elevation, 0.01°: below it the brightest sky has less than 4 lx; above it the darkest clouds leave 175 lx.
_NIGHT_CDEG, _DAY_CDEG = -600, 0
_LOOK_S = 30


class Order(NamedTuple):
    """Describes an emergency or an override that the workload gave: from, to (Unix s). `feeder` None: all of them.
    `is_sure` False: an override, which counts only while the centre's lease holds; who watches the street does not know
    that, so either it or the policy is right."""

    feeder: int | None
    lit: bool
    from_s: int
    to_s: int
    is_sure: bool = True
    id: bytes = b""
    level_percent: int = 100

    @property
    def lowers(self) -> bool:
        """Returns whether it is for a level between dark and full, which lamps with controllers keep, and no
        contactor."""
        return 0 < self.level_percent < 100


class Wanting:
    """Decides what each feeder should give.

    `calendars`, by feeder: those of the policy and of the hardware fallback; None: always lit.

    `doubt_s`: how far the agent's clock may be off UTC by the story; a want that close to a change is not judged. With
    NIGHTLY it means that the agent may go by either its clock or its photocell. Call the checker's `judge_until` for
    now before `mode`, `doubt_s` or `orders` are changed.
    """

    def __init__(
        self, site: lighting.Site, calendars: Sequence[tuple[lighting.Calendar, lighting.Calendar] | None]
    ) -> None:
        self.mode = ORDINARY
        self.doubt_s = 0
        self.orders: list[Order] = []
        self._site = site
        self._plans = [
            None if pair is None else (lighting.Plan(pair[0], site), lighting.Plan(pair[1], site)) for pair in calendars
        ]

    def __call__(self, feeder: int, unix_s: int) -> tuple[bool | None, int]:
        plans = self._plans[feeder]
        if plans is None:
            return True, unix_s + 86_400
        policy, ordinary = plans
        wanted, until_s = self._ordered(feeder, policy, unix_s)
        if self.mode == KNOWN and not self.doubt_s:
            return wanted, until_s
        if self.mode == KNOWN:
            return self._sure(feeder, policy, unix_s)
        if self.mode == NIGHTLY:
            nightly = self._nightly(wanted, until_s, unix_s)
            return nightly if not self.doubt_s else _agreed(nightly, self._sure(feeder, policy, unix_s))
        return _agreed((wanted, until_s), _plain(ordinary, unix_s))

    def _ordered(self, feeder: int, plan: lighting.Plan, unix_s: int) -> tuple[bool | None, int]:
        """Returns the want by policy and by the orders given; an emergency wins, else the latest order."""
        wanted, until_s = _plain(plan, unix_s)
        for order in sorted(self.orders, key=lambda one: one.is_sure):
            if order.feeder not in (None, feeder):
                continue
            if order.from_s <= unix_s < order.to_s:
                is_agreed = order.is_sure or order.lit == wanted
                wanted, until_s = order.lit if is_agreed else None, min(until_s, order.to_s)
            elif unix_s < order.from_s:
                until_s = min(until_s, order.from_s)
        return wanted, until_s

    def _sure(self, feeder: int, plan: lighting.Plan, unix_s: int) -> tuple[bool | None, int]:
        """Returns the want if it holds at every time that the clock may show, else None.

        No window of a policy is shorter than the doubt.
        """
        wanted, until_s = self._ordered(feeder, plan, unix_s - self.doubt_s)
        later, later_until_s = self._ordered(feeder, plan, unix_s + self.doubt_s)
        return wanted if wanted == later else None, min(until_s + self.doubt_s, later_until_s - self.doubt_s)

    def _nightly(self, wanted: bool | None, until_s: int, unix_s: int) -> tuple[bool | None, int]:
        looked_s = unix_s - unix_s % _LOOK_S
        height = sun.elevation_cdeg(looked_s, self._site.latitude_e4, self._site.longitude_e4)
        until_s = min(until_s, looked_s + _LOOK_S)
        is_sure = height < _NIGHT_CDEG if wanted else height >= _DAY_CDEG
        return wanted if is_sure else None, until_s


def _agreed(one: tuple[bool | None, int], other: tuple[bool | None, int]) -> tuple[bool | None, int]:
    """Returns the want that both share; None where they differ."""
    return one[0] if one[0] == other[0] else None, min(one[1], other[1])


def _plain(plan: lighting.Plan, unix_s: int) -> tuple[bool, int]:
    wanted = plan.wanted(unix_s)
    return wanted.level_percent > 0, wanted.until_s


GRACE_S = 120
_GRACE_MS = 1000 * GRACE_S

# (feeder, Unix s) -> whether light is wanted (None: unknown), and until when (Unix s) the answer holds.
Wants = Callable[[int, int], tuple[bool | None, int]]


class Counted(NamedTuple):
    """Holds the times of one feeder, in ms: lit; wanted lit; dark or burning against that; not judged."""

    lit_ms: int
    wanted_ms: int
    dark_ms: int
    burning_ms: int
    unjudged_ms: int


class Violation(NamedTuple):
    """Describes a feeder that was wrong for longer than the grace: since when (Unix ms), and for how long."""

    feeder: str
    what: str
    since_ms: int
    lasted_ms: int

    def __str__(self) -> str:
        return f"{self.feeder} {self.what} for {self.lasted_ms // 1000} s from {self.since_ms // 1000}"


class StreetChecker:
    """Judges the light of feeders.

    Call `observe` at every change of light, `judge_until` before what is wanted changes and at the end.
    """

    def __init__(self, names: Sequence[str], wants: Wants, lights: Sequence[Light], *, unix_ms: int) -> None:
        self._wants = wants
        self._at_ms = unix_ms
        self._feeders = [_Watched(name, light) for name, light in zip(names, lights, strict=True)]

    def observe(self, lights: Sequence[Light], *, unix_ms: int) -> None:
        """Accepts the light of the street from now on."""
        self.judge_until(unix_ms)
        for watched, light in zip(self._feeders, lights, strict=True):
            watched.light = light

    def judge_until(self, unix_ms: int) -> None:
        """Judges everything up to now."""
        for index, watched in enumerate(self._feeders):
            at_ms = self._at_ms
            while at_ms < unix_ms:
                wanted, until_s = self._wants(index, at_ms // 1000)
                to_ms = min(unix_ms, 1000 * until_s)
                assert to_ms > at_ms, "what is wanted holds for a while"
                watched.judge(wanted, at_ms, to_ms)
                at_ms = to_ms
        self._at_ms = unix_ms

    @property
    def violations(self) -> list[Violation]:
        """Returns every spell that was wrong for longer than the grace."""
        return [violation for watched in self._feeders for violation in watched.violations]

    @property
    def worst_dark_s(self) -> int:
        return max(watched.worst_ms["dark"] for watched in self._feeders) // 1000

    @property
    def worst_burning_s(self) -> int:
        return max(watched.worst_ms["burning"] for watched in self._feeders) // 1000

    def counted(self) -> list[Counted]:
        return [watched.counted for watched in self._feeders]


class _Watched:
    def __init__(self, name: str, light: Light) -> None:
        self.name = name
        self.light = light
        self.counted = Counted(0, 0, 0, 0, 0)
        self.worst_ms = {"dark": 0, "burning": 0}
        self.violations: list[Violation] = []
        self._wrong: tuple[str, int] | None = None

    def judge(self, wanted: bool | None, from_ms: int, to_ms: int) -> None:
        """Judges a time in which nothing changed."""
        is_lit = self.light.lit > 0
        is_judged = wanted is not None and self.light.hindered is None
        what = None
        if is_judged and is_lit != wanted:
            what = "burning" if is_lit else "dark"
        self._count(wanted, is_lit, is_judged, what, to_ms - from_ms)
        if what is None:
            self._wrong = None
            return
        if self._wrong is None or self._wrong[0] != what:
            self._wrong = (what, from_ms)
        since_ms = self._wrong[1]
        self.worst_ms[what] = max(self.worst_ms[what], to_ms - since_ms)
        if to_ms - since_ms > _GRACE_MS:
            if self.violations and self.violations[-1].since_ms == since_ms:
                self.violations.pop()
            self.violations.append(Violation(self.name, what, since_ms, to_ms - since_ms))

    def _count(self, wanted: bool | None, is_lit: bool, is_judged: bool, what: str | None, for_ms: int) -> None:
        lit_ms, wanted_ms, dark_ms, burning_ms, unjudged_ms = self.counted
        self.counted = Counted(
            lit_ms + is_lit * for_ms,
            wanted_ms + (wanted is True) * for_ms,
            dark_ms + (what == "dark") * for_ms,
            burning_ms + (what == "burning") * for_ms,
            unjudged_ms + (not is_judged) * for_ms,
        )
