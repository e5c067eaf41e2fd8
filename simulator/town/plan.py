"""Draws a town for its cabinets: as many lights as they have, in streets, each street's lights on one feeder or two.

What it returns is in degrees of WGS84, so that it goes into a register as a commune's own would. The same seed gives
the same town.
"""

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from simulator.town import streets
from simulator.town.names import Names, short
from simulator.town.streets import SPACING_M, Line, Point, Street, beside, length_m
from simulator.world.chance import Prng

# A kerb: lights stand this far from the middle of the street, a cabinet behind them.
_KERB_M, _CABINET_M = 3.5, 6.0
_LIGHTS_APART_M = 6.0
_METRES_PER_DEGREE = 111_320
# Houses stand in rows this far from the middle of the street; never nearer to another street.
_HOUSE_EVERY_M, _HOUSE_AWAY_M, _HOUSE_M, _FREE_M = 17, 13.0, (5.5, 4.5), 8.5
_HOUSE_PERMILLE = 830
_HOUSES_APART_M = 13.0
# Halves of the sides of church, town hall and school, and of green spaces.
_PUBLIC, _PUBLIC_M = ("Église", "Mairie", "École"), ((16.0, 6.5), (11.0, 7.0), (14.0, 6.0))
_PUBLIC_FROM_M = 36.0
_GREENS = ("Stade", "Square du Lavoir", "Jardin du Presbytère", "Parc du Moulin", "Mail des Tilleuls")
_STADIUM_M, _GARDEN_M = (48.0, 32.0), (15.0, 10.0)
_RIVER_M, _RIVER_AWAY_M = 90, 45

Ring = tuple[Point, ...]


class Light(NamedTuple):
    """Describes where a light stands."""

    street: str
    at: Point


class FeederPlan(NamedTuple):
    """Describes a feeder by its name and its lights, in the order of the cable."""

    name: str
    lights: tuple[Light, ...]


class CabinetPlan(NamedTuple):
    """Describes where a cabinet stands and what hangs on it."""

    street: str
    at: Point
    feeders: tuple[FeederPlan, ...]

    @property
    def lights(self) -> tuple[Light, ...]:
        return tuple(light for feeder in self.feeders for light in feeder.lights)


class Building(NamedTuple):
    """Describes a building or a green space by its outline. `street`: where its door is; `at`: its middle."""

    name: str
    street: str
    at: Point
    outline: Ring

    @property
    def reach_m(self) -> float:
        """Returns the distance of its corners from its middle, while its points are in metres."""
        return math.dist(self.at, self.outline[0])


class Town(NamedTuple):
    """Holds a town in degrees of WGS84 (longitude, latitude)."""

    streets: tuple[tuple[str, Line], ...]
    cabinets: tuple[CabinetPlan, ...]
    houses: tuple[Ring, ...]
    church: Building
    hall: Building
    school: Building
    greens: tuple[Building, ...]
    river: Ring


class FeederWanted(NamedTuple):
    """Describes a feeder that a cabinet has; `name` None: it is called by its first street."""

    lights: int
    name: str | None = None


def draw(
    prng: Prng, *, latitude_e4: int, longitude_e4: int, cabinets: Sequence[Sequence[FeederWanted]], greens: int = 0
) -> Town:
    """Returns a town around a place, with these feeders in its cabinets and so many green spaces."""
    count = sum(feeder.lights for feeders in cabinets for feeder in feeders)
    names = Names(prng.split("names"))
    net = streets.lay(prng.split("streets"), names, metres=count * SPACING_M)
    lights = _lights(net.streets, count)
    plan = _Plan(prng, net)
    public = plan.public()
    made = _Made(tuple(_cabinets(lights, cabinets)), public, plan.greens(greens, public))
    houses = plan.houses([*public, *made.greens], [cabinet.at for cabinet in made.cabinets])
    return _placed(_Globe(latitude_e4 / 10_000, longitude_e4 / 10_000), net, made, houses, plan.river())


# --- lights and cabinets ------------------------------------------------------------------------------------------


def _lights(all_streets: Sequence[Street], count: int) -> list[Light]:
    """Spreads the lights over the streets by their lengths, those of the square first, then around the compass."""
    square, *others = all_streets
    ordered = [square, *sorted(others, key=_bearing)]
    total = sum(length_m(street.line) for street in ordered)
    found: list[Light] = []
    before = 0.0
    for street in ordered:
        length = length_m(street.line)
        first, last = round(count * before / total), round(count * (before + length) / total)
        before += length
        for index in range(last - first):
            # Wide streets have lights in turn on both sides, the square inside its edge.
            side = (-1) ** index if street.leaves else 1
            at_m = (index + 0.5) * length / (last - first)
            at = beside(street.line, at_m, side * _KERB_M)
            if any(math.dist(at, other.at) < _LIGHTS_APART_M for other in found):  # one at a corner serves both streets
                at = beside(street.line, at_m + 2 * _LIGHTS_APART_M, side * _KERB_M)
            found.append(Light(street.name, at))
    assert len(found) == count
    return found


