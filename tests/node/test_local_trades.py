"""What a technician's test and lock mean to each real trade: lamp, heating, water."""

import pytest

from lighting import rules
from node.trade import LOCK, TEST
from tests.lighting.test_trade import Lamp
from tests.support.green import PLAIN, Green, programs
from tests.support.warm_world import ALWAYS, WarmWorld, model_of
from watering import hand
from wire import event
from wire.node_order import EMERGENCY, NodeOrder

DAILY = [0, 127, 0, 0, 0, 300, 0, 7, 50]


def test_a_lamp_is_lit_by_a_test_and_dark_under_a_lock_at_once_whatever_is_ordered():
    lamp = Lamp(calendar=[1, [[127, 0, 0, 0]], [[[1, 0, 30], [2, 0, 0]]]])
    lamp.trade.local = TEST
    lamp.live(1000)
    assert lamp.trade.outputs[:2] == (100, rules.TEST)
    lamp.order = NodeOrder(1, bytes(8), EMERGENCY, 60, 2_000_000_000, 3600)
    lamp.trade.local = LOCK
    lamp.order_expected = True
    lamp.live(1000)
    assert lamp.trade.outputs[:2] == (0, rules.LOCK)
    lamp.trade.local = None
    lamp.live(1000)
    assert lamp.trade.outputs[:2] == (60, EMERGENCY)


@pytest.mark.parametrize("output", ["relay", "valve", "opentherm"])
def test_heating_is_all_on_in_a_test_and_all_off_under_a_lock_even_in_a_frost(output):
    world = WarmWorld(model_of(output, programme=ALWAYS), start_ck=2300)
    world.run(60)
    assert not world.trade.outputs.on
    world.trade.local = TEST
    world.run(1)
    assert world.trade.outputs.on and (output != "valve" or world.trade.outputs.valve_percent == 100)
    cold = WarmWorld(model_of(output, programme=ALWAYS), start_ck=300)
    cold.run(30)
    assert cold.trade.outputs.on
    cold.trade.local = LOCK
    cold.run(120)
    assert not cold.trade.outputs.on and cold.trade.outputs.valve_percent == 0
    assert not cold.told(event.HEATING_FAILURE), "nobody accuses the heating that a hand has locked"


def test_water_each_zone_in_turn_for_a_minute_and_none_together():
    green = Green(programs(PLAIN))
    green.run(hours=1)
    green.desk.trade.local = TEST
    green.run(hours=1)
    opened = [zone for _, _, zone, _ in green.openings()]
    assert opened == [1, 2, 3]
    rules_told = {detail[2] for _, _, _, detail in green.events(event.VALVE_SWITCHED) if detail[0]}
    assert rules_told == {hand.RULE} and green.checker.violations == []


def test_water_a_lock_shuts_what_runs_and_nothing_opens_until_it_ends():
    green = Green(programs(PLAIN, DAILY))
    green.run(hours=5, minutes=3)
    assert green.desk.trade.outputs.any_open()
    green.desk.trade.local = LOCK
    before = len([1 for _, _, _, detail in green.events(event.VALVE_SWITCHED) if detail[1]])
    green.run(hours=48)
    after = len([1 for _, _, _, detail in green.events(event.VALVE_SWITCHED) if detail[1]])
    assert before and after == before and not green.desk.trade.outputs.any_open()
    assert {detail[1] for _, _, _, detail in green.events(event.WATERING_SKIPPED)} >= {"lock"}
