"""Simulates the heated rooms of a territory: classrooms, offices and halls, their people, energy and comfort.

Knows plants and programme; of nodes only that they have mains. The mains of buildings are not cut by this story.
"""

from collections import defaultdict
from typing import Any, NamedTuple

from heating import model
from kinds import thermostat
from policy import civil, heating
from simulator.checkers.alarms import ExpectedAlarm, withdrawn
from simulator.checkers.rooms import EVERY_MS, Exceptional, RoomsChecker, WatchedRoom
from simulator.hosts.gateway import GatewayHost
from simulator.hosts.joining import Joining
from simulator.plants.building import CLASSROOM, OFFICE, TOWN_HALL, HeatedRoom, Room, RoomData
from simulator.plants.climate import Weather
from simulator.world.chance import Prng
from simulator.world.time import World
from wire import event

# There is comfort while a room in use lacks less than this: 0.01 K.
COMFORT_CK = 100
_START_CK = 1900

# Heated from mid-October to the end of April; the rest of the year a room is protected from frost.
_WORKDAYS = heating.Rule(0b0011111, 1015, 430, 0)


class Use(NamedTuple):
    """Describes the use of a room.

    `airing`: (minute of the day, minutes) with the window open while people are there.
    """

    word: str
    data: RoomData
    output: str
    span: heating.Span
    people: int
    airing: tuple[tuple[int, int], ...]


USES = (
    Use("classe", CLASSROOM, model.RELAY, heating.Span(510, 990, 0), 24, ((605, 10), (900, 10))),
    Use("mairie", TOWN_HALL, model.VALVE, heating.Span(540, 1050, 0), 4, ((545, 8),)),
    Use("bureau", OFFICE, model.RELAY, heating.Span(480, 1080, 0), 2, ((780, 10),)),
    Use("école", CLASSROOM, model.OPENTHERM, heating.Span(510, 990, 0), 20, ((605, 10), (720, 15))),
)

# A hall that is let is in use in the mornings of workdays, and in the hours that a referent orders.
HALL = Use("salle", TOWN_HALL, model.VALVE, heating.Span(540, 720, 0), 10, ())


class RoomsReport(NamedTuple):
    """Holds the figures of the rooms at the end of a run.

    Minutes are summed over the rooms; `blind_min`: of use without a thermometer, when 12 °C is all that a node must
    keep.
    """

    rooms: int
    used_min: int
    comfort_min: int
    wh: int
    violations: tuple[str, ...]
    blind_min: int = 0


class Heated(NamedTuple):
    """Holds one room with its ports, its use and its plan."""

    use: Use
    ports: HeatedRoom
    plan: heating.Plan


