"""`gateway status` with a cabinet: its lines, its alarms as findings with what to do, in both languages."""

import pytest

from gateway.language import LANGUAGES
from gateway.show import report
from gateway.show.findings import _ALARMS, alarm_findings, findings, is_grave
from gateway.show.words import WORDS
from tests.support import cabinet_document as told
from tests.support.cabinet_document import alarm, cabinet
from wire import event, event_table


def lines(part=None, language="fr", **more):
    return [" ".join(line.split()) for line in report.render(told.agent(part, **more), language)]


def test_a_cabinet_that_is_well_has_its_lines():
    found = lines()
    assert found[0] == "49135-bourg — Tout va bien" and report.exit_status(told.agent()) == report.WELL
    for line in (
        "départ bourg : éteint (41 min) ; 0 W ; décidé par : politique",
        "départ route : allumé (6 h 40 min) ; 1050 W sur 1056 W ; décidé par : politique",
        "départ pompe : commandé alimenté, non constaté ; décidé par : politique",
        "armoire la passerelle commande ; secteur présent ; porte ouverte ; interrupteur sur AUTO ; 11,5 °C",
        "politique n° 4 ; Conseil municipal de Feneu ; Délibération 2026-41 ; "
        "valable jusqu’au vendredi 31 décembre 2027, 00:00",
        "commandes le centre peut commander encore 4 min",
        "alarmes aucune",
    ):
        assert line in found, line
    assert not [line for line in found if line.startswith("équipements")]  # no controllers on the lamps


def test_the_same_in_english():
    found = lines(language="en")
    assert "feeder route: lit (6 h 40 min) ; 1050 W of 1056 W ; decided by: policy" in found
    assert "commands the centre may command for 4 min more" in found and "alarms none" in found


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"policy": {"state": "none"}}, "politique aucune : du coucher au lever du soleil"),
        ({"policy": {"version": 4, "state": "expired", "valid_until_s": told.at(2026, 11, 1)}},
         "politique n° 4 ; échue depuis le dimanche 1er novembre 2026, 00:00, son calendrier continue"),
        ({"policy": {"version": 4, "next_version": 5}}, "politique n° 4 ; la n° 5 attend sa date"),
        ({"lease": {"held": False, "left_s": None}},
         "commandes sans nouvelles du centre : seules la politique et les urgences comptent"),
        ({"lease": {"held": True}}, "commandes le centre peut commander"),
        ({"in_control": False, "mains": False, "door_open": False, "switch": "off", "temperature_c": None},
         "armoire l’horloge de l’armoire commande ; secteur absent ; porte fermée ; interrupteur sur ARRÊT"),
        ({"alarms": [alarm("lampsLost", "route", 2) | {"since_s": 9000}]},
         "alarmes 2 lampes éteintes sur le départ « route », depuis 2 h 30 min"),
        ({"feeders": [told.feeder("x", told.wish("manual", True, "J. Renard"))]},
         "départ x : allumé (41 min) ; 448 W sur 448 W ; décidé par : essai à l’armoire"),
        ({"feeders": [{"name": "x", "rule": "photocell"}]},
         "départ x : état inconnu ; décidé par : cellule photoélectrique"),
    ],
)  # fmt: skip
def test_every_state_has_its_words(changes, line):
    assert line in lines(cabinet(**changes))


