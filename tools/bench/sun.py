"""Compares sunrise and sunset at 32-bit floats with an independent ephemeris and a control that must fail.

The peer is NREL's Solar Position Algorithm as implemented by pvlib (±0.0003°). Its apparent right ascension,
declination and sidereal time are taken at the event itself, for the same convention as `policy.sun`: Earth's centre,
zenith distance 90.83° (34' refraction, 16' radius), no parallax. pvlib's own `transit_sunrise_sunset` (90.8333°, one
interpolation a day) is printed as well, as a check of this peer. The control is Spencer's series at 32 bits.

    python -m tools.bench.sun --json
"""

import json
from pathlib import Path

import numpy

from tools.bench.single_precision import load_double, load_single
from tools.command_line import add_json

SUN = Path(__file__).resolve().parents[2] / "firmware" / "policy" / "sun.py"
SPENCER = Path(__file__).resolve().parent / "sun_spencer.py"
bound_s = 2  # the lamp's requirement is 5 s; the worst over the whole century was 1.8 s
zenith_cdeg = 9083
delta_t_s = 69.0

# Town halls in 10^-4 degree: the corners of the country and its middle.
TOWNS = {
    "Lille": (506310, 30580),
    "Brest": (483904, -44861),
    "Strasbourg": (485734, 77521),
    "Lyon": (457640, 48357),
    "Bordeaux": (448378, -5792),
    "Nice": (437102, 72620),
}


def spa_times(days, latitude_e4, longitude_e4, zenith_cdeg=zenith_cdeg):
    """Returns rise and set in Unix seconds (float arrays) around each local noon of `days` (civil days), by SPA."""
    latitude, longitude = numpy.radians(latitude_e4 / 1e4), longitude_e4 / 1e4
    noon = numpy.asarray(days, dtype=float) * 86400 + 43200 - 240 * longitude
    events = []
    for side in (-1, 1):
        at = noon.copy()
        for _ in range(6):
            sidereal, ascension, declination = _spa_apparent(at)
            cosine = (numpy.cos(numpy.radians(zenith_cdeg / 100)) - numpy.sin(latitude) * numpy.sin(declination)) / (
                numpy.cos(latitude) * numpy.cos(declination)
            )
            wanted = side * numpy.degrees(numpy.arccos(cosine))
            missing = (wanted - (sidereal + longitude - ascension) + 180) % 360 - 180
            at = at + missing / 360 * 86400
        events.append(at)
    return events[0], events[1]


def _spa():
    """Returns NREL's algorithm; importing pvlib takes two seconds."""
    from pvlib import spa

    return spa


def _spa_apparent(at):
    result = _spa().solar_position(at, 0, 0, 0, 0, 0, delta_t_s, 0, 1, sst=True)
    return result[0], result[1], numpy.radians(result[2])


def pvlib_times(days, latitude_e4, longitude_e4):
    """Returns rise and set by pvlib's own routine, which fixes the zenith distance at 90.8333°."""
    midnights = numpy.asarray(days, dtype=float) * 86400
    _, rise, dusk = _spa().transit_sunrise_sunset(midnights, latitude_e4 / 1e4, longitude_e4 / 1e4, delta_t_s, 1)
    return rise, dusk


def errors_s(sun_times, days, place, reference):
    """Returns the signed errors in seconds, rises then sets."""
    ours = numpy.array([sun_times(int(day), place[0], place[1]) for day in days], dtype=float)
    return numpy.concatenate((ours[:, 0] - reference[0], ours[:, 1] - reference[1]))


def measure(days, towns, programs):
    """Returns the rows {town: {program: max |error| in s}}; `programs` maps a name to a `sun_times` function."""
    rows = {}
    for town, place in towns.items():
        reference = spa_times(days, *place)
        row = {name: _worst(errors_s(times, days, place, reference)) for name, times in programs.items()}
        peer = pvlib_times(days, *place)
        own = spa_times(days, place[0], place[1], zenith_cdeg=zenith_cdeg + 1 / 3)
        row["peer against pvlib's own"] = _worst(numpy.concatenate((own[0] - peer[0], own[1] - peer[1])))
        rows[town] = row
    return rows


def programs():
    """Returns the `sun_times` of the product at three precisions, and of the control."""
    return {
        "float32": load_single(SUN).sun_times,
        "float32, libm 2 ulp off": load_single(SUN, ulp=2).sun_times,
        "float64": load_double(SUN).sun_times,
        "Spencer float32": load_single(SPENCER).sun_times,
    }


def _worst(errors):
    return round(float(numpy.max(numpy.abs(errors))), 2)


_FROM_DAY = 20_454  # 2026-01-01


def add_arguments(parser):
    parser.add_argument("--days", type=int, default=1461, help="how many days (default four years)")
    parser.add_argument("--every", type=int, default=1, help="take every n-th day")
    add_json(parser)


def run(options):
    """Prints the errors; the exit status is 0 when ours stays within its bound and the control does not."""
    days = range(_FROM_DAY, _FROM_DAY + options.days, options.every)
    rows = measure(days, TOWNS, programs())
    product = max(row["float32"] for row in rows.values())
    control = min(row["Spencer float32"] for row in rows.values())
    passed = product <= bound_s < control
    if options.json:
        print(json.dumps({"days": len(days), "bound_s": bound_s, "max_error_s": rows, "passed": passed}, indent=1))
    else:
        names = list(next(iter(rows.values())))
        print(f"max error in s over {len(days)} days, rise and set: " + " | ".join(names))
        for town, row in rows.items():
            print(f"{town:12}" + " | ".join(f"{row[name]:8.2f}" for name in names))
    return 0 if passed else 1
