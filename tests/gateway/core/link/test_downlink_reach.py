"""Where orders are pushed to, and what becomes of them over restarts, without a clock, and in a whole district."""

import pytest

from gateway.core import limits
from gateway.core.link.downlink import Downlink, OrderInForce
from gateway.core.link.link import Link, NodeResponse, NoResponse
from gateway.core.wallclock import WallClock
from simulator.hosts.keys import CIPHER, key_of, link_of
from simulator.world.chance import Prng
from tests.support.lit_world import restart
from tests.support.ordered_world import Address, by_night, keep_lease, levels, rules, settled
from wire import coap_message as messages
from wire import node_order, record

ONE = (1).to_bytes(8, "big")


# --- where to -------------------------------------------------------------------------------------------------------


@pytest.mark.slow
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


def test_an_answer_to_our_nonce_from_elsewhere_proves_no_address():
    world = settled(posts=1)
    post, thief = world.posts[0], Address("thief")
    post.power_off()
    world.hears = lambda flying: not flying.is_down and post.link.era == 1
    post.power_on()
    world.live(6)
    world.release(world.caught[0], address=thief)  # request 2: it agrees on keys all the same
    assert world.core.link.sessions.member_of(post.node_id).session is not None
    world.emergency()
    world.live(2)
    assert world.core.downlink.counters["pushed"] == 0 and not world.core.link.reaches(post.node_id)


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


@pytest.mark.slow
def test_an_override_survives_the_moments_without_a_lease_after_a_restart():
    world = by_night(posts=1)
    world.override(lasts_s=7200)
    keep_lease(world, 120)
    restart(world)
    world.live(10)
    world.posts[0].ask()
    world.live(40)
    assert world.posts[0].link.era == 2
    keep_lease(world, 120)
    lived = [rule for _, _, rule, _ in world.posts[0].levels]
    assert lived == ["no-time", "calendar", "calendar", "override"], "day, night, and the override without a break"


# --- a node without a clock -----------------------------------------------------------------------------------------


@pytest.mark.slow
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
            assert counters["accepted"] == 0 and post.rule == "no-time"
    assert challenged_ms is not None
    assert (counters["challenged"], counters["returned"], counters["accepted"]) == (1, 1, 1)
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


@pytest.mark.slow
def test_a_thousand_nodes_are_told_within_two_minutes_without_a_burst():
    far = Far()
    downlink = Downlink(far, WallClock(started_ms=0), {})
    downlink.set_orders({None: OrderInForce(ONE, node_order.EMERGENCY, 100, 1_795_604_400, 3_600_000)}, now_ms=0)
    now_ms, answered, in_flight = 0, 0, 0
    while now_ms < 400_000:
        before = len(far.asked)
        downlink.poll(now_ms=now_ms)
        if len(far.asked) > before:  # health counts what waits for a thousand nodes
            in_flight = max(in_flight, downlink.health()["in-flight"])
        for number, (asked_ms, node) in enumerate(far.asked[answered:], answered + 1):
            if node[-1] % 5 and now_ms == asked_ms + 200:
                downlink.handle(NodeResponse(node, number, 0x44, ()), now_ms=now_ms)
            if not node[-1] % 5 and now_ms == asked_ms + 93_000:
                downlink.handle(NoResponse(node, number), now_ms=now_ms)
        deadline_ms = downlink.deadline_ms()
        assert deadline_ms is None or deadline_ms > now_ms
        now_ms += 100
    instants = [at_ms for at_ms, _ in far.asked]
    assert len(instants) == 1000 and instants[-1] <= 120_000
    assert max(sum(at_ms <= one < at_ms + 1000 for one in instants) for at_ms in instants) <= 10
    assert in_flight <= limits.LINK_PUSHES_MAX
    # Bytes of a node's id are spread: 204 of 1,000 end in a multiple of five.
    assert downlink.counters["accepted"] + downlink.counters["failed"] == 1000
    assert downlink.health()["waiting"] == downlink.counters["failed"]


@pytest.mark.slow
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


NODE = bytes.fromhex("7c1f0a2c01000009")
PEER = "gateway"
ASLEEP = ((messages.URI_QUERY, record.SLEEPS),)


class Pair:
    """A node's link and a gateway's way down, over a perfect wire."""

    def __init__(self):
        self.now_ms = 0
        self.link = Link([key_of(NODE)], CIPHER, random_below=Prng(1).randrange)
        self.downlink = Downlink(self.link, WallClock(started_ms=0), {})
        self.downlink.set_orders({None: None}, now_ms=0)
        self.node = link_of(NODE, PEER, boot=1, random_below=Prng(2).randrange)
        self.posted = []

    def say(self, options):
        self.node.request(PEER, messages.POST, (b"t",), b"", options=options, now_ms=self.now_ms)
        self.carry()

    def carry(self):
        for _ in range(12):
            self.now_ms += 20
            for _, datagram in self.node.outgoing():
                for heard in self.link.receive(datagram, "there", now_ms=self.now_ms):
                    if not self.downlink.handle(heard, now_ms=self.now_ms):
                        self.link.respond(heard.exchange, messages.CHANGED, now_ms=self.now_ms)
            self.downlink.poll(now_ms=self.now_ms)
            for _, datagram in self.link.outgoing():
                self.posted += self.node.receive(datagram, PEER, now_ms=self.now_ms)

    def order(self, number):
        standing = OrderInForce(bytes([number] * 8), "emergency", 0, 1_800_000_000, self.now_ms + 600_000)
        self.downlink.set_orders({None: standing}, now_ms=self.now_ms)
        self.carry()

    def posts(self):
        return [one for one in self.posted if getattr(one, "path", None) == (node_order.PATH,)]


@pytest.fixture
def pair():
    made = Pair()
    made.say(())
    return made


def test_a_node_that_is_awake_is_posted_an_order(pair):
    pair.order(1)
    assert len(pair.posts()) == 1 and pair.downlink.health()["pushed"] == 1


def test_one_that_says_that_it_sleeps_is_posted_nothing_and_its_order_waits(pair):
    pair.say(ASLEEP)
    pair.order(1)
    assert pair.posts() == [] and pair.downlink.health()["pushed"] == 0
    assert pair.downlink.waiting(NODE) == 1 and pair.downlink.health()["sleepers"] == 1
    pair.node.request(PEER, messages.GET, (node_order.PATH,), now_ms=pair.now_ms)
    pair.carry()
    assert pair.downlink.waiting(NODE) == 0 and pair.downlink.health()["fetched"] == 1


def test_a_question_for_an_order_does_not_make_a_sleeper_one_that_is_awake(pair):
    pair.say(ASLEEP)
    pair.node.request(PEER, messages.GET, (node_order.PATH,), now_ms=pair.now_ms)
    pair.carry()
    pair.order(1)
    assert pair.posts() == []


def test_settings_that_changed_make_it_reachable_again(pair):
    pair.say(ASLEEP)
    pair.say(())
    pair.order(1)
    assert len(pair.posts()) == 1 and pair.downlink.health()["sleepers"] == 0


def test_an_order_that_was_queued_for_it_before_it_said_so_is_not_posted(pair):
    pair.downlink._next_ms = None
    standing = OrderInForce(bytes([1] * 8), "emergency", 0, 1_800_000_000, pair.now_ms + 600_000)
    pair.downlink.set_orders({None: standing}, now_ms=pair.now_ms)
    assert pair.downlink.health()["queued"] == 1
    pair.say(ASLEEP)
    assert pair.downlink.health()["pushed"] == 0
