"""Invariant 3 for feeders of plain lamps: lit when policy and orders want it, dark when not, to within two minutes.

Is told of every change of the true light; in between, light stands still, so that every second is judged and counted
exactly. What is wanted comes from `wanting`, with true UTC. Where the equipment hinders (mains, hand switch, contactor,
breaker, cable) nothing is judged, and afterwards the grace begins anew. Knows no gateway code.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from simulator.cabinet.feeder import Light

GRACE_S = 120
_GRACE_MS = 1000 * GRACE_S

# (feeder, Unix s) -> whether light is wanted (None: nobody can say), and until when (Unix s) the answer holds.
Wants = Callable[[int, int], tuple[bool | None, int]]


class Counted(NamedTuple):
    """Of one feeder, in ms: lit; wanted lit; dark or burning against that; not judged: nobody could help, or know."""

    lit_ms: int
    wanted_ms: int
    dark_ms: int
    burning_ms: int
    unjudged_ms: int


class Violation(NamedTuple):
    """One feeder was wrong for longer than the grace: since when (Unix ms), and for how long in the end."""

    feeder: str
    what: str
    since_ms: int
    lasted_ms: int

    def __str__(self) -> str:
        return f"{self.feeder} {self.what} for {self.lasted_ms // 1000} s from {self.since_ms // 1000}"


class StreetChecker:
    """Feed with `saw` at every change of light, with `pass_to` before `wants` changes its mind, and at the end."""

    def __init__(self, names: Sequence[str], wants: Wants, lights: Sequence[Light], *, unix_ms: int) -> None:
        self._wants = wants
        self._at_ms = unix_ms
        self._feeders = [_Watched(name, light) for name, light in zip(names, lights, strict=True)]

    def saw(self, lights: Sequence[Light], *, unix_ms: int) -> None:
        """From now on the street looks like this."""
        self.pass_to(unix_ms)
        for watched, light in zip(self._feeders, lights, strict=True):
            watched.light = light

    def pass_to(self, unix_ms: int) -> None:
        """Judge everything up to now."""
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
        """Every spell that was wrong for longer than the grace."""
        return [violation for watched in self._feeders for violation in watched.violations]

    @property
    def worst_dark_s(self) -> int:
        return max(watched.worst_ms["dark"] for watched in self._feeders) // 1000

    @property
    def worst_burning_s(self) -> int:
        return max(watched.worst_ms["burning"] for watched in self._feeders) // 1000

    def counted(self) -> list[Counted]:
        """By feeder."""
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
        """All of this time was alike."""
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
