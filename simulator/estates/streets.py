"""Simulates the lamps of a territory: two feeders a district, one cut by its contactor by day; lamp faults; the light.

Where a permanent feeder has lamps enough, three of them have more than a meter: a photocell under the overcast sky of
November, a detector on a path that few walk, a DALI gear. Knows plants and policy; of nodes only that they have mains
or none.
"""

from functools import partial
from typing import Any, NamedTuple

from kinds import streetlight
from lighting import settings
from policy import civil, lighting, lighting_form
from policy.fault import Faults
from simulator.checkers.alarms import ExpectedAlarm, withdrawn
from simulator.checkers.lighting import EVERY_MS, LightingChecker, Watched
from simulator.hosts.gateway import GatewayHost
from simulator.hosts.joining import Joining
from simulator.hosts.node import NodeHost
from simulator.hosts.ports import GearPorts, LampPorts, StreetPorts, Walkers
from simulator.plants.lamps import Air, Cell, Daylight, Lamp, LampData, LampFeeder
from simulator.world.chance import Prng
from simulator.world.time import World

CALENDARS = {"all-night": lighting.DEFAULT_CALENDAR, "dimming": lighting.DIMMING_CALENDAR}
# What some lamps of a permanent feeder have beside a meter, by their place on it, and their settings.
CELL, DETECTOR, GEAR = "photocell", "presence", "dali"
FITTED = {3: CELL, 6: DETECTOR, 9: GEAR}
_FITTED_FROM = 12
_SETTINGS: dict[str, dict[str, Any]] = {CELL: {CELL: {}}, DETECTOR: {DETECTOR: {}}, GEAR: {"output": GEAR}}
# The light that clouds let through: the cells light their lamps some minutes before sunset.
_OVERCAST_PERCENT = 5
# Behind a thunderstorm less than a thousandth of the light is left by evening: a cell of 35 lx lights its lamp.
_STORM_PERCENT = 0
# Light that comes at once is no dawn to a cell (`lighting.photocell`): until the next dusk the sky may be dark to it.
_CELL_IN_DOUBT_S = 43_200
_PATH_ONE_IN = 12
# A lamp has its full brightness this long after a person has come.
_BRIGHT_MS = 3000


class District(NamedTuple):
    """Describes one gateway and its two feeders.

    Half of the lamps are on a permanent feeder, half on a switched one. `has_mobile`: it has a 4G stick as a reserve.
    """

    insee: str
    commune: str
    name: str
    latitude_e4: int
    longitude_e4: int
    lamps: int
    has_mobile: bool = True


class StreetsReport(NamedTuple):
    """Holds the figures of the fitted lamps at the end of a run.

    `by_cell_s`: lit by their cells before the calendar and after it; `passed`: people by night under a detector's lamp
    that was sound; `met`: those of them who had its full light.
    """

    cells: int
    detectors: int
    gears: int
    by_cell_s: int
    passed: int
    met: int


def lamp_settings(
    site: lighting.Site, lamp: tuple[int, int], calendar: lighting.Calendar, fitted: str = ""
) -> settings.Own:
    """Returns the settings of a lamp whose file gives only these; all else has its default.

    `lamp`: [nominal, standby] in 0.1 W. `fitted`: what it is fitted with.
    """
    faults = Faults()
    plain = {
        "site": [site.latitude_e4, site.longitude_e4],
        "lamp": list(lamp),
        "calendar": lighting_form.encode(calendar),
        **_SETTINGS.get(fitted, {}),
    }
    own = streetlight.decode(faults, plain)
    assert not faults.listed(), faults.listed()
    return own