# As the core raises them (gateway/core/cabinet), with the details of wire.event.
ALARMS = {
    "cableFault": alarm("cableFault", "bourg", 9, 100, 448),
    "supplyLoss": alarm("supplyLoss"),
    "contactorStuck": alarm("contactorStuck", "bourg", True),
    "feederFailure": alarm("feederFailure", "bourg", 0, 448),
    "feederUnexpectedOn": alarm("feederUnexpectedOn", "bourg", 448),
    "handedBack": alarm("handedBack"),
    "lampsLost": alarm("lampsLost", "bourg", 2, 384, 448),
    "timeFallback": alarm("timeFallback", None, "photocell"),
    "localOverride": alarm("localOverride", None, "on"),
    "policyExpired": alarm("policyExpired", None, 4),
    "cabinetMeterFailure": alarm("cabinetMeterFailure", None, "linky"),
    "photocellFailure": alarm("photocellFailure", None, "dark"),
    "doorOpen": alarm("doorOpen"),
}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("what", ALARMS)
def test_every_alarm_is_a_finding_with_a_sentence_and_what_to_do(what, language):
    document = told.agent(cabinet(alarms=[ALARMS[what]]))
    (found,) = findings(document)
    assert found.key == f"alarm.{what}" and "?" not in found.sentence(language)
    assert len(found.to_do(language)) > 10 and report.exit_status(document) == report.ATTENTION
    assert report.headline(document, language) == found.sentence(language)


def test_the_alarms_are_those_of_the_wire():
    names = {one["what"] for one in ALARMS.values()}
    assert names <= {entry.name for entry in event_table.TABLE}
    on_wire = {
        entry.name for entry in event_table.TABLE
        if event.FEEDER_UNEXPECTED_ON <= entry.code <= event.CABINET_METER_FAILURE
    }  # fmt: skip
    assert on_wire == names


def test_the_gravest_comes_first_and_a_street_before_the_gateway():
    document = told.agent(
        cabinet(alarms=[ALARMS[what] for what in ("doorOpen", "lampsLost", "cableFault")]),
        faults=[{"ago_s": 5, "what": "journal-sync-failed", "values": {}}],
    )
    keys = [found.key for found in findings(document)]
    assert keys == ["alarm.cableFault", "write", "alarm.lampsLost", "alarm.doorOpen"]
    assert [is_grave(found) for found in findings(document)] == [True, True, False, False]
    assert report.headline(document, "fr").startswith("Câble coupé ou volé")


def test_one_lamp_and_several():
    one = alarm_findings(told.agent(cabinet(alarms=[alarm("lampsLost", "bourg", 1)])))[0]
    assert one.sentence("fr") == "1 lampe éteinte sur le départ « bourg »"
    unknown = alarm_findings(told.agent(cabinet(alarms=[alarm("lampsLost", "bourg")])))[0]
    assert unknown.sentence("fr").startswith("? lampes")


def test_one_cause_is_said_once():
    clock = {"clock": {"good": False}}
    by_cell = told.agent(cabinet(alarms=[ALARMS["timeFallback"]]), **clock)
    assert [found.key for found in findings(by_cell)] == ["alarm.timeFallback"]
    back = cabinet(alarms=[alarm("timeFallback", None, "safety"), ALARMS["handedBack"]])
    assert [found.key for found in findings(told.agent(back, **clock))] == ["alarm.handedBack"]
    assert [found.key for found in findings(told.agent(**clock))] == ["clock"]


def test_an_alarm_of_a_newer_agent_is_told_all_the_same():
    (found,) = alarm_findings(told.agent(cabinet(alarms=[alarm("poleFelled", "bourg")])))
    assert found.sentence("fr") == "Alarme de l’armoire : poleFelled" and found.to_do("en")


def test_a_feeder_has_its_own_alarms_and_those_of_the_whole_cabinet():
    document = told.agent(cabinet(alarms=[ALARMS["lampsLost"], ALARMS["doorOpen"], alarm("feederFailure", "route")]))
    assert [found.key for found in alarm_findings(document, "bourg")] == ["alarm.lampsLost", "alarm.doorOpen"]


def test_a_gateway_without_a_cabinet_has_none_of_it():
    found = lines(False)
    assert not [line for line in found if line.startswith(("départ", "armoire", "commandes", "alarmes"))]
    assert alarm_findings(told.agent(False)) == []


def test_every_alarm_has_its_remedy_in_the_table():
    assert all(f"alarm.{what}" in WORDS and f"alarm.{what}.do" in WORDS for what in _ALARMS) and len(_ALARMS) > 12
