"""Simulates the green spaces of a territory: lawns, beds and shrubs behind valves, their soil, water used and lost.

Knows plants and policy; of nodes only that they have power, and what they announce.
"""

from typing import Any, NamedTuple

from kinds import irrigation
from policy import civil
from policy import watering as policy
from policy.fault import Faults
from simulator.checkers.alarms import SOON_S, ExpectedAlarm
from simulator.checkers.water import Forbidden, WaterChecker, drought_law
from simulator.estates.streets import District
from simulator.hosts.gateway import GatewayHost
from simulator.hosts.joining import Joining
from simulator.plants.climate import Climate
from simulator.plants.green_space import CHARGED_MV, GreenPorts, Site
from simulator.plants.pipes import Pipes
from simulator.world.chance import Prng
from simulator.world.time import World
from watering import memory
from wire import event, record

_WATCH_MS = 1000
# A node asks for what it is told each quarter of an hour, and by a radio that loses.
_TOLD_S = 1200
# In the form of policy.watering_form: lawn under rotors, a bed on a slope under sprays, shrubs on drip; every night at
# five by the water balance; a park that is open from 8:00 to 20:00 keeps its paths dry. A stadium, the first space of
# each district, is shut to the public and in its season also watered from 10:45 on: five millimetres take until long
# after eleven, when a drought order forbids it.
_ZONES = [
    [0, 0, 3, 2, 1, 10000, 20000, 0, 0, 1, 60],
    [1, 3, 4, 4, 0, 4000, 20000, 0, 0, 1, 60],
    [4, 2, 2, 2, 2, 8000, 8000, 0, 0, 1, 120],
]
_OPEN_FROM_MIN, _OPEN_TO_MIN = 480, 1200
_PROGRAM = [0, 127, 0, 0, 0, 300, 0, 7, 0]
_MORNING = [0, 127, 401, 1031, 0, 645, 0, 7, 50]
_PARK = [0, policy.EVERY_USE, 127, _OPEN_FROM_MIN, _OPEN_TO_MIN, "Mairie", "Règlement des parcs et jardins"]
_PLAIN = {
    "watering": [1, _ZONES, [_PROGRAM], [_PARK], []],
    "valves": [2, 2, 2, 2, 0],
    "supply": [5, 5, 0, 0],
    "meter": [20000, 60],
    "weather": [40, 2, 20, []],
    "fitted": ["wind"],
}
_STADIUM = {**_PLAIN, "watering": [1, _ZONES, [_PROGRAM, _MORNING], [], []]}


class GreensReport(NamedTuple):
    """Holds the figures of the green spaces at the end of a run. Minutes are summed over the zones."""

    spaces: int
    ml: int
    lost_ml: int
    drained_ml: int
    stress_min: int
    zone_min: int
    violations: tuple[str, ...]


class GreenSpace:
    """Holds one green space: the ports of its node, its pipes checked once a second while water flows."""

    def __init__(self, world: World, ports: GreenPorts, law: list[Forbidden]) -> None:
        self._world = world
        self._ports = ports
        self.site = ports.site
        self.checker = WaterChecker(self.site.pipes, law, powered_s=world.unix_s)
        self.burst_s: int | None = None
        self._is_watched = False
        self._drought: list[Forbidden] = []
        self._dry: list[Forbidden] = []
        self._law = law

    # --- as simulator.hosts.ports.Ports -------------------------------------------------------------------------------

    def power_on(self) -> None:
        self._settle()
        self._ports.safe()
        self.checker.power(self._world.unix_s)

    def power_off(self) -> None:
        self._settle()
        self._ports.safe()
        self.checker.power(None)

    def apply(self, outputs: Any, *, now_ms: int) -> int | None:
        self._settle()
        self._ports.apply(outputs, now_ms=now_ms)
        if not self._is_watched and self.site.pipes.flow_ml_min():
            self._is_watched = True
            self._world.after(_WATCH_MS, self._watch)
        return now_ms + 10 if self._ports.pulsing() else None

    def read(self) -> dict[int, int] | None:
        self._settle()
        return self._ports.read()

    # --- the world ----------------------------------------------------------------------------------------------

    def observe_record(self, data: bytes) -> None:
        """Accepts a record that the node made, at its true instant."""
        made = record.decode_payload(data)[0]
        if not isinstance(made.body, dict):
            self.checker.announced(self._world.unix_s, made.body.code, made.body.detail)

    def settle(self) -> None:
        self._settle()

    def order_drought(self, drought: list[Forbidden]) -> None:
        """Replaces the drought order by which the water is judged."""
        self._law[:] = [rule for rule in self._law if rule not in self._drought] + drought
        self._drought = drought

    def forbid(self, hours: Forbidden | None) -> None:
        """Adds hours that a person keeps dry; None: gives all such back."""
        if hours is not None:
            self._dry.append(hours)
            self._law.append(hours)
        else:
            self._law[:] = [rule for rule in self._law if rule not in self._dry]
            self._dry.clear()

    def _watch(self) -> None:
        self._settle()
        self.checker.check(self._world.unix_s)
        if self.burst_s is None and not self.site.pipes.burst.keys().isdisjoint(self.site.pipes.flowing()):
            self.burst_s = self._world.unix_s
        self._is_watched = self.site.pipes.flow_ml_min() > 0
        if self._is_watched:
            self._world.after(_WATCH_MS, self._watch)

    def _settle(self) -> None:
        self.site.advance(self._world.now_ms)


