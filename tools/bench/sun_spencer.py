"""Computes sunrise and sunset by the method found on many web pages, as the control of the sun benchmark.

Spencer's Fourier series on the fractional year (1971), with the position computed once, at noon. It has the interface
of `policy.sun.sun_times`. It shows that the check of `tools.bench.sun` can fail; the product must not use it.
"""

import math

_RAD = 0.017453292


def sun_times(unix_day, latitude_e4, longitude_e4, zenith_cdeg=9083):
    """Returns (rise_s, set_s) in Unix seconds. It handles no polar day: the control is for temperate towns."""
    # Spencer's year starts on 1 January and has 365 days.
    day_of_year = unix_day - _year_start(unix_day)
    year = 6.2831853 * (day_of_year / 365)
    equation_min = 229.18 * (
        0.000075
        + 0.001868 * math.cos(year)
        - 0.032077 * math.sin(year)
        - 0.014615 * math.cos(2 * year)
        - 0.040849 * math.sin(2 * year)
    )
    declination = (
        0.006918
        - 0.399912 * math.cos(year)
        + 0.070257 * math.sin(year)
        - 0.006758 * math.cos(2 * year)
        + 0.000907 * math.sin(2 * year)
        - 0.002697 * math.cos(3 * year)
        + 0.00148 * math.sin(3 * year)
    )
    latitude = latitude_e4 / 10000 * _RAD
    cosine = math.cos(zenith_cdeg / 100 * _RAD) / (math.cos(latitude) * math.cos(declination))
    half_arc = math.acos(cosine - math.tan(latitude) * math.tan(declination)) / _RAD
    noon_min = 720 - 4 * (longitude_e4 / 10000) - equation_min
    rise = math.floor((noon_min - 4 * half_arc) * 60 + 0.5)
    dusk = math.floor((noon_min + 4 * half_arc) * 60 + 0.5)
    return (unix_day * 86400 + rise, unix_day * 86400 + dusk)


def _year_start(unix_day):
    """Returns the days from 1970 to 1 January of that year, 1972 to 2099."""
    rest = (unix_day - 730) % 1461  # 1972-01-01 opens a leap year
    return unix_day - (rest if rest < 366 else (rest - 366) % 365)
