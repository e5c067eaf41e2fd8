"""Simulates the lamps of a territory: two feeders a district, one cut by its contactor by day, or feeders with names,
whose contactors the gateway drives; lamp faults; the light.

Where a permanent feeder has lamps enough, three of them have more than a meter: a photocell under the overcast sky of
November, a detector on a path that few walk, a DALI gear. Knows plants and policy; of nodes only that they have mains
or none.
"""

from collections.abc import Iterator
from functools import partial
from typing import Any, NamedTuple

from gateway.core.cabinet.equipment import FeederObservation, Observation
from gateway.core.cabinet.feeder import FeederOptions
from kinds import streetlight
from lighting import settings
from policy import civil, lighting, lighting_form
from policy.fault import Faults
from simulator.checkers.alarms import Bodies, ExpectedAlarm, withdrawn
from simulator.checkers.lighting import EVERY_MS, LightingChecker, Watched
from simulator.checkers.lowered import Claim, LoweredChecker
from simulator.checkers.street import Order
from simulator.hosts.gateway import GatewayHost
from simulator.hosts.joining import Joining
from simulator.hosts.node import NodeHost
from simulator.hosts.ports import GearPorts, LampPorts, StreetPorts, Walkers
from simulator.hosts.street_gateway import StreetGateway
from simulator.plants.feeder import current_ma
from simulator.plants.lamps import Air, Cell, Daylight, Lamp, LampData, LampFeeder
from simulator.world.chance import Prng
from simulator.world.time import World
from wire import event, record

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

    Half of the lamps are on a permanent feeder, half on a switched one; or each on one of `feeders` (name, lamps), all
    of them permanent, whose contactors the gateway drives if they have a name. `has_mobile`: it has a 4G stick as a
    reserve.
    """

    insee: str
    commune: str
    name: str
    latitude_e4: int
    longitude_e4: int
    lamps: int
    has_mobile: bool = True
    feeders: tuple[tuple[str, int], ...] = ()


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
    site: lighting.Site,
    lamp: tuple[int, int],
    calendar: lighting.Calendar,
    fitted: str = "",
    *,
    feeder: str = settings.PERMANENT,
) -> settings.Own:
    """Returns the settings of a lamp whose file gives only these; all else has its default.

    `lamp`: [nominal, standby] in 0.1 W. `fitted`: what it is fitted with.
    """
    faults = Faults()
    plain = {
        "site": [site.latitude_e4, site.longitude_e4],
        "lamp": list(lamp),
        "calendar": lighting_form.encode(calendar),
        "feeder": feeder,
        **_SETTINGS.get(fitted, {}),
    }
    own = streetlight.decode(faults, plain)
    assert not faults.listed(), faults.listed()
    return own


class Circuit:
    """Holds a feeder with what hangs on it. `name` "": the gateway has no contactor of it."""

    def __init__(
        self, name: str, feeder: LampFeeder, district: District, hosts: list[NodeHost], lamps: list[Lamp]
    ) -> None:
        self.name = name
        self.feeder = feeder
        self.district = district
        self.hosts = hosts
        self.lamps = lamps
        self.has_mains = True
        self.is_closed = True


class StreetPoints:
    """Is what a gateway reads and drives of these feeders: of each a contactor that rests closed, its auxiliary contact
    and a meter."""

    def __init__(self, streets: "Streets", circuits: list[Circuit]) -> None:
        self._streets = streets
        self._circuits = circuits

    def options(self) -> tuple[FeederOptions, ...]:
        """Returns the feeders as a gateway's configuration has them."""
        found = []
        for one in self._circuits:
            nominal_dw = [lamp.data.nominal_dw for lamp in one.lamps]
            nodes = tuple(host.settings.node for host in one.hosts)
            found.append(FeederOptions(one.name, len(nodes), sum(nominal_dw) // len(nodes), nodes=nodes))
        return tuple(found)

    def sample(self) -> Observation:
        return Observation(tuple(map(self._read, self._circuits)))

    def set_contactor(self, feeder: int, closed: bool) -> None:
        self._streets.set_contactor(self._circuits[feeder], closed)

    def release(self) -> None:
        for one in self._circuits:
            self._streets.set_contactor(one, True)

    def _read(self, one: Circuit) -> FeederObservation:
        if not one.has_mains:
            return FeederObservation(False)
        power_dw, energy_wh = self._streets.measure(one)
        voltage_dv = one.feeder.grid_dv()
        return FeederObservation(one.is_closed, power_dw, energy_wh, voltage_dv, current_ma(power_dw, voltage_dv))


class Streets:
    """Holds the lamps of a territory, or of its part from the lamp `first` on.

    `hosts` and `lamps` have the same order.
    `expected`: the alarms that the damage done so far must make the nodes report. `excused`: nodes whose damage was
    repaired before.
    """

    def __init__(self, world: World, joining: Joining, *, calendar: str, first: int = 0) -> None:
        self._world = world
        self._joining = joining
        self._calendar = CALENDARS[calendar]
        self._first = first
        self.hosts: list[NodeHost] = []
        self.lamps: list[Lamp] = []
        self._circuits: list[Circuit] = []
        self._watched: list[Watched] = []
        self.checker = LightingChecker(self._watched)
        self.lowered = LoweredChecker(self._watched)
        self._driven: dict[tuple[bytes, str], tuple[LampFeeder, StreetGateway]] = {}  # by gateway and name
        self.expected: list[ExpectedAlarm] = []
        self.excused: set[bytes] = set()
        self._skies: list[Daylight] = []
        self._cleared_s: int | None = None
        self._fitted: list[str] = []
        self._walkers: list[Walkers] = []
        self._passed = self._met = 0

    @property
    def numbers(self) -> range:
        """Returns the numbers in the territory of these lamps, from 0."""
        return range(self._first, self._first + len(self.lamps))

    def build(self, gateway: GatewayHost, district: District, air: Air, prng: Prng) -> None:
        """Builds a cabinet's lamps: on the feeders of the district, or half on a permanent one, half on a switched."""
        half = district.lamps // 2
        planned = [(name, False, count) for name, count in district.feeders]
        planned = planned or [("", False, district.lamps - half), ("", True, half)]
        for name, switched, count in planned:
            if not count:
                continue
            feeder = LampFeeder(prng.split(f"feeder-{name or switched}"), switched=switched)
            fitted = FITTED if count >= _FITTED_FROM and not switched else {}
            hosts = [
                self._build_lamp(gateway, district, feeder, air, prng, fitted.get(place, "")) for place in range(count)
            ]
            self._circuits.append(Circuit(name, feeder, district, hosts, self.lamps[len(self.lamps) - count :]))

    def points(self, gateway: StreetGateway) -> StreetPoints:
        """Returns the contactors and meters of a gateway's feeders; a change at one is sampled soon."""
        own = [one for one in self._circuits if one.name and one.hosts[0].settings.node in gateway.nodes]
        for one in own:
            one.feeder.on_change = gateway.sample_soon
            self._driven[gateway.options.gateway, one.name] = one.feeder, gateway
        return StreetPoints(self, own)

    def start(self) -> None:
        """Gives mains to all that has it now; contactors follow the sun from here on."""
        for one in self._circuits:
            if one.feeder.switched:
                self._next_contactor(one)
            else:
                for host in one.hosts:
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
        lamp.damage(what)
        # A relay that sticks on a switched feeder is never detected: the contactor makes it dark by day.
        if what == "module_dead" or not lamp.feeder.switched:
            visible_s = self._world.unix_s if lit and what == "module_dead" else None
            self.expected.append(ExpectedAlarm(host.settings.node, code, visible_s))

    def repair(self, index: int) -> None:
        """Makes a damaged lamp as new."""
        lamp, host = self.lamps[index - self._first], self.hosts[index - self._first]
        lamp.settle(now_ms=self._world.now_ms, unix_s=self._world.unix_s)
        for what in ("module_dead", "relay_stuck"):
            lamp.damage(what, is_damaged=False)
        self.excused |= withdrawn(self.expected, host.settings.node, now_s=self._world.unix_s)

    def mains(self, gateway: GatewayHost, there: bool) -> None:
        """Cuts the mains of a cabinet's permanent feeders, or gives them back."""
        for one in self._circuits:
            if not one.feeder.switched and one.hosts[0].settings.node in gateway.nodes:
                one.has_mains = there
                self._feed(one)

    def set_contactor(self, circuit: Circuit, closed: bool) -> None:
        """Moves the contactor of a feeder as its gateway wants it."""
        circuit.is_closed = closed
        self._feed(circuit)

    def measure(self, circuit: Circuit) -> tuple[int, int]:
        """Returns what a feeder's meter shows: power in 0.1 W, energy in Wh."""
        now_ms, unix_s = self._world.now_ms, self._world.unix_s
        power_dw = sum(lamp.settle(now_ms=now_ms, unix_s=unix_s) for lamp in circuit.lamps)
        return power_dw, sum(lamp.energy_wh() for lamp in circuit.lamps)

    def expect(self, order: Order, insee: str, gateway: str | None, target: str | None) -> None:
        """Makes the checkers expect an order that a person gave for a commune, one of its gateways, or a
        feeder; `target` names that, or a group, which is all of them."""
        own = [one for one in self._circuits if one.district.insee == insee and gateway in (None, one.district.name)]
        feeders = [one.feeder for one in own if one.name == target] or [one.feeder for one in own]
        order = order._replace(from_s=max(order.from_s, self._world.unix_s))
        self.lowered.orders.add(order, feeders)
        if not order.lowers:
            self.checker.orders.add(order, feeders)

    def expect_end(self, id: bytes) -> None:
        """Makes the checkers expect this order no more: it was ended."""
        for checker in (self.checker, self.lowered):
            checker.orders.end(id, unix_s=self._world.unix_s)

    def violations(self, bodies: Bodies) -> list[str]:
        """Judges what has reached the warehouse too; returns what was wrong with the light."""
        self.lowered.judge_outcomes(self._claims(bodies), unix_s=self._world.unix_s)
        return self.checker.violations + self.lowered.violations

    def _claims(self, bodies: Bodies) -> Iterator[Claim]:
        gateways = {gateway for gateway, _ in self._driven}
        for (node, *_), stamp, body in bodies:
            said = record.decode_body(body) if node in gateways else None
            if isinstance(said, record.EventBody) and said.code == event.COMMAND_OUTCOME and said.detail[3]:
                yield Claim(*said.detail[:2], stamp.seconds, self._driven[node, said.detail[3]][0])

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
        for feeder, gateway in self._driven.values():
            self.lowered.observe_cabinet(feeder, gateway.boot if gateway.core else 0, unix_s=self._world.unix_s)
        self.lowered.check(unix_s=self._world.unix_s)
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
        mains = settings.SWITCHED if feeder.switched else settings.PERMANENT
        own = lamp_settings(site, (nominal_dw, 6), self._calendar, fitted, feeder=mains)
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

    def _next_contactor(self, one: Circuit) -> None:
        """Moves the contactor as the cabinet's astronomical clock does: it closes at sunset, opens at sunrise."""
        night = lighting.Plan(lighting.DEFAULT_CALENDAR, lighting.Site(
            one.district.latitude_e4, one.district.longitude_e4, civil.PARIS
        ))
        wanted = night.wanted(self._world.unix_s)
        closed = wanted.level_percent > 0
        if closed != one.feeder.powered:
            self._switch(one, closed)
        self._world.at_unix(wanted.until_s, self._next_contactor, one)

    def _feed(self, one: Circuit) -> None:
        """Gives a permanent feeder mains as its cabinet and its contactor have it."""
        powered = one.has_mains and one.is_closed
        if powered != one.feeder.powered:
            self._switch(one, powered)
            for host in one.hosts:  # one that had no time to report what it measured cannot any more
                self.excused |= withdrawn(self.expected, host.settings.node, now_s=self._world.unix_s)

    def _switch(self, one: Circuit, powered: bool) -> None:
        for lamp in one.lamps:
            lamp.settle(now_ms=self._world.now_ms, unix_s=self._world.unix_s)
        one.feeder.feed(powered)
        for host, lamp in zip(one.hosts, one.lamps, strict=True):
            if powered:
                lamp.meter_reset()
                host.power_on()
            else:
                host.power_off()
