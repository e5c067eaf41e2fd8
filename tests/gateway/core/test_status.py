"""The status read back from JSON: nothing odd gets through, nothing odd raises."""

import json

from hypothesis import given
from hypothesis import strategies as st

from gateway.core.status import Status, as_json, parse
from gateway.show.explain.answer import explain_now
from gateway.show.explain.why import ladder
from gateway.show.findings import findings
from gateway.show.report import render
from tests.support import cabinet_document as told

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)


def seen(**more):
    return told.agent(told.cabinet(**more)).cabinet


def test_a_sound_document_is_taken_whole():
    cabinet = seen(commands=[told.command()], alarms=[told.alarm("lampsLost", "route", 2, 960, 1056)])
    assert [feeder.name for feeder in cabinet.feeders] == ["bourg", "route", "pompe"]
    assert cabinet.commands[0].kind == "override" and cabinet.commands[0].expires_s == told.at(2026, 11, 27, 4)
    assert cabinet.alarms[0].lamps == 2 and cabinet.alarms[0].words is None
    assert cabinet.policy.version == 4 and cabinet.policy_plain == bytes.fromhex("".join(told.plain()))
    assert cabinet.lease.held is True and cabinet.unix_s == told.NOW


def test_the_policy_may_come_in_one_piece_or_in_several_and_is_none_when_it_was_shortened():
    whole = "".join(told.plain())
    assert seen(policy_plain=whole) == seen()
    for shortened in (whole[:500] + "…", whole[:501], ["a4", None], "a4" * 20_000, []):
        assert seen(policy_plain=shortened).policy_plain is None


def test_the_details_of_alarms():
    alarms = [
        told.alarm("timeFallback", None, "photocell"), told.alarm("cabinetMeterFailure", None, "linky"),
        told.alarm("contactorStuck", "bourg", True), told.alarm("policyExpired", None, 4),
        {"what": "x", "detail": "y"}, 7,
    ]  # fmt: skip
    found = seen(alarms=alarms).alarms
    assert [alarm.words for alarm in found] == ["photocell", "linky", None, None, None]
    assert [alarm.lamps for alarm in found] == [None] * 5


def test_texts_are_of_one_line_and_bounded():
    cabinet = seen(feeders=[told.feeder("a\nb\x1b[31m\u202e" + "x" * 1000)])
    assert cabinet.feeders[0].name.startswith("a b [31m x") and len(cabinet.feeders[0].name) <= 200


def test_a_feeder_keeps_its_place_whatever_stands_before_it():
    cabinet = seen(feeders=[None, 7, told.feeder("bourg", place=2)])
    assert [(feeder.place, feeder.name) for feeder in cabinet.feeders] == [(2, "bourg")]


def test_a_name_is_found_in_small_letters_unless_two_are_alike():
    cabinet = seen(feeders=[told.feeder("Bourg"), told.feeder("ÉTANG", place=1), told.feeder("étang", place=2)])
    assert cabinet.feeder_named("bourg").place == 0 and cabinet.feeder_named("étang").place == 2
    assert cabinet.feeder_named("Étang") is None and cabinet.feeder_named("") is None


def test_a_night_that_goes_backwards_is_none():
    for night in ([[2, 0], [1, 100]], [[1, 0], [1, 100]], [[1]], ["x"], [[1, None]]):
        assert seen(feeders=[told.feeder("bourg", night=night)]).feeders[0].night == ()
    night = seen(feeders=[told.feeder("bourg", night=[[1, -5, 9], [2, 900]])]).feeders[0].night
    assert night == ((1, 0), (2, 100))


def test_without_a_cabinet_there_is_none():
    for plain in (None, [], {}, {"cabinet": None}, {"cabinet": []}):
        assert parse(plain).cabinet is None
    assert told.agent(False).cabinet is None


def test_what_is_written_as_json_is_read_back_the_same():
    whole = told.agent(told.cabinet(commands=[told.command()], alarms=[told.alarm("lampsLost", "route", 2)]))
    assert parse(json.loads(json.dumps(as_json(whole)))) == whole
    assert parse(as_json(Status())) == Status()


@given(PLAIN | st.dictionaries(st.sampled_from(Status._fields), PLAIN, max_size=6))
def test_no_plain_data_raises(plain):
    status = parse(plain)
    assert render(status, "fr") and findings(status) is not None and json.dumps(as_json(status))


@given(st.dictionaries(st.sampled_from(sorted(told.cabinet())), PLAIN, max_size=4), PLAIN)
def test_no_cabinet_raises(odd, feeder):
    plain = told.cabinet(**odd)
    plain["feeders"] = [*plain["feeders"], feeder] if isinstance(plain["feeders"], list) else [feeder]
    status = told.agent(plain)
    for one in status.cabinet.feeders:
        assert explain_now(status.cabinet, one, "fr") and ladder(status.cabinet, one, "en")
    assert render(status, "fr") and findings(status) is not None


@given(st.dictionaries(st.sampled_from(sorted(told.feeder("bourg"))), PLAIN, max_size=5))
def test_no_feeder_raises(odd):
    cabinet = seen(feeders=[told.feeder("bourg") | odd])
    assert explain_now(cabinet, cabinet.feeders[0], "fr")["ladder"]
