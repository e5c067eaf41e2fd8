"""Every event of the wire has its sentence, and shows its values in the units of people."""

import string

import pytest

from gateway.core.cabinet import feeder
from gateway.language import LANGUAGES, Plural, events, figures, values
from gateway.language.values import value_text
from heating import setpoint, thermometers, trade
from lighting import dali_banks, decision
from node import orders, settings_slots, updating
from watering import lockouts
from wire import event, event_table

ALARMS = [entry.code for entry in event_table.TABLE if event.lane(entry.code) == event.ALARM]


def places(message):
    forms = message if isinstance(message, Plural) else (message,)
    return {name for form in forms for _, name, _, _ in string.Formatter().parse(form) if name}


def test_no_code_of_the_wire_is_without_a_sentence():
    assert set(events.TEXTS) == {entry.code for entry in event_table.TABLE}


def test_every_alarm_says_what_a_person_can_do():
    assert len(ALARMS) == 47
    assert [event_table.label(code) for code in ALARMS if events.TEXTS[code].remedy is None] == []


@pytest.mark.parametrize("code", events.TEXTS)
def test_a_sentence_asks_for_nothing_that_its_detail_does_not_hold(code):
    text, fields = events.TEXTS[code], set(event_table.BY_CODE[code].detail or ())
    counted = {"count"} if "lamps" in fields else set()
    for message in (text.name, text.sentence, text.ended, text.remedy):
        assert message is None or places(message) <= fields | counted
    assert not places(text.name) and (text.remedy is None or not places(text.remedy))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("code", events.TEXTS)
def test_any_detail_can_be_said(code, language):
    fields = event_table.BY_CODE[code].detail or ()
    for value in (None, True, 7, -1, 2**64 - 1, -(2**63), "no-flow", b"\x01", [1]):
        for active in (True, False, None):
            said = events.sentence(code, active, [value] * len(fields), language)
            assert said[0] == said[0].upper() and "{" not in said
    for detail in (None, [], {1: 2137}, [1, 2, 3, 4, 5, 6, 7, 8, 9]):
        assert events.sentence(code, True, detail, language)


@pytest.mark.parametrize(
    ("code", "active", "detail", "french"),
    [
        (
            event.PIPE_BURST, True, [3, 41_200],
            "Canalisation rompue (zone 3, 41,2 L/min) : la vanne générale est fermée jusqu’à l’acquittement de "
            "l’alarme",
        ),
        (event.PIPE_BURST, False, [3, 41_200], "Canalisation rompue : terminé"),
        (event.VALVE_FAILURE, True, [0, "no-flow", None],
         "Vanne générale : la vanne ne fait pas ce qui est commandé, l’eau ne coule pas"),
        (event.FROST_PROTECTION, True, [430],
         "La pièce est près du gel, à 4,3 °C : elle est chauffée envers et contre tout"),
        (event.LAMPS_LOST, True, ["bourg", 1, 1800, 2200], "1 lampe éteinte sur le départ « bourg »"),
        (event.LAMPS_LOST, True, ["bourg", 4, 1800, 2200], "4 lampes éteintes sur le départ « bourg »"),
        (event.LEASE_CHANGED, True, [180], "Commandes du centre acceptées encore 3 min"),
        (event.LEASE_CHANGED, False, [0],
         "Sans nouvelles du centre : seules la politique et les urgences comptent"),
        (event.BEARER_CHANGED, None, ["mobile", "fibre"],
         "La liaison avec le centre passe par la 4G (avant : la fibre)"),
        (event.GAP, None, [None, 3, 1, 4, "thinned"], "Des relevés de cet équipement ne viendront pas : éclairci"),
        (event.FEEDER_SWITCHED, None, ["bourg", True, "policy", 5],
         "Départ « bourg » : contacteur fermé, décidé par : politique"),
        (event.BATTERY_LOW, True, [3_050], "La pile est faible : 3,05 V"),
        (event.DOOR_OPEN, False, None, "La porte de l’armoire est refermée"),
    ],
)  # fmt: skip
def test_sentences_in_french(code, active, detail, french):
    assert events.sentence(code, active, detail, "fr") == french


def test_names_and_remedies():
    assert events.name(event.LAMP_FAILURE, "fr") == "lampe hors service"
    assert events.name(event.BEARER_CHANGED, "fr") == "bascule fibre ↔ 4G"
    assert events.remedy(event.WATER_LEAK, "en").startswith("shut the stop valve")
    assert events.remedy(event.BOOT, "fr") is None


def test_an_event_of_a_later_release_is_shown_by_its_label():
    assert events.name(77, "fr") == "event77" and events.remedy(77, "fr") is None
    assert events.sentence(77, True, [1], "en") == "event event77, which this version does not know"


def test_words_that_nobody_knows_stand_as_they_came():
    assert value_text("why", "later-word", "fr") == "later-word"
    assert value_text("about", bytes(8), "fr") == "00" * 8
    assert value_text("feeder", "a\x1b[31m\nb" + "c" * 100, "fr") == "a [31m b" + "c" * 72


def test_numbers_have_the_decimals_of_the_language():
    assert figures.number(21.37, "fr") == "21,4" and figures.number(21.37, "en", 2) == "21.37"


@pytest.mark.parametrize(
    ("field", "words"),
    [
        ("rule", [getattr(decision, name) for name in
                  ("BOOT", "CALENDAR", "CARRIED", "PHOTOCELL", "CELL_ALONE", "FEEDER", "NO_TIME")]),
        ("rule", [*feeder.RULES]),
        ("rule", [setpoint.PROGRAMME, setpoint.PREHEAT, setpoint.EARLY_STOP, setpoint.NO_TIME, setpoint.SHED,
                  setpoint.CEILING, trade.FROST, trade.SENSOR, trade.WINDOW]),
        ("why", [thermometers.SILENT, thermometers.RANGE, thermometers.RATE, thermometers.STUCK, thermometers.ABSENT]),
        ("why", [lockouts.ORDER, lockouts.BURST, lockouts.VALVE, lockouts.LEAK, lockouts.DROUGHT, lockouts.FORBIDDEN,
                 lockouts.RAIN, lockouts.FREEZE, lockouts.WIND, lockouts.ENERGY, lockouts.TIME, lockouts.SATISFIED]),
        ("why", [settings_slots.ABSENT, settings_slots.UNREADABLE, settings_slots.FAULTY,
                 settings_slots.CRASHED]),
        ("flag", [*dali_banks.FLAGS]),
        ("outcome", [orders.RECEIVED, orders.APPLIED, orders.MEASURED, orders.REFUSED, orders.EXPIRED, orders.ENDED]),
        ("outcome", [updating.READY, updating.SIGNER, updating.SIGNATURE, updating.MANIFEST, updating.PRODUCT,
                     updating.DIGEST, updating.STATE]),
    ],
)  # fmt: skip
def test_every_word_that_a_detail_may_hold_is_in_the_table(field, words):
    assert [word for word in words if f"{field}.{word}" not in values.WORDS] == []
