"""Computes sunrise, sunset and the sun's elevation, safely at 32-bit floats.

This is the only module of the package with floats, and no float leaves it. On the chip a float holds 24 bits: a Julian
Date there is quantised to a quarter of a day, a Unix time to two minutes. So time never becomes a float as a whole:
days since 2000-01-01 are an integer, the mean longitude and anomaly at 00:00 are reduced to one turn in integers, and
only the second of the day and small angles are floats. The equation of time is summed from small angles, never as the
difference of two large ones. The sun's position is computed at the event itself, by iteration.

Series: Meeus, Astronomical Algorithms, 2nd edition, chapter 25 (low precision), with the principal
perturbations of his Astronomical Formulae for Calculators, chapter 18, moved to J2000; equation of time by
chapter 28.

Conventions: Earth's centre, apparent place, no parallax; refraction and the sun's radius are in the zenith
distance (90.83° = 90° + 34' refraction + 16' radius). `elevation_cdeg` is the true elevation, without
refraction.

Good for the years 2000-2099 and latitudes below 65°. Against NREL's SPA, with 32-bit floats, in six French
towns: 1.4 s at worst over 2026-2029, 1.8 s over the century (`tools/bench/sun.py`).
"""

import math

sunset_zenith_cdeg = 9083

_EPOCH_DAY = 10957  # 2000-01-01 in days since 1970; J2000.0 is its noon
_TURN_NDEG = 360_000_000_000  # large angles are integers, in 10^-9 degree
_LONGITUDE_NDEG = 279_973_636_000  # mean longitude at 2000-01-01 00:00
_LONGITUDE_NDEG_PER_DAY = 985_647_360
_ANOMALY_NDEG = 357_036_310_000  # mean anomaly, likewise
_ANOMALY_NDEG_PER_DAY = 985_600_283
_DELTA_T_S = 69  # terrestrial minus universal time; ±20 s over the century moves an event by 0.05 s
# Mean sun of sidereal time (280.46062°) minus mean longitude (280.46646°), and its path during delta T.
_MEAN_SUN_DEG = -0.00584 - 0.00079
_RAD = 0.017453292
# Venus (twice), Jupiter, the Moon and a long term, as (amplitude, phase at J2000, degrees a century): without
# them an event is up to 3.5 s off.
_PERTURBATIONS = (
    (0.00134, 351.98, 22518.754),
    (0.00154, 254.08, 45037.508),
    (0.00200, 157.05, 32964.358),
    (0.00179, 207.85, 445267.11),
    (0.00178, 161.39, 20.2),
)
_ROUNDS = 3  # each round divides the error by more than 100; the first starts half a day off


def sun_times(unix_day, latitude_e4, longitude_e4):
    """Returns (rise_s, set_s) in Unix seconds, around the solar noon of the local date `unix_day` (days since 1970).

    Latitude north and longitude east in 10^-4 degree. An instant is None when the sun does not cross that zenith
    distance on that day.
    """
    return (
        crossing_s(unix_day, latitude_e4, longitude_e4, rising=True),
        crossing_s(unix_day, latitude_e4, longitude_e4, rising=False),
    )


def crossing_s(unix_day, latitude_e4, longitude_e4, *, rising):
    """Returns one of the two instants of `sun_times`, or None."""
    day = unix_day - _EPOCH_DAY
    means = _mean_angles(day)
    longitude = longitude_e4 / 10000
    latitude = latitude_e4 / 10000 * _RAD
    # cos of the zenith distance, written so that nothing cancels near 90°.
    target = -math.sin((sunset_zenith_cdeg - 9000) / 100 * _RAD)
    second = 43200 - 240 * longitude
    cosine = 0.0
    for _ in range(_ROUNDS):
        equation, sin_declination, cos_declination = _apparent(day, means, second)
        cosine = (target - math.sin(latitude) * sin_declination) / (math.cos(latitude) * cos_declination)
        half_arc = math.acos(min(1.0, max(-1.0, cosine))) / _RAD
        noon = 43200 - 240 * (longitude + equation)
        second = noon - 240 * half_arc if rising else noon + 240 * half_arc
    if not -1.0 < cosine < 1.0:
        return None
    return unix_day * 86400 + math.floor(second + 0.5)


def elevation_cdeg(unix_s, latitude_e4, longitude_e4):
    """Returns the true elevation of the sun's centre above the horizon, in 10^-2 degree, negative below."""
    unix_day, second = divmod(unix_s, 86400)
    day = unix_day - _EPOCH_DAY
    equation, sin_declination, cos_declination = _apparent(day, _mean_angles(day), second)
    hour_angle = ((second - 43200) / 240 + longitude_e4 / 10000 + equation) * _RAD
    latitude = latitude_e4 / 10000 * _RAD
    sin_latitude, cos_latitude = math.sin(latitude), math.cos(latitude)
    south = cos_declination * math.cos(hour_angle)
    up = sin_latitude * sin_declination + cos_latitude * south
    north = cos_latitude * sin_declination - sin_latitude * south
    west = cos_declination * math.sin(hour_angle)
    # An arc sine of `up` alone would lose half of the 24 bits near the zenith.
    elevation = math.atan2(up, math.sqrt(north * north + west * west)) / _RAD
    return math.floor(elevation * 100 + 0.5)


def _mean_angles(day):
    """Returns mean longitude and mean anomaly at 00:00 of `day` (days since 2000-01-01), in degrees within one turn;
    and the perturbation of the longitude in degrees, which hardly changes in a day.

    The products exceed 31 bits and so cost a few heap integers, but they are exact, and computed once a day."""
    longitude = (_LONGITUDE_NDEG + _LONGITUDE_NDEG_PER_DAY * day) % _TURN_NDEG
    anomaly = (_ANOMALY_NDEG + _ANOMALY_NDEG_PER_DAY * day) % _TURN_NDEG
    centuries = day / 36525
    perturbation = 0.0
    for amplitude, phase, rate in _PERTURBATIONS:
        perturbation = perturbation + amplitude * math.cos((phase + rate * centuries) * _RAD)
    return (longitude // 1000 / 1000000, anomaly // 1000 / 1000000, perturbation)


def _apparent(day, means, second):
    """Returns (equation of time in degrees, sine and cosine of the declination) at `second` of `day`."""
    centuries = day / 36525
    path = 0.98564736 * ((second + _DELTA_T_S) / 86400)
    anomaly = (means[1] + path) * _RAD
    centre = (
        (1.914602 - 0.004817 * centuries) * math.sin(anomaly)
        + 0.019993 * math.sin(2 * anomaly)
        + 0.000289 * math.sin(3 * anomaly)
    )
    node = (125.04 - 1934.136 * centuries) * _RAD
    nutation = -0.00478 * math.sin(node)
    # Apparent minus mean longitude: centre, planets and Moon, aberration, nutation.
    ahead = centre + means[2] - 0.00569 + nutation
    longitude = (means[0] + path + ahead) * _RAD
    obliquity = (23.439291 - 0.0130042 * centuries + 0.00256 * math.cos(node)) * _RAD
    # Right ascension minus longitude, directly: both are large, their difference is below 2.5°.
    tangent = math.tan(obliquity / 2)
    square = tangent * tangent
    reduction = math.atan2(square * math.sin(2 * longitude), 1 + square * math.cos(2 * longitude)) / _RAD
    equation = _MEAN_SUN_DEG - ahead + reduction + nutation * math.cos(obliquity)
    sin_declination = math.sin(obliquity) * math.sin(longitude)
    return (equation, sin_declination, math.sqrt(1 - sin_declination * sin_declination))
