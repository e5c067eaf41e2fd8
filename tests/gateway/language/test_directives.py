"""Directives as people write them are read in either language, and shown again."""

import pytest

from gateway.language import LANGUAGES, directives, events
from wire import directive, event


@pytest.mark.parametrize(
    ("name", "text", "code", "value", "shown"),
    [
        ("Sécheresse", "Alerte renforcée", directive.DROUGHT_LEVEL, 3, "sécheresse alerte-renforcée (3)"),
        ("secheresse", "3", directive.DROUGHT_LEVEL, 3, "sécheresse alerte-renforcée (3)"),
        ("délestage", "1,25", directive.LOAD_SHED, 125, "délestage 1,25 K"),
        ("load-shed", "2", directive.LOAD_SHED, 200, "délestage 2 K"),
        ("et0", "4.05", directive.EVAPOTRANSPIRATION, 405, "et0 4,05 mm"),
        ("TEMPÉRATURE EXTÉRIEURE", "-3.5", directive.OUTDOOR_TEMPERATURE, -350, "température-extérieure -3,5 °C"),
        ("jour-météo", "2026-06-01", directive.WEATHER_DAY, 20_605, "jour-météo 2026-06-01"),
        ("exception", "closed", directive.EXCEPTION, 1, "exception fermé (1)"),
        ("heures occupées", "1", directive.OCCUPIED, 1, "heures-occupées commandées"),
    ],
)
def test_what_people_write_is_read_in_either_language(name, text, code, value, shown):
    assert directives.code_of(name) == code and directives.value_of(code, text) == value
    assert directives.text({code: value}, "fr") == shown


@pytest.mark.parametrize(
    ("code", "text"),
    [
        (directive.WIND_SPEED, "12.34"),
        (directive.WIND_SPEED, "-1"),
        (directive.WIND_SPEED, "\u0661"),
        (directive.WEATHER_DAY, "2026-02-30"),
        (directive.WEATHER_DAY, "20260601"),
        (directive.DROUGHT_LEVEL, "5"),
        (directive.LOAD_SHED, ""),
        (directive.LOAD_SHED, "1e3"),
    ],
)
def test_what_makes_no_sense_is_none(code, text):
    assert directives.value_of(code, text) is None


def test_a_list_of_names_and_values_is_read_or_refused_with_a_reason():
    assert directives.values_of(["drought", "2", "vent", "3,5"], "fr") == (
        {directive.DROUGHT_LEVEL: 2, directive.WIND_SPEED: 35}, None,
    )  # fmt: skip
    assert directives.values_of(["drought"], "fr") == ({}, ("pairs", {}))
    (_, (why, values)) = directives.values_of(["rain", "2"], "en")
    assert why == "what" and "drought, load-shed" in values["names"]
    (_, (why, values)) = directives.values_of(["sécheresse", "9"], "fr")
    assert why == "value" and values["bounds"] == "0 aucune, 1 vigilance, 2 alerte, 3 alerte-renforcée, 4 crise"


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_directive_of_the_wire_has_its_words_and_bounds(language):
    assert set(directives.FORMS) == set(directive.TABLE)
    for code, (_, lowest, highest) in directive.TABLE.items():
        assert directives.code_of(directives.name(code, language)) == code
        assert directives.bounds(code, language)
        for value in (lowest, highest):
            assert directives.value_text(code, value, language)


def test_codes_and_values_of_a_later_release_stand_as_numbers():
    assert directives.text({50: 1, directive.DROUGHT_LEVEL: 9, directive.WEATHER_DAY: 10**12}, "fr") == (
        "sécheresse 9, jour-météo 1000000000000, d50 1"
    )


def test_an_event_names_its_directive():
    detail = [directive.DROUGHT_LEVEL, 2, 3600]
    said = events.sentence(event.DIRECTIVE_TAKEN, None, detail, "fr")
    assert said == "L’équipement suit la consigne sécheresse : alerte (2)"


def test_an_event_says_that_a_directive_is_over():
    said = events.sentence(event.DIRECTIVE_TAKEN, None, [directive.LOAD_SHED, None, 0], "fr")
    assert said == "L’équipement suit la consigne délestage : terminée"
    assert events.sentence(event.DIRECTIVE_TAKEN, None, [99, 1, 0], "fr").endswith("d99 : 1")  # of a later release


def test_a_valve_says_what_its_programme_goes_by():
    """Rules of `watering.trade`, which no word was given to: people read `balance`."""
    for rule, word in (("balance", "bilan hydrique"), ("depth", "dose fixe")):
        assert word in events.sentence(event.VALVE_SWITCHED, None, [1, True, rule, 1, 600], "fr")
