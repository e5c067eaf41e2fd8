"""The question for an order: asked while it is wanted, and only an answer under the same keys, in time, is one."""

import pytest

from node import limits
from node.orders import Fetch
from wire import coap_message as messages
from wire.coap import Failed, Refused, Response
from wire.node_order import FRESH_S


class Link:
    """Counts requests; the test makes the answers."""

    def __init__(self):
        self.era = 1
        self.asked = 0
        self.is_full = False

    def request(self, peer, code, path, *, now_ms):
        assert (peer, code, path) == ("gateway", messages.GET, (b"c",))
        if self.is_full:
            return Refused("queue-full")
        self.asked += 1
        return self.asked


class Desk:
    def __init__(self):
        self.link = Link()
        self.fetch = Fetch(self.link, peer="gateway", random_below=lambda bound: 0)
        self.now_ms = 1000

    def want(self):
        self.fetch.want(self.now_ms)
        self.fetch.send(self.now_ms)

    def answer(self, code=messages.CONTENT, payload=b"order"):
        return self.take(Response("gateway", self.link.asked, code, None, payload, ()))

    def take(self, happened):
        assert self.fetch.is_ours(happened)
        return self.fetch.handle(happened, self.now_ms)

    def asks_again(self):
        """Whether it does, once its back-off is over."""
        asked = self.link.asked
        self.fetch.send(self.now_ms)
        assert self.link.asked == asked, "not at once"
        self.now_ms += limits.RETRY_FIRST_MS
        self.fetch.send(self.now_ms)
        return self.link.asked == asked + 1


def test_it_asks_once_and_gives_the_answer_with_the_time_of_the_question():
    desk = Desk()
    desk.fetch.send(desk.now_ms)
    assert desk.link.asked == 0 and desk.fetch.deadline_ms(desk.now_ms) is None
    desk.want()
    desk.want()
    assert desk.link.asked == 1
    desk.now_ms += 1000 * FRESH_S
    assert desk.answer() == (b"order", 1000)
    assert not desk.asks_again()


def test_an_answer_under_other_keys_or_too_late_is_none():
    desk = Desk()
    desk.want()
    desk.link.era += 1
    assert desk.answer() is None and desk.fetch.counters["useless"] == 1
    assert desk.asks_again()
    desk.now_ms += 1000 * FRESH_S + 1
    assert desk.answer() is None and desk.fetch.counters["useless"] == 2


@pytest.mark.parametrize("code", [messages.UNAVAILABLE, messages.CHANGED, None])
def test_without_an_answer_it_asks_again(code):
    desk = Desk()
    desk.want()
    found = desk.take(Failed("gateway", 1, "timeout")) if code is None else desk.answer(code)
    assert found is None and desk.asks_again()


def test_a_gateway_that_knows_no_orders_is_left_alone():
    desk = Desk()
    desk.want()
    assert desk.answer(messages.NOT_FOUND) is None and not desk.asks_again()


def test_a_full_link_is_tried_again():
    desk = Desk()
    desk.link.is_full = True
    desk.want()
    desk.link.is_full = False
    assert desk.asks_again()


def test_a_lamp_waits_for_it_for_so_long_and_no_longer():
    desk = Desk()
    assert not desk.fetch.is_expected(desk.now_ms)
    desk.want()
    assert desk.fetch.is_expected(desk.now_ms)
    assert desk.fetch.deadline_ms(desk.now_ms) == desk.now_ms + limits.ORDER_HOLD_MS
    desk.now_ms += limits.ORDER_HOLD_MS
    assert not desk.fetch.is_expected(desk.now_ms) and desk.fetch.deadline_ms(desk.now_ms) is None


def test_the_events_of_others_are_not_its_own():
    desk = Desk()
    desk.want()
    assert not desk.fetch.is_ours(Failed("gateway", 7, "timeout")) and not desk.fetch.is_ours(object())
