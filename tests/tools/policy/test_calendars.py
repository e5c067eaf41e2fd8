"""The small language of calendars: what is taken, in both languages, and what is refused with which words."""

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.language import LANGUAGES
from policy.lighting import CLOCK, SUNRISE, SUNSET, Rule, Step
from tools.policy import calendars
from tools.policy.calendars import Wrong
from tools.policy.words import WORDS


@pytest.mark.parametrize(
    ("text", "step"),
    [
        ("sunset on", Step(SUNSET, 0, 100, 0)),
        ("sunset+15 on", Step(SUNSET, 15, 100, 0)),
        ("sunrise-30 off", Step(SUNRISE, -30, 0, 0)),
        ("23:00 off", Step(CLOCK, 1380, 0, 0)),
        ("  5:30   100%", Step(CLOCK, 330, 100, 0)),
        ("00:00 0%", Step(CLOCK, 0, 0, 0)),
        ("12:00 on by-day", Step(CLOCK, 720, 100, 1)),
        ("coucher+15 allumé", Step(SUNSET, 15, 100, 0)),
        ("lever éteint", Step(SUNRISE, 0, 0, 0)),
        ("23h off", Step(CLOCK, 1380, 0, 0)),
        ("23h30 Éteint", Step(CLOCK, 1410, 0, 0)),
        ("Sunset ON", Step(SUNSET, 0, 100, 0)),
        ("12:00 on de-jour", Step(CLOCK, 720, 100, 1)),
    ],
)
def test_a_step_is_read(text, step):
    assert calendars.parse_step(text) == step


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("", "step"), ("sunset", "step"), ("on", "step"), ("sunset on off", "step"), ("dusk on", "step"),
        ("sunset +15 on", "step"), ("sunset+ on", "step"), ("23.00 off", "step"), ("23:0 off", "step"),
        ("23:00 maybe", "step"), ("23:00 -5%", "step"), ("²3:00 off", "step"),
        ("24:00 off", "time"), ("23:60 off", "time"), ("99h off", "time"),
        ("sunset+181 on", "offset"), ("sunrise-9999 on", "offset"), ("22:00 101%", "level"),
        ("23:00 50%", "level"), ("23:00 1%", "level"), ("23:00 99%", "level"),
    ],
)  # fmt: skip
def test_what_is_no_step_is_refused(text, key):
    with pytest.raises(Wrong) as wrong:
        calendars.parse_step(text)
    assert wrong.value.key == key


@pytest.mark.parametrize(
    ("text", "bits"),
    [
        ("mon", 1), ("sun", 64), ("fri sat", 48), ("fri, sat", 48), ("mon..thu", 15), ("sat..mon", 97),
        ("lun..jeu", 15), ("Vendredi samedi", 48), ("mon..sun", 127), ("wed..wed", 4),
        ("ven. sam.", 48), ("lun.", 1),
    ],
)  # fmt: skip
def test_weekdays_are_read(text, bits):
    assert calendars.parse_weekdays(text) == bits


@pytest.mark.parametrize("text", ["", "funday", "mon..", "..mon", "mon-thu", "mon...thu"])
def test_what_is_no_weekday_is_refused(text):
    with pytest.raises(Wrong) as wrong:
        calendars.parse_weekdays(text)
    assert wrong.value.key == "weekday"


@pytest.mark.parametrize(
    ("value", "dates"),
    [
        ("07-14", (714, 714)),
        ("02-29", (229, 229)),
        ("2026-07-14", (20260714, 20260714)),
        (datetime.date(2026, 7, 14), (20260714, 20260714)),
        ("12-20..01-03", (1220, 103)),
        ("2026-12-20..2027-01-03", (20261220, 20270103)),
        (" 06-01 .. 08-31 ", (601, 831)),
    ],
)
def test_dates_are_read(value, dates):
    assert calendars.parse_dates(value) == dates


