"""Weather that is late, out of order or in another unit, and yet within what can be: ET0 and each zone's
bucket stay within their bounds, and rain is not counted twice; and the rungs by which a day's ET0 is found."""

import functools

import pytest

from tests.support.green import PLAIN, Green, programs, unmetered
from tests.support.valve_box import ValveBox, settings
from watering import balance, limits, weather
from wire import directive, quantity

ET0, RAIN = directive.EVAPOTRANSPIRATION, directive.RAIN_DAY
RUNGS = (weather.GATEWAY, weather.PENMAN, weather.HARGREAVES, weather.CLIMATOLOGY)
# ET0 of the days from 31 May on in 0.01 mm, and their rain in 0.1 mm: one wet day among dry ones.
DAYS = [(430, 0), (460, 0), (380, 60), (150, 0), (480, 0), (500, 0), (470, 0), (440, 0)]


def is_bounded(green):
    """Every zone between full and wilting, and an ET0 that France knows."""
    need = green.desk.trade.balance
    for zone, one in enumerate(green.own.policy.zones, 1):
        assert 0 <= need.depletion_cmm[zone - 1] <= balance.total_cmm(one)
        told = green.desk.trade.readings(green.desk.moment())[quantity.key(quantity.ROOT_DEPLETION, zone)]
        assert 0 <= told <= balance.total_cmm(one) // 10
    assert 0 <= need.et0_cmm <= limits.ET0_CMM_MAX
    assert need.rung in (None, *RUNGS)
    return True


# --- late and out of order -----------------------------------------------------------------------------------


def days(told, *, at_hour=1):
    """Depletion of the shrubs, which no water reaches, after as many days; `told[n]`: which of DAYS the gateway says
    from `at_hour` of day n on, None for nothing."""
    green = Green(unmetered())
    green.ports.silent = {quantity.TEMPERATURE}
    green.run(hours=at_hour)
    for which in told:
        green.desk.directives = {} if which is None else {ET0: DAYS[which][0], RAIN: DAYS[which][1]}
        green.run(hours=24)
        assert is_bounded(green)
    green.desk.directives = {}
    green.run(hours=24 - at_hour)
    return green.desk.trade.balance.depletion_cmm[2]


@functools.cache
def days_in_time():
    return days(IN_TIME)


IN_TIME = list(range(len(DAYS)))
# What a day takes at most, and what the one rain brings at most.
DAY_CMM = max(et0 for et0, _ in DAYS)
RAIN_CMM = 10 * max(rain for _, rain in DAYS)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("told", "at_hour"),
    [
        (IN_TIME, 5),  # each after its day was closed: it stands at the next closing
        (IN_TIME, 23),
        ([0, 1, 3, 2, 4, 5, 6, 7], 1),  # the wet day and the one after it have changed places
        ([0, 2, 1, 3, 4, 5, 7, 6], 1),
        ([0, 1, None, 2, 3, 4, 5, 6], 1),  # a day's delay, and what follows is late
        ([0, 1, None, None, 4, 5, 6, 7], 1),  # two days never came
    ],
)
def test_late_or_unordered_figures_are_off_by_a_day_at_most_and_no_rain_counts_twice(told, at_hour):
    in_time = days_in_time()
    late = days(told, at_hour=at_hour)
    assert late >= in_time - DAY_CMM, "the rain was counted once, or not at all"
    assert late <= in_time + RAIN_CMM + 2 * DAY_CMM


@pytest.mark.slow
def test_the_story_has_rain_in_it():
    dry = [DAYS.index((480, 0)) if rain else which for which, (_, rain) in enumerate(DAYS)]
    # On the shrubs a fifth of ET0 is lost of it, and a dry day takes more than a wet one.
    assert RAIN_CMM // 2 < days(dry) - days_in_time() <= RAIN_CMM + 100


@pytest.mark.slow
def test_the_bound_sees_rain_that_is_counted_twice():
    twice = [0, 1, 2, 2, 2, 5, 6, 7]
    assert days(twice) < days_in_time() - DAY_CMM


# --- another unit --------------------------------------------------------------------------------------------


def fahrenheit_ck(value):
    return value * 9 // 5 + 3200


