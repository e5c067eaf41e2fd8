"""What a night will be: the words that a mayor reads agree with what the cabinet will do."""

from functools import cache

import pytest

from policy import civil
from tests.support.commune import POLICY
from tests.support.sample_policy import SAMPLE
from tools.policy import description, words
from tools.policy.compiler import compile_text


@cache
def compiled():
    return compile_text(SAMPLE)


def day(year, month, number):
    return civil.days_from_civil(year, month, number)


def told(evening, language="fr", policy=None, calendars=()):
    if policy is None:
        policy, calendars = compiled().policy, compiled().calendars
    return "\n".join(description.night_lines(policy, evening, calendars, language))


def test_the_fourteenth_of_july_is_lit_all_night():
    text = told(day(2027, 7, 14))
    assert "Nuit du mercredi 14/07/2027 au jeudi 15/07/2027" in text
    assert "coucher du soleil à 21:56, lever à 06:19" in text
    assert "rues (calendrier rues : 07-14)" in text
    assert "bourg   allumé de 21:56 à 06:19  (8 h 23)" in text
    assert "pas de lumière de 01:00 à 12:00 (Arrêté du 27 décembre 2018, article 2)" in text


def test_an_ordinary_night_is_cut_and_a_saturday_later():
    assert "allumé de 17:52 à 23:00, allumé de 06:00 à 08:36" in told(day(2027, 1, 25))
    saturday = told(day(2027, 1, 23))
    assert " : ven. sam.)" in saturday and "à 01:00, allumé de 06:00" in saturday


def test_the_summer_park_is_dark_all_night():
    assert "mail    éteint toute la nuit" in told(day(2027, 6, 20))
    assert "mail    dark all night" in told(day(2027, 6, 20), "en")


@pytest.mark.parametrize(("evening", "hours"), [(day(2027, 3, 27), 23), (day(2027, 10, 30), 25)])
def test_a_night_on_which_the_clocks_change_says_so(evening, hours):
    assert f"changement d’heure : {hours} heures" in told(evening)
    assert "clocks change" not in told(evening + 1, "en")


def test_a_night_outside_the_validity_says_so():
    assert "hors de la validité" in told(day(2026, 12, 31))
    assert "hors de la validité" not in told(day(2027, 1, 1))
    assert "hors de la validité" not in told(day(2029, 12, 31))
    assert "outside the policy's validity" in told(day(2030, 1, 1), "en")


def test_calendars_without_names_are_numbered_and_what_a_contactor_does_not_switch_has_none():
    text = told(day(2027, 1, 10), policy=POLICY)
    assert "rues (calendrier 1 : les autres soirs)" in text
    assert "\ngrand-axe\n  rd-768  toujours alimenté\n" in text
    plain = {one["name"]: one for one in description.plain_night(POLICY, day(2027, 1, 10))["feeders"]}
    assert (plain["rd-768"]["kind"], plain["rd-768"]["night"]) == ("permanent", None)
    assert [lit["to_unix_s"] - lit["from_unix_s"] for lit in plain["rd-768"]["lit"]] == [86_400]


def test_programs_get_the_same():
    plain = description.plain_night(compiled().policy, day(2027, 7, 14))
    assert plain["evening"] == "2027-07-14"
    assert [feeder["name"] for feeder in plain["feeders"]] == ["bourg", "gare", "rd-768", "mail", "etang"]
    (lit,) = plain["feeders"][0]["lit"]
    assert words.moment(lit["from_unix_s"], "fr") == "14/07/2027 à 21:56"
    assert plain["feeders"][0]["kind"] == "switched"
