"""Faults seen in the watts: each told once, by its cause, and over when it is over."""

import pytest

from gateway.core import limits
from gateway.core.cabinet.equipment import Linky
from gateway.core.cabinet.normal_power import NormalPower
from tests.support.lit_world import DUSK_S, LitWorld
from wire import event

# Where hours pass: between looks the core decides at its deadlines.
RARE_MS = 30_000
FULL_DW = 14 * 320
LINKY = Linky("standard", "041976000123", 12_345_678, 620, "HEURE CREUSE")


@pytest.fixture
def night():
    """At 20:00, both feeders warm."""
    world = LitWorld(start_s=DUSK_S, look_ms=RARE_MS)
    world.until(world.at(0, 20))
    world.look_ms = 5_000
    assert world.alarms() == []
    return world


def details(world, code):
    return [(active, detail) for active, detail in world.events(code)]


def test_a_feeder_without_current_is_one_alarm_whatever_hangs_on_it(night):
    night.draw[0] = 0
    night.live(3600)
    assert night.alarms() == [("feederFailure", True)]
    assert details(night, event.FEEDER_FAILURE) == [(True, ["bourg", 0, FULL_DW])]
    night.draw[0] = None
    night.live(120)
    assert night.alarms() == [("feederFailure", True), ("feederFailure", False)]


@pytest.mark.parametrize("lamps", [1, 2])
def test_lamps_that_go_out_one_by_one_are_counted(night, lamps):
    night.draw[0] = FULL_DW - 320 * lamps
    night.live(900)
    assert details(night, event.LAMPS_LOST) == [(True, ["bourg", lamps, FULL_DW - 320 * lamps, FULL_DW])]
    night.draw[0] = FULL_DW - 320 * (lamps + 1)
    night.live(900)
    assert [detail[1] for active, detail in details(night, event.LAMPS_LOST)] == [lamps, lamps + 1]
    night.draw[0] = None
    night.live(900)
    assert night.alarms()[-1] == ("lampsLost", False)
    assert {name for name, _ in night.alarms()} == {"lampsLost"}


def test_half_a_lamp_is_no_lamp(night):
    night.draw[0] = FULL_DW - 150
    night.live(3600)
    assert night.alarms() == []


def test_a_cable_that_is_cut_or_stolen_by_night_is_told_within_a_minute(night):
    night.draw[0] = FULL_DW - 5 * 320
    night.live(60)
    assert details(night, event.CABLE_FAULT) == [(True, ["bourg", 5, FULL_DW - 5 * 320, FULL_DW])]
    night.live(3600)
    assert night.alarms() == [("cableFault", True)]


@pytest.mark.slow
def test_a_cable_that_was_stolen_by_day_is_told_at_dusk(night):
    night.look_ms = RARE_MS
    night.until(night.at(1, 11))
    before = night.alarms()
    night.until(night.at(1, 15))
    for _ in range(400):
        night.draw[0] = FULL_DW - 5 * 320 if night.closed[0] else 0
        night.live(60)
    assert before == [] and night.alarms()[:1] == [("cableFault", True)]
    assert {name for name, _ in night.alarms()} == {"cableFault"}


@pytest.mark.slow
def test_a_contactor_that_sticks_closed_burns_by_day_and_is_one_alarm(night):
    night.look_ms = RARE_MS
    night.draw[0], night.feedback[0] = FULL_DW, True
    night.until(night.at(1, 11))
    assert night.alarms()[0] == ("contactorStuck", True)
    assert {name for name, _ in night.alarms()} == {"contactorStuck"}
    assert details(night, event.CONTACTOR_STUCK) == [(True, ["bourg", False])]  # once, though it is right all night
    night.until(night.at(2, 11))
    night.draw[0] = night.feedback[0] = None
    night.live(120)
    assert night.alarms() == [("contactorStuck", True), ("contactorStuck", False)]


@pytest.mark.slow
def test_a_contactor_that_does_not_close_is_one_alarm(night):
    night.look_ms = RARE_MS
    night.until(night.at(1, 11))
    night.draw[0], night.feedback[0] = 0, False
    night.until(night.at(1, 20))
    assert night.alarms() == [("contactorStuck", True)]


