"""What a node takes for an order, until when it holds, and what it says of it. Time is milliseconds of its own."""

import itertools

import pytest

from node import limits
from node.orders import Orders
from wire import coap_message as messages
from wire import node_order
from wire.node_order import EMERGENCY, FRESH_S, OVERRIDE, NodeOrder

NOW_S = 1_795_604_400
ID, OTHER = b"ordered1", b"ordered2"


class Desk:
    """Orders beside a clock that may be good."""

    def __init__(self, *, uncertainty_s=1):
        counter = itertools.count(1)
        self.orders = Orders(lambda bound: next(counter) % bound)
        self.now_ms = 0
        self.uncertainty_s = uncertainty_s  # None: no clock
        self.era = 1

    @property
    def unix_s(self):
        return NOW_S + self.now_ms // 1000

    @property
    def certain(self):
        return None if self.uncertainty_s is None else (self.unix_s, self.uncertainty_s)

    def made(self, number, *, rule=EMERGENCY, level=100, lasts_s=600, age_s=0, name=ID):
        return node_order.encode(NodeOrder(number, name, rule, level, self.unix_s - age_s + lasts_s, lasts_s))

    def post(self, payload, echo=None):
        code, told, options = self.orders.serve(payload, echo, certain=self.certain, era=self.era, now_ms=self.now_ms)
        echoes = messages.option_values(options, messages.ECHO)
        return code, told, echoes[0] if echoes else None

    def answered(self, payload, asked_ms=None):
        asked_ms = self.now_ms if asked_ms is None else asked_ms
        self.orders.answered(payload, asked_ms=asked_ms, certain=self.certain, era=self.era, now_ms=self.now_ms)

    def rule(self):
        order = self.orders.in_force(certain=self.certain, now_ms=self.now_ms)
        return None if order is None else order.rule

    def wait(self, seconds):
        self.now_ms += int(1000 * seconds)

    def outcomes(self):
        return [outcome[:3] for outcome in self.orders.drain_outcomes()]


def test_an_order_holds_from_its_coming_to_its_expiry():
    desk = Desk()
    assert desk.post(desk.made(1)) == (messages.CHANGED, b"", None) and desk.rule() == EMERGENCY
    desk.wait(599)
    assert desk.rule() == EMERGENCY
    desk.wait(1)
    assert desk.rule() is None
    assert desk.outcomes() == [(ID, "received", None), (ID, "expired", None)]


@pytest.mark.parametrize(("age_s", "uncertainty_s"), [(59, 1), (-59, 1), (30, 30), (-30, 30), (0, 30)])
def test_with_a_good_clock_what_is_fresh_is_taken(age_s, uncertainty_s):
    desk = Desk(uncertainty_s=uncertainty_s)
    assert desk.post(desk.made(1, age_s=age_s))[0] == messages.CHANGED and desk.rule() == EMERGENCY


@pytest.mark.parametrize(("age_s", "uncertainty_s"), [(60, 1), (-60, 1), (31, 30), (-31, 30), (0, None), (300, 1)])
def test_what_may_be_old_is_asked_to_come_back(age_s, uncertainty_s):
    desk = Desk(uncertainty_s=uncertainty_s)
    code, told, echo = desk.post(desk.made(1, age_s=age_s))
    assert (code, told, len(echo)) == (messages.UNAUTHORIZED, b"", 8)
    assert desk.rule() is None and desk.outcomes() == []


def test_it_comes_back_once_within_a_minute():
    for wait_s, expected in ((0, messages.CHANGED), (FRESH_S, messages.CHANGED), (FRESH_S + 1, messages.UNAUTHORIZED)):
        desk = Desk(uncertainty_s=None)
        echo = desk.post(desk.made(1))[2]
        desk.wait(wait_s)
        assert desk.post(desk.made(1), echo)[0] == expected
        assert desk.post(desk.made(2), echo)[0] == messages.UNAUTHORIZED, "used, or too old"


