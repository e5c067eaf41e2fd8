"""The integer calendar against `datetime`, French local time against the time zone database."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy import civil

PARIS = ZoneInfo("Europe/Paris")
EPOCH = date(1970, 1, 1)
CENTURY = range(2000, 2100)


def zone_database_changes(year):
    """Unix seconds of the changes of a year, found by bisection in the database itself."""
    hours = [int(datetime(year, 1, 1, tzinfo=UTC).timestamp()) + 3600 * h for h in range(0, 8760, 24)]
    found = []
    for low, high in pairwise(hours):
        if database_offset(low) == database_offset(high):
            continue
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if database_offset(middle) == database_offset(low) else (low, middle)
        found.append(high)
    return found


def database_offset(unix_s):
    return int(datetime.fromtimestamp(unix_s, PARIS).utcoffset().total_seconds())


@given(st.integers(-800_000, 2_000_000))
def test_the_calendar_is_that_of_datetime(day):
    year, month, day_of_month = civil.civil_from_days(day)
    if 1 <= year <= 9999:
        expected = EPOCH + timedelta(days=day)
        assert (year, month, day_of_month) == (expected.year, expected.month, expected.day)
        assert civil.weekday(day) == expected.weekday()
    assert civil.days_from_civil(year, month, day_of_month) == day


def test_impossible_dates_are_known():
    assert civil.is_date(2000, 2, 29) and civil.is_date(2024, 12, 31)
    for bad in ((2100, 2, 29), (2026, 4, 31), (2026, 13, 1), (2026, 0, 1), (2026, 1, 0)):
        assert not civil.is_date(*bad)


@pytest.mark.parametrize("year", CENTURY)
def test_every_change_of_the_century_is_that_of_the_database(year):
    start, end = civil.PARIS.rule
    ours = [civil.change_day(year, change) * civil.day_s + change[2] for change in (start, end)]
    assert ours == zone_database_changes(year)
    for unix_s in (ours[0] - 1, ours[0], ours[1] - 1, ours[1]):
        assert civil.local_from_unix(civil.PARIS, unix_s).offset_s == database_offset(unix_s)


@given(st.integers(946_684_800, 4_102_444_799))
def test_local_time_is_that_of_the_database(unix_s):
    local = civil.local_from_unix(civil.PARIS, unix_s)
    expected = datetime.fromtimestamp(unix_s, PARIS)
    assert civil.civil_from_days(local.civil_day) == (expected.year, expected.month, expected.day)
    assert local.second == expected.hour * 3600 + expected.minute * 60 + expected.second


@given(st.integers(946_684_800, 4_102_444_799))
def test_there_and_back_is_the_same_instant_or_its_first_passage(unix_s):
    local = civil.local_from_unix(civil.PARIS, unix_s)
    back = civil.unix_from_local(civil.PARIS, local.civil_day, local.second)
    expected = datetime.fromtimestamp(unix_s, PARIS).replace(fold=0).timestamp()
    assert back == int(expected)


@pytest.mark.parametrize("year", [2026, 2034, 2099])
def test_the_spring_gap_is_the_instant_of_the_change(year):
    day = civil.change_day(year, civil.PARIS.rule[0])
    change = day * civil.day_s + 3600
    readings = [civil.unix_from_local(civil.PARIS, day, s) for s in (7199, 7200, 9000, 10799, 10800, 10801)]
    assert readings == [change - 1, change, change, change, change, change + 1]


@pytest.mark.parametrize("year", [2026, 2034, 2099])
def test_the_autumn_fold_is_its_first_passage(year):
    day = civil.change_day(year, civil.PARIS.rule[1])
    change = day * civil.day_s + 3600
    readings = [civil.unix_from_local(civil.PARIS, day, s) for s in (7199, 7200, 10799, 10800)]
    assert readings == [change - 3601, change - 3600, change - 1, change + 3600]


@given(st.integers(10957, 47481), st.integers(-86400, 172800), st.integers(0, 86400))
def test_local_time_going_forwards_never_takes_unix_time_backwards(day, second, step):
    assert civil.unix_from_local(civil.PARIS, day, second) <= civil.unix_from_local(
        civil.PARIS, day, second + step
    )


def test_a_zone_without_summer_time_has_one_offset():
    reunion = civil.Zone(14400, 14400, None)
    assert civil.local_from_unix(reunion, 1782864000) == civil.Local(20635, 14400, 14400)
    assert civil.unix_from_local(reunion, 20635, 14400) == 1782864000
