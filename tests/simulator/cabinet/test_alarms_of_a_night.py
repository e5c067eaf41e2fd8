"""One cause, one alarm: faults of the equipment under the real core, judged by what reached the real warehouse."""

import pytest

from simulator.cabinet.points import WHOLE
from simulator.checkers.alarms import Cause
from tests.support.street_world import SETUP, StreetWorld
from wire import event

MINUTE_S = 60


def live_through(until_hour, *faults, from_h=16.75, setup=SETUP):
    """A cabinet with things that happen to it: (hour, act of the plant, arguments)."""
    world = StreetWorld(setup=setup, from_h=from_h)
    for hour, name, *arguments in faults:
        world.at(hour, getattr(world.plant, name), *arguments)
    world.until(until_hour)
    world.street.finish()
    assert world.checker.violations == []
    return world


@pytest.mark.slow
def test_a_night_without_faults_tells_nothing():
    assert live_through(33).judged([]).faults == ()


@pytest.mark.slow
def test_a_lamp_that_dies_is_counted_and_so_is_the_next():
    world = live_through(23, (19, "fail_lamp", 0, 3), (20, "fail_lamp", 0, 9))
    assert world.judged([Cause(event.LAMPS_LOST, "bourg", world.unix_s(19), None, 15 * MINUTE_S, 2)]).faults == ()


@pytest.mark.slow
def test_a_cable_cut_by_night_is_one_alarm_that_says_how_many_lamps():
    world = live_through(22, (19, "cut_cable", 0, 6))
    cause = Cause(event.CABLE_FAULT, "bourg", world.unix_s(19), None, 3 * MINUTE_S, 8)
    assert world.judged([cause]).faults == ()


@pytest.mark.slow
def test_a_cable_stolen_by_day_is_told_at_dusk():
    world = live_through(20, (15, "cut_cable", 0, 4), from_h=14)
    # Sunset at 17:18, five minutes of warm-up.
    cause = Cause(event.CABLE_FAULT, "bourg", world.unix_s(17.3), None, 10 * MINUTE_S, 10)
    assert world.judged([cause]).faults == ()


@pytest.mark.slow
def test_a_tripped_breaker_is_one_alarm_and_ends_with_the_repair():
    world = live_through(22, (19, "trip_breaker", 1), (20.5, "mend", 1))
    cause = Cause(event.FEEDER_FAILURE, "levée", world.unix_s(19), world.unix_s(20.5), 3 * MINUTE_S)
    assert world.judged([cause]).faults == ()


@pytest.mark.slow
def test_a_burnt_coil_is_a_stuck_contactor_and_nothing_else():
    world = live_through(22, (19, "stick_contactor", 0, False), (21, "mend", 0))
    cause = Cause(event.CONTACTOR_STUCK, "bourg", world.unix_s(19), world.unix_s(21), 2 * MINUTE_S)
    assert world.judged([cause]).faults == ()


@pytest.mark.slow
def test_a_welded_contactor_is_one_alarm_through_every_change_of_the_night():
    world = live_through(34, (19, "stick_contactor", 0, True), (33, "mend", 0))
    cause = Cause(event.CONTACTOR_STUCK, "bourg", world.unix_s(22.5), world.unix_s(33), 2 * MINUTE_S)
    assert world.judged([cause]).faults == ()


@pytest.mark.slow
def test_a_contactor_that_takes_its_time_is_no_alarm():
    world = live_through(23, (17, "slow_contactor", 0, 6_000))
    assert world.judged([]).faults == ()
    assert world.checker.worst_dark_s == 6 and world.checker.worst_burning_s == 6


def test_a_bridged_contactor_burns_by_day():
    world = live_through(16.5, (14.5, "bridge_contactor", 0), (16, "mend", 0), from_h=14)
    cause = Cause(event.FEEDER_UNEXPECTED_ON, "bourg", world.unix_s(14.5), world.unix_s(16), 3 * MINUTE_S)
    assert world.judged([cause]).faults == ()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("begin", "end", "code"),
    [
        (("set_door", True), ("set_door", False), event.DOOR_OPEN),
        (("turn_switch", "off"), ("turn_switch", "auto"), event.LOCAL_OVERRIDE),
        (("turn_switch", "on"), ("turn_switch", "auto"), event.LOCAL_OVERRIDE),
        (("set_mains", False), ("set_mains", True), event.SUPPLY_LOSS),
    ],
)
def test_what_happens_to_the_cabinet_is_told_once_and_ended(begin, end, code):
    world = live_through(20, (18.5, *begin), (19, *end))
    assert world.judged([Cause(code, None, world.unix_s(18.5), world.unix_s(19), MINUTE_S)]).faults == ()


@pytest.mark.slow
def test_a_silent_meter_is_one_alarm_and_hides_no_other():
    world = StreetWorld(from_h=16.75)
    world.until(18)
    world.street.twin.silent_meters.add(1)
    world.at(18.2, world.plant.fail_lamp, 0, 2)
    world.until(19.5)
    world.street.twin.silent_meters.clear()
    world.until(20)
    silent = Cause(event.CABINET_METER_FAILURE, "levée", world.unix_s(18), world.unix_s(19.5), 4 * MINUTE_S)
    lamp = Cause(event.LAMPS_LOST, "bourg", world.unix_s(18.2), None, 15 * MINUTE_S, 1)
    assert world.judged([silent, lamp]).faults == ()


@pytest.mark.slow
def test_garbage_on_the_meters_bus_raises_nothing():
    world = StreetWorld(from_h=16.75)
    world.street.twin.garbage_permille = 300
    world.street.twin.linky.noise_permille = 300
    world.until(23)
    assert world.street.twin.counters["garbage"] > 700
    assert world.judged([]).faults == ()


def test_a_silent_linky_is_one_alarm():
    world = StreetWorld()
    world.until(15)
    world.street.twin.linky.is_silent = True
    world.until(17)
    world.street.twin.linky.is_silent = False
    world.until(18)
    cause = Cause(event.CABINET_METER_FAILURE, "linky", world.unix_s(15), world.unix_s(17), 7 * MINUTE_S)
    assert world.judged([cause]).faults == ()


@pytest.mark.slow
def test_feedback_that_is_not_wired_makes_no_alarm_of_its_own():
    setup = SETUP._replace(wiring=WHOLE._replace(feedback=False))
    world = live_through(24, (19, "fail_lamp", 0, 2), setup=setup)
    assert world.judged([Cause(event.LAMPS_LOST, "bourg", world.unix_s(19), None, 15 * MINUTE_S, 1)]).faults == ()


@pytest.mark.slow
def test_a_photocell_under_a_plant_is_told_once_it_has_been_dark_for_too_long():
    world = StreetWorld()
    world.plant.photocell.is_covered = True
    world.until(14 + 22)
    cause = Cause(event.PHOTOCELL_FAILURE, None, world.unix_s(14), None, 21 * 3600)
    assert world.judged([cause]).faults == ()


@pytest.mark.slow
def test_headlamps_in_the_photocell_change_nothing_without_a_clock():
    from simulator.cabinet.system_clock import Absent

    world = StreetWorld(clock=Absent(), from_h=16.75)
    for number in range(200):
        world.until(18 + number / 50)
        world.plant.photocell.is_dazzled = number % 2 == 0
        world.world.run_until(world.world.now_ms + 40_000)
        world.plant.photocell.is_dazzled = False
        assert all(world.lit())