@pytest.mark.slow
def test_a_feeder_that_burns_behind_an_open_contactor_is_told(night):
    night.look_ms = RARE_MS
    night.until(night.at(1, 11))
    night.draw[0] = 2000
    night.live(300)
    assert details(night, event.FEEDER_UNEXPECTED_ON) == [(True, ["bourg", 2000])]
    night.draw[0] = None
    night.live(300)
    assert night.alarms()[-1] == ("feederUnexpectedOn", False)


@pytest.mark.slow
def test_a_supply_that_fails_is_one_alarm_and_hides_the_feeders(night):
    night.seen_changes |= {"mains": False, "linky": None}
    night.draw[:] = [0, 0]
    night.live(3600)
    night.seen_changes["mains"] = True
    night.draw[:] = [None, None]
    night.live(900)
    assert night.alarms() == [("supplyLoss", True), ("supplyLoss", False)]


def test_a_silent_meter_is_one_alarm_and_recovers(night):
    night.silent.add(0)
    night.live(600)
    assert details(night, event.CABINET_METER_FAILURE) == [(True, ["bourg"])]
    night.silent.clear()
    night.live(300)
    assert night.alarms() == [("cabinetMeterFailure", True), ("cabinetMeterFailure", False)]


def test_a_silent_linky_is_one_alarm_and_recovers():
    world = LitWorld(has_linky=True, start_s=DUSK_S)
    world.seen_changes["linky"] = LINKY
    world.until(world.at(0, 20))
    world.seen_changes["linky"] = None  # garbage and silence look the same from here
    world.live(600)
    assert details(world, event.CABINET_METER_FAILURE) == [(True, ["linky"])]
    world.seen_changes["linky"] = LINKY
    world.live(300)
    assert world.alarms() == [("cabinetMeterFailure", True), ("cabinetMeterFailure", False)]


def test_an_open_door_is_told_once(night):
    night.seen_changes["door_open"] = True
    night.live(600)
    night.seen_changes["door_open"] = False
    night.live(30)
    assert night.alarms() == [("doorOpen", True), ("doorOpen", False)]


@pytest.mark.slow
def test_a_switch_off_by_policy_is_no_fault(night):
    night.until(night.at(1, 4))  # extinction
    assert night.closed == [False, False] and night.alarms() == []


def test_the_first_night_teaches_what_nobody_wrote_down_and_a_dead_lamp_is_never_learnt():
    normal = NormalPower(14, 0, None)
    assert normal.dw is None and normal.lamps_missing(100) == 0
    for minute in range(600):
        normal.observe(4400 + minute % 3, now_ms=60_000 * minute)
    assert normal.end_of_night() and normal.dw == 4401
    for night in range(30):
        for minute in range(600):
            normal.observe(4401 - 314, now_ms=60_000 * (1000 * night + minute))
        normal.end_of_night()
    assert normal.dw == 4401 and normal.lamps_missing(4401 - 314) == 1


def test_drift_is_followed_and_more_lamps_are_the_new_normal():
    normal = NormalPower(14, 320, 4480)
    for night, power_dw in enumerate([4400] * 20):
        for minute in range(100):
            normal.observe(power_dw, now_ms=60_000 * (1000 * night + minute))
        normal.end_of_night()
    assert 4400 <= normal.dw <= 4410
    for night in range(limits.NORMAL_HIGHER_NIGHTS):
        assert normal.dw <= 4410  # festoons
        for minute in range(100):
            normal.observe(5100, now_ms=60_000 * (1000 * night + 50_000 + minute))
        normal.end_of_night()
    assert normal.dw == 5100


def test_a_first_night_with_lamps_missing_does_not_pass_for_normal():
    normal = NormalPower(14, 320, None)
    for minute in range(600):
        normal.observe(4480 - 640, now_ms=60_000 * minute)
    normal.end_of_night()
    assert normal.dw == 4480 and normal.lamps_missing(4480 - 640) == 2


def test_a_short_night_teaches_nothing():
    normal = NormalPower(14, 0, None)
    for minute in range(10):
        normal.observe(4400, now_ms=60_000 * minute)
    assert not normal.end_of_night() and normal.dw is None


@pytest.mark.slow
def test_what_was_learnt_outlives_a_restart():
    world = LitWorld(look_ms=RARE_MS)
    world.draw[0] = None
    world.until(world.at(1, 11))
    learnt = [watch.normal.learnt_dw for watch in world.cabinet.watches]
    assert learnt == [14 * 320, 6 * 250]
    world.power_cut()
    assert [watch.normal.learnt_dw for watch in world.cabinet.watches] == learnt
