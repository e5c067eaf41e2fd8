"""Attempts at a password are bounded, and a session lives as long as it may; time is injected."""

import asyncio
import threading

import pytest

from gateway.config import password
from gateway.show.page import sessions
from gateway.show.page.sessions import IDLE_MS, LIFE_MS, SESSIONS_MAX, Attempts, Login, Sessions, network_of

HERE, THERE = "192.168.50.7", "192.168.50.8"


# --- attempts -------------------------------------------------------------------------------------------------------


def failing(tried, address, count, now_ms=0):
    for _ in range(count):
        tried.began(address, now_ms=now_ms)


def test_the_first_few_mistakes_cost_nothing_then_each_doubles_the_wait():
    tried = Attempts()
    waits = []
    for _ in range(8):
        tried.began(HERE, now_ms=0)
        waits.append(tried.wait_ms(HERE, now_ms=0))
    assert waits == [0, 0, 2_000, 4_000, 8_000, 16_000, 32_000, 64_000]
    assert tried.wait_ms(HERE, now_ms=63_999) == 1 and tried.wait_ms(HERE, now_ms=64_000) == 0


def test_the_wait_of_an_address_has_an_end():
    tried = Attempts()
    failing(tried, HERE, 500)
    assert tried.wait_ms(HERE, now_ms=0) == sessions.WAIT_MS_MAX
    tried.began(HERE, now_ms=sessions.FORGET_MS)
    assert tried.wait_ms(HERE, now_ms=sessions.FORGET_MS) <= sessions.WAIT_ALL_MS_MAX  # counted anew


def test_another_address_is_not_held_up_by_one_that_fails_a_few_times():
    tried = Attempts()
    failing(tried, HERE, 6)
    assert tried.wait_ms(HERE, now_ms=0) and not tried.wait_ms(THERE, now_ms=0)


def test_many_addresses_hold_up_everybody_for_a_short_while():
    tried = Attempts()
    for number in range(40):
        failing(tried, f"10.0.0.{number}", 1)
    assert tried.wait_ms(HERE, now_ms=0) == sessions.WAIT_ALL_MS_MAX
    assert tried.wait_ms(HERE, now_ms=sessions.WAIT_ALL_MS_MAX) == 0


def test_the_right_password_makes_an_address_good_again():
    tried = Attempts()
    failing(tried, HERE, 9)
    tried.passed(HERE)
    assert tried.wait_ms(HERE, now_ms=0) == 0


def test_the_table_of_addresses_is_bounded_and_forgets_the_oldest():
    tried = Attempts()
    for number in range(sessions.ADDRESSES_MAX + 50):
        tried.began(f"10.0.{number // 256}.{number % 256}", now_ms=number)
    assert len(tried._by_address) == sessions.ADDRESSES_MAX


@pytest.mark.parametrize(
    ("one", "other"),
    [("fe80::1%eth1", "fe80::2%eth1"), ("2001:db8::1", "2001:db8:0:0:ffff::9"), ("192.0.2.1", "192.0.2.1")],
)
def test_one_machine_cannot_pass_for_many_by_its_own_network(one, other):
    assert network_of(one) == network_of(other)
    assert network_of("2001:db8:1::1") != network_of("2001:db8:2::1") and len(network_of("x" * 999)) <= 64


# --- sessions -------------------------------------------------------------------------------------------------------


def opened(made, now_ms=0, who="J. Renard"):
    return made.open(who, HERE, now_ms=now_ms)


def alive(made, token, now_ms, is_person=False):
    return made.find(token, is_person=is_person, now_ms=now_ms) is not None


def test_a_session_ends_thirty_minutes_after_a_persons_last_page():
    made = Sessions()
    token = opened(made)
    assert alive(made, token, IDLE_MS - 1, is_person=True)
    assert alive(made, token, 2 * IDLE_MS - 2) and not alive(made, token, 2 * IDLE_MS - 1)
    assert not alive(made, token, 0)  # gone for good


def test_a_page_that_refreshes_by_itself_keeps_no_session_alive():
    made = Sessions()
    token = opened(made)
    for now_ms in range(0, IDLE_MS, 5_000):
        assert alive(made, token, now_ms)
    assert not alive(made, token, IDLE_MS)


