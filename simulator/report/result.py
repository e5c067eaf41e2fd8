"""Holds the results of a run of a territory: snapshots at regular intervals, and everything that a report contains."""

from dataclasses import dataclass, field
from typing import NamedTuple

from simulator.cabinet.village import VillageReport
from simulator.checkers.alarms import AlarmVerdict
from simulator.checkers.delivery import Verdict
from simulator.estates.greens import GreensReport
from simulator.estates.rooms import RoomsReport
from simulator.estates.streets import StreetsReport
from simulator.options import Drawn, Options


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
    """Holds everything that a report contains."""

    options: Options
    drawn: Drawn
    verdict: Verdict
    alarms: AlarmVerdict
    digest: str
    node_seconds: int
    events: int
    longest_wait_s: int
    median_wait_s: int
    true_wh: int
    full_power_wh: int
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
    absences: list[Absence]
    batches: int
    batch_bytes: int
    mobile_bytes: int
    bearer_changes: int
    readings: int
    village: VillageReport
    counters: dict[str, int] = field(default_factory=dict)

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
            or not self.village.is_good
        )
