"""An order that comes back as a ghost, at a node with the real link: recorded on the air, sent again, reordered, late.

The lamp stays, and the word that goes up is the right one. More of the attacker's stories are in
tests/gateway/core/link/test_downlink_hostile.py; here it is what a node says.
"""

import pytest

from node.orders import Orders
from tests.support.ordered_world import levels, settled
from wire import event

FIRST, SECOND = ((number).to_bytes(8, "big") for number in (1, 2))


def is_push(flying):
    """A request of the gateway, seen from outside."""
    return flying.is_down and flying.datagram[1] >> 5 == 0 and flying.datagram[1] != 0


def outcomes(post):
    """[(order, outcome, why)] as it goes up."""
    return [tuple(detail[:3]) for detail in post.events(event.COMMAND_OUTCOME)]


def recorded(world):
    """Every push from now on, without being taken out of the air."""
    seen = []
    world.hears = lambda flying: is_push(flying) and bool(seen.append(flying))
    return seen


def switched(post, begun):
    """Changes of the output since there were `begun` of them."""
    return post.levels[begun:]


@pytest.mark.slow
def test_a_genuine_order_that_is_sent_again_switches_nothing_and_says_nothing():
    """Recorded from its push to its end: again at once, after its end, and hours later."""
    world = settled(posts=1)
    post = world.posts[0]
    seen = recorded(world)
    world.emergency(lasts_s=7200)
    world.live(5)
    assert levels(world) == [100] and len(seen) == 1
    at_once = len(post.levels)
    for _ in range(5):
        world.release(seen[0])
        world.live(1)
    assert switched(post, at_once) == []
    world.live(120)
    world.end(1)
    world.live(5)
    assert levels(world) == [0]
    told = outcomes(post)
    assert told == [(FIRST, "received", None), (FIRST, "applied", None), (FIRST, "measured", None),
                    (FIRST, "ended", None)]  # fmt: skip
    begun = len(post.levels)
    for wait_s in (0, 60, 600, 3600):
        world.live(wait_s)
        for flying in list(seen):
            world.release(flying)
            world.live(1)
    world.live(30)
    assert switched(post, begun) == [] and outcomes(post) == told
    assert world.checker.violations == [] and world.checker.begins == 1


def test_of_two_orders_that_come_in_the_wrong_order_the_older_one_is_refused_as_later():
    """The first push is held; the second is the one in force; then the first arrives, under the same keys and fresh."""
    world = settled(posts=1)
    post = world.posts[0]
    world.hears = is_push
    world.emergency(1, lasts_s=7200)
    world.live(1)
    first = world.caught[0]
    world.emergency(2, lasts_s=7200)
    post.ask()  # and has the newer one by the answer
    world.live(5)
    assert (levels(world), post.node.outputs.reason) == ([100], SECOND)
    begun, before = len(post.levels), outcomes(post)
    world.hears = lambda flying: True
    world.release(first)
    world.live(1)
    world.hears = lambda flying: False
    world.live(60)
    assert switched(post, begun) == [] and post.node.outputs.reason == SECOND
    assert [told for told in outcomes(post) if told not in before and told[0] == FIRST] == [(FIRST, "refused", "later")]
    assert world.checker.violations == []


@pytest.mark.parametrize(("held_s", "asks_back"), [(50, False), (605, True)])
def test_one_that_was_held_past_its_expiry_lights_nothing(held_s, asks_back):
    """Genuine and never heard before. Up to a minute after its making the node's own clock refuses it, as expired;
    later it asks to have it again, and the gateway has nothing to send."""
    world = settled(posts=1)
    post = world.posts[0]
    world.hears = is_push
    world.emergency(lasts_s=45 if not asks_back else 600)
    world.live(2)
    push = world.caught[0]
    world.hears = lambda flying: True
    world.live(held_s - 2)
    begun = len(post.levels)
    world.release(push)
    world.live(1)
    world.hears = lambda flying: False
    world.live(60)
    assert switched(post, begun) == [] and (post.level, post.rule) == (0, "calendar")
    assert outcomes(post) == ([] if asks_back else [(FIRST, "refused", "expired")])
    assert post.node._orders.counters["challenged"] == asks_back
    assert world.checker.violations == [] and world.checker.begins == 0


def test_the_stories_see_a_node_that_takes_what_is_past(monkeypatch):
    """Planted: the number of an order says nothing."""
    honest = Orders.serve

    def serve(self, payload, echo, **facts):
        self._number = -1
        return honest(self, payload, echo, **facts)

    monkeypatch.setattr(Orders, "serve", serve)
    with pytest.raises(AssertionError):
        test_of_two_orders_that_come_in_the_wrong_order_the_older_one_is_refused_as_later()
