"""Lays the streets of a town: a square, streets that leave it, rings that join them, ends that lead nowhere.

The net is polar, moved a little at each corner, then stretched and bent by a smooth map, which makes no new crossing:
so streets meet at corners only, and it looks grown. It takes streets from the centre outwards until there are metres
enough for the lights. Metres east and north of the centre.
"""

import math
from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from simulator.town.names import MAIN_STREET, PORT_STREET, SQUARE, Names
from simulator.world.chance import Prng

Point = tuple[float, float]
Line = tuple[Point, ...]

# Lights of a village stand 25 to 35 m apart; streets are taken until the lights stand this near.
SPACING_M = 30
_SQUARE_M = (23.0, 16.0)  # half of its sides
_FIRST_RING_M, _NEXT_RING_M = 96.0, 104.0
_LEAVING = 5
_TAIL_M = (35, 80)
_ENDING_IN_TEN = 3  # so many of ten arcs beyond the first ring end half way
# The land: a town is longer than wide, and its streets bend by so much over such lengths. Less than one radian of
# phase a bend keeps the map without folds.
_STEP_M = 24
_LONG_PERMILLE, _WIDE_PERMILLE = (1080, 1300), (740, 880)
_BEND_M, _BEND_LENGTH_M = 26.0, 430.0
_SQUARE_UNTIL_M, _LAND_FROM_M = 30.0, 150.0


class Street(NamedTuple):
    """Describes a street by its name and its line. `leaves`: it leads out of the centre."""

    name: str
    line: Line
    leaves: bool = False


class Net(NamedTuple):
    """Holds the streets, the square first; `river`: the direction of the river, and how far the last corner is."""

    streets: tuple[Street, ...]
    river: float
    reach_m: float


class _Arc(NamedTuple):
    """Describes a part of a ring, from a corner to the next; its street takes whole runs of them."""

    ring: int
    index: int
    line: Line
    ends: bool


def lay(prng: Prng, names: Names, *, metres: float) -> Net:
    """Returns streets of so many metres together."""
    corners = _Corners(prng.split("corners"))
    length = 2 * 2 * sum(_SQUARE_M) + _LEAVING * sum(_TAIL_M) / 2
    leaving: dict[tuple[int, int], list[Point]] = {}
    arcs: list[_Arc] = []
    ring = 0
    while not ring or length < metres:
        ring += 1
        for number in range(corners.count(ring)):
            length += _extend(leaving, corners, ring, number)
        around = prng.split(f"ring-{ring}")
        for arc in _shuffled(around, _arcs(corners, ring, around)):
            if length >= metres:
                break
            arcs.append(arc)
            length += length_m(arc.line)
    river = corners.angle(1, prng.split("river").randrange(_LEAVING))
    streets = [Street(SQUARE, corners.square()), *_leaving(leaving, corners, ring, prng, names, river)]
    streets += _around(arcs, corners, names)
    land = _Land(prng.split("land"), towards=river)
    lines = [tuple(map(land.at, _fine(street.line))) for street in streets]
    scale = metres / sum(map(length_m, lines))
    laid = tuple(
        street._replace(line=tuple((scale * x, scale * y) for x, y in line))
        for street, line in zip(streets, lines, strict=True)
    )
    return Net(laid, river, max(math.hypot(*point) for street in laid for point in street.line))


def length_m(line: Line) -> float:
    return sum(math.dist(one, other) for one, other in pairwise(line))


def along(line: Line, at_m: float) -> tuple[Point, Point]:
    """Returns the point of a line after so many metres, and its direction there (length 1)."""
    for one, other in pairwise(line):
        step = math.dist(one, other)
        if at_m <= step or other is line[-1]:
            way = ((other[0] - one[0]) / step, (other[1] - one[1]) / step)
            return (one[0] + way[0] * at_m, one[1] + way[1] * at_m), way
        at_m -= step
    raise ValueError("a line has two points")


def beside(line: Line, at_m: float, offset_m: float) -> Point:
    """Returns the point that lies so far to the left of a line."""
    (x, y), (dx, dy) = along(line, at_m)
    return x - dy * offset_m, y + dx * offset_m


# --- inside -----------------------------------------------------------------------------------------------------