class Streets:
    """Holds the lamps of a territory, or of its part from the lamp `first` on.

    `hosts` and `lamps` have the same order.
    `expected`: the alarms that the damage done so far must make the nodes report. `excused`: nodes whose damage was
    repaired before.
    """

    def __init__(
        self, world: World, joining: Joining, *, calendar: str, first: int = 0, all_permanent: bool = False
    ) -> None:
        self._world = world
        self._joining = joining
        self._calendar = CALENDARS[calendar]
        self._first = first
        self._all_permanent = all_permanent
        self.hosts: list[NodeHost] = []
        self.lamps: list[Lamp] = []
        self._feeders: list[tuple[LampFeeder, District, list[NodeHost]]] = []
        self._watched: list[Watched] = []
        self.checker = LightingChecker(self._watched)
        self.expected: list[ExpectedAlarm] = []
        self.excused: set[bytes] = set()
        self._skies: list[Daylight] = []
        self._cleared_s: int | None = None
        self._fitted: list[str] = []
        self._walkers: list[Walkers] = []
        self._passed = self._met = 0

    @property
    def numbers(self) -> range:
        """The numbers in the territory of these lamps, from 0."""
        return range(self._first, self._first + len(self.lamps))

    def build(self, gateway: GatewayHost, district: District, air: Air, prng: Prng) -> None:
        """Builds a cabinet's lamps: half on a permanent feeder, half on a switched one, or all on the first."""
        half = 0 if self._all_permanent else district.lamps // 2
        for switched, count in ((False, district.lamps - half), (True, half)):
            feeder = LampFeeder(prng.split(f"feeder-{switched}"), switched=switched)
            fitted = FITTED if count >= _FITTED_FROM and not switched else {}
            hosts = [
                self._build_lamp(gateway, district, feeder, air, prng, fitted.get(place, "")) for place in range(count)
            ]
            self._feeders.append((feeder, district, hosts))

    def start(self) -> None:
        """Gives mains to all that has it now; contactors follow the sun from here on."""
        for feeder, district, hosts in self._feeders:
            if feeder.switched:
                self._next_contactor(feeder, district, hosts)
            else:
                for host in hosts:
                    host.power_on()
        for walkers in self._walkers:
            walkers.start()

    def report(self) -> StreetsReport:
        cells, detectors, gears = (self._fitted.count(one) for one in (CELL, DETECTOR, GEAR))
        by_cell_s = self.checker.by_cell_checks * EVERY_MS // 1000
        return StreetsReport(cells, detectors, gears, by_cell_s, self._passed, self._met)

    def damage(self, index: int, what: str, code: int) -> None:
        """Damages a lamp, by its number in the territory, from now on: `module_dead` or `relay_stuck`."""
        lamp, host = self.lamps[index - self._first], self.hosts[index - self._first]
        lamp.settle(now_ms=self._world.now_ms, unix_s=self._world.unix_s)
        lit = lamp.light_percent() > 0
        setattr(lamp, what, True)
        # A relay that sticks on a switched feeder is never detected: the contactor makes it dark by day.
        if what == "module_dead" or not lamp.feeder.switched:
            visible_s = self._world.unix_s if lit and what == "module_dead" else None
            self.expected.append(ExpectedAlarm(host.settings.node, code, visible_s))

    def repair(self, index: int) -> None:
        """Makes a damaged lamp as new."""
        lamp, host = self.lamps[index - self._first], self.hosts[index - self._first]
        lamp.settle(now_ms=self._world.now_ms, unix_s=self._world.unix_s)
        lamp.module_dead = lamp.relay_stuck = False
        self.excused |= withdrawn(self.expected, host.settings.node, now_s=self._world.unix_s)

    def mains(self, gateway: GatewayHost, there: bool) -> None:
        """Cuts the mains of a cabinet's permanent feeders, or gives them back."""
        for feeder, _, hosts in self._feeders:
            if not feeder.switched and feeder.powered != there and hosts[0].settings.node in gateway.nodes:
                self._switch(feeder, hosts, there)
                for host in hosts:  # one that had no time to report what it measured cannot any more
                    self.excused |= withdrawn(self.expected, host.settings.node, now_s=self._world.unix_s)

    def darken_sky(self, is_dark: bool) -> None:
        """Draws a storm before the sun: lamps with a photocell see it, or brings the usual clouds back."""
        self._cleared_s = None if is_dark else self._world.unix_s
        for sky in self._skies:
            sky.cloud_percent = _STORM_PERCENT if is_dark else _OVERCAST_PERCENT

    def _seen_lx(self, sky: Daylight, unix_s: int) -> int:
        """Returns the light by which a cell's lamp is judged: after a storm, what the cell may take it for."""
        is_doubtful = self._cleared_s is not None and unix_s < self._cleared_s + _CELL_IN_DOUBT_S
        return 0 if is_doubtful else sky.lx(unix_s)

    def check_light(self) -> tuple[int, int]:
        """Judges the light of this moment; returns (sound lamps that are lit, sound lamps that are wanted lit)."""
        return self.checker.check(unix_s=self._world.unix_s)

    def settle(self) -> None:
        """Carries all energy forward to now."""
        for lamp in self.lamps:
            lamp.settle(now_ms=self._world.now_ms, unix_s=self._world.unix_s)

    def power_dw(self) -> int:
        return sum(lamp.power_dw() for lamp in self.lamps)

    def true_wh(self) -> int:
        return sum(lamp.energy_wh() for lamp in self.lamps)

    def full_power_dws(self) -> int:
        """Returns the energy that the same dark hours would have taken without dimming, in 0.1 W s."""
        return self.checker.full_power_dw_checks * (EVERY_MS // 1000)

    def _build_lamp(
        self, gateway: GatewayHost, district: District, feeder: LampFeeder, air: Air, prng: Prng, fitted: str
    ) -> NodeHost:
        number = self._joining.next_number
        prng = prng.split(f"lamp-{number}")
        nominal_dw = (240, 360, 520)[prng.randrange(3)]
        age_h = prng.randrange(30_000)
        true_dw = prng.around(nominal_dw, nominal_dw // 60)
        lamp = Lamp(LampData(nominal_dw, 6, true_dw, age_h), feeder, air, prng.split("plant"))
        site = lighting.Site(
            district.latitude_e4 + prng.randrange(80), district.longitude_e4 + prng.randrange(80), civil.PARIS
        )
        own = lamp_settings(site, (nominal_dw, 6), self._calendar, fitted)
        plan = lighting.Plan(self._calendar, site)
        watched = Watched(f"{gateway.options.name} lamp {number}", lamp, plan)
        ports = LampPorts(self._world, lamp)
        if fitted == CELL:
            sky = Daylight(site)
            sky.cloud_percent = _OVERCAST_PERCENT
            self._skies.append(sky)
            ports = StreetPorts(self._world, lamp, Cell(sky))
            watched = watched._replace(sky_lx=partial(self._seen_lx, sky))
        elif fitted == GEAR:
            ports = GearPorts(self._world, lamp, prng.split("gear"))
        host = self._joining.join(gateway, streetlight, own, ports, prng)
        if fitted == DETECTOR:
            walkers = Walkers(self._world, prng.split("walkers"), host.sense, one_in=_PATH_ONE_IN)
            walkers.meets = lambda: self._world.after(_BRIGHT_MS, self._meet, watched)
            self._walkers.append(walkers)
        self._fitted.append(fitted)
        self.lamps.append(lamp)
        self.hosts.append(host)
        self._watched.append(watched)
        return host

    def _meet(self, watched: Watched) -> None:
        """Counts whether it is bright for a person who has just come."""
        lamp = watched.lamp
        if lamp.feeder.powered and not lamp.module_dead and watched.plan.wanted(self._world.unix_s).level_percent:
            self._passed += 1
            self._met += lamp.burning_percent() == 100

    def _next_contactor(self, feeder: LampFeeder, district: District, hosts: list[NodeHost]) -> None:
        """Moves the contactor as the cabinet's astronomical clock does: it closes at sunset, opens at sunrise."""
        night = lighting.Plan(lighting.DEFAULT_CALENDAR, lighting.Site(
            district.latitude_e4, district.longitude_e4, civil.PARIS
        ))
        wanted = night.wanted(self._world.unix_s)
        closed = wanted.level_percent > 0
        if closed != feeder.powered:
            self._switch(feeder, hosts, closed)
        self._world.at_unix(wanted.until_s, self._next_contactor, feeder, district, hosts)

    def _switch(self, feeder: LampFeeder, hosts: list[NodeHost], closed: bool) -> None:
        for host in hosts:
            self._lamp_of(host).settle(now_ms=self._world.now_ms, unix_s=self._world.unix_s)
        feeder.powered = closed
        for host in hosts:
            if closed:
                self._lamp_of(host).meter_reset()
                host.power_on()
            else:
                host.power_off()

    def _lamp_of(self, host: NodeHost) -> Lamp:
        return self.lamps[self.hosts.index(host)]
