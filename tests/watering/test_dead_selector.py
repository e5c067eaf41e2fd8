"""A selector with a stuck line, or a dead one: the other valves are shut and watered, somebody is told, and a node on a
battery sleeps all the same and tries again at each waking."""

import pytest

from tests.support.green import plain, programs
from tests.support.sleepy_world import Sleepy
from tests.support.valve_box import ValveBox
from wire import event

ONE_AT_FIVE = [0, 127, 0, 0, 0, 300, 0, 1, 20]


def told(events):
    """[(active, zone, what)] of valves."""
    return [(active, detail[0], detail[1]) for _, code, active, detail in events if code == event.VALVE_FAILURE]


def test_a_zone_that_cannot_be_opened_is_told_and_ends_and_the_others_are_watered():
    box = ValveBox()
    box.run_to(30_000)
    assert box.trade.outputs.ready()
    box.parts["SELECTOR"].fault, box.parts["SELECTOR"].stuck_high = "stuck", 1 << 1
    box.run_to(9_000_000)
    assert told(box.events) == [(True, 2, "open-coil")]
    why = {
        detail[0]: detail[-2 if code == event.WATERING_SKIPPED else -1]
        for _, code, _, detail in box.events
        if code in (event.WATERING_DONE, event.WATERING_SKIPPED)
    }
    assert why[1] == why[3] == "complete" and why[2] == "valve"
    assert box.are_open() == [] and box.trade.outputs.ready()


@pytest.mark.parametrize("meter", [True, False])
def test_a_battery_node_behind_a_dead_selector_sleeps_and_shuts_its_valve_at_a_waking(meter):
    settings = plain(valves=[2, 2, 2, 2, 0], battery=[2600, 1000, 12_000])
    if not meter:
        del settings["meter"]
        settings["watering"][1] = [[*zone[:9], 0, zone[10]] for zone in settings["watering"][1]]
    world = Sleepy(programs(settings, ONE_AT_FIVE))
    world.run(hours=5, minutes=2)
    assert world.pipes.open[1]
    world.space._green.unreachable.add(1)
    world.run(hours=1)
    assert world.pipes.open[1] and not world.pipes.open[0], "the master has a bridge of its own"
    assert told(world.events)[0] == (True, 1, "open-coil")
    asleep = 0
    for _ in range(3600):
        world.run(seconds=1)
        asleep += world.is_asleep
    assert asleep > 3000, "it does not wake for hours"
    world.space._green.unreachable.clear()
    world.run(minutes=20)
    assert not world.pipes.open[1]
    world.run(days=1)
    assert told(world.events)[-1][:2] == (False, 1) and world.host.boots == 1