def converted(key, convert):
    """What the world is, with one sensor in another unit: after three days, with the rungs that were seen."""
    green = Green(unmetered(*PLAIN["watering"][2], gauge=20))
    green.desk.directives = {}
    green.ports.silent = set()  # an anemometer too
    read = green.ports.read

    def other():
        values = read()
        values[key] = convert(values[key])
        return values

    green.ports.read = other
    rungs = set()
    for _ in range(3 * 24):
        green.run(hours=1)
        assert is_bounded(green)
        rungs.add(green.desk.trade.balance.rung)
    assert green.checker.violations == []
    return green.desk.trade.balance.et0_cmm, rungs - {None}


@pytest.mark.slow
def test_the_weather_of_this_june_by_its_right_units():
    et0_cmm, rungs = converted(quantity.TEMPERATURE, lambda value: value)
    assert rungs == {weather.CLIMATOLOGY, weather.PENMAN} and 400 < et0_cmm < 700


@pytest.mark.slow
@pytest.mark.parametrize(
    ("key", "convert", "rung"),
    [
        (quantity.TEMPERATURE, fahrenheit_ck, weather.CLIMATOLOGY),  # 57 to 79 cannot be: refused
        (quantity.TEMPERATURE, lambda ck: fahrenheit_ck(ck - 2000), weather.PENMAN),  # 21 to 43 can
        (quantity.TEMPERATURE, lambda ck: ck // 100, weather.PENMAN),  # degrees for hundredths
        (quantity.TEMPERATURE, lambda ck: (ck + 27_315) // 10, weather.PENMAN),  # kelvin, in tenths
        (quantity.HUMIDITY, lambda permille: permille // 10, weather.PENMAN),  # percent for permille
        (quantity.WIND_SPEED, lambda dms: dms * 36 // 10, weather.PENMAN),  # km/h for m/s
        (quantity.WIND_SPEED, lambda dms: dms // 10, weather.PENMAN),
    ],
)
def test_a_sensor_in_another_unit_leaves_et0_and_buckets_within_their_bounds(key, convert, rung):
    _, rungs = converted(key, convert)
    assert rungs <= {weather.CLIMATOLOGY, rung}, rungs
    assert rung in rungs


# ET0 in mm, 0.1 mm, 0.01 in, right, the most, beyond; rain in cm, mm, right, in 0.01 mm, the most, beyond.
@pytest.mark.slow
@pytest.mark.parametrize(
    ("et0", "rain"),
    [(et0, rain) for turn, et0 in enumerate((4, 46, 17, 460, 1200, 1201)) for rain in ((0, 600), (6, 3001))[turn % 2]],
)
def test_figures_of_the_gateway_in_another_unit_leave_the_bucket_within_its_bounds(et0, rain):
    green = Green(unmetered())
    green.ports.silent = {quantity.TEMPERATURE}
    green.desk.directives = {ET0: et0, RAIN: rain}
    for _ in range(3):
        before = list(green.desk.trade.balance.depletion_cmm)
        green.run(hours=24)
        assert is_bounded(green)
        for zone, one in enumerate(green.own.policy.zones):
            after = green.desk.trade.balance.depletion_cmm[zone]
            assert after - before[zone] <= balance.crop_cmm(one, limits.ET0_CMM_MAX), "no day takes more than 12 mm"
    need = green.desk.trade.balance
    assert need.rung == (weather.GATEWAY if et0 <= limits.ET0_CMM_MAX else weather.CLIMATOLOGY)


HOUR_MS = 3_600_000


def reckoned(**changes):
    """(rung, ET0) of a valve box after two days whose air is warmer and drier by day, nothing of the programme."""
    chosen = programs(settings(**changes))
    chosen["weather"] = [40, 2, 0, []]
    box = ValveBox(chosen, at_minutes=0, turn_ms=1000)
    air = box.parts["AIR"]
    for hour in range(2 * 24):
        noon = min(hour % 24, 24 - hour % 24)
        air.temperature_ck, air.humidity_permille = 1400 + 100 * noon, 900 - 30 * noon
        box.run_to(box.now_ms + HOUR_MS)
    return box.trade.balance.rung, box.trade.balance.et0_cmm


def test_a_board_with_its_air_sensor_alone_reckons_penman_monteith():
    rung, et0_cmm = reckoned()
    assert rung == weather.PENMAN and 300 < et0_cmm < 700


def test_an_anemometer_that_says_calm_makes_it_less():
    rung, calm_cmm = reckoned(fitted=["wind"])
    assert rung == weather.PENMAN and calm_cmm < reckoned()[1] - 20