def test_a_session_ends_after_half_a_day_whatever_is_done():
    made = Sessions()
    token = opened(made)
    for now_ms in range(0, LIFE_MS, IDLE_MS // 2):
        assert alive(made, token, now_ms, is_person=True)
    assert not alive(made, token, LIFE_MS, is_person=True)


def test_sessions_are_bounded_and_the_longest_idle_makes_room():
    made = Sessions()
    tokens = [opened(made, now_ms) for now_ms in range(SESSIONS_MAX)]
    assert alive(made, tokens[0], SESSIONS_MAX, is_person=True)
    opened(made, SESSIONS_MAX + 1)
    assert len(made) == SESSIONS_MAX
    assert [alive(made, token, SESSIONS_MAX + 1) for token in tokens[:3]] == [True, False, True]


def test_tokens_and_secrets_are_long_random_and_not_kept():
    made = Sessions()
    tokens = {opened(made) for _ in range(5)}
    assert len(tokens) == 5 and all(len(token) >= 43 for token in tokens)
    assert not tokens & {str(key) for key in made._by_hash}
    session = made.find(next(iter(tokens)), is_person=True, now_ms=0)
    assert session.may_order(session.csrf) and not session.may_order("") and not session.may_order("é")


@pytest.mark.parametrize("token", [None, "", "x" * 65, "\ud800", "é"])
def test_what_is_no_token_opens_nothing(token):
    made = Sessions()
    opened(made)
    assert not alive(made, token, 0)
    made.close(token)
    assert len(made) == 1


# --- the two together ----------------------------------------------------------------------------------------------


class Gate:
    def __init__(self, monkeypatch, right="juste"):
        self.checked, self.said = [], []
        self.now_ms = 0
        self.sessions = Sessions()
        self.hold = None

        def check(typed, line):
            self.checked.append(typed)
            if self.hold is not None:
                self.hold.wait(20)
            return typed == right and line == "a line"

        monkeypatch.setattr(password, "check", check)
        say = lambda what, **values: self.said.append((what, values))  # noqa: E731
        self.login = Login("a line", self.sessions, say, now_ms=lambda: self.now_ms)

    def enter(self, typed, who="J. Renard", address=HERE):
        return asyncio.run(self.login.enter(who, typed, address))


def test_the_right_password_opens_a_session_with_a_name_and_an_address(monkeypatch):
    gate = Gate(monkeypatch)
    answer = gate.enter("juste", who="  J.\tRenard\x07 ")
    session = gate.sessions.find(answer.token, is_person=True, now_ms=0)
    assert (session.who, session.address) == ("J. Renard", HERE)
    assert gate.said == [("page-login", {"who": "J. Renard", "address": HERE})]


def test_a_wrong_one_is_said_without_what_was_typed(monkeypatch):
    gate = Gate(monkeypatch)
    assert gate.enter("presque").why == sessions.WRONG
    assert gate.said == [("page-login-refused", {"who": "J. Renard", "address": HERE})]
    assert "presque" not in str(gate.said)


def test_while_one_must_wait_nothing_is_tried_not_even_the_right_one(monkeypatch):
    gate = Gate(monkeypatch)
    for _ in range(sessions.FREE):
        gate.enter("faux")
    answer = gate.enter("juste")
    assert (answer.token, answer.why, answer.wait_s) == (None, sessions.WAIT, 2)
    assert len(gate.checked) == sessions.FREE
    gate.now_ms = 2_000
    assert gate.enter("juste").token


@pytest.mark.parametrize("who", ["", "   ", "\x00\x1f", "\u202e\u200b"])
def test_nobody_enters_without_a_name(monkeypatch, who):
    gate = Gate(monkeypatch)
    assert gate.enter("juste", who=who).why == sessions.NAME and not gate.checked


def test_a_name_is_bounded(monkeypatch):
    gate = Gate(monkeypatch)
    token = gate.enter("juste", who="x" * 10_000).token
    assert gate.sessions.find(token, is_person=True, now_ms=0).who == "x" * sessions.WHO_CHARACTERS_MAX


def test_many_at_once_are_one_attempt_at_a_time_and_each_counts(monkeypatch):
    gate = Gate(monkeypatch)
    gate.hold = threading.Event()

    async def crowd():
        asking = [asyncio.create_task(gate.login.enter("x", f"faux {number}", HERE)) for number in range(6)]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        gate.hold.set()
        return await asyncio.gather(*asking)

    answers = asyncio.run(crowd())
    assert [answer.why for answer in answers].count(sessions.WRONG) == 1 and len(gate.checked) == 1
    assert {answer.why for answer in answers} <= {sessions.WRONG, sessions.BUSY, sessions.WAIT}


def test_limits_are_what_the_page_promises():
    assert sessions.IDLE_MS == 30 * 60_000
