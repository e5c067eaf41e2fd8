"""What a night will be: the words that a mayor reads agree with what the cabinet will do."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy import civil, lighting
from tests.support.commune import POLICY
from tests.support.sample_policy import SAMPLE
from tools.policy import description, words
from tools.policy.compiler import compile_text

COMPILED = compile_text(SAMPLE)
SAMPLE = COMPILED.policy


def day(year, month, number):
    return civil.days_from_civil(year, month, number)


def told(evening, language="fr", policy=SAMPLE, calendars=COMPILED.calendars):
    return "\n".join(description.night_lines(policy, evening, calendars, language))


def test_the_fourteenth_of_july_is_lit_all_night():
    text = told(day(2027, 7, 14))
    assert "Nuit du mercredi 14/07/2027 au jeudi 15/07/2027" in text
    assert "coucher du soleil à 21:56, lever à 06:19" in text
    assert "rues (calendrier rues, nuit 07-14)" in text
    assert "bourg   allumé de 21:56 à 06:19  (8 h 23)" in text
    assert "pas de lumière de 01:00 à 12:00 (Arrêté du 27 décembre 2018, article 2)" in text


def test_an_ordinary_night_is_cut_and_a_saturday_later():
    assert "allumé de 17:52 à 23:00, allumé de 06:00 à 08:36" in told(day(2027, 1, 25))
    saturday = told(day(2027, 1, 23))
    assert "nuit fri sat)" in saturday and "à 01:00, allumé de 06:00" in saturday


def test_the_summer_park_is_dark_all_night():
    assert "mail    éteint toute la nuit" in told(day(2027, 6, 20))
    assert "mail    dark all night" in told(day(2027, 6, 20), "en")


@pytest.mark.parametrize(("evening", "hours"), [(day(2027, 3, 27), 23), (day(2027, 10, 30), 25)])
def test_a_night_on_which_the_clocks_change_says_so(evening, hours):
    assert f"changement d'heure : {hours} heures" in told(evening)
    assert "clocks change" not in told(evening + 1, "en")


def test_a_night_outside_the_validity_says_so():
    assert "hors de la validité" in told(day(2026, 12, 31))
    assert "hors de la validité" not in told(day(2027, 1, 1))
    assert "hors de la validité" not in told(day(2029, 12, 31))
    assert "outside the policy's validity" in told(day(2030, 1, 1), "en")


def test_calendars_without_names_are_numbered_and_a_dimmed_span_has_its_level():
    dimmed = POLICY._replace(lighting=POLICY.lighting._replace(calendars=(lighting.DIMMING_CALENDAR,) * 2))
    text = told(day(2027, 1, 10), policy=dimmed, calendars=())
    assert "rues (calendrier 1, nuit *)" in text
    assert "70 % de 22:00 à 00:00, 40 % de 00:00 à 05:30" in text


@given(st.integers(day(2027, 1, 1), day(2029, 12, 31)), st.integers(0, 89_999))
def test_light_is_told_exactly_when_the_calendar_wants_it(evening, second):
    for one in description.feeder_nights(SAMPLE, evening):
        night = lighting.Night(SAMPLE.lighting.calendars[one.feeder.calendar], SAMPLE.lighting.site, evening)
        unix_s = min(night.start_s + second, night.end_s - 1)
        levels = [lit.level_percent for lit in one.lit if lit.from_s <= unix_s < lit.to_s]
        assert levels == ([night.wanted(unix_s).level_percent] if night.wanted(unix_s).level_percent else [])


def test_programs_get_the_same():
    plain = description.plain_night(SAMPLE, day(2027, 7, 14))
    assert plain["evening"] == "2027-07-14"
    assert [feeder["name"] for feeder in plain["feeders"]] == ["bourg", "gare", "rd-768", "mail", "etang"]
    (lit,) = plain["feeders"][0]["lit"]
    assert words.moment(lit["from_unix_s"], "fr") == "14/07/2027 à 21:56"
    assert lit["level_percent"] == 100
