"""Orders of the centre reach lamps that have a controller of their own, however they can be reached, and end again."""

import pytest

from gateway.core import limits
from lighting.trade import Streetlight
from tests.support.ordered_world import by_night, keep_lease, levels, rules, settled
from wire import directive, event

ONE = (1).to_bytes(8, "big")


def outcomes(post):
    return [tuple(detail[1:3]) for detail in post.events(event.COMMAND_OUTCOME)]


# --- told at once -------------------------------------------------------------------------------------------------


def test_an_emergency_lights_every_lamp_within_seconds_and_its_end_gives_it_back():
    world = settled(posts=4)
    began_ms = world.now_ms
    world.emergency()
    world.live(5)
    assert levels(world) == [100] * 4 and rules(world) == ["emergency"] * 4
    assert max(post.levels[-1][0] for post in world.posts) - began_ms < 1000
    world.live(120)
    world.end(1)
    world.live(5)
    assert levels(world) == [0] * 4 and rules(world) == ["calendar"] * 4
    for post in world.posts:
        assert outcomes(post) == [("received", None), ("applied", None), ("measured", None), ("ended", None)]
        changes = post.events(event.LEVEL_CHANGED)
        assert changes[-2:] == [[100, 0, "emergency", ONE], [0, 100, "calendar", changes[-1][3]]]
    assert world.checker.violations == [] and world.checker.begins == 4


@pytest.mark.parametrize("asks", [True, False])
def test_an_order_of_light_is_not_for_a_node_that_asks_for_directives_or_knows_no_orders(asks, monkeypatch):
    """A room's node asks; a water meter's has nothing to ask for, and its first push is answered with 4.04."""
    monkeypatch.setattr(Streetlight, "directives", (directive.LOAD_SHED,) if asks else ())
    monkeypatch.setattr(Streetlight, "follows_orders", False)
    world = settled(posts=1)
    world.emergency()
    world.live(5)
    node, downlink = world.posts[0].node_id, world.core.downlink
    assert outcomes(world.posts[0]) == [] and downlink.waiting(node) == 0
    assert downlink.counters["pushed"] == (0 if asks else 1)
    world.live(900)
    assert downlink.counters["failed"] == 0


def test_it_ends_with_its_expiry_without_a_word():
    world = settled()
    world.emergency(lasts_s=300)
    world.live(10)
    world.hears = lambda flying: True
    world.live(288)
    assert levels(world) == [100, 100]
    world.live(4)
    assert levels(world) == [0, 0] and outcomes(world.posts[0])[-1] == ("expired", None)
    assert world.checker.violations == []


def test_an_end_that_moved_away_when_a_clock_was_put_right_is_told_again():
    world = settled()
    world.emergency(lasts_s=600)
    world.live(10)
    downlink, changes = world.core.downlink, world.core.downlink.counters["changes"]
    wanted = {feeder: slot.order for feeder, slot in downlink._slots.items()}
    near = {feeder: one and one._replace(ends_ms=one.ends_ms + 50_000) for feeder, one in wanted.items()}
    downlink.set_orders(near, now_ms=world.now_ms)
    assert downlink.counters["changes"] == changes, "a crystal is no news"
    far = {feeder: one and one._replace(ends_ms=one.ends_ms + 100_000) for feeder, one in wanted.items()}
    downlink.set_orders(far, now_ms=world.now_ms)
    assert downlink.counters["changes"] > changes and downlink.waiting(world.posts[0].node_id) == 1
    downlink.set_orders(far, now_ms=world.now_ms)
    assert downlink.counters["changes"] == changes + sum(one is not None for one in wanted.values())


def test_what_became_of_it_at_each_lamp_goes_up_as_its_own_records():
    world = settled(posts=1)
    world.emergency()
    world.live(140)
    held = [item for items in world.held().values() for item in items if item.node == world.posts[0].node_id]
    told = [item.record.body.detail for item in held if not isinstance(item.record.body, dict)]
    assert [ONE, "measured", None, None, 360] in told and [100, 0, "emergency", ONE] in told


@pytest.mark.slow
def test_the_latest_order_decides_and_an_emergency_before_any_override():
    world = by_night()
    world.override(1, level=0)
    world.live(5)
    assert rules(world) == ["override"] * 2 and levels(world) == [0, 0]
    world.emergency(2)
    world.live(5)
    assert rules(world) == ["emergency"] * 2 and levels(world) == [100, 100]
    world.end(2)
    world.live(5)
    assert rules(world) == ["override"] * 2, "the override still stands"
    assert world.checker.violations == []


def test_a_test_of_the_centre_lights_nodes_too():
    world = settled()
    world.checker.issued(ONE, 1, 100, world.unix_s + 200)
    world.send(world.order(kind=4, number=1, lasts_s=200))
    world.live(5)
    assert rules(world) == ["override"] * 2 and levels(world) == [100, 100]
    world.live(200)
    assert levels(world) == [0, 0]


