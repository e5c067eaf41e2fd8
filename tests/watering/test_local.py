"""A technician at the valves: locked is shut and nothing opens, tested is a minute a zone in turn, and a lock that ends
is a look at the burst."""

import itertools

import pytest

from node.limits import TEST_MAX_MS
from node.trade import LOCK, TEST
from tests.support.green import PLAIN, Green, plain, programs
from watering import technician
from wire import directive, event

DAILY = [0, 127, 0, 0, 0, 300, 0, 1, 50]
ONE = programs(PLAIN, DAILY)
BATTERY = programs(plain(battery=[2600, 1000, 9000]), DAILY)


def local(green, word, **passes):
    green.desk.trade.local = word
    green.run(**passes)
    return green


def switched(green, since=0):
    return [detail for _, _, _, detail in green.events(event.VALVE_SWITCHED)][since:]


def skipped(green):
    return [detail[:2] for _, _, _, detail in green.events(event.WATERING_SKIPPED)]


def whole_test(green, settle_s=5):
    """A whole test, as the panel gives it; whom it opened: [(zone, seconds open)]."""
    before = len(switched(green))
    green.desk.trade.local = TEST
    green.run(seconds=green.desk.trade.test_ms // 1000)
    green.desk.trade.local = None
    green.run(seconds=settle_s)
    done = [detail for _, _, _, detail in green.events(event.WATERING_DONE)]
    opened = [detail[0] for detail in switched(green, before) if detail[1] and detail[0]]
    seconds = {detail[0]: detail[1] for detail in done}
    return [(zone, seconds[zone]) for zone in opened]


# --- locked ---------------------------------------------------------------------------------------------------------


def test_a_lock_shuts_zone_and_master_within_seconds_and_says_why():
    green = Green(ONE)
    green.run(hours=5, minutes=3)
    assert green.pipes.open[0] and green.pipes.open[1]
    before = len(switched(green))
    local(green, LOCK, seconds=2)
    assert not any(green.pipes.open)
    assert [detail[:4] for detail in switched(green, before)] == [(1, False, LOCK, 0), (0, False, LOCK, 0)]
    (done,) = [detail for _, _, _, detail in green.events(event.WATERING_DONE)]
    assert done[0] == 1 and done[4] == LOCK and done[2] > 0, "what has flowed is counted"
    assert green.checker.violations == []


def test_nothing_opens_behind_a_lock_and_what_was_due_is_skipped_with_its_reason():
    green = Green(programs(PLAIN, [0, 127, 0, 0, 0, 300, 0, 7, 50]))
    local(green, LOCK, hours=30)
    assert switched(green) == [] and sum(green.desk.trade.outputs.openings) == 0
    assert skipped(green)[:3] == [(1, LOCK), (2, LOCK), (3, LOCK)]
    local(green, None, hours=24)
    assert len(green.openings(1)) == 1, "the next day waters again"


def test_a_lock_before_the_first_turn_lets_the_boots_closing_pulses_through_and_no_more():
    green = Green(ONE)
    green.run(hours=5, minutes=3)
    green.cut()
    local(green, LOCK, hours=1)
    assert not any(green.pipes.open) and sum(green.desk.trade.outputs.openings) == 0


def test_a_lock_that_ends_acknowledges_a_burst_even_across_a_power_cut_and_a_test_does_not():
    green = Green(ONE)
    green.run(hours=5, seconds=60)
    green.pipes.burst[1] = 25_000
    green.run(minutes=3)
    green.pipes.burst.clear()
    assert not green.desk.trade.is_sound(green.desk.moment())
    assert whole_test(green) == []
    assert skipped(green)[-3:] == [(1, "burst"), (2, "burst"), (3, "burst")]
    local(green, LOCK, minutes=5)
    green.cut(remembered=True)
    local(green, LOCK, minutes=5)
    assert green.desk.trade.guard.burst is not None
    local(green, None, seconds=40)
    assert green.events(event.PIPE_BURST)[-1][2] is False
    assert green.desk.trade.is_sound(green.desk.moment())
    assert [zone for zone, _ in whole_test(green)] == [1, 2, 3]


# --- tested ---------------------------------------------------------------------------------------------------------


def test_a_test_opens_each_zone_for_a_minute_in_turn_with_master_and_pump():
    green = Green(programs(plain(valves=[2, 2, 2, 2, 1], supply=[5, 5, 3, 2]), DAILY))
    green.run(hours=12)
    before = len(switched(green))
    seen = []
    green.desk.watchers.append(lambda at_s: seen.append(tuple(green.pipes.open)))
    assert whole_test(green) == [(1, 60), (2, 60), (3, 60)]
    assert all(sum(state[1:9]) <= 1 for state in seen), "one after the other"
    assert all(state[0] and state[9] for state in seen if any(state[1:9]))
    assert not any(green.pipes.open)
    assert {detail[2] for detail in switched(green, before)} == {TEST}
    assert green.desk.trade.test_ms <= TEST_MAX_MS
    assert green.events(event.FLOW_TOO_LOW) == green.events(event.FLOW_TOO_HIGH) == []


@pytest.mark.parametrize("hinder", ["hours", "crise", "no-clock", "dry", "rain"])
def test_law_weather_clock_and_dry_hours_do_not_bind_a_technicians_minute(hinder):
    settings = plain()
    settings["watering"][3] = [[0, 7, 127, 0, 1440, "Prefet", "2026-07"]] if hinder == "hours" else []
    green = Green(programs(settings, DAILY), drought=3 if hinder == "crise" else 0)
    if hinder == "no-clock":
        green.desk.clock_s = None
    elif hinder == "dry":
        green.desk.directives[directive.DRY] = 1
    elif hinder == "rain":
        green.desk.directives[directive.RAIN_FORECAST] = 200
    green.run(hours=12)
    assert [zone for zone, _ in whole_test(green)] == [1, 2, 3]


def test_never_open_what_you_cannot_close_holds_for_a_technician_and_he_is_told_at_once():
    green = Green(BATTERY, battery_mv=3450)
    green.run(hours=1)
    local(green, TEST, seconds=30)
    assert skipped(green) == [(1, "energy"), (2, "energy"), (3, "energy")]
    assert sum(green.desk.trade.outputs.openings) == 0


def test_a_bad_coil_is_tried_again_by_a_test_and_found_mended():
    green = Green(ONE)
    green.pipes.open_coil.add(1)
    green.run(hours=8)
    assert not green.desk.trade.is_sound(green.desk.moment())
    whole_test(green)
    assert green.litres(1) == 0 and green.litres(2) > 0, "still bad: the others go on"
    green.pipes.open_coil.clear()
    assert [zone for zone, _ in whole_test(green)] == [1, 2, 3]
    assert green.events(event.VALVE_FAILURE)[-1][2] is False
    assert green.desk.trade.is_sound(green.desk.moment())


def test_a_burst_during_a_test_shuts_all_and_latches():
    green = Green(ONE)
    green.run(hours=12)
    green.pipes.burst[2] = 40_000
    local(green, TEST, seconds=66 + 60)
    assert not any(green.pipes.open)
    assert [active for _, _, active, _ in green.events(event.PIPE_BURST)] == [True]
    local(green, TEST, minutes=2)
    assert not any(green.pipes.open) and green.litres(3) == 0


def test_a_second_press_ends_a_test_at_once_and_skips_nothing():
    green = Green(ONE)
    green.run(hours=12)
    local(green, TEST, seconds=30)
    assert green.pipes.open[1]
    before = skipped(green)
    local(green, None, seconds=15)
    assert not any(green.pipes.open) and skipped(green) == before
    local(green, TEST, seconds=30)
    local(green, LOCK, seconds=2)
    assert not any(green.pipes.open)


def test_a_run_under_way_ends_for_a_test_and_a_start_that_falls_into_one_comes_after_it():
    green = Green(programs(PLAIN, DAILY, [0, 127, 0, 0, 0, 600, 0, 2, 50]))
    green.run(hours=5, minutes=3)
    whole_test(green)
    first = green.events(event.WATERING_DONE)[0][3]
    assert first[0] == 1 and first[4] == TEST
    green.run(hours=4, minutes=48)
    assert green.events(event.VALVE_SWITCHED)[-1][0] < 9
    while green.site.unix_s - green.site.begin_s < 10 * 3600 - 60:
        green.run(seconds=1)
    whole_test(green)
    green.run(hours=2)
    opened = [(hour, minute) for hour, minute, zone, rule in green.openings(2) if rule == "depth"]
    assert len(opened) >= 1 and (10, 1) < opened[0] < (10, 10)
    assert (2, "time") not in skipped(green)
    assert green.checker.violations == []


def test_a_test_of_eight_zones_fits_with_any_lead_of_the_supply():
    for zones, lead_s in itertools.product((1, 4, 8), (0, 5, 120)):
        zone_s = technician.zone_s(zones, lead_s)
        assert technician.test_ms(zones, lead_s) <= TEST_MAX_MS
        assert zone_s == 60 or ((zones, lead_s) == (8, 120) and zone_s >= 50)


def test_water_behind_shut_valves_and_a_silent_meter_are_not_sound():
    from watering import inputs

    green = Green(ONE)
    green.run(hours=1)
    assert green.desk.trade.is_sound(green.desk.moment())
    green.ports.silent.add(inputs.METER_PULSES)
    green.run(hours=1)
    assert not green.desk.trade.is_sound(green.desk.moment())
    green.ports.silent.clear()
    green.run(hours=1)
    assert green.desk.trade.is_sound(green.desk.moment())
