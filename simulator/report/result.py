"""What a run of a territory leaves behind: looks at regular intervals, and everything that a report says."""

from dataclasses import dataclass, field

from simulator.cabinet.village import Told
from simulator.checkers.alarms import AlarmVerdict
from simulator.checkers.delivery import Verdict
from simulator.estates import greens, rooms, streets
from simulator.options import Drawn, Options


@dataclass
class Sight:
    """One look at the territory: for the picture."""

    unix_s: int
    lit: int
    wanted: int
    waiting: int
    power_dw: int
    carriers: tuple[str | None, ...]  # by cabinet: the bearer that carries, or None
    coldest_ck: int = 0  # of the rooms, 0.01 °C
    warmest_ck: int = 0
    flow_ml_min: int = 0  # of all green spaces


@dataclass
class Result:
    """Everything a report says."""

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
    streets: streets.Told
    assets: int
    rooms: rooms.Told
    greens: greens.Told
    sights: list[Sight]
    cut_lines: list[tuple[str, int, int, int, int, int]]
    batches: int
    batch_bytes: int
    mobile_bytes: int
    bearer_changes: int
    readings: int
    village: Told
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