# --- told in answers ----------------------------------------------------------------------------------------------


def test_a_lamp_without_mains_learns_when_it_starts_and_is_never_dark_meanwhile():
    world = settled()
    world.posts[0].power_off()
    world.emergency()
    world.live(200)
    assert world.core.downlink.counters["failed"] == 1
    began = len(world.posts[0].levels)
    world.posts[0].power_on()
    world.live(20)
    assert world.posts[0].rule == "emergency"
    assert {level for _, level, _, _ in world.posts[0].levels[began:]} == {100}, "no blink between boot and order"
    assert world.core.downlink.counters["fetched"] == 1


def test_without_an_order_a_lamp_goes_dark_as_soon_as_it_knows_the_time():
    world = settled(posts=1)
    boot_ms, dark_ms = (at_ms for at_ms, *_ in world.posts[0].levels[:2])
    assert dark_ms - boot_ms < 6000


def test_who_cannot_be_reached_learns_with_the_next_message():
    world = settled()
    lost = world.posts[0].address
    world.hears = lambda flying: flying.is_down and flying.address == lost
    world.emergency()
    world.live(150)
    assert levels(world) == [0, 100] and world.core.downlink.health()["waiting"] == 1
    assert len(world.caught) == 5, "one exchange of CoAP, and no more"
    world.hears = lambda flying: False
    world.live(900)
    assert levels(world) == [100, 100] and world.core.downlink.health()["waiting"] == 0


def test_what_changes_while_a_push_is_under_way_is_pushed_behind_it():
    world = settled(posts=1)
    world.hears = lambda flying: flying.is_down
    world.emergency(1)
    world.live(30)
    world.emergency(2)
    world.live(50)
    world.hears = lambda flying: False
    world.live(100)
    assert world.posts[0].node.outputs.reason == (2).to_bytes(8, "big"), "long before its next message"


def test_what_was_never_told_needs_no_end():
    world = settled(posts=1)
    world.posts[0].power_off()
    world.emergency(lasts_s=600)
    world.live(30)
    world.end(1)
    world.live(200)
    world.posts[0].power_on()
    world.live(60)
    assert world.posts[0].level == 0
    assert world.core.downlink.counters["fetched"] == 0, "nothing waits for who knows of nothing"


# --- the lease ----------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_an_override_holds_while_the_lease_does():
    world = by_night()
    world.override(lasts_s=7200)
    keep_lease(world, 1800)
    assert rules(world) == ["override"] * 2 and levels(world) == [0, 0]
    assert {len(post.levels) for post in world.posts} == {4}, "no flapping: boot, day, night, override"
    world.live(limits.LEASE_S)  # the centre is silent
    assert rules(world) == ["calendar"] * 2 and levels(world) == [100, 100]
    world.lease()
    world.live(limits.LEASE_DWELL_MS // 1000 + 40)
    assert rules(world) == ["override"] * 2
    assert world.checker.violations == []


@pytest.mark.slow
def test_a_lamp_that_hears_nothing_runs_its_calendar_when_its_lease_is_over_and_an_emergency_to_its_end():
    for order, after in (("override", ("calendar", 100)), ("emergency", ("emergency", 100))):
        world = by_night(posts=1)
        getattr(world, order)(lasts_s=3600)
        world.live(60)
        world.hears = lambda flying: True
        for _ in range(6):  # the gateway keeps its own
            world.lease()
            world.live(60)
        assert (world.posts[0].rule, world.posts[0].level) == after
        if order == "override":
            assert outcomes(world.posts[0])[-1] == ("refused", "lease")
            world.hears = lambda flying: False
            keep_lease(world, 180)
            assert world.posts[0].rule == "override" and outcomes(world.posts[0])[-1][0] in ("applied", "measured")


@pytest.mark.slow
def test_an_override_that_comes_long_after_the_last_answer_gets_its_lease_at_once():
    world = by_night(posts=1)
    keep_lease(world, 840)
    world.override()
    world.live(30)
    assert world.posts[0].rule == "override"
    assert ("refused", "lease") not in outcomes(world.posts[0])


# --- whose order ----------------------------------------------------------------------------------------------------


def test_an_order_for_a_feeder_goes_to_the_nodes_that_hang_on_it():
    world = settled(posts=4, mapped=((0, 1), (2,)))
    world.emergency(1, target="bourg")
    world.live(5)
    assert levels(world) == [100, 100, 0, 0]
    world.emergency(2, target="parcs")  # a group
    world.live(5)
    assert levels(world) == [100, 100, 100, 0], "nobody knows what the last one hangs on"
    world.emergency(3)
    world.live(5)
    assert levels(world) == [100] * 4
    for number in (1, 2, 3):
        world.end(number, 90 + number)
        world.live(5)
    assert levels(world) == [0] * 4 and world.checker.violations == []