def _bearing(street: Street) -> float:
    x, y = map(sum, zip(*street.line, strict=True))
    return math.atan2(y, x)


def _cabinets(lights: list[Light], wanted: Sequence[Sequence[FeederWanted]]):
    """Cuts the lights, in their order, into cabinets and feeders."""
    left = iter(lights)
    used: set[str] = set()
    for feeders in wanted:
        plans = []
        for feeder in feeders:
            mine = tuple(next(left) for _ in range(feeder.lights))
            name = feeder.name or _free(short(mine[len(mine) // 2].street), used)
            used.add(name)
            plans.append(FeederPlan(name, mine))
        points = [light.at for plan in plans for light in plan.lights]
        middle = (sum(x for x, _ in points) / len(points), sum(y for _, y in points) / len(points))
        near = min((light for plan in plans for light in plan.lights), key=lambda light: math.dist(light.at, middle))
        away = math.hypot(*near.at) or 1.0
        share = 1 + _CABINET_M / away
        yield CabinetPlan(near.street, (near.at[0] * share, near.at[1] * share), tuple(plans))


def _free(name: str, used: set[str]) -> str:
    number = 2
    free = name
    while free in used:
        free = f"{name} {number}"
        number += 1
    return free


# --- buildings ------------------------------------------------------------------------------------------------------


class _Made(NamedTuple):
    cabinets: tuple[CabinetPlan, ...]
    public: tuple[Building, ...]
    greens: tuple[Building, ...]


class _Plan:
    """Finds room for buildings between the streets."""

    def __init__(self, prng: Prng, net: streets.Net) -> None:
        self._prng = prng.split("buildings")
        self._net = net
        self._segments = [
            segment for street in net.streets for segment in pairwise(street.line)
        ]

    def public(self) -> tuple[Building, ...]:
        """Puts church, town hall and school near the square."""
        found: list[Building] = []
        for name, half in zip(_PUBLIC, _PUBLIC_M, strict=True):
            found.append(self._building(name, half, _PUBLIC_FROM_M, found))
        return tuple(found)

    def greens(self, count: int, others: Sequence[Building]) -> tuple[Building, ...]:
        """Puts the stadium outside, squares and gardens behind the first houses."""
        found: list[Building] = []
        for number in range(count):
            name = _GREENS[number] if number < len(_GREENS) else f"Jardin {number}"
            half, from_m = (_GARDEN_M, _PUBLIC_FROM_M) if number else (_STADIUM_M, 0.8 * self._net.reach_m)
            found.append(self._building(name, half, from_m, [*others, *found]))
        return tuple(found)

    def _building(self, name: str, half: tuple[float, float], from_m: float, others: Sequence[Building]) -> Building:
        """Returns a building at the first place from the centre outwards that is free of streets and of others."""
        size = math.hypot(*half)
        turn = self._prng.randrange(360)
        for step in range(0, 4000, 4):
            for turned in range(0, 360, 12):
                angle = math.radians(turn + turned)
                at = _polar(from_m + step, angle)
                to_river = math.cos(angle - self._net.river) * (from_m + step)
                is_dry = to_river + size < self._net.reach_m + _RIVER_AWAY_M
                if is_dry and self._is_free(at, size, [(other.at, size + other.reach_m) for other in others]):
                    nearest = min(self._net.streets[1:], key=lambda street: _away_line(at, street.line))
                    return Building(name, nearest.name, at, _outline(at, angle, half))
        raise AssertionError("the country is endless")

    def _is_free(self, at: Point, away_m: float, others: list[tuple[Point, float]]) -> bool:
        return all(math.dist(at, other) > free for other, free in others) and all(
            _away(at, *segment) > away_m for segment in self._segments
        )

    def houses(self, others: Sequence[Building], cabinets: Sequence[Point]) -> tuple[Ring, ...]:
        """Puts houses along all streets but the square, where no street and no other building is."""
        big = [(other.at, other.reach_m + _HOUSE_M[0]) for other in others]
        placed: dict[tuple[int, int], list[Point]] = {}
        for point in cabinets:
            placed.setdefault(_cell(point), []).append(point)
        found = []
        for street in self._net.streets[1:]:
            for step in range(int(length_m(street.line) // _HOUSE_EVERY_M)):
                for side in (-1, 1):
                    at_m = (step + 0.5) * _HOUSE_EVERY_M + self._prng.between(-3, 3)
                    at = beside(street.line, at_m, side * (_HOUSE_AWAY_M + self._prng.between(0, 4)))
                    if self._prng.chance(_HOUSE_PERMILLE) and self._fits(at, placed, big):
                        placed.setdefault(_cell(at), []).append(at)
                        way = streets.along(street.line, at_m)[1]
                        half = tuple(side_m + self._prng.between(-10, 15) / 10 for side_m in _HOUSE_M)
                        found.append(_outline(at, math.atan2(way[1], way[0]), (half[0], half[1])))
        return tuple(found)

    def _fits(self, at: Point, placed: dict[tuple[int, int], list[Point]], big: list[tuple[Point, float]]) -> bool:
        x, y = _cell(at)
        near = [point for dx in (-1, 0, 1) for dy in (-1, 0, 1) for point in placed.get((x + dx, y + dy), ())]
        return self._is_free(at, _FREE_M, [*big, *((point, _HOUSES_APART_M) for point in near)])

    def river(self) -> Ring:
        """Returns the river behind the last houses, as wide as a small one and longer than the town."""
        near, angle = self._net.reach_m + _RIVER_AWAY_M, self._net.river
        long = 4 * self._net.reach_m
        bank = [(near, -long), (near - 12, -long / 3), (near + 8, long / 4), (near - 5, long)]
        far = [(x + _RIVER_M, y) for x, y in reversed(bank)]
        cos, sin = math.cos(angle), math.sin(angle)
        ring = [(x * cos - y * sin, x * sin + y * cos) for x, y in (*bank, *far)]
        return (*ring, ring[0])


def _cell(point: Point) -> tuple[int, int]:
    return int(point[0] // 40), int(point[1] // 40)


def _polar(radius: float, angle: float) -> Point:
    return radius * math.cos(angle), radius * math.sin(angle)


def _outline(at: Point, angle: float, half: tuple[float, float]) -> Ring:
    (x, y), (cos, sin) = at, (math.cos(angle), math.sin(angle))
    corners = [(half[0] * i, half[1] * j) for i, j in ((1, 1), (-1, 1), (-1, -1), (1, -1), (1, 1))]
    return tuple((x + a * cos - b * sin, y + a * sin + b * cos) for a, b in corners)


def _away(at: Point, one: Point, other: Point) -> float:
    """Returns the distance of a point from a segment."""
    dx, dy = other[0] - one[0], other[1] - one[1]
    share = ((at[0] - one[0]) * dx + (at[1] - one[1]) * dy) / (dx * dx + dy * dy)
    share = min(1.0, max(0.0, share))
    return math.dist(at, (one[0] + share * dx, one[1] + share * dy))


def _away_line(at: Point, line: Line) -> float:
    return min(_away(at, one, other) for one, other in pairwise(line))


# --- to degrees -------------------------------------------------------------------------------------------------


class _Globe:
    """Turns metres around a place into degrees; 0.1 % of a kilometre is no matter to a plan."""

    def __init__(self, latitude: float, longitude: float) -> None:
        self._latitude, self._longitude = latitude, longitude
        self._east = _METRES_PER_DEGREE * math.cos(math.radians(latitude))

    def point(self, point: Point) -> Point:
        x, y = point
        return round(self._longitude + x / self._east, 7), round(self._latitude + y / _METRES_PER_DEGREE, 7)

    def line(self, line: Sequence[Point]) -> Ring:
        return tuple(map(self.point, line))

    def building(self, one: Building) -> Building:
        return one._replace(at=self.point(one.at), outline=self.line(one.outline))

    def cabinet(self, one: CabinetPlan) -> CabinetPlan:
        feeders = tuple(
            feeder._replace(lights=tuple(light._replace(at=self.point(light.at)) for light in feeder.lights))
            for feeder in one.feeders
        )
        return one._replace(at=self.point(one.at), feeders=feeders)


def _placed(globe: _Globe, net: streets.Net, made: _Made, houses: tuple[Ring, ...], river: Ring) -> Town:
    return Town(
        tuple((street.name, globe.line(street.line)) for street in net.streets),
        tuple(map(globe.cabinet, made.cabinets)),
        tuple(map(globe.line, houses)),
        *map(globe.building, made.public),
        tuple(map(globe.building, made.greens)),
        globe.line(river),
    )
