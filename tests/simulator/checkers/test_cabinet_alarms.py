"""The checker of a cabinet's alarms: one for a cause, soon, of the right feeder, ended with it."""

import pytest

from simulator.checkers.alarms import AlarmRecord, Cause, alarms_of, judge_cabinet
from wire import event, record

T0 = 1_800_000_000
STUCK = Cause(event.CONTACTOR_STUCK, "bourg", T0, T0 + 3600, 60)
LAMPS = Cause(event.LAMPS_LOST, "levée", T0, None, 900, 2)


def said(after_s, code, active=True, feeder=None, detail=(), boot=1):
    return AlarmRecord(boot, T0 + after_s, code, active, feeder, detail)


def stuck(after_s, active=True, boot=1):
    return said(after_s, event.CONTACTOR_STUCK, active, "bourg", ("bourg", False), boot)


def lamps(after_s, number):
    return said(after_s, event.LAMPS_LOST, True, "levée", ("levée", number, 1000, 2000))


def test_what_is_told_once_and_ended_is_right():
    verdict = judge_cabinet([STUCK, LAMPS], [stuck(12), lamps(700, 1), stuck(3610, False), lamps(5000, 2)])
    assert verdict == (2, 2, 0, ())


@pytest.mark.parametrize(
    ("told", "fault"),
    [
        ([], "not told"),
        ([stuck(61), stuck(3610, False)], "told 61 s late"),
        ([stuck(12)], "not ended"),
        ([stuck(12), stuck(900, False), stuck(910), stuck(3610, False)], "told 2 times"),
    ],
)
def test_what_is_wrong_with_a_telling(told, fault):
    assert judge_cabinet([STUCK], told).faults == (f"contactorStuck of bourg: {fault}",)


def test_an_alarm_that_goes_on_must_not_end_and_its_last_number_counts():
    assert judge_cabinet([LAMPS], [lamps(700, 1)]).faults == ("lampsLost of levée: says 1 lamps, it is 2",)
    ended = said(800, event.LAMPS_LOST, False, "levée", ("levée", 2, 1000, 2000))
    assert judge_cabinet([LAMPS], [lamps(700, 2), ended]).faults == ("lampsLost of levée: ended too early",)


def test_another_feeder_another_alarm_and_one_before_its_cause_are_false():
    others = [said(12, event.CONTACTOR_STUCK, True, "levée"), said(12, event.DOOR_OPEN), stuck(-5)]
    verdict = judge_cabinet([], others)
    assert verdict.false == 3 and len(verdict.faults) == 3


def test_a_restarted_agent_may_tell_again_what_stands():
    assert judge_cabinet([STUCK], [stuck(12), stuck(2000, boot=2), stuck(3610, False, boot=2)]).faults == ()


def test_alarms_are_read_from_the_gateways_own_records():
    gateway, other = b"gateway!", b"lamp----"
    stamp = record.Stamp(record.SYNCED, T0, 1)

    def row(node, sequence, code, active, detail):
        return ((node, 1, sequence), stamp, record.encode_body(record.EventBody(code, active, detail)))

    bodies = [
        row(gateway, 5, event.CONTACTOR_STUCK, True, ["bourg", False]),
        row(gateway, 4, event.DOOR_OPEN, True, []),
        row(gateway, 6, event.FEEDER_SWITCHED, None, ["bourg", True, "policy", 1]),
        row(gateway, 7, event.BEARER_FAILURE, True, ["fibre"]),
        row(other, 1, event.LAMP_FAILURE, True, None),
    ]
    assert alarms_of(gateway, bodies) == [
        AlarmRecord(1, T0, event.DOOR_OPEN, True, None, ()),
        AlarmRecord(1, T0, event.CONTACTOR_STUCK, True, "bourg", ("bourg", False)),
    ]
