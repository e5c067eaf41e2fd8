"""Orders places as a person walks them: street by street, each from the nearer of its ends, the nearest street next.

It begins at the end of a street that lies farthest out, for a way that begins in the middle comes back through it. A
street's places follow its length. A place without a position comes after the others of its street, and a street without
any at the end. The order depends on the places alone: what is repaired on the way changes none of it. Pure.
"""

from collections import defaultdict
from collections.abc import Callable, Hashable, Sequence
from math import cos, dist, inf, radians
from typing import NamedTuple

Point = tuple[float, float]
_METRES_PER_DEGREE = 111_320


class Spot(NamedTuple):
    """Holds where one place is, in degrees; street None: in none, so that it is walked to by itself."""

    street: Hashable | None
    longitude: float | None
    latitude: float | None


def in_walking_order(spots: Sequence[Spot]) -> list[int]:
    """Returns the indices of the spots in the order in which they are walked."""
    at = _plane(spots)
    streets: dict[Hashable, list[int]] = defaultdict(list)
    for n, spot in enumerate(spots):
        streets[(n,) if spot.street is None else spot.street].append(n)
    lines = [_along([n for n in street if n in at], at.__getitem__) for street in streets.values()]
    unplaced = [[n for n in street if n not in at] for street in streets.values()]
    left = {n for n, line in enumerate(lines) if line}
    order: list[int] = []
    here = _outermost([at[end] for n in left for end in _ends(lines[n])], list(at.values()))
    while left:

        def way(n: int, here: Point = here) -> tuple[float, int]:
            return min(dist(here, at[end]) for end in _ends(lines[n])), n

        chosen = min(left, key=way)
        line = lines[chosen]
        if dist(here, at[line[-1]]) < dist(here, at[line[0]]):
            line = line[::-1]
        order += line + unplaced[chosen]
        here = at[line[-1]]
        left.remove(chosen)
    return order + [n for line, rest in zip(lines, unplaced, strict=True) if not line for n in rest]


def nearest_m(some: Sequence[Spot], others: Sequence[Spot]) -> float:
    """Returns the metres from the spots to the nearest of the others; infinite where one side has no position."""
    at = _plane([*some, *others])
    here, there = ([point for n, point in at.items() if (n < len(some)) is is_first] for is_first in (True, False))
    return min((_METRES_PER_DEGREE * dist(one, other) for one in here for other in there), default=inf)


def _plane(spots: Sequence[Spot]) -> dict[int, Point]:
    """Returns where the spots with a position are, in degrees of latitude both ways: enough to tell near from far."""
    narrows = next((cos(radians(one.latitude)) for one in spots if one.latitude is not None), 1.0)
    return {
        n: (one.longitude * narrows, one.latitude)
        for n, one in enumerate(spots)
        if one.longitude is not None and one.latitude is not None
    }


def _along(street: list[int], at: Callable[[int], Point]) -> list[int]:
    """Returns the places of a street along its length: the line from the outermost to the one farthest from that."""
    if len(street) < 3:
        return street
    x, y = _outermost([at(n) for n in street], [at(n) for n in street])
    to_x, to_y = max((at(n) for n in street), key=lambda point: dist((x, y), point))
    return sorted(street, key=lambda n: (at(n)[0] - x) * (to_x - x) + (at(n)[1] - y) * (to_y - y))


def _ends(line: list[int]) -> tuple[int, int]:
    return line[0], line[-1]


def _outermost(some: list[Point], points: list[Point]) -> Point:
    """Returns which of some lies farthest from the middle of all points."""
    count = max(1, len(points))
    middle = sum(x for x, _ in points) / count, sum(y for _, y in points) / count
    return max(some, key=lambda point: (dist(middle, point), point), default=middle)
