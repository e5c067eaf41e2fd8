"""Holds the results of a run of a territory: snapshots at regular intervals, and everything that a report contains.

A territory may run in parts (`simulator.processes`); `joined` makes one result of theirs, and the digest is the same.
"""

from array import array
from collections import Counter
from collections.abc import Iterable, Sequence
from copy import copy
from dataclasses import dataclass, fields
from functools import reduce
from hashlib import sha256
from operator import iadd
from typing import Any, NamedTuple

from simulator.cabinet.village import VillageReport
from simulator.checkers.alarms import AlarmVerdict
from simulator.checkers.delivery import Verdict
from simulator.estates.greens import GreensReport
from simulator.estates.rooms import RoomsReport
from simulator.estates.streets import StreetsReport
from simulator.options import Cut, Drawn, Options


@dataclass
class Snapshot:
    """Holds the state of the territory at one instant, for the picture."""

    unix_s: int
    lit: int
    wanted: int
    waiting: int
    power_dw: int
    carriers: tuple[str | None, ...]  # by cabinet: the bearer that carries, or None
    coldest_ck: int = 0  # of the rooms, 0.01 °C
    warmest_ck: int = 0
    flow_ml_min: int = 0  # of all green spaces


class Absence(NamedTuple):
    """Holds the light of the street while a part was away, from and to in seconds after the start.

    `wanted`: the most sound lamps that were to be lit; `short`: the most that were not. `cabinet` None: it concerns no
    single one.
    """

    what: str
    from_s: int
    to_s: int
    cabinet: int | None
    wanted: int
    short: int


@dataclass
class Result:
    """Holds everything that a report contains, of a territory or of one of its parts.

    `waits_s`: from the making of each delivered record to its first arrival in the warehouse. `stored_digest`: the sum
    of the digests of the warehouse's records, which does not depend on their order. `plants`: what lamps have used, and
    the figures of rooms and green spaces.
    """

    options: Options
    drawn: Drawn
    verdict: Verdict
    alarms: AlarmVerdict
    node_seconds: int
    waits_s: array
    stored_digest: int
    plants: tuple[tuple[int, ...], ...]
    true_wh: int
    full_power_dws: int
    stored_wh: int
    lighting_violations: list[str]
    bounds_violations: list[str]
    sealed: int
    nonces_reused: int
    worst_delay_s: int
    streets: StreetsReport
    assets: int
    rooms: RoomsReport
    greens: GreensReport
    snapshots: list[Snapshot]
    batches: int
    batch_bytes: int
    mobile_bytes: int
    bearer_changes: int
    readings: int
    villages: tuple[VillageReport, ...]
    counters: dict[str, int]

    @property
    def village(self) -> VillageReport:
        """Returns the commune that has a cabinet only; one part of a territory has it."""
        return self.villages[0]

    @property
    def full_power_wh(self) -> int:
        """Returns the energy that the same dark hours would have taken without dimming."""
        return self.full_power_dws // 36_000

    @property
    def longest_wait_s(self) -> int:
        return max(self.waits_s, default=0)

    @property
    def median_wait_s(self) -> int:
        return sorted(self.waits_s)[len(self.waits_s) // 2] if self.waits_s else 0

    @property
    def absences(self) -> list[Absence]:
        """Returns the light of the streets during each absence that was drawn."""
        return [self._absence(cut) for cut in self.drawn.cuts]

    @property
    def digest(self) -> str:
        """A hash of integers and bytes only: it is the same on every machine, in however many processes."""
        figures = (
            self.stored_digest,
            tuple(self.verdict[:9]),
            self.true_wh,
            tuple(map(tuple, self.village.counted)),
            self.village.true_wh,
            self.plants,
            tuple((one.unix_s, one.lit, one.waiting, one.power_dw) for one in self.snapshots),
        )
        return sha256(repr(figures).encode()).hexdigest()[:32]

    @property
    def is_good(self) -> bool:
        verdict = self.verdict
        return not (
            verdict.lost
            or verdict.duplicated
            or verdict.altered
            or verdict.invented
            or self.lighting_violations
            or self.rooms.violations
            or self.greens.violations
            or self.bounds_violations
            or self.nonces_reused
            or self.alarms.faults
            or not all(village.is_good for village in self.villages)
        )

    def _absence(self, cut: Cut) -> Absence:
        begin, end = self.options.start_unix_s + cut.from_s, self.options.start_unix_s + cut.to_s
        within = [snapshot for snapshot in self.snapshots if begin <= snapshot.unix_s <= end]
        wanted = max((snapshot.wanted for snapshot in within), default=0)
        short = max((snapshot.wanted - snapshot.lit for snapshot in within), default=0)
        return Absence(cut.what, cut.from_s, cut.to_s, cut.cabinet, wanted, short)


def joined(parts: Sequence[Result]) -> Result:
    """Returns the result of a territory that ran in these parts, which are in the order of their cabinets."""
    apart = {
        "options": parts[0].options,
        "drawn": parts[0].drawn,
        "worst_delay_s": max(part.worst_delay_s for part in parts),
        "plants": tuple(_sum(figures) for figures in zip(*(part.plants for part in parts), strict=True)),
        "snapshots": [_snapshot(moment, parts) for moment in zip(*(part.snapshots for part in parts), strict=True)],
        "counters": added(part.counters for part in parts),
    }
    names = [one.name for one in fields(Result) if one.name not in apart]
    return Result(**apart, **{name: _sum([getattr(part, name) for part in parts]) for name in names})


def _sum(values: Sequence[Any]) -> Any:
    """Adds numbers, joins sequences, and does either field by field for records of figures."""
    if hasattr(values[0], "_fields"):
        return type(values[0])(*(_sum(column) for column in zip(*values, strict=True)))
    return reduce(iadd, values[1:], copy(values[0]))  # in place: hundreds of parts have millions of waits


def _snapshot(moment: tuple[Snapshot, ...], parts: Sequence[Result]) -> Snapshot:
    heated = [one for one, part in zip(moment, parts, strict=True) if part.rooms.rooms]
    return Snapshot(
        moment[0].unix_s,
        sum(one.lit for one in moment),
        sum(one.wanted for one in moment),
        sum(one.waiting for one in moment),
        sum(one.power_dw for one in moment),
        _sum([one.carriers for one in moment]),
        min((one.coldest_ck for one in heated), default=0),
        max((one.warmest_ck for one in heated), default=0),
        sum(one.flow_ml_min for one in moment),
    )


def added(parts: Iterable[dict[str, int]]) -> dict[str, int]:
    """Returns the sums of counters, by name."""
    total: Counter[str] = Counter()
    for counters in parts:
        total.update(counters)
    return dict(total)
