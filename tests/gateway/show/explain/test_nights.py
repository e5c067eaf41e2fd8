"""The night in a table, rules and steps in words, and another time: past, to come, and when the clocks change."""

import pytest

from gateway.commands import explain
from gateway.show.explain.calendar import rule_words
from policy import document, lighting
from tests.support import cabinet_document as told
from tests.support.cabinet_document import at, cabinet, command, plain
from tests.support.explained import bourg, explained, said

# --- the night ------------------------------------------------------------------------------------------------------


def test_the_night_is_a_table_from_noon_to_noon_with_the_moment_marked():
    found, _ = explained()
    lines = explain.render(told.agent(), found, "fr")
    start = next(index for index, line in enumerate(lines) if line.startswith("La nuit, de midi à midi"))
    assert lines[start:] == [
        "La nuit, de midi à midi : jeudi 26 novembre 2026 au vendredi 27 novembre 2026",
        "  12:00  éteint   avant la première étape de la nuit",
        "  17:16  allumé   étape 1 : allumage au coucher du soleil",
        "> 23:00  éteint   étape 2 : extinction à 23:00",
        "  06:00  allumé   étape 3 : allumage à 06:00",
        "  08:24  éteint   étape 4 : extinction au lever du soleil",
        "  règle 3 (tous les soirs)",
    ]


def test_the_end_of_a_command_stands_in_the_night():
    text = said(cabinet(commands=[command()]))
    assert "04:00 fin : Mme Martin (Mairie), allumer pour « bourg », jusqu’à 04:00" in text
    assert "fin :" not in said(cabinet(commands=[command(state="over")]))


def test_a_step_that_is_overtaken_is_named():
    # In June the sun goes down after 21:00, when the lamps are to be out already: they are never lit.
    early = (told.DUSK, lighting.Step(lighting.CLOCK, 21 * 60, 0, 0), told.DAWN)
    calendar = lighting.Calendar((lighting.Rule(lighting.EVERY_DAY, 601, 630, 0),), (early,))
    rules = document.Lighting(told.FENEU, (calendar,), (document.FeederRule("bourg", 1, 0, "centre"),), ())
    text = said(cabinet(policy_plain=plain(lighting=rules), unix_s=at(2027, 6, 21, 23)))
    assert "étape 1 sans effet cette nuit-là" in text and "règle 1 (du 1er juin au 30 juin)" in text


@pytest.mark.parametrize(
    ("rule", "when"),
    [
        ((0b0001111, 0, 0), "du lundi au jeudi"),
        ((0b1000001, 0, 0), "lundi et dimanche"),
        ((0b0010101, 0, 0), "lundi, mercredi et vendredi"),
        ((0b0010000, 601, 831), "vendredi, du 1er juin au 31 août"),
        ((lighting.EVERY_DAY, 1224, 102), "du 24 décembre au 2 janvier"),
        ((lighting.EVERY_DAY, 20261126, 20261126), "le jeudi 26 novembre 2026"),
    ],
)
def test_rules_in_words(rule, when):
    calendar = lighting.Calendar((lighting.Rule(*rule, 0),), ((told.DUSK, told.DAWN),))
    assert rule_words(calendar, 0, "fr") == f"règle 1 ({when})"


def test_offsets_from_the_sun_in_words():
    steps = (lighting.Step(lighting.SUNSET, -10, 100, 0), lighting.Step(lighting.SUNRISE, 15, 0, 0))
    calendar = lighting.Calendar((lighting.Rule(lighting.EVERY_DAY, 0, 0, 0),), (steps,))
    rules = document.Lighting(told.FENEU, (calendar,), (document.FeederRule("bourg", 1, 0, "centre"),), ())
    text = said(cabinet(policy_plain=plain(lighting=rules), **bourg(wants=True)))
    for part in ("allumage 10 min avant le coucher du soleil", "extinction 15 min après le lever du soleil"):
        assert part in text


# --- another time ---------------------------------------------------------------------------------------------------


def test_a_time_to_come_says_what_the_policy_will_want_and_which_commands_hold():
    part = cabinet(commands=[command(), command(id="01", kind="emergency", target=None, expires_s=at(2026, 11, 28))])
    found, text = explained(part, at="demain 05:30")
    assert "vendredi 27 novembre 2026, 05:30 : à venir" in text and "Voulu éteint" in text
    assert "étape 2 : extinction à 23:00" in text and "Ensuite allumage à 06:00" in text
    assert len(found["at"]["commands"]) == 1 and "commandes qui vaudraient encore : Mme Martin" in text
    assert "une commande à venir peuvent en décider autrement" in text
    assert "aucune commande connue ne vaudrait encore" in said(at="demain 05:30")


def test_a_command_that_has_not_begun_holds_only_from_its_hour_on():
    waits = command(state="waiting", not_before_s=at(2026, 11, 27, 2), expires_s=at(2026, 11, 27, 3))
    part = cabinet(commands=[waits])
    times = ("demain 01:59", "demain 02:00", "demain 03:00")
    assert [len(explained(part, at=time)[0]["at"]["commands"]) for time in times] == [0, 1, 0]
    assert "Ensuite allumage à 02:00" in said(part)


def test_a_time_that_is_past_says_that_this_is_no_record():
    text = said(at="hier 22:30")
    assert "passé" in text and "Voulu allumé" in text and "au journal d’audit" in text


def test_the_night_when_summer_time_begins():
    text = said(at="2027-03-28 02:30")
    assert "dimanche 28 mars 2027, 03:00 : à venir" in text and "cette heure n’existe pas cette nuit-là" in text
    assert "03:00 la remplace" in text and "étape 2 : extinction à 01:00" in text


def test_the_night_when_summer_time_ends():
    first, second = said(at="2027-10-31 02:30"), said(at="2027-10-31 02:30+01:00")
    assert "02:30 (heure d’été)" in first and "passe deux fois" in first
    assert "02:30 (heure d’hiver)" in second and "passe deux fois" not in second


def test_a_policy_that_has_ended_or_not_begun_by_then_or_is_followed_by_another():
    assert "échue depuis le vendredi 31 décembre 2027, 00:00 : son calendrier continue" in said(at="14/01/2028 02:30")
    assert "n’est valable que depuis le mardi 1er septembre 2026" in said(at="2026-07-14 02:30")
    followed = cabinet(policy=cabinet()["policy"] | {"next_version": 5})
    assert "la politique n° 5 attend sa date" in said(followed, at="demain 05:30")
    assert "n° 5" not in said(followed, at="hier 05:30")


def test_without_a_known_hour_the_asking_machines_day_is_taken():
    assert "jeudi 26 novembre 2026, 20:00" in said(cabinet(unix_s=None), at="20:00")


def test_an_order_that_lowers_is_named_and_moves_no_contactor():
    text = said(cabinet(commands=[command(level=50)]))
    assert "abaisser à 50 % pour « bourg »" in text and "le contacteur suit la politique" in text
    assert "Ensuite allumage à 06:00" in text
