"""Orders of the centre reach lamps that have a controller of their own, however they can be reached, and end again."""

import pytest

from gateway.core import limits
from gateway.core.cabinet import limits as cabinet_limits
from gateway.core.link.downlink import Downlink, Standing
from gateway.core.link.link import Answered, Unanswered
from gateway.core.wallclock import WallClock
from tests.support.lit_world import restart
from tests.support.ordered_world import Address, settled
from wire import event, node_order

ONE = (1).to_bytes(8, "big")


def levels(world):
    return [post.level for post in world.posts]


def rules(world):
    return [post.rule for post in world.posts]


def outcomes(post):
    return [tuple(detail[1:3]) for detail in post.events(event.COMMAND_OUTCOME)]


def by_night(**options):
    """At 20:00 with a lease that counts: every lamp burns by its calendar."""
    world = settled(**options)
    world.until(world.at(0, 20) - 40)
    world.lease()
    world.live(40)
    assert rules(world) == ["calendar"] * len(world.posts) and set(levels(world)) == {100}
    return world


def keep_lease(world, seconds):
    """The centre renews its lease every minute."""
    for _ in range(seconds // 60):
        world.lease()
        world.live(60)


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


def test_what_became_of_it_at_each_lamp_goes_up_as_its_own_records():
    world = settled(posts=1)
    world.emergency()
    world.live(140)
    held = [item for items in world.held().values() for item in items if item.node == world.posts[0].node_id]
    told = [item.record.body.detail for item in held if not isinstance(item.record.body, dict)]
    assert [ONE, "measured", None, None, 360] in told and [100, 0, "emergency", ONE] in told


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
    assert world.posts[0].node.output.reason == (2).to_bytes(8, "big"), "long before its next message"


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


def test_an_override_holds_while_the_lease_does():
    world = by_night()
    world.override(lasts_s=7200)
    keep_lease(world, 1800)
    assert rules(world) == ["override"] * 2 and levels(world) == [0, 0]
    assert {len(post.levels) for post in world.posts} == {4}, "no flapping: boot, day, night, override"
    world.live(cabinet_limits.LEASE_S)  # the centre is silent
    assert rules(world) == ["calendar"] * 2 and levels(world) == [100, 100]
    world.lease()
    world.live(cabinet_limits.LEASE_DWELL_MS // 1000 + 40)
    assert rules(world) == ["override"] * 2
    assert world.checker.violations == []


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


# --- where to -------------------------------------------------------------------------------------------------------


def test_a_node_that_has_moved_is_told_in_answers_until_it_has_proven_where_it_is():
    world = settled(posts=1)
    post = world.posts[0]
    post.address = Address("elsewhere")
    world.live(900)  # its telemetry comes from there
    world.emergency()
    world.live(5)
    assert post.level == 0 and world.core.downlink.counters["pushed"] == 0
    world.live(900)
    assert post.level == 100
    world.end(1)
    post.power_off()
    post.power_on()
    world.live(30)
    world.emergency(2)
    world.live(2)
    assert post.level == 100 and world.core.downlink.counters["pushed"] == 1, "its handshake came from there"


def test_whoever_sends_a_caught_request_from_elsewhere_gets_no_order():
    world = settled(posts=1)
    world.hears = lambda flying: not flying.is_down
    world.live(1000)
    thief = Address("thief")
    world.release(world.caught[0], address=thief)
    world.hears = lambda flying: False
    world.emergency()
    world.live(2)
    to_thief = [effect.datagram for effect in world.sent if effect.peer == thief]
    assert [datagram[1] >> 5 for datagram in to_thief] == [2], "an answer, sealed for the node, and no request"
    assert world.core.downlink.counters["pushed"] == 0
    world.live(900)
    assert world.posts[0].level == 100


# --- restarts -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("clock", [True, False])
def test_a_gateway_that_restarts_puts_nobody_out_and_ends_what_it_finds(clock):
    world = settled()
    world.emergency(lasts_s=7200)
    world.live(30)
    restart(world, clock=clock)
    world.clock = clock
    world.live(1000)  # all have said something meanwhile, and have new keys
    assert levels(world) == [100, 100] and rules(world) == ["emergency"] * 2
    assert {post.link.era for post in world.posts} == {2}
    world.clock = True
    world.tell_clock()
    world.live(60)
    world.end(1)
    world.live(5)
    assert levels(world) == [0, 0]
    assert {len(post.levels) for post in world.posts} == {4}, "boot, calendar, emergency, calendar: nothing between"
    assert world.checker.violations == []


def test_an_order_that_ended_while_the_node_had_old_keys_is_ended_under_new_ones():
    world = settled(posts=1)
    world.emergency(lasts_s=7200)
    world.live(30)
    world.hears = lambda flying: True
    world.end(1)
    restart(world)
    world.live(60)
    world.hears = lambda flying: False
    world.live(1000)
    assert world.posts[0].level == 0, "the new start knows of no order, and was asked"


def test_an_override_survives_the_moments_without_a_lease_after_a_restart():
    world = by_night(posts=1)
    world.override(lasts_s=7200)
    keep_lease(world, 120)
    restart(world)
    world.live(10)
    world.posts[0].node._fetch.want(world.posts[0].now_ms)  # it asks just now
    world.live(40)
    assert world.posts[0].link.era == 2
    keep_lease(world, 120)
    assert [rule for _, _, rule, _ in world.posts[0].levels][-2:] == ["calendar", "override"]


# --- a node without a clock -----------------------------------------------------------------------------------------


def test_a_node_without_a_clock_acts_only_on_the_echo():
    world = by_night(posts=1)
    post = world.posts[0]
    post.power_off()
    post.power_on()
    world.hears = lambda flying: flying.is_down and post.link.era == 1
    world.live(6)
    assert post.link.state == "offered" and post.node.unix_s(post.now_ms) is None
    world.hears = lambda flying: False
    world.air.clear()
    world.lease()
    world.override(level=0)
    challenged_ms = None
    end_ms = world.now_ms + 2000
    while world.now_ms < end_ms:
        world.wait(1)
        counters = post.node._orders.counters
        if counters["challenged"] and challenged_ms is None:
            challenged_ms = world.now_ms
            assert counters["taken"] == 0 and post.rule == "no-time"
    assert challenged_ms is not None
    assert (counters["challenged"], counters["returned"], counters["taken"]) == (1, 1, 1)
    assert world.core.downlink.counters["echoed"] == 1


# --- a district -----------------------------------------------------------------------------------------------------


class Far:
    """A link to a thousand nodes that answer after 200 ms; a fifth of them are dead."""

    class Member:
        session = object()

    def __init__(self):
        self.sessions = self
        self._nodes = frozenset(number.to_bytes(8, "big") for number in range(1000))
        self._member = self.Member()
        self.asked = []
        self.now_ms = 0

    def nodes(self):
        return self._nodes

    def member_of(self, node):
        return self._member if node in self._nodes else None

    def reaches(self, node):
        return True

    def ask(self, node, code, path, payload, *, options, now_ms):
        self.asked.append((now_ms, node))
        return len(self.asked)


def test_a_thousand_nodes_are_told_within_two_minutes_without_a_burst():
    far = Far()
    downlink = Downlink(far, WallClock(started_ms=0), {})
    downlink.follow({None: Standing(ONE, node_order.EMERGENCY, 100, 1_795_604_400, 3_600_000)}, now_ms=0)
    now_ms, answered, in_flight = 0, 0, 0
    while now_ms < 400_000:
        downlink.poll(now_ms=now_ms)
        in_flight = max(in_flight, downlink.health()["in-flight"])
        for number, (asked_ms, node) in enumerate(far.asked[answered:], answered + 1):
            if node[-1] % 5 and now_ms == asked_ms + 200:
                downlink.hears(Answered(node, number, 0x44, ()), now_ms=now_ms)
            if not node[-1] % 5 and now_ms == asked_ms + 93_000:
                downlink.hears(Unanswered(node, number), now_ms=now_ms)
        deadline_ms = downlink.deadline_ms()
        assert deadline_ms is None or deadline_ms > now_ms
        now_ms += 100
    instants = [at_ms for at_ms, _ in far.asked]
    assert len(instants) == 1000 and instants[-1] <= 120_000
    assert max(sum(at_ms <= one < at_ms + 1000 for one in instants) for at_ms in instants) <= 10
    assert in_flight <= limits.LINK_PUSHES_MAX
    # Bytes of a node's id are spread: 204 of 1,000 end in a multiple of five.
    assert downlink.counters["told"] + downlink.counters["failed"] == 1000
    assert downlink.health()["waiting"] == downlink.counters["failed"]


def test_a_street_of_a_hundred_on_an_air_that_loses_a_fifth():
    world = settled(posts=100)
    world.loss_percent = 20
    began_ms = world.now_ms
    world.emergency()
    world.live(120)
    assert levels(world) == [100] * 100
    assert max(post.levels[-1][0] for post in world.posts) - began_ms < 60_000
    assert world.core.downlink.counters["pushed"] == 100 and world.checker.violations == []


def test_a_cabinet_without_orders_asks_nothing_of_anybody():
    world = settled()
    world.live(3600)
    assert not any(world.core.downlink.health().values())
