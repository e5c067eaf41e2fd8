"""Runs a season of a green space twice in the same weather: with our trade, and with a plain timer on the same pipes.

The timer is what most towns have: fixed minutes, three nights a week from 22:00, no rain sensor, one zone after the
other without soaks; its minutes cover the mean demand of July, as an installer sets them. Both are judged by the world:
what passed the meter, days on which a plant took up less than it could, water that drained or ran off, seconds of
watering in hours that drought law forbids.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from kinds import Start, irrigation
from policy import civil
from policy import watering as policy
from policy.fault import Faults
from simulator.checkers.water import Forbidden, WaterChecker, drought_law
from simulator.plants.climate import Climate
from simulator.plants.green_space import CHARGED_MV, GreenPorts, Site, TradeRunner
from simulator.plants.pipes import Pipes
from simulator.world.chance import Prng
from watering.valves import MASTER
from wire import directive

# use, plant, soil, slope, emitter, dm2, mL/min, efficiency, group, metered, longest run in minutes.
ZONES = [
    [0, 0, 3, 1, 1, 100000, 200000, 0, 0, 1, 120],
    [0, 0, 4, 6, 0, 30000, 150000, 0, 1, 1, 90],
    [1, 3, 2, 2, 0, 8000, 40000, 0, 1, 1, 60],
    [4, 2, 3, 3, 2, 20000, 25000, 0, 2, 1, 240],
    [3, 0, 2, 0, 1, 150000, 250000, 0, 0, 1, 150],
    [5, 2, 3, 0, 2, 10000, 15000, 0, 2, 1, 240],
    [2, 4, 3, 0, 2, 12000, 18000, 0, 2, 1, 180],
    [0, 1, 6, 2, 0, 25000, 120000, 0, 1, 1, 90],
]
NAMES = ("lawn rotors", "lawn slope", "beds", "shrubs drip", "sports", "young trees", "kitchen", "lawn clay")
# What the prefecture forbids at "crise" to kitchen gardens and sports fields: here, all.
_ORDER = [4, policy.BY_ORDER, policy.EVERY_DAY, 0, 1440, "Préfecture de Maine-et-Loire", "Arrêté cadre sécheresse"]
SETTINGS = {
    "site": [474700, -5500],
    # By the balance, done half an hour before sunrise.
    "watering": [1, ZONES, [[0, 127, 401, 930, 1, -30, 1, 255, 0]], [_ORDER], []],
    "valves": [2, 2, 2, 2, 2, 2, 2, 2, 2, 0],
    "supply": [5, 5, 0, 0],
    "meter": [100000, 420],
    "weather": [40, 2, 20, []],
}
_TIMER_FROM_MIN = 22 * 60
_TIMER_WEEKDAYS = (0, 2, 4)
_JULY_CMM = 480
YEAR = 2026
_LOOK_S = 30


class SeasonDay(NamedTuple):
    """Holds what the picture shows of a day: depletion and trigger of one zone, rain and irrigation, all in 0.1 mm."""

    civil_day: int
    depletion_dmm: int
    rain_dmm: int
    irrigated_dmm: int


class SeasonFigures(NamedTuple):
    """Holds the figures of a season.

    Litres through the meter, zone-days of stress, those of them on days without any lawful hour, litres drained or run
    off (rain included), seconds of watering in forbidden hours, and the checker's violations.
    """

    used_l: int
    stress_days: int
    stress_days_banned: int
    drained_l: int
    run_off_l: int
    forbidden_s: int
    violations: list[str]
    days: list[SeasonDay]


class Drought(NamedTuple):
    """Describes a drought level that holds from this date on."""

    month: int
    day: int
    level: int


DROUGHTS: dict[str, tuple[Drought, ...]] = {
    "none": (),
    "summer": (Drought(7, 1, 2), Drought(8, 1, 3), Drought(8, 21, 2), Drought(9, 16, 0)),
}
SHOWN_ZONE = 1


class Season:
    """Simulates one world of a season. `drought`: a name of DROUGHTS."""

    def __init__(self, seed: int, drought: str, *, months: tuple[int, int] = (4, 9)) -> None:
        faults = Faults()
        self.own = irrigation.decode(faults, SETTINGS)
        assert not faults.count(), faults.listed()
        self.first_day = civil.days_from_civil(YEAR, months[0], 1)
        self.last_day = civil.days_from_civil(YEAR, months[1] + 1, 1)
        begin_s = civil.unix_from_local(civil.PARIS, self.first_day, 0)
        zones = self.own.policy.zones
        prng = Prng(f"season/{seed}")
        flows = [zone.flow_ml_min * prng.between(930, 1070) // 1000 for zone in zones]
        own = self.own
        self.pipes = Pipes(own.kinds, flows, main_max=own.main_max_ml_min, pulse_ul=own.pulse_ul)
        self.site = Site(zones, self.pipes, Climate(seed, self.first_day), prng.split("soil"), begin_s)
        self._levels = DROUGHTS[drought]
        self.checker = WaterChecker(self.pipes, self._law(), powered_s=begin_s)

    def level(self, civil_day: int) -> int:
        """Returns the drought level of a day."""
        level = 0
        _, month, day = civil.civil_from_days(civil_day)
        for step in self._levels:
            if (month, day) >= (step.month, step.day):
                level = step.level
        return level

    def ours(self) -> SeasonFigures:
        """Returns the season with the node's trade."""

        def make(memory: bytes, now_ms: int) -> Any:
            return irrigation.make_trade(self.own, Start(b"season-1", memory, now_ms, lambda below: 0))

        own = self.own
        ports = GreenPorts(
            self.site, own.kinds, own.pulse_ms, battery_mv=CHARGED_MV, boost_mv=own.boost_mv, fitted=own.fitted
        )
        desk = TradeRunner(ports, make, step_s=_LOOK_S)
        told = 0
        seen_s = self.site.unix_s

        def watch(unix_s: int) -> None:
            nonlocal told, seen_s
            for at_s, code, _, detail in desk.events[told:]:
                self.checker.announced(at_s, code, detail)
            told = len(desk.events)
            if self.pipes.flow_ml_min():
                self.checker.check(unix_s, min(_LOOK_S, unix_s - seen_s))
            seen_s = unix_s

        desk.watchers.append(watch)

        def day(civil_day: int, end_s: int) -> None:
            desk.directives[directive.DROUGHT_LEVEL] = self.level(civil_day)
            desk.run(end_s - self.site.unix_s)

        return self._days(day)

    def timer(self) -> SeasonFigures:
        """Returns the season with a plain timer."""
        minutes = []
        for zone in self.own.policy.zones:
            # Mean demand of July, for the nights of a week, plus what the emitter wastes.
            demand_cmm = _JULY_CMM * policy.PLANTS[zone.plant][policy.KC_PERCENT] // 100
            ground_cmm = demand_cmm * 7 // len(_TIMER_WEEKDAYS) * 100 // policy.efficiency_percent(zone)
            minutes.append(max(5, ground_cmm * zone.area_dm2 // (10 * zone.flow_ml_min)))

        def day(civil_day: int, end_s: int) -> None:
            if civil.weekday(civil_day) in _TIMER_WEEKDAYS:
                self._until(civil.unix_from_local(civil.PARIS, civil_day, _TIMER_FROM_MIN * 60))
                for zone, span in enumerate(minutes, 1):
                    self._open(zone, True)
                    self._until(self.site.unix_s + 60 * span)
                    self._open(zone, False)
            if self.site.unix_s < end_s:
                self._until(end_s)

        figures = self._days(day)
        # A timer announces nothing: the checker judges it by the law alone.
        law = [text for text in self.checker.violations if "forbidden" in text]
        return SeasonFigures(*figures[:6], law, figures.days)

    # --- inside ---------------------------------------------------------------------------------------------

    def _days(self, run: Callable[[int, int], None]) -> SeasonFigures:
        stress = banned = 0
        days = []
        rained_um = had_ul = 0
        for civil_day in range(self.first_day, self.last_day):
            run(civil_day, civil.unix_from_local(civil.PARIS, civil_day + 1, 0))
            level = self.level(civil_day)
            for plot in self.site.plots:
                if plot.stressed():
                    stress += 1
                    banned += policy.free_for_s(self.own.policy, plot.zone, level, self._noon(civil_day) + 36000) == 0
            shown = self.site.plots[SHOWN_ZONE - 1]
            rain_um, ul = self.site.rain_um, self.pipes.zone_ul[SHOWN_ZONE]
            irrigated_dmm = (ul - had_ul) // (1000 * shown.zone.area_dm2)
            days.append(SeasonDay(civil_day, shown.depletion_um // 100, (rain_um - rained_um) // 100, irrigated_dmm))
            rained_um, had_ul = rain_um, ul
        drained = run_off = 0
        for plot in self.site.plots:
            drained += plot.drained_um * plot.zone.area_dm2 // 100_000
            run_off += plot.run_off_um * plot.zone.area_dm2 // 100_000
        used_l = self.pipes.pulses() * self.own.pulse_ul // 1_000_000
        checker = self.checker
        return SeasonFigures(used_l, stress, banned, drained, run_off, checker.forbidden_s, checker.violations, days)

    def _noon(self, civil_day: int) -> int:
        return civil.unix_from_local(civil.PARIS, civil_day, 43200)

    def _law(self) -> list[Forbidden]:
        """Returns the hours of the national minimum, from the day of each level on."""
        law = []
        for place, step in enumerate(self._levels):
            first = civil.unix_from_local(civil.PARIS, civil.days_from_civil(YEAR, step.month, step.day), 0)
            last = 1 << 40
            if place + 1 < len(self._levels):
                after = self._levels[place + 1]
                last = civil.unix_from_local(civil.PARIS, civil.days_from_civil(YEAR, after.month, after.day), 0)
            hours = drought_law(step.level, [plain[0] for plain in ZONES])
            law += [rule._replace(first_s=first, last_s=last) for rule in hours]
        return law

    def _open(self, zone: int, opens: bool) -> None:
        for output in (MASTER, zone):
            self.pipes.pulse(output, opens, self.site.now_ms)

    def _until(self, unix_s: int) -> None:
        """Advances the world to an instant; while water flows the checker judges every half minute."""
        while self.site.unix_s < unix_s:
            step_s = min(_LOOK_S, unix_s - self.site.unix_s) if self.pipes.flow_ml_min() else unix_s - self.site.unix_s
            self.site.advance(self.site.now_ms + 1000 * step_s)
            if self.pipes.flow_ml_min():
                self.checker.check(self.site.unix_s, step_s)
