"""A node that sleeps between its messages is posted nothing; it is told in answers, and asks."""

import pytest

from gateway.core.link.downlink import Downlink, Standing
from gateway.core.link.link import Link
from gateway.core.wallclock import WallClock
from simulator.hosts.keys import CIPHER, key_of, link_of
from simulator.world.chance import Prng
from wire import coap_message as messages
from wire import node_order

NODE = bytes.fromhex("7c1f0a2c01000009")
PEER = "gateway"
ASLEEP = ((messages.URI_QUERY, node_order.SLEEPS),)


class Pair:
    """A node's link and a gateway's way down, over a perfect wire."""

    def __init__(self):
        self.now_ms = 0
        self.link = Link([key_of(NODE)], CIPHER, random_below=Prng(1).randrange, ack_timeout_ms=4000)
        self.downlink = Downlink(self.link, WallClock(started_ms=0), {})
        self.downlink.follow({None: None}, now_ms=0)
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
                    if not self.downlink.hears(heard, now_ms=self.now_ms):
                        self.link.respond(heard.exchange, messages.CHANGED, now_ms=self.now_ms)
            self.downlink.poll(now_ms=self.now_ms)
            for _, datagram in self.link.outgoing():
                self.posted += self.node.receive(datagram, PEER, now_ms=self.now_ms)

    def order(self, number):
        standing = Standing(bytes([number] * 8), "emergency", 0, 1_800_000_000, self.now_ms + 600_000)
        self.downlink.follow({None: standing}, now_ms=self.now_ms)
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
    standing = Standing(bytes([1] * 8), "emergency", 0, 1_800_000_000, pair.now_ms + 600_000)
    pair.downlink.follow({None: standing}, now_ms=pair.now_ms)
    assert pair.downlink.health()["queued"] == 1
    pair.say(ASLEEP)
    assert pair.downlink.health()["pushed"] == 0
