"""Standby: a detector that sees nobody in occupied hours lets the room be cooler, and no record says who came."""

from heating import limits
from policy import heating
from tests.support.warm_world import ALWAYS, WarmWorld, at, model_of
from wire import event, quantity
from wire.node_order import NodeOrder

WEEK = heating.DEFAULT_PROGRAMME
SOMEBODY = {quantity.OCCUPANCY: 1}


def world_of(programme=ALWAYS, standby_ck=100, **more):
    return WarmWorld(model_of(programme=programme, standby_ck=standby_ck), **more)


def somebody(world):
    world.trade.sense(SOMEBODY, world.moment())


def test_an_hour_without_anybody_lowers_the_setpoint_and_whoever_comes_has_it_back_within_seconds():
    world = world_of()
    world.run(50, somebody)
    world.run(58)
    assert world.trade.setpoint_ck == 1900
    world.run(4)
    assert (world.trade.setpoint_ck, world.rules()[-1]) == (1800, "standby")
    somebody(world)
    world.run(1)
    assert (world.trade.setpoint_ck, world.rules()[-1]) == (1900, "programme")


def test_a_room_with_somebody_in_it_or_without_a_detector_is_never_on_standby():
    world = world_of()
    world.run(3 * 60, somebody)
    assert "standby" not in world.rules()
    world = world_of(standby_ck=0)
    world.run(3 * 60)
    assert "standby" not in world.rules()


def test_a_room_is_warm_for_who_may_come_and_the_hour_counts_from_the_span_s_beginning():
    world = world_of(WEEK, start_s=at(2026, 12, 1, 60), start_ck=1600)
    world.run(8 * 60 - 5)
    assert world.trade.setpoint_ck == 1900, "nobody is waited for before the span"
    changes = [(at_s, detail[2]) for at_s, code, _, detail in world.events if code == event.SETPOINT_CHANGED]
    assert "standby" not in [rule for _, rule in changes]
    world.run(10)
    assert world.rules()[-1] == "standby"
    world.run(10 * 60)
    assert world.rules()[-1] == "programme" and world.trade.setpoint_ck == 1600


def test_an_order_is_comfort_whoever_is_there():
    world = world_of()
    world.run(90)
    world.order = NodeOrder(1, b"12345678", "override", 100, 2_000_000_000, 3600)
    world.run(90)
    assert world.trade.setpoint_ck == 1900


def test_a_ceiling_holds_the_wish_and_standby_counts_from_there():
    wish = heating.Programme(
        ALWAYS.rules, ((heating.Span(0, 1440, 2200),),), heating.Setpoints(2200, 1600, 1600, 800), (), ()
    )
    world = world_of(wish)
    world.run(5)
    assert world.trade.setpoint_ck == 1900
    world.run(60)
    assert world.trade.setpoint_ck == 1800


def test_presence_stays_in_the_node():
    world = world_of()
    somebody(world)
    world.trade.sample({quantity.TEMPERATURE: 1900, **SOMEBODY}, world.moment())
    assert quantity.OCCUPANCY not in world.trade.readings(world.moment())
    assert quantity.OCCUPANCY not in world.trade.health(world.moment())
    world.run(30, somebody)
    assert {code for _, code, _, _ in world.events} <= {event.SETPOINT_CHANGED}
    assert limits.STANDBY_MS >= 900_000, "what is told of it is no finer than what leaves a cabinet"
