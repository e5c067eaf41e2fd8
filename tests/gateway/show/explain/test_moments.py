"""Instants in words and back, through both nights on which France changes its clocks."""

import pytest

from gateway.show.explain import moments
from gateway.show.explain.moments import FOLD, GAP, parse
from tests.support.cabinet_document import NOW, at


@pytest.mark.parametrize(
    ("typed", "instant"),
    [
        ("23:00", at(2026, 11, 26, 23)),
        ("4:05", at(2026, 11, 26, 4, 5)),
        ("23h", at(2026, 11, 26, 23)),
        ("23 h 30", at(2026, 11, 26, 23, 30)),
        ("aujourd'hui 08:00", at(2026, 11, 26, 8)),
        ("demain 05:30", at(2026, 11, 27, 5, 30)),
        ("Demain à 5h30", at(2026, 11, 27, 5, 30)),
        ("tomorrow at 05:30", at(2026, 11, 27, 5, 30)),
        ("hier 22:00", at(2026, 11, 25, 22)),
        ("yesterday 22:00", at(2026, 11, 25, 22)),
        ("2026-07-14T02:00", at(2026, 7, 14, 2)),
        ("2026-07-14 02:00:30", at(2026, 7, 14, 2, 0, 30)),
        ("14/07/2026 02:00", at(2026, 7, 14, 2)),
        ("  14/7/2026   02:00 ", at(2026, 7, 14, 2)),
        ("2026-07-14T02:00+02:00", at(2026, 7, 14, 2)),
        ("2026-07-14T00:00Z", at(2026, 7, 14, 2)),
        ("2026-07-13T19:30-0430", at(2026, 7, 14, 2)),
    ],
)
def test_a_time_may_be_typed_as_people_do(typed, instant):
    assert parse(typed, NOW) == (instant, None)


@pytest.mark.parametrize(
    "typed",
    ["", "soon", "25:00", "12:60", "2026-02-30T12:00", "2026-13-01T12:00", "31/11/2026 12:00", "1026-01-01T00:00",
     "2026-07-14", "demain", "12:00+25", "2026-07-14T02:00+02:00+02:00", "\u0662\u0663:\u0660\u0660",
     "23:00\n2026", "9" * 5000],
)  # fmt: skip
def test_what_is_no_time_is_refused(typed):
    with pytest.raises(ValueError):
        parse(typed, NOW)


def test_the_hour_that_does_not_exist_is_the_moment_of_the_change():
    found = parse("2027-03-28 02:30", NOW)
    assert found == (at(2027, 3, 28, 3), GAP) and moments.clock(found.unix_s, "fr") == "03:00"
    assert parse("2027-03-28 01:59", NOW).note is None and parse("2027-03-28 03:00", NOW).note is None


def test_the_hour_that_passes_twice_is_the_first_and_says_so():
    first = parse("2027-10-31 02:30", NOW)
    second = parse("2027-10-31 02:30+01:00", NOW)
    assert first.note == FOLD and second == (first.unix_s + 3600, None)
    assert moments.clock(first.unix_s, "fr") == "02:30 (heure d’été)"
    assert moments.clock(second.unix_s, "en") == "02:30 (winter time)"
    assert parse("2027-10-31 01:59", NOW).note is None and parse("2027-10-31 03:00", NOW).note is None


def test_today_is_the_day_of_the_gateways_clock_in_france():
    half_past_midnight = at(2026, 7, 2, 0, 30)  # still the 1st in UTC
    assert parse("12:00", half_past_midnight).unix_s == at(2026, 7, 2, 12)


def test_dates_in_words():
    assert moments.date(at(2026, 6, 1), "fr") == "lundi 1er juin 2026"
    assert moments.date(at(2026, 6, 1), "en") == "Monday 1 June 2026"
    assert moments.date_and_clock(NOW, "fr") == "jeudi 26 novembre 2026, 23:41"


def test_a_time_far_away_is_told_with_its_day():
    assert moments.clock_near(at(2026, 11, 27, 4), NOW, "fr") == "04:00"
    assert moments.clock_near(at(2026, 11, 28, 4), NOW, "fr") == "samedi 28 novembre 2026, 04:00"
    assert moments.clock_near(NOW, None, "en") == "Thursday 26 November 2026, 23:41"
