"""Restarts and silences: what a strict reader asked about the hand at the cabinet and about alarms."""

import json

import pytest

from gateway.core.cabinet.alarms import FeederWatch
from gateway.core.cabinet.equipment import FeederObservation
from gateway.core.cabinet.normal_power import NormalPower
from policy import document
from tests.support.lit_world import (
    LitWorld,
    bundle,
    by_day,
    by_night,
    policy,
    restart,
    rewrite,
)
from wire import event

# --- the hand at the cabinet ----------------------------------------------------------------------------------------


def test_a_street_that_is_switched_off_by_hand_stays_dark_over_a_restart():
    world = by_night(has_switch=True)
    world.seen_changes["switch"] = "off"
    world.live(10)
    before = list(world.switched)
    restart(world)
    world.wait(900)
    world.look()
    world.live(120)
    assert world.switched == before and world.closed == [False, False]


def test_a_switch_that_cannot_be_read_any_more_stays_as_it_was_and_is_told():
    world = by_night(has_switch=True)
    world.seen_changes["switch"] = "off"
    world.live(10)
    world.seen_changes["switch"] = None
    world.live(300)
    assert world.closed == [False, False]
    assert world.events(event.CABINET_METER_FAILURE) == [(True, ["switch"])]


@pytest.mark.slow
def test_a_switch_that_was_never_read_does_not_keep_the_street_dark():
    world = LitWorld(has_switch=True)
    world.seen_changes["switch"] = None
    world.until(world.at(0, 20))
    assert world.closed == [True, True]


def test_a_test_of_one_feeder_without_the_time_leaves_the_others_as_they_were_found():
    world = LitWorld(clock=False, made=None)
    world.feedback[:] = [False, False]  # the old clock knows that it is day
    world.live(180)
    world.cabinet.test(1, 120, "Luc", now_ms=world.now_ms)
    world.live(10)
    assert world.closed == [False, True] and world.cabinet.in_control


def test_a_short_test_in_the_first_minute_makes_nobody_spin():
    world = LitWorld(clock=False, made=None)
    world.cabinet.test(1, 5, "Luc", now_ms=world.now_ms)
    world.live(100)
    world.tell_clock(wrong_s=40 * 366 * 86_400)
    world.live(30)


def test_a_round_by_day_lights_what_is_not_locked_for_half_an_hour_and_is_recorded():
    world = by_day()
    world.cabinet.lock(1, "Luc", now_ms=world.now_ms)
    assert world.cabinet.test_all(1800, "Luc", now_ms=world.now_ms) is None
    world.live(1790)
    assert world.closed == [True, False]
    world.live(20)
    assert world.closed == [False, False], "it is day"
    done = [["lock", "parc", "Luc"], ["test", "bourg", "Luc"]]
    assert [detail for _, detail in world.events(event.LOCAL_ORDER)] == done
    world.cabinet.lock(0, "Luc", now_ms=world.now_ms)
    assert world.cabinet.test_all(1800, "Luc", now_ms=world.now_ms) == "locked"


def test_a_round_is_ended_as_a_whole_and_lasts_no_longer_than_a_test_may():
    world = by_day()
    world.cabinet.test_all(36_000, "Luc", now_ms=world.now_ms)
    world.live(5)
    assert world.closed == [True, True]
    assert {one.until_ms - world.now_ms for one in world.cabinet.hand.tests.values()} == {1_795_000}
    world.cabinet.test_all(0, "Luc", now_ms=world.now_ms)
    world.live(5)
    assert world.closed == [False, False]
    ends = [detail for _, detail in world.events(event.LOCAL_ORDER) if detail[0] == "test-end"]
    assert ends == [["test-end", "bourg", "Luc"], ["test-end", "parc", "Luc"]]


# --- alarms ---------------------------------------------------------------------------------------------------------


def said(world, code):
    """(active) of every event of a kind over all lives."""
    found = []
    for items in world.held().values():
        for item in items:
            body = item.record.body
            if getattr(body, "code", None) == code:
                found.append((item.record.boot, item.record.sequence, body.active))
    return [active for _boot, _sequence, active in sorted(found)]


@pytest.mark.slow
def test_an_alarm_that_stands_over_a_restart_is_said_once_and_ended_once():
    world = by_night()
    world.seen_changes["door_open"] = True
    world.draw[0] = 14 * 320 - 3 * 320
    world.live(3600)
    restart(world)
    world.live(3600)
    world.seen_changes["door_open"] = False
    world.draw[0] = None
    restart(world)
    world.live(1800)
    assert said(world, event.DOOR_OPEN) == [True, False]
    assert said(world, event.CABLE_FAULT) == [True, False] and said(world, event.LAMPS_LOST) == []


