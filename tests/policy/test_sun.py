"""Sunrise, sunset and elevation at the chip's 32-bit floats, against NREL's SPA; the popular series must fail
here.

The days are a sample (every 8th of four years, and whole years at both ends of the range); all days are in
`bocage bench sun`."""

import runpy
from pathlib import Path

import numpy
import pytest

from policy import sun
from tools.bench import sun as bench
from tools.bench.single_precision import load_double, load_single

DAYS = range(20454, 20454 + 1461, 8)
PORTABLE = Path(__file__).parents[1] / "portable"


@pytest.fixture(scope="module")
def single():
    return load_single(bench.SUN, ulp=2)


def test_the_single_precision_loader_rounds_like_the_chip(tmp_path):
    source = tmp_path / "probe.py"
    source.write_text(
        "import math\njulian_date = 2461041.1 + 0\nunix = 1767225601 / 1\nthird = 1 / 3\nsine = math.sin(1)\n"
    )
    probe = load_single(source)
    assert probe.julian_date == 2461041.0
    assert probe.unix == 1767225600
    assert 0 < abs(float(probe.third) - 1 / 3) < 2**-25
    assert type(probe.sine) is numpy.float32
    assert load_double(source).third == 1 / 3


def worst(sun_times, town, days, **options):
    place = bench.TOWNS[town]
    return float(
        numpy.max(numpy.abs(bench.errors_s(sun_times, days, place, bench.spa_times(days, *place, **options))))
    )


@pytest.mark.parametrize("town", bench.TOWNS)
def test_at_32_bits_every_event_is_within_the_bound_of_spa(single, town):
    assert worst(single.sun_times, town, DAYS) <= bench.bound_s


@pytest.mark.parametrize("town", bench.TOWNS)
def test_the_popular_series_fails_the_same_check(town):
    assert worst(load_single(bench.SPENCER).sun_times, town, DAYS) > bench.bound_s


@pytest.mark.parametrize("first_day", [10957, 47481 - 365])
def test_the_bound_holds_at_both_ends_of_the_century(single, first_day):
    assert worst(single.sun_times, "Strasbourg", range(first_day, first_day + 365, 5)) <= bench.bound_s


def test_32_bits_cost_less_than_a_second(single):
    for place in bench.TOWNS.values():
        for day in DAYS[::8]:
            for ours, reference in zip(
                single.sun_times(day, *place), sun.sun_times(day, *place), strict=True
            ):
                assert abs(ours - reference) <= 1


def test_the_peer_agrees_with_pvlibs_own_sunrise():
    place = bench.TOWNS["Lyon"]
    ours = bench.spa_times(DAYS, *place, zenith_cdeg=90.8333 * 100)
    theirs = bench.pvlib_times(DAYS, *place)
    assert numpy.max(numpy.abs(numpy.concatenate(ours) - numpy.concatenate(theirs))) < 0.5


@pytest.mark.parametrize("town", ["Lille", "Nice"])
def test_elevation_is_within_two_hundredths_of_a_degree(single, town):
    place = bench.TOWNS[town]
    from pvlib import spa  # not at the top: every process of a run would import it, for two seconds

    instants = numpy.arange(1767225600, 1767225600 + 86400 * 365, 86400 + 4321 * 3)
    # True elevation, sea level, no refraction; SPA's is topocentric: parallax is below 0.0025°.
    table = spa.solar_position(
        instants.astype(float), place[0] / 1e4, place[1] / 1e4, 0, 0, 10, bench.delta_t_s, 0, 1
    )
    ours = numpy.array([single.elevation_cdeg(int(instant), *place) for instant in instants])
    assert numpy.max(numpy.abs(ours - table[2] * 100)) <= 2


def test_elevation_near_the_zenith_keeps_its_digits(single):
    # La Réunion in mid-January: the sun passes within a degree of the zenith.
    place = (-208823, 554504)
    days = range(20454, 20500)
    for day in days:
        noon = sum(sun.sun_times(day, *place)) // 2
        for unix_s in range(noon - 600, noon + 601, 300):
            assert abs(single.elevation_cdeg(unix_s, *place) - sun.elevation_cdeg(unix_s, *place)) <= 1


def test_the_elevation_at_sunset_is_that_of_the_zenith_distance():
    for place in bench.TOWNS.values():
        for instant in sun.sun_times(20600, *place):
            assert abs(sun.elevation_cdeg(instant, *place) - (9000 - sun.sunset_zenith_cdeg)) <= 1


@pytest.mark.parametrize("longitude_e4", [-1495700, -610000, 0, 554504, 1664500])
def test_events_surround_the_noon_of_the_local_date(longitude_e4):
    for day in (20454, 20544, 20635):
        rise, dusk = sun.sun_times(day, -175350, longitude_e4)
        noon = day * 86400 + 43200 - longitude_e4 * 240 // 10000
        assert rise < noon < dusk
        assert abs((rise + dusk) // 2 - noon) < 1200


def test_where_the_sun_does_not_cross_there_is_no_event():
    tromso = (696492, 189553)
    assert sun.sun_times(20454, *tromso) == (None, None)
    assert sun.sun_times(20625, *tromso) == (None, None)
    assert (
        sun.elevation_cdeg(20454 * 86400 + 39600, *tromso)
        < 0
        < sun.elevation_cdeg(20625 * 86400 + 82800, *tromso)
    )


@pytest.mark.parametrize("script", ["policy_sun.py", "policy_lighting.py"])
def test_a_portable_script_samples_nothing_on_a_rounding_edge(script, capsys, monkeypatch):
    runpy.run_path(str(PORTABLE / script))
    double = capsys.readouterr().out
    for seed in range(3):
        nudged = load_single(bench.SUN, ulp=2, seed=seed)
        for name in ("sun_times", "crossing_s", "elevation_cdeg"):
            monkeypatch.setattr(sun, name, getattr(nudged, name))
        runpy.run_path(str(PORTABLE / script))
        assert capsys.readouterr().out == double