class _Land:
    """Moves points as the land would have made streets run: stretched along the river, bent; the square stays."""

    def __init__(self, prng: Prng, *, towards: float) -> None:
        self._cos, self._sin = math.cos(towards), math.sin(towards)
        self._wide = prng.between(*_WIDE_PERMILLE) / 1000
        self._long = prng.between(*_LONG_PERMILLE) / 1000
        self._phases = [prng.randrange(6283) / 1000 for _ in range(4)]

    def at(self, point: Point) -> Point:
        x, y = point
        share = (math.hypot(x, y) - _SQUARE_UNTIL_M) / (_LAND_FROM_M - _SQUARE_UNTIL_M)
        share = min(1.0, max(0.0, share))
        share *= share * (3 - 2 * share)
        along, across = x * self._cos + y * self._sin, y * self._cos - x * self._sin
        along, across = along * self._wide, across * self._long
        turn = math.tau / _BEND_LENGTH_M
        one, two, three, four = self._phases
        bent_along = _BEND_M * (math.sin(turn * across + one) + 0.5 * math.sin(1.7 * turn * across + two))
        bent_across = _BEND_M * (math.sin(turn * along + three) + 0.5 * math.sin(1.3 * turn * along + four))
        along, across = along + bent_along, across + bent_across
        moved = along * self._cos - across * self._sin, along * self._sin + across * self._cos
        return x + share * (moved[0] - x), y + share * (moved[1] - y)


def _fine(line: Line) -> Iterator[Point]:
    """Returns the points of a line with more of them in between, for it will be bent."""
    for (x0, y0), (x1, y1) in pairwise(line):
        parts = max(1, round(math.dist((x0, y0), (x1, y1)) / _STEP_M))
        for part in range(parts):
            yield x0 + (x1 - x0) * part / parts, y0 + (y1 - y0) * part / parts
    yield line[-1]