class Greens:
    """Holds the green spaces of a territory: build, then start.

    `spaces` and `hosts` have the same order. `drought`: the level that a prefect has ordered. `first`: the number of
    the first space, where this is a part of the territory.
    """

    def __init__(self, world: World, joining: Joining, climate: Climate, *, drought: int, first: int = 0) -> None:
        self._world = world
        self._drought = drought
        self._first = first
        self._joining = joining
        self._climate = climate
        self.spaces: list[GreenSpace] = []
        self.hosts: list[Any] = []
        self.stress_min = 0
        self.zone_min = 0
        self._by_node: dict[bytes, GreenSpace] = {}
        self.excused: set[bytes] = set()

    @property
    def numbers(self) -> range:
        """Returns the numbers in the territory of these green spaces, from 0."""
        return range(self._first, self._first + len(self.spaces))

    def build(self, gateway: GatewayHost, district: District, count: int, prng: Prng) -> None:
        """Builds the green spaces of one district."""
        for index in range(count):
            self._build_space(gateway, district, prng, is_park=index > 0)

    def start(self) -> None:
        for host in self.hosts:
            host.power_on()
        if self.spaces:
            self._world.every(600_000, self._count)

    def observe_record(self, node: bytes, data: bytes) -> None:
        """Passes a record that a node of ours has made to its checker."""
        if node in self._by_node:
            self._by_node[node].observe_record(data)

    @property
    def violations(self) -> list[str]:
        return [
            f"green {index + 1}: {text}"
            for index, space in enumerate(self.spaces, self._first)
            for text in space.checker.violations
        ]

    def break_pipe(self, index: int) -> None:
        """Breaks the first zone's pipe: it shows when water comes; its node must then shut it and report it."""
        space = self.spaces[index - self._first]
        space.settle()
        space.site.pipes.burst[1] = space.site.pipes.flows[0]

    def mend_pipe(self, index: int) -> None:
        space, node = self.spaces[index - self._first], self.hosts[index - self._first].settings.node
        space.settle()
        space.site.pipes.burst.clear()
        if space.burst_s is None or self._world.unix_s < space.burst_s + SOON_S:
            space.burst_s = None
            self.excused.add(node)

    def order_drought(self, level: int, gateway: GatewayHost) -> None:
        """Makes a prefect's order the law by which the water of a cabinet is judged."""
        for node in set(gateway.nodes) & self._by_node.keys():
            space = self._by_node[node]
            space.order_drought(drought_law(level, [plot.zone.use for plot in space.site.plots]))

    def order_hours(self, node: bytes, from_s: int, to_s: int) -> None:
        """Makes hours that a person keeps dry the law by which a node is judged, once it may have been told."""
        from_order_s = max(from_s, self._world.unix_s + _TOLD_S)
        if node in self._by_node:
            self._by_node[node].forbid(Forbidden(0, 0, 1440, from_order_s, to_s))

    def end_hours(self, node: bytes) -> None:
        if node in self._by_node:
            self._by_node[node].forbid(None)

    @property
    def expected(self) -> list[ExpectedAlarm]:
        """Returns the alarms of broken pipes that have run."""
        return [
            ExpectedAlarm(host.settings.node, event.PIPE_BURST, space.burst_s)
            for host, space in zip(self.hosts, self.spaces, strict=True)
            if space.burst_s is not None
        ]

    def settle(self) -> None:
        for space in self.spaces:
            space.settle()

    def used_ml(self) -> int:
        """Returns the water that the zones have received."""
        return sum(sum(space.site.pipes.zone_ul) // 1000 for space in self.spaces)

    def lost_ml(self) -> int:
        """Returns the water that came out of broken pipes."""
        return sum(space.site.pipes.lost_ul // 1000 for space in self.spaces)

    def flow_ml_min(self) -> int:
        return sum(space.site.pipes.flow_ml_min() for space in self.spaces)

    def drained_ml(self) -> int:
        """Returns the rain and irrigation that ran off or went deeper than roots."""
        return sum(
            (plot.drained_um + plot.run_off_um) * plot.zone.area_dm2 // 100
            for space in self.spaces
            for plot in space.site.plots
        )

    def report(self) -> GreensReport:
        return GreensReport(
            len(self.spaces),
            self.used_ml(),
            self.lost_ml(),
            self.drained_ml(),
            self.stress_min,
            self.zone_min,
            tuple(self.violations),
        )

    def figures(self) -> tuple[int, ...]:
        """Returns volumes and depletions for the digest, integers."""
        return tuple(
            value
            for space in self.spaces
            for value in (*space.site.pipes.zone_ul, *(plot.depletion_um for plot in space.site.plots))
        )

    def _build_space(self, gateway: GatewayHost, district: District, prng: Prng, *, is_park: bool) -> None:
        number = self._joining.next_number
        prng = prng.split(f"green-{number}")
        faults = Faults()
        plain = _PLAIN if is_park else _STADIUM
        own = irrigation.decode(faults, {**plain, "site": [district.latitude_e4, district.longitude_e4]})
        assert not faults.count(), faults.listed()
        zones = own.policy.zones
        pipes = Pipes(
            own.kinds,
            [prng.around(zone.flow_ml_min, zone.flow_ml_min // 20) for zone in zones],
            main_max=own.main_max_ml_min,
            pulse_ul=own.pulse_ul,
        )
        site = Site(zones, pipes, self._climate, prng.split("soil"), self._world.unix_s)
        law = [Forbidden(0, _OPEN_FROM_MIN, _OPEN_TO_MIN)] if is_park else []
        left = _season_so_far(site, prng.split("season"), self._world.unix_s)
        ports = GreenPorts(
            site, own.kinds, own.pulse_ms, battery_mv=CHARGED_MV, boost_mv=own.boost_mv, fitted=own.fitted
        )
        space = GreenSpace(self._world, ports, law)
        space.order_drought(drought_law(self._drought, [zone.use for zone in zones]))
        host = self._joining.join(gateway, irrigation, own, space, prng, memory=left)
        self.spaces.append(space)
        self.hosts.append(host)
        self._by_node[host.settings.node] = space

    def _count(self) -> None:
        """Counts ten minutes of stress for each zone whose plants take up less than they would."""
        for space in self.spaces:
            space.settle()
            self.stress_min += 10 * sum(plot.stressed() for plot in space.site.plots)
            self.zone_min += 10 * len(space.site.plots)


def _season_so_far(site: Site, prng: Prng, unix_s: int) -> bytes:
    """Begins in the middle of a season: each zone is somewhere about its trigger.

    The balance of its node is off by up to 10 %, as balances are. Returns the memory of the node.
    """
    zones = list(memory.empty().zones)
    for index, plot in enumerate(site.plots):
        plot.depletion_um = plot.readily_um * prng.between(600, 1000) // 1000
        believed_cmm = plot.depletion_um * prng.between(900, 1100) // 10_000
        zones[index] = zones[index]._replace(depletion_cmm=believed_cmm)
    yesterday = civil.local_from_unix(civil.PARIS, unix_s).civil_day - 1
    return memory.encode(memory.empty()._replace(zones=tuple(zones), closed_day=yesterday, rain_day=yesterday + 1))
