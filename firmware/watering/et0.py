"""Computes the reference evapotranspiration of a day by FAO-56, safe at 32-bit floats.

This is the only module of the package with floats, and none leaves the functions that the trade calls (`penman_cmm`,
`hargreaves_cmm`). Equation numbers are those of Allen, Pereira, Raes, Smith: Crop evapotranspiration, FAO Irrigation
and Drainage Paper 56 (1998), daily form: soil heat flux 0. No term loses digits at 24 bits: the only large number is
the fourth power of an absolute temperature, which is computed from T/100.

These two functions check their input. Impossible weather (minimum above maximum, humidity beyond 100 %, 60 °C) gives
None, and `watering.weather` uses the next rung of its ladder. Wind has a floor, radiation its clear-sky ceiling,
and the result lies in 0 to 12 mm a day, the range of metropolitan France.
"""

import math

from watering import limits

_RAD = 0.017453292
_PI = 3.1415927
_SOLAR = 0.0820  # MJ m-2 min-1
_ALBEDO = 0.23
# Stefan-Boltzmann, MJ K-4 m-2 day-1, for a temperature in hundreds of kelvin.
_STEFAN = 0.4903


def saturation_kpa(temperature):
    """Computes FAO-56 equation 11: saturation vapour pressure over water at `temperature` °C."""
    return 0.6108 * math.exp(17.27 * temperature / (temperature + 237.3))


def slope_kpa(temperature):
    """Computes FAO-56 equation 13: slope of that curve, kPa/°C."""
    shifted = temperature + 237.3
    return 4098 * saturation_kpa(temperature) / (shifted * shifted)


def pressure_kpa(altitude_m):
    """Computes FAO-56 equation 7: atmospheric pressure."""
    return 101.3 * math.pow((293 - 0.0065 * altitude_m) / 293, 5.26)


def psychrometric_kpa(pressure):
    """Computes FAO-56 equation 8: the psychrometric constant, kPa/°C."""
    return 0.000665 * pressure


def vapour_kpa(minimum, maximum, humidity_min, humidity_max):
    """Computes FAO-56 equation 17: actual vapour pressure, relative humidity in %."""
    return (saturation_kpa(minimum) * humidity_max + saturation_kpa(maximum) * humidity_min) / 200


def sun_day(day_of_year, latitude_e4):
    """Returns (Ra in MJ m-2 day-1, daylight in hours) by equations 21 to 25 and 34."""
    angle = 2 * _PI * day_of_year / 365
    distance = 1 + 0.033 * math.cos(angle)
    declination = 0.409 * math.sin(angle - 1.39)
    latitude = latitude_e4 / 10000 * _RAD
    half_day = math.acos(min(1.0, max(-1.0, -math.tan(latitude) * math.tan(declination))))
    up = half_day * math.sin(latitude) * math.sin(declination)
    across = math.cos(latitude) * math.cos(declination) * math.sin(half_day)
    return (1440 / _PI * _SOLAR * distance * (up + across), 24 / _PI * half_day)


def clear_sky(radiation_top, altitude_m):
    """Computes FAO-56 equation 37: Rso in MJ m-2 day-1."""
    return (0.75 + 0.00002 * altitude_m) * radiation_top


def net_longwave(minimum, maximum, vapour, relative):
    """Computes FAO-56 equation 39: Rnl in MJ m-2 day-1; `relative` is Rs/Rso."""
    hot = (maximum + 273.16) / 100
    cold = (minimum + 273.16) / 100
    black = _STEFAN * (hot * hot * hot * hot + cold * cold * cold * cold) / 2
    return black * (0.34 - 0.14 * math.sqrt(vapour)) * (1.35 * relative - 0.35)


def net_radiation(minimum, maximum, vapour, radiation, clear):
    """Computes FAO-56 equations 38 to 40: Rn in MJ m-2 day-1 from Rs and Rso.

    Rs/Rso is held to 0.3 to 1: below it, by equation 39, the sky would warm the ground.
    """
    relative = min(1.0, max(0.3, radiation / clear))
    return (1 - _ALBEDO) * radiation - net_longwave(minimum, maximum, vapour, relative)


def wind_at_2m(speed, height_m):
    """Computes FAO-56 equation 47: m/s at 2 m from a wind measured at `height_m`."""
    return speed * 4.87 / math.log(67.8 * height_m - 5.42)


def penman_mm(mean, energy, wind, deficit, psychrometric):
    """Computes FAO-56 equation 6: ET0 in mm.

    `mean` °C, `energy` Rn - G in MJ m-2 day-1, `wind` m/s at 2 m, `deficit` es - ea in kPa.
    """
    slope = slope_kpa(mean)
    aerodynamic = psychrometric * 900 / (mean + 273) * wind * deficit
    return (0.408 * slope * energy + aerodynamic) / (slope + psychrometric * (1 + 0.34 * wind))


def hargreaves_mm(minimum, maximum, radiation_top):
    """Computes FAO-56 equation 52: ET0 in mm by Hargreaves."""
    mean = (minimum + maximum) / 2
    return 0.0023 * (mean + 17.8) * math.sqrt(maximum - minimum) * 0.408 * radiation_top


def swing_radiation(minimum, maximum, radiation_top):
    """Computes FAO-56 equation 50: Rs in MJ m-2 day-1 from the day's swing of temperature; no board measures it.

    A clear sky warms by day and cools by night. kRs is that of inland places.
    """
    return 0.16 * math.sqrt(maximum - minimum) * radiation_top


def penman_cmm(day_of_year, site, air, humidity, wind_dms):
    """Returns the ET0 of a day in 0.01 mm by Penman-Monteith, or None for impossible weather.

    `site`: (latitude 10^-4 degree, altitude m, height of the anemometer m); `air` and `humidity`: (minimum, maximum)
    in 0.01 °C and 0.1 %; `wind_dms`: mean in 0.1 m/s. The radiation is that of equation 50.
    """
    if not _air_sound(air) or not 0 <= humidity[0] <= humidity[1] <= 1000:
        return None
    if not 0 <= wind_dms <= limits.WIND_DMS_MAX:
        return None
    minimum, maximum = air[0] / 100, air[1] / 100
    top = sun_day(day_of_year, site[0])[0]
    clear = clear_sky(top, site[1])
    if not clear > 0:
        return None
    radiation = min(swing_radiation(minimum, maximum, top), clear)
    vapour = vapour_kpa(minimum, maximum, humidity[0] / 10, humidity[1] / 10)
    deficit = (saturation_kpa(minimum) + saturation_kpa(maximum)) / 2 - vapour
    wind = max(0.5, wind_at_2m(wind_dms / 10, site[2]))
    energy = net_radiation(minimum, maximum, vapour, radiation, clear)
    mean = (minimum + maximum) / 2
    return _bounded(penman_mm(mean, energy, wind, max(0.0, deficit), psychrometric_kpa(pressure_kpa(site[1]))))


def hargreaves_cmm(day_of_year, latitude_e4, air):
    """Returns the ET0 of a day in 0.01 mm by Hargreaves, or None for impossible weather. `air` as in `penman_cmm`."""
    if not _air_sound(air):
        return None
    top = sun_day(day_of_year, latitude_e4)[0]
    return _bounded(hargreaves_mm(air[0] / 100, air[1] / 100, top))


def _air_sound(air):
    return limits.AIR_CK_MIN <= air[0] <= air[1] <= limits.AIR_CK_MAX


def _bounded(millimetres):
    return min(limits.ET0_CMM_MAX, max(0, math.floor(millimetres * 100 + 0.5)))