class Rooms:
    """Holds the rooms of a territory, or of its part from the room `first` on: build, then start.

    Figures grow every minute.
    """

    def __init__(self, world: World, joining: Joining, sky: Weather, *, first: int = 0) -> None:
        self._world = world
        self._joining = joining
        self._sky = sky
        self._first = first
        self.rooms: list[Heated] = []
        self.hosts: list[Any] = []
        self.checker = RoomsChecker([])
        self.used_min = 0
        self.comfort_min = 0
        self.blind_min = 0
        self.expected: list[ExpectedAlarm] = []
        self.excused: set[bytes] = set()
        self._ordered: dict[bytes, list[Exceptional]] = defaultdict(list)

    @property
    def numbers(self) -> range:
        """Returns the numbers in the territory of these rooms, from 0."""
        return range(self._first, self._first + len(self.rooms))

    def build(self, gateway: GatewayHost, count: int, prng: Prng) -> None:
        """Builds the rooms of one cabinet, of each use in turn."""
        for _ in range(count):
            self._build_room(gateway, USES[(self._first + len(self.rooms)) % len(USES)], prng)

    def build_hall(self, gateway: GatewayHost, prng: Prng) -> None:
        """Builds a hall for hire, after all other rooms."""
        self._build_room(gateway, HALL, prng)

    def start(self) -> None:
        """Gives the nodes mains for good; people come and go from here on."""
        self.checker = RoomsChecker(
            [
                WatchedRoom(
                    f"{one.use.word} {index + 1}",
                    one.ports.room,
                    _programme(one.use),
                    thermometer=one.ports.thermometer,
                    exceptions=self._ordered[host.settings.node],
                )
                for index, (one, host) in enumerate(zip(self.rooms, self.hosts, strict=True), self._first)
            ]
        )
        for host in self.hosts:
            host.power_on()
        if self.rooms:
            self._world.every(EVERY_MS, self._live)

    def lose_thermometer(self, index: int) -> None:
        """Silences the thermometer of a room, by its number in the territory, for good.

        Its node must report it, and still keep the room from harm.
        """
        self.rooms[index - self._first].ports.thermometer.absent = True
        node = self.hosts[index - self._first].settings.node
        self.expected.append(ExpectedAlarm(node, event.SENSOR_FAILURE, self._world.unix_s))

    def mend_thermometer(self, index: int) -> None:
        self.rooms[index - self._first].ports.thermometer.absent = False
        node = self.hosts[index - self._first].settings.node
        self.excused |= withdrawn(self.expected, node, now_s=self._world.unix_s)

    def order_hours(self, node: bytes, from_s: int, to_s: int) -> None:
        """Lets the checker expect that a person has ordered these hours of a room, and people come."""
        self._ordered[node].append((heating.ORDERED, from_s, to_s))

    def end_hours(self, node: bytes, at_s: int) -> None:
        """Ends all that was ordered of a room."""
        self._ordered[node][:] = [(word, from_s, min(to_s, at_s)) for word, from_s, to_s in self._ordered[node]]

    def settle(self) -> None:
        """Carries every plant forward to now."""
        for one in self.rooms:
            one.ports.settle()

    def energy_wh(self) -> int:
        return sum(one.ports.room.energy_wh() for one in self.rooms)

    def power_dw(self) -> int:
        return sum(10 * one.ports.room.drawn_w for one in self.rooms)

    def extremes_ck(self) -> tuple[int, int]:
        """Returns the coldest and the warmest room now; zeros without rooms."""
        airs = [one.ports.room.air_ck for one in self.rooms]
        return (min(airs), max(airs)) if airs else (0, 0)

    def report(self) -> RoomsReport:
        return RoomsReport(
            len(self.rooms),
            self.used_min,
            self.comfort_min,
            self.energy_wh(),
            tuple(self.checker.violations),
            self.blind_min,
        )

    def figures(self) -> tuple[int, ...]:
        """Returns temperatures and energies for the digest, integers."""
        return tuple(value for one in self.rooms for value in (one.ports.room.air_ck, one.ports.room.energy_wh()))

    def _build_room(self, gateway: GatewayHost, use: Use, prng: Prng) -> None:
        number = self._joining.next_number
        prng = prng.split(f"room-{number}")
        programme = _programme(use)
        made = model.default(use.output, programme=programme)._replace(heater_w=use.data.heater_w)
        room = Room(use.data, self._sky, start_ck=_START_CK + prng.between(-100, 100))
        has_contact = use.output != model.RELAY
        ports = HeatedRoom(room, made, prng.split("plant"), lambda: self._world.unix_s, contact=has_contact)
        own = thermostat.Own(made, None, ())
        self.hosts.append(self._joining.join(gateway, thermostat, own, ports, prng))
        self.rooms.append(Heated(use, ports, heating.Plan(programme, civil.PARIS)))

    def _live(self) -> None:
        unix_s = self._world.unix_s
        minute = civil.local_from_unix(civil.PARIS, unix_s).second // 60
        for one in self.rooms:
            one.ports.settle()
            room = one.ports.room
            in_use = one.plan.wanted(unix_s).kind == heating.OCCUPIED
            room.people = one.use.people if in_use else 0
            room.window_open = in_use and any(begin <= minute < begin + for_min for begin, for_min in one.use.airing)
            self.used_min += in_use
            self.blind_min += in_use and one.ports.thermometer.absent
            self.comfort_min += in_use and room.air_ck >= 1900 - COMFORT_CK
        self.checker.check(unix_s=unix_s)


def _programme(use: Use) -> heating.Programme:
    return heating.Programme((_WORKDAYS,), ((use.span,),), heating.DEFAULT_SETPOINTS, (), ())