class _Corners:
    """Knows where streets cross: ring and number in the ring, drawn once each. Ring 0 is the edge of the square."""

    def __init__(self, prng: Prng) -> None:
        self._prng = prng
        self._turn = prng.randrange(6283) / 1000
        self._tilt = self._turn + 0.3
        self._known: dict[tuple[int, int], tuple[float, float]] = {}

    def count(self, ring: int) -> int:
        """Returns the corners of a ring: twice as many at the rings 2, 4, 8 ..., so that blocks keep their size."""
        return _LEAVING << max(ring, 1).bit_length() - 1

    def angle(self, ring: int, number: int) -> float:
        return self._polar(ring, number % self.count(ring))[0] + math.tau * (number // self.count(ring))

    def at(self, ring: int, number: int) -> Point:
        angle, radius = self._polar(ring, number % self.count(ring))
        return radius * math.cos(angle), radius * math.sin(angle)

    def edge(self, number: int) -> Point:
        """Returns where a street leaves the square."""
        angle = self._polar(1, number)[0] - self._tilt
        x, y = math.cos(angle), math.sin(angle)
        far = min(_SQUARE_M[0] / max(abs(x), 1e-9), _SQUARE_M[1] / max(abs(y), 1e-9))
        return self._tilted(far * x, far * y)

    def square(self) -> Line:
        x, y = _SQUARE_M
        return tuple(self._tilted(*point) for point in ((x, y), (-x, y), (-x, -y), (x, -y), (x, y)))

    def between(self, ring: int, number: int, bow: float) -> Point:
        """Returns the middle between a corner and the next of its ring, by angle and distance."""
        angle = (self.angle(ring, number) + self.angle(ring, number + 1)) / 2
        near, far = self._polar(ring, number)[1], self._polar(ring, (number + 1) % self.count(ring))[1]
        return bow * (near + far) / 2 * math.cos(angle), bow * (near + far) / 2 * math.sin(angle)

    def _polar(self, ring: int, number: int) -> tuple[float, float]:
        known = self._known.get((ring, number))
        if known is None:
            prng = self._prng.split(f"{ring}-{number}")
            step = math.tau / self.count(ring)
            inner = self.count(max(1, ring - 1))
            if ring == 1:
                angle = self._turn + step * (number + prng.between(-260, 260) / 1000)
            elif inner == self.count(ring):
                angle = self.angle(ring - 1, number) + step * prng.between(-110, 110) / 1000
            elif number % 2 == 0:
                angle = self.angle(ring - 1, number // 2) + step * prng.between(-90, 90) / 1000
            else:
                angle = (self.angle(ring - 1, number // 2) + self.angle(ring - 1, number // 2 + 1)) / 2
                angle += step * prng.between(-120, 120) / 1000
            radius = (_FIRST_RING_M + _NEXT_RING_M * (ring - 1)) * (1 + prng.between(-160, 160) / 1000 / ring)
            known = self._known[ring, number] = (angle, radius)
        return known

    def _tilted(self, x: float, y: float) -> Point:
        cos, sin = math.cos(self._tilt), math.sin(self._tilt)
        return x * cos - y * sin, x * sin + y * cos


def _extend(leaving: dict[tuple[int, int], list[Point]], corners: _Corners, ring: int, number: int) -> float:
    """Leads the street of a corner one ring further, or begins it there; returns the metres that this adds.

    A street is known by the ring and the number with which it begins.
    """
    begin = (ring, number)
    while begin[0] > 1 and (corners.count(begin[0] - 1) == corners.count(begin[0]) or begin[1] % 2 == 0):
        halves = corners.count(begin[0] - 1) != corners.count(begin[0])
        begin = (begin[0] - 1, begin[1] // 2 if halves else begin[1])
    line = leaving.setdefault(begin, [corners.edge(number)] if begin[0] == 1 and ring == 1 else [])
    line.append(corners.at(ring, number))
    return math.dist(*line[-2:]) if len(line) > 1 else 0.0


def _arcs(corners: _Corners, ring: int, prng: Prng) -> Iterator[_Arc]:
    for number in range(corners.count(ring)):
        ends = ring > 1 and prng.randrange(10) < _ENDING_IN_TEN
        middle = corners.between(ring, number, 1 + prng.between(-30, 60) / 1000)
        line = (corners.at(ring, number), middle, corners.at(ring, number + 1))
        yield _Arc(ring, number, line[:2] if ends else line, ends)


def _shuffled(prng: Prng, arcs: Iterator[_Arc]) -> list[_Arc]:
    """Returns the arcs of a ring from one of them on, so that an unfinished ring is open at one side."""
    found = list(arcs)
    first = prng.randrange(len(found))
    return found[first:] + found[:first]


def _leaving(leaving, corners, last, prng: Prng, names: Names, river: float) -> Iterator[Street]:
    """Returns the streets that leave the centre; those of the first ring go on into the country, but for the river."""
    main = next(number for number in range(_LEAVING) if corners.angle(1, number) != river)
    for (ring, number), points in leaving.items():
        if ring == 1:
            is_port = corners.angle(1, number) == river
            name = PORT_STREET if is_port else MAIN_STREET if number == main else names.street("outward")
            tail = _TAIL_M[0] // 2 if is_port else prng.split(f"tail-{number}").between(*_TAIL_M)
            points.append(_further(points[-2:], tail))
        else:
            name = names.street("outward")
        if len(points) > 1:
            yield Street(name, tuple(points), leaves=True)


def _further(points: list[Point], metres: float) -> Point:
    (x0, y0), (x1, y1) = points
    share = metres / math.dist(*points)
    return x1 + (x1 - x0) * share, y1 + (y1 - y0) * share


def _around(arcs: list[_Arc], corners: _Corners, names: Names) -> Iterator[Street]:
    """Joins arcs that follow each other to streets of two or three; an arc that ends half way is a street by itself."""
    by_ring: dict[int, list[_Arc]] = defaultdict(list)
    for arc in arcs:
        by_ring[arc.ring].append(arc)
    for ring, ringed in by_ring.items():
        run: list[_Arc] = []
        for arc in ringed:
            follows = run and arc.index == (run[-1].index + 1) % corners.count(ring)
            if run and (arc.ends or not follows or len(run) == 3):
                yield _street(run, names)
                run = []
            if arc.ends:
                yield Street(names.street("ending"), arc.line)
            else:
                run.append(arc)
        if run:
            yield _street(run, names)


def _street(run: list[_Arc], names: Names) -> Street:
    points = [run[0].line[0]]
    for arc in run:
        points += arc.line[1:]
    return Street(names.street("around"), tuple(points))