@pytest.mark.slow
def test_lamps_that_are_known_to_be_out_are_no_cable_after_a_restart_or_a_tripped_breaker():
    world = by_night()
    for lamps in (1, 2, 3):
        world.draw[0] = 14 * 320 - lamps * 320
        world.live(900)
    restart(world)
    world.live(900)
    world.draw[0] = 0
    world.live(300)
    world.draw[0] = 14 * 320 - 3 * 320
    world.live(900)
    assert said(world, event.CABLE_FAULT) == []
    assert said(world, event.LAMPS_LOST) == [True, True, True]
    assert said(world, event.FEEDER_FAILURE) == [True, False]


def test_a_damaged_file_of_alarms_is_no_reason_not_to_start():
    world = by_night()
    world.seen_changes["door_open"] = True
    world.live(60)
    for name in world.state_disk.list():
        if name.startswith("standing-"):
            rewrite(world.state_disk, name, json.dumps({"conditions": {"x": 1}, "feeders": []}).encode())
    restart(world)
    world.live(60)
    assert said(world, event.DOOR_OPEN) == [True, True]


def test_lamps_that_dim_by_themselves_are_counted_in_the_first_hour_only():
    watch = FeederWatch("bourg", NormalPower(14, 320, None), is_self_dimming=True)
    told = []
    for second in range(0, 12 * 3600, 5):
        power_dw = 4480 if second < 4 * 3600 else 2700
        seen = FeederObservation(True, power_dw)
        told += watch.observe(seen, True, has_supply=True, has_meter=True, now_ms=1000 * second)
    assert told == []
    watch.observe(FeederObservation(False, 0), False, has_supply=True, has_meter=True, now_ms=13 * 3_600_000)
    for second in range(14 * 3600, 15 * 3600, 5):
        seen = FeederObservation(True, 4480 - 640)
        told += watch.observe(seen, True, has_supply=True, has_meter=True, now_ms=1000 * second)
    assert [(one.code, one.detail[1]) for one in told] == [(event.LAMPS_LOST, 2)]


@pytest.mark.slow
def test_a_permanent_feeder_with_dimmed_lamps_is_no_fault():
    made = policy()
    feeders = tuple(one._replace(kind=document.PERMANENT) for one in made.lighting.feeders)
    world = LitWorld(made=made._replace(lighting=made.lighting._replace(feeders=feeders, limits=())))
    world.draw[:] = [140, 60]
    world.until(world.at(1, 12))
    assert world.alarms() == []


def test_an_input_module_that_dies_with_the_supply_ends_no_alarm_and_begins_none():
    world = by_night()
    world.seen_changes["mains"] = False
    world.draw[:] = [0, 0]
    world.live(60)
    world.seen_changes |= {"mains": None, "door_open": None}
    world.silent |= {0, 1}
    world.live(1800)
    assert world.alarms() == [("supplyLoss", True)]


def test_nothing_is_called_applied_while_the_old_clock_has_the_contactors():
    world = by_day()
    world.seen_changes["in_hand"] = False
    world.live(10)
    world.send(world.order(lasts_s=600))
    world.live(60)
    assert ("refused", "handed-back", "bourg") in world.outcomes(1)
    assert not [one for one in world.outcomes(1) if one[0] in ("applied", "measured")]


def test_a_photocell_that_is_silent_for_a_moment_changes_nothing():
    world = LitWorld(clock=False, made=None)
    world.seen_changes["photocell_lx"] = 10
    world.live(200)
    assert world.closed == [True, True]
    world.seen_changes["photocell_lx"] = 45
    world.live(60)
    world.seen_changes["photocell_lx"] = None
    world.live(10)
    world.seen_changes["photocell_lx"] = 45
    world.live(300)
    assert world.closed == [True, True]


def test_a_restart_does_not_begin_the_wait_for_dark_lamps_again():
    world = by_night()
    world.draw[0] = 14 * 320 - 2 * 320
    world.live(420)
    restart(world)
    world.live(360)  # the lamps may be cold: they are given their five minutes
    assert said(world, event.LAMPS_LOST) == [True]


def test_a_count_that_wavers_with_the_mains_does_not_begin_the_wait_again():
    world = by_night()
    for minute in range(13):
        world.draw[0] = 14 * 320 - (640 if minute % 2 else 830)  # two lamps, or 2.6 that count as three
        world.live(60)
    assert [detail[1] for _, detail in world.events(event.LAMPS_LOST)] == [2]


def test_a_policy_that_makes_a_feeder_permanent_ends_the_alarms_of_its_light():
    world = by_night()
    world.draw[0] = 14 * 320 - 2 * 320
    world.live(700)
    rules = policy().lighting
    feeders = tuple(rule._replace(kind=document.PERMANENT) for rule in rules.feeders)
    world.give(bundle(policy(2, lighting=rules._replace(feeders=feeders))))
    world.live(10)
    assert said(world, event.LAMPS_LOST) == [True, False]
    world.give(bundle(policy(3)))
    world.live(700)
    assert said(world, event.LAMPS_LOST) == [True, False, True]
