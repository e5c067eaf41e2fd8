"""Turns the metres of French surveys into degrees: Lambert-93 and the nine conformal conics CC42 to CC50.

Communes keep their maps in them by law (decree 2006-272). RGF93 and WGS84 are the same within a metre, which is what a
lamp needs. The inverse of the Lambert conformal conic with two parallels on an ellipsoid: J. P. Snyder, Map
Projections, a Working Manual, USGS Professional Paper 1395 (1987), equations 15-1 to 15-11 and 7-9; parameters: EPSG
2154 and 3942 to 3950, GRS 1980.
"""

import math
from functools import cache
from typing import NamedTuple

WGS84 = 4326
# WGS84, RGF93 in its realisations, and ETRS89, in degrees: the same within a metre.
DEGREES = (WGS84, 4171, 9777, 9782, 9784, 4258)
_LAMBERT_93 = (2154, 9793, 9794)
_CC42 = 3942
_CONICS = (*_LAMBERT_93, *range(_CC42, _CC42 + 9))
NAMES = tuple(f"EPSG:{code}" for code in (WGS84, 2154, *range(_CC42, _CC42 + 9)))

_A_M = 6_378_137.0
_E2 = (2 - 1 / 298.257222101) / 298.257222101
_E = math.sqrt(_E2)
_CENTRAL_DEGREES = 3.0


class _Conic(NamedTuple):
    n: float
    scale_m: float
    pole_m: float
    east_m: float
    north_m: float


def code_of(name: object) -> int | None:
    """Returns the EPSG code in `EPSG:2154` or 2154; None for a system that is not known here."""
    text = str(name).upper().removeprefix("EPSG:")
    code = int(text) if text.isdecimal() else None
    return code if code in DEGREES or code in _CONICS else None


def degrees(code: int, x: float, y: float) -> tuple[float, float]:
    """Returns longitude and latitude of a position in the system `code` (as `code_of` gives it)."""
    if code in DEGREES:
        return x, y
    conic = _conic(code)
    east, north = x - conic.east_m, conic.pole_m - (y - conic.north_m)
    rho = math.hypot(east, north)
    theta = math.atan2(east, north)
    t = (rho / (_A_M * conic.scale_m)) ** (1 / conic.n)
    latitude = math.pi / 2 - 2 * math.atan(t)
    for _ in range(8):  # each round gains two digits and a half
        sine = _E * math.sin(latitude)
        latitude = math.pi / 2 - 2 * math.atan(t * ((1 - sine) / (1 + sine)) ** (_E / 2))
    return _CENTRAL_DEGREES + math.degrees(theta / conic.n), math.degrees(latitude)


def is_swapped(longitude: float, latitude: float) -> bool:
    """Returns whether this is metropolitan France with its axes exchanged, which is a place off Somalia."""
    return 41 <= longitude <= 52 and -6 <= latitude <= 10


@cache
def _conic(code: int) -> _Conic:
    if code in _LAMBERT_93:
        first, second, origin, east_m, north_m = 44.0, 49.0, 46.5, 700_000.0, 6_600_000.0
    else:
        origin = 42.0 + code - _CC42
        first, second = origin - 0.75, origin + 0.75
        east_m, north_m = 1_700_000.0, 200_000.0 + 1_000_000.0 * (code - _CC42 + 1)
    n = math.log(_m(first) / _m(second)) / math.log(_t(first) / _t(second))
    scale = _m(first) / (n * _t(first) ** n)
    return _Conic(n, scale, _A_M * scale * _t(origin) ** n, east_m, north_m)


def _m(latitude: float) -> float:
    phi = math.radians(latitude)
    return math.cos(phi) / math.sqrt(1 - _E2 * math.sin(phi) ** 2)


def _t(latitude: float) -> float:
    phi = math.radians(latitude)
    sine = _E * math.sin(phi)
    return math.tan(math.pi / 4 - phi / 2) / ((1 - sine) / (1 + sine)) ** (_E / 2)