@pytest.mark.parametrize(
    ("value", "key"),
    [
        ("14 juillet", "dates"), ("7-14", "dates"), ("", "dates"), ("..", "dates"), (714, "dates"), (True, "dates"),
        (datetime.datetime(2026, 7, 14), "dates"), ("14-07", "no_date"), ("02-30", "no_date"),
        ("2027-02-29", "no_date"), ("1999-01-01", "year"), ("2026-07-14..08-01", "dates_mixed"),
        ("2026-07-14..2026-07-01", "dates_order"),
    ],
)  # fmt: skip
def test_what_is_no_date_is_refused(value, key):
    with pytest.raises(Wrong) as wrong:
        calendars.parse_dates(value)
    assert wrong.value.key == key


@pytest.mark.parametrize(
    ("text", "window"), [("01:00..12:00", (60, 720)), ("23h..5h30", (1380, 330)), (" 01:00 .. 00:00 ", (60, 0))]
)
def test_a_window_of_the_clock_is_read(text, window):
    assert calendars.parse_clock_window(text) == window


@pytest.mark.parametrize(
    ("text", "key"),
    [("01:00", "window"), ("sunset..01:00", "window"), ("01:00-12:00", "window"), ("25:00..01:00", "time"),
     ("01:00..01:00", "window_empty"), ("..", "window")],
)  # fmt: skip
def test_what_is_no_window_is_refused(text, key):
    with pytest.raises(Wrong) as wrong:
        calendars.parse_clock_window(text)
    assert wrong.value.key == key


@pytest.mark.parametrize(
    ("text", "window"),
    [("sunrise+30..sunset-30", (30, 30)), ("sunrise..sunset", (0, 0)), ("lever+5..coucher-10", (5, 10))],
)
def test_a_window_of_the_sun_is_read(text, window):
    assert calendars.parse_sun_window(text) == window


@pytest.mark.parametrize(
    "text", ["sunset..sunrise", "sunrise-30..sunset", "sunrise..sunset+30", "sunrise", "07:00..sunset", "x..y"]
)
def test_what_is_no_window_of_the_sun_is_refused(text):
    with pytest.raises(Wrong) as wrong:
        calendars.parse_sun_window(text)
    assert wrong.value.key == "sun_window"


steps = st.one_of(
    st.builds(Step, st.just(CLOCK), st.integers(0, 1439), st.sampled_from((0, 100)), st.integers(0, 1)),
    st.builds(Step, st.sampled_from((SUNSET, SUNRISE)), st.integers(-180, 180), st.sampled_from((0, 100)), st.just(0)),
)


@given(steps)
def test_the_text_of_a_step_is_that_step(step):
    assert calendars.parse_step(calendars.format_step(step)) == step


@given(st.integers(1, 127), st.sampled_from(LANGUAGES))
def test_the_text_of_weekdays_is_those_weekdays(bits, language):
    assert calendars.parse_weekdays(calendars.format_weekdays(bits, language)) == bits


@pytest.mark.parametrize("dates", [(714, 714), (1220, 103), (20260714, 20260714), (20261220, 20270103)])
def test_the_text_of_dates_is_those_dates(dates):
    assert calendars.parse_dates(calendars.format_dates(*dates)) == dates


def test_a_rule_is_told_by_its_evenings():
    assert calendars.format_rule(Rule(127, 0, 0, 0), "fr") == "*"
    assert calendars.format_rule(Rule(48, 714, 714, 0), "en") == "07-14 fri sat"
    assert calendars.format_rule(Rule(48, 714, 714, 0), "fr") == "07-14 ven. sam."


@given(st.text(max_size=30))
def test_no_text_raises_anything_else(text):
    names = ("step", "weekdays", "dates", "clock_window", "sun_window")
    for read in (getattr(calendars, f"parse_{name}") for name in names):
        try:
            read(text)
        except Wrong as wrong:
            assert wrong.key in WORDS and f"{wrong.key}.do" in WORDS
