"""A feeder's state is what contact and watts say; what contradicts the order is a fault on each screen at once."""

import pytest

from gateway.language import LANGUAGES
from gateway.show import report
from gateway.show.feeder_state import is_wrong, state_of, state_text
from gateway.show.findings import findings, is_grave
from tests.support import cabinet_document as told

ON, OFF = {"wants": True}, {"wants": False}


def shown(asked, language="fr", in_control=True, **changes):
    """(kind, words) of the feeder `bourg`, whose 14 lamps draw 448 W."""
    feeder = told.feeder("bourg", **asked, **changes)
    cabinet = told.agent(told.cabinet(feeders=[feeder], in_control=in_control)).cabinet
    return state_of(cabinet, cabinet.feeders[0]).kind, state_text(cabinet, cabinet.feeders[0], language)


@pytest.mark.parametrize(
    ("asked", "changes", "kind", "words"),
    [
        (ON, {}, "lit", "allumé"),
        (ON, {"reported": None}, "lit", "allumé"),
        (ON, {"power_w": None}, "lit", "allumé"),
        (ON, {"power_w": 0.0}, "fault", "commandé allumé, 0 W : éteint"),
        (ON, {"power_w": 0.0, "reported": None}, "fault", "commandé allumé, 0 W : éteint"),
        (ON, {"power_w": 0.0, "reported": False}, "fault", "commandé allumé, contacteur ouvert, 0 W : éteint"),
        (ON, {"power_w": None, "reported": False}, "fault", "commandé allumé, contacteur ouvert"),
        (ON, {"reported": False}, "fault", "commandé allumé, contact auxiliaire ouvert, 448 W"),
        (ON, {"power_w": 130.0}, "fault", "commandé allumé, 130 W sur 448 W"),
        (ON, {"power_w": 130.0, "since_s": 40}, "lit", "allumé"),
        (ON, {"power_w": None, "reported": None}, "unconfirmed", "commandé allumé, non constaté"),
        (ON, {"power_w": 0.0, "since_s": 4}, "unconfirmed", "commandé allumé, pas encore constaté"),
        (OFF, {}, "dark", "éteint"),
        (OFF, {"power_w": 448.0}, "fault", "commandé éteint, 448 W : allumé"),
        (OFF, {"power_w": 100.0}, "fault", "commandé éteint, 100 W : allumé"),
        (OFF, {"reported": True}, "fault", "commandé éteint, contact auxiliaire fermé, 0 W"),
        (OFF, {"power_w": None, "reported": None}, "unconfirmed", "commandé éteint, non constaté"),
        (ON, {"kind": "permanent", "dims": True, "power_w": 0.0}, "lit", "alimenté"),
        (ON, {"kind": "permanent", "dims": True, "reported": False}, "fault",
         "commandé alimenté, contact auxiliaire ouvert, 448 W"),
    ],
)  # fmt: skip
def test_each_state_has_its_words(asked, changes, kind, words):
    assert shown(asked, **changes) == (kind, words)


def test_the_same_in_english():
    assert shown(ON, "en", power_w=0.0) == ("fault", "ordered lit, 0 W: off")


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"power_w": 448.0, "reported": True}, "lit"), ({"power_w": 0.0, "reported": False}, "dark"),
        ({"power_w": None, "reported": True}, "lit"), ({"power_w": None, "reported": None}, "unknown"),
    ],
)  # fmt: skip
def test_while_another_clock_has_the_contactors_the_state_is_what_is_seen(changes, kind):
    assert shown(ON, in_control=False, **changes)[0] == kind
    assert shown(OFF, in_control=False, **changes)[0] == kind


# --- one judgement for all ------------------------------------------------------------------------------------------

WATTS = (None, 0.0, 2.0, 30.0, 130.0, 352.0, 384.0, 430.0, 448.0, 520.0)
ALL = [
    {"reported": reported, "power_w": power_w, "since_s": since_s, "dims": dims, "kind": kind} | asked
    for asked in (ON, OFF)
    for reported in (None, False, True)
    for power_w in WATTS
    for since_s in (3, 60, 5000)
    for dims, kind in ((False, "switched"), (True, "switched"), (True, "permanent"))
]


@pytest.mark.parametrize("language", LANGUAGES)
def test_never_all_is_well_while_a_feeder_is_red(language):
    wells = 0
    for one in ALL:
        status = told.agent(told.cabinet(feeders=[told.feeder("bourg", **one)]))
        is_red = is_wrong(status.cabinet, status.cabinet.feeders[0])
        assert is_red == bool(findings(status)) == (report.exit_status(status) == report.ATTENTION), one
        wells += not is_red
        if is_red:
            assert "bourg" in report.headline(status, language)
    assert 0 < wells < len(ALL)


def test_never_lit_with_an_open_auxiliary_contact_and_never_off_with_a_closed_one():
    for one in ALL:
        if one["reported"] not in (None, one["wants"]):
            assert shown({}, **one)[1] not in ("allumé", "éteint", "alimenté")


def test_608_of_704_watts_are_a_finding_at_once_and_one_alarm_later():
    feeder = told.feeder("route", wants=True, lamps=22, normal_w=704.0, power_w=608.0, since_s=400)
    early = told.agent(told.cabinet(feeders=[feeder]))
    assert report.headline(early, "fr") == "Départ « route » : 608 W mesurés, 704 W attendus : il manque 96 W"
    assert not is_grave(findings(early)[0])
    declared = told.agent(told.cabinet(feeders=[feeder], alarms=[told.alarm("lampsLost", "route", 3, 608, 704)]))
    assert [found.key for found in findings(declared)] == ["alarm.lampsLost"]


def test_lamps_that_dim_and_lamps_that_were_added_are_no_fault():
    dims = {"power_w": 300.0, "dims": True}
    for more in (dims, dims | {"kind": "permanent"}, {"power_w": 600.0}):
        assert not findings(told.agent(told.cabinet(feeders=[told.feeder("bourg", wants=True, **more)])))


def test_one_cause_is_said_once():
    dark = told.feeder("bourg", wants=True, power_w=0.0)
    for alarm, keys in (
        (told.alarm("supplyLoss"), ["alarm.supplyLoss"]),
        (told.alarm("feederFailure", "bourg", 0, 448), ["alarm.feederFailure"]),
        (told.alarm("doorOpen"), ["differs", "alarm.doorOpen"]),
    ):
        assert [one.key for one in findings(told.agent(told.cabinet(feeders=[dark], alarms=[alarm])))] == keys
