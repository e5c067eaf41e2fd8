"""A technician beside a pole: the lamp of his node shows itself and says its watts, and what he states is a record of
the cabinet's that outlives its power. Real nodes, real keys, one virtual time.
"""

import pytest

from gateway.core import limits
from gateway.core.placement import ASKED, MEASURED, REFUSED, SILENT
from tests.support.ordered_world import by_night, settled
from wire import event

WHO = "J. Renard"
FULL_DW, STANDBY_DW = 360, 6


def asked(world, post):
    """Asks a lamp to show itself; returns the word of a refusal."""
    word = world.core.placements.identify(post.node_id, now_ms=world.now_ms)
    last = world.core.placements._last
    if word is None:
        world.checker.asked_to_show(last.name, post.node_id, world.unix_s + limits.IDENTIFY_S)
    world.turn()
    return word


def seen(world, post):
    return world.core.placements.sight(post.node_id, now_ms=world.now_ms)


def placed(world, post, light, street="Rue du Port", *, exchange=False):
    given = (post.node_id, light, street, WHO)
    word = world.core.placements.place(*given, exchange=exchange, now_ms=world.now_ms)
    world.live(3)
    return word


def stated(world):
    return [detail for _, detail in world.events(event.NODE_PLACED)]


def test_one_lamp_blinks_by_day_and_its_watts_are_known_within_half_a_minute():
    world = settled(posts=2)
    one, other = world.posts
    assert asked(world, one) is None and seen(world, one).identification.state == ASKED
    world.live(limits.IDENTIFY_S)
    found = seen(world, one)
    assert [level for _, level, rule, _ in one.levels if rule == "identify"] == [100, 10] * 4 + [100]
    assert {rule for _, _, rule, _ in other.levels} <= {"boot", "no-time", "calendar"}
    shown = found.identification
    assert (shown.state, shown.level_percent, shown.before_dw, shown.power_dw) == (MEASURED, 0, STANDBY_DW, FULL_DW)
    assert (found.kind, found.is_adopted, found.is_reachable) == ("streetlight", True, True)
    world.live(20)
    assert one.rule == "calendar" and one.level == 0 and not world.checker.violations


def test_it_blinks_again_and_the_next_orders_of_its_feeder_are_obeyed():
    world = settled(posts=2, mapped=((0,), (1,)))
    for post in (*world.posts, world.posts[0]):
        assert asked(world, post) is None
        world.live(40)
        assert seen(world, post).identification.state == MEASURED
    world.emergency()
    world.live(20)
    assert {post.rule for post in world.posts} == {"emergency"}
    world.end(1)
    world.live(20)
    assert {post.rule for post in world.posts} == {"calendar"} and not world.checker.violations


def test_an_emergency_takes_the_lamp_at_once():
    world = settled(posts=1)
    asked(world, world.posts[0])
    world.live(5)
    assert world.posts[0].rule == "identify"
    world.emergency()
    world.live(2)
    assert world.posts[0].rule == "emergency" and not world.checker.violations
    assert asked(world, world.posts[0]) == "order"


def test_a_lamp_that_is_locked_on_the_spot_says_why_it_does_not_blink():
    world = settled(posts=1)
    post = world.posts[0]
    post.node.local("lock")
    assert asked(world, post) is None
    world.live(10)
    shown = seen(world, post).identification
    assert (shown.state, shown.why) == (REFUSED, "locked") and post.level == 0


def test_what_the_street_forbids_is_refused_with_its_word():
    world = settled(posts=2, mapped=((0,), (1,)))
    one, other = world.posts
    world.core.cabinet.lock(0, WHO, now_ms=world.now_ms)
    assert asked(world, one) == "locked"
    assert asked(world, other) is None and asked(world, other) == "busy"
    world.adopted.discard(one.node_id)
    assert world.core.placements.identify(bytes(8), now_ms=world.now_ms) == "unknown"
    assert not seen(world, one)._replace(is_adopted=False).is_adopted


def test_a_lamp_that_does_not_answer_is_said_to_be_silent():
    world = settled(posts=1)
    world.loss_percent = 100
    assert asked(world, world.posts[0]) is None
    world.live(60)
    assert seen(world, world.posts[0]).identification.state == SILENT


def test_the_checker_sees_a_lamp_that_blinks_for_another():
    world = settled(posts=2)
    one, other = world.posts
    asked(world, one)
    downlink = world.core.downlink
    downlink._own[other.node_id] = downlink._own[one.node_id]
    downlink._enqueue(other.node_id, world.now_ms)
    world.live(5)
    assert any("which was for another" in said for said in world.checker.violations)


def test_by_night_the_street_keeps_its_light():
    world = by_night(posts=1)
    assert asked(world, world.posts[0]) is None
    world.live(40)
    assert min(level for _, level, rule, _ in world.posts[0].levels if rule == "identify") == 10
    assert seen(world, world.posts[0]).identification.level_percent == 100 and world.posts[0].rule == "calendar"


def test_what_he_states_is_a_record_with_the_watts_and_outlives_the_cabinet():
    world = settled(posts=1)
    post = world.posts[0]
    asked(world, post)
    world.live(40)
    assert placed(world, post, " 0117 ") is None
    assert stated(world) == [[post.node_id, "0117", "Rue du Port", WHO, STANDBY_DW, FULL_DW]]
    world.power_cut()
    assert seen(world, post).place[:3] == ("0117", "Rue du Port", WHO)


def test_two_poles_that_were_exchanged_are_put_right_in_one_step():
    world = settled(posts=2)
    one, other = world.posts
    assert placed(world, one, "0118") is None and placed(world, other, "0117") is None
    for street in ("rue du port", ""):
        assert placed(world, one, "0117", street) == "taken" and len(stated(world)) == 2
    assert placed(world, one, "0117", "Rue Haute") is None and placed(world, one, "0118") is None
    assert placed(world, one, "0117", "rue du port", exchange=True) is None
    assert (seen(world, one).place.light, seen(world, other).place.light) == ("0117", "0118")
    assert [detail[:2] for detail in stated(world)[4:]] == [[one.node_id, "0117"], [other.node_id, "0118"]]


def test_the_node_that_stood_there_before_has_no_light_any_more():
    world = settled(posts=2)
    old, new = world.posts
    placed(world, old, "0117")
    placed(world, new, "0117", exchange=True)
    assert seen(world, old).place is None
    assert [detail[:2] for detail in stated(world)[1:]] == [[new.node_id, "0117"], [old.node_id, None]]


@pytest.mark.parametrize(("light", "word"), [("", "light"), (" \n ", "light"), ("x" * 300, None), ("№ \x00 7", None)])
def test_what_is_typed_fits_a_record_or_is_refused(light, word):
    world = settled(posts=1)
    assert placed(world, world.posts[0], light) == word
    assert all(len(detail[1].encode()) <= 40 and detail[1].isprintable() for detail in stated(world))