def test_another_value_is_no_echo():
    desk = Desk(uncertainty_s=None)
    echo = desk.post(desk.made(1))[2]
    assert desk.post(desk.made(1), bytes(8))[2] == echo, "the one under way serves on"
    desk.wait(FRESH_S // 2 + 1)
    assert desk.post(desk.made(1))[2] != echo, "until it is half its age"


def test_without_a_clock_it_holds_no_longer_than_from_the_challenge_on():
    desk = Desk(uncertainty_s=None)
    echo = desk.post(desk.made(1, lasts_s=100))[2]
    desk.wait(50)
    desk.post(desk.made(1, lasts_s=100), echo)
    desk.wait(49)
    assert desk.rule() == EMERGENCY
    desk.wait(1)
    assert desk.rule() is None, "it may have been written just after the challenge"


def test_an_answer_counts_from_the_question():
    desk = Desk(uncertainty_s=None)
    desk.wait(40)
    desk.answered(desk.made(1, lasts_s=100), asked_ms=0)
    desk.wait(59)
    assert desk.rule() == EMERGENCY
    desk.wait(1)
    assert desk.rule() is None


def test_numbers_only_rise():
    desk = Desk()
    desk.post(desk.made(5))
    assert desk.post(desk.made(4, name=OTHER)) == (messages.FORBIDDEN, b"later", None)
    assert desk.post(node_order.encode(node_order.nothing(4)))[0] == messages.FORBIDDEN
    assert desk.post(desk.made(5))[0] == messages.CHANGED and desk.orders.counters["again"] == 1
    assert desk.rule() == EMERGENCY
    assert desk.outcomes() == [(ID, "received", None), (OTHER, "refused", "later")]


def test_under_new_keys_numbers_begin_anew_and_what_holds_goes_on():
    desk = Desk()
    desk.post(desk.made(5))
    desk.era += 1
    assert desk.rule() == EMERGENCY
    desk.answered(desk.made(1))
    assert desk.rule() == EMERGENCY, "the same order goes on"
    assert desk.outcomes() == [(ID, "received", None)] * 2, "to a gateway that may have forgotten it"
    desk.era += 1
    desk.answered(node_order.encode(node_order.nothing(0)))
    assert desk.rule() is None and desk.outcomes() == [(ID, "ended", None)]


def test_under_new_keys_its_last_outcome_is_told_once_more():
    desk = Desk()
    desk.post(desk.made(1))
    desk.orders.applied()
    desk.orders.measured(1770)
    desk.orders.drain_outcomes()
    desk.era += 1
    desk.answered(desk.made(1))
    desk.post(desk.made(1))
    desk.post(desk.made(2, lasts_s=700))
    assert desk.orders.drain_outcomes() == [(ID, "measured", None, 1770)]


def test_another_order_takes_its_place_even_one_that_has_expired():
    desk = Desk()
    desk.post(desk.made(1))
    desk.post(desk.made(2, name=OTHER))
    assert desk.outcomes() == [(ID, "received", None), (ID, "ended", None), (OTHER, "received", None)]
    assert desk.post(desk.made(3, lasts_s=10, age_s=10)) == (messages.FORBIDDEN, b"expired", None)
    assert desk.rule() is None
    assert desk.outcomes() == [(OTHER, "ended", None), (ID, "refused", "expired")]


@pytest.mark.parametrize("payload", [b"", b"\xff", b"\x81", b"\x81\x20", bytes(40), b"\xa1\x01\x02"])
def test_what_cannot_be_read_is_told_once_under_the_same_keys(payload):
    desk = Desk()
    for _ in range(50):
        assert desk.post(payload) == (messages.BAD_REQUEST, b"malformed", None)
    desk.answered(payload)
    assert desk.outcomes() == [(None, "refused", "malformed")] and desk.orders.counters["malformed"] == 51
    desk.era += 1
    desk.post(payload)
    assert len(desk.outcomes()) == 1


# --- the lease --------------------------------------------------------------------------------------------------


def lend(desk, lease_s):
    desk.orders.renew_lease(lease_s, asked_ms=desk.now_ms, now_ms=desk.now_ms)


def test_an_override_rests_without_a_lease_and_an_emergency_does_not():
    desk = Desk()
    desk.post(desk.made(1, rule=OVERRIDE, level=0))
    assert desk.rule() is None and desk.outcomes() == [(ID, "received", None)]
    desk.wait(limits.LEASE_PATIENCE_MS // 1000)
    assert desk.rule() is None and desk.outcomes() == [(ID, "refused", "lease")]
    desk.post(desk.made(2))
    assert desk.rule() == EMERGENCY


def test_a_lease_that_comes_with_it_counts_at_once_and_one_after_a_loss_after_a_dwell():
    desk = Desk()
    desk.post(desk.made(1, rule=OVERRIDE, level=0))
    lend(desk, 100)
    assert desk.rule() == OVERRIDE
    desk.orders.applied()
    desk.wait(100)
    assert desk.rule() is None
    lend(desk, 100)
    assert desk.rule() is None
    desk.wait(limits.LEASE_DWELL_MS // 1000)
    assert desk.rule() == OVERRIDE
    assert desk.outcomes() == [(ID, "received", None), (ID, "applied", None), (ID, "refused", "lease")]


def test_it_asks_from_half_of_the_lease_on_and_only_for_an_override():
    desk = Desk()
    lend(desk, 100)
    desk.post(desk.made(1))
    desk.wait(99)
    assert not desk.orders.needs_lease(desk.now_ms)
    lend(desk, 100)
    desk.post(desk.made(2, rule=OVERRIDE))
    assert not desk.orders.needs_lease(desk.now_ms)
    assert desk.orders.deadline_ms(desk.certain, desk.now_ms) == desk.now_ms + 50_000
    desk.wait(50)
    assert desk.orders.needs_lease(desk.now_ms)
    lend(desk, None)
    assert desk.orders.needs_lease(desk.now_ms) and desk.rule() == OVERRIDE, "what is lent runs on"
    lend(desk, 20)
    assert desk.rule() == OVERRIDE


def test_a_lease_counts_from_the_question_and_a_shorter_one_takes_nothing_away():
    desk = Desk()
    desk.wait(60)
    desk.orders.renew_lease(100, asked_ms=0, now_ms=desk.now_ms)
    desk.post(desk.made(1, rule=OVERRIDE))
    desk.wait(39)
    assert desk.rule() == OVERRIDE
    desk.wait(1)
    assert desk.rule() is None


def test_the_deadline_is_the_next_change_and_never_one_that_is_past():
    desk = Desk()
    assert desk.orders.deadline_ms(desk.certain, desk.now_ms) is None
    desk.post(desk.made(1, rule=OVERRIDE, lasts_s=400))
    lend(desk, 100)
    seen = []
    while desk.orders.order is not None:
        desk.rule()
        deadline_ms = desk.orders.deadline_ms(desk.certain, desk.now_ms)
        if deadline_ms is None:
            break
        assert deadline_ms > desk.now_ms
        seen.append(deadline_ms)
        desk.now_ms = deadline_ms
    assert seen == [50_000, 100_000, 400_000]
