"""What the gateway told: asked for when it is there, held from the asking for as long as it said, and no longer."""

import pytest

from node import limits
from node.directives import Directives
from wire import coap_message as messages
from wire import directive
from wire.coap import Failed, Refused, Response

CODES = (directive.OUTDOOR_TEMPERATURE, directive.DROUGHT_LEVEL, directive.LOAD_SHED)
DROUGHT, SHED, OUTDOOR = directive.DROUGHT_LEVEL, directive.LOAD_SHED, directive.OUTDOOR_TEMPERATURE


class Link:
    """Counts requests; the test makes the answers."""

    def __init__(self):
        self.era = 1
        self.asked = 0
        self.is_full = False
        self.codes = CODES

    def request(self, peer, code, path, *, options, now_ms):
        assert (peer, code, path) == ("gateway", messages.GET, (b"d",))
        question = directive.decode_question([value for number, value in options if number == messages.URI_QUERY])
        assert question == directive.Question("irrigation", self.codes)
        if self.is_full:
            return Refused("queue-full")
        self.asked += 1
        return self.asked


class Desk:
    def __init__(self, codes=CODES, spread_s=7):
        self.link = Link()
        self.link.codes = codes
        self.now_ms = 5000
        self.told = Directives(
            self.link, peer="gateway", kind="irrigation", codes=codes, spread_s=spread_s, random_below=lambda bound: 0
        )

    def alive(self):
        """Something else was answered."""
        self.told.answered(self.now_ms)
        return self.turn()

    def turn(self):
        """Whether it asks."""
        asked = self.link.asked
        self.told.send(self.now_ms)
        return self.link.asked > asked

    def answer(self, held=None, *, code=messages.CONTENT, payload=None):
        payload = directive.encode(held or {}) if payload is None else payload
        happened = Response("gateway", self.link.asked, code, None, payload, ())
        assert self.told.is_ours(happened)
        self.told.handle(happened, self.now_ms)

    def fail(self):
        self.told.handle(Failed("gateway", self.link.asked, "timeout"), self.now_ms)

    def values(self):
        return self.told.values(self.now_ms)


def asked(**options):
    desk = Desk(**options)
    assert desk.alive()
    return desk


def test_it_asks_at_once_after_the_first_exchange_of_a_boot_and_not_before():
    desk = Desk()
    assert not desk.turn() and desk.told.deadline_ms(desk.now_ms) is None
    assert desk.alive()
    assert not desk.turn() and not desk.alive(), "one question at a time"


def test_what_it_is_told_holds_from_the_asking_on_and_ends_by_itself():
    desk = asked()
    desk.now_ms += 2000
    desk.answer({DROUGHT: (2, 100), OUTDOOR: (-150, 3000)})
    assert desk.values() == {DROUGHT: 2, OUTDOOR: -150}
    assert desk.values() is desk.values()
    assert desk.told.deadline_ms(desk.now_ms) <= 5000 + 100_000
    desk.now_ms = 5000 + 100_000
    assert desk.values() == {OUTDOOR: -150}
    assert list(desk.told.drain_changes()) == [(DROUGHT, 2, 100), (DROUGHT, None, 0)]
    desk.now_ms = 5000 + 3_000_000
    assert desk.values() == {} and not desk.told.drain_changes()


def test_the_longest_one_ends_early_by_what_the_crystal_may_lose():
    desk = asked()
    desk.answer({DROUGHT: (4, directive.FOR_S_MAX)})
    drift_ms = directive.FOR_S_MAX * limits.CLOCK_DRIFT_PPM // 1000
    desk.now_ms = 5000 + 1000 * directive.FOR_S_MAX - drift_ms - 1
    assert desk.values() == {DROUGHT: 4}
    desk.now_ms += 1
    assert desk.values() == {}


def test_of_an_exception_the_end_is_told_too_through_a_renewal_and_a_sleep():
    desk = asked(codes=(SHED, directive.EXCEPTION))
    desk.answer({directive.EXCEPTION: (1, 3600), SHED: (100, 1800)})
    ends_ms = 5000 + 3_600_000 - 3600 * limits.CLOCK_DRIFT_PPM // 1000
    assert desk.values() == {directive.EXCEPTION: 1, directive.ENDS + directive.EXCEPTION: ends_ms, SHED: 100}
    asleep = desk.told.asleep(desk.now_ms)
    desk.now_ms += limits.DIRECTIVES_EVERY_MS
    assert desk.turn()
    desk.answer({directive.EXCEPTION: (1, 7200)})
    assert desk.values()[directive.ENDS + directive.EXCEPTION] - desk.now_ms > 7_199_000
    awake = Desk(codes=(SHED, directive.EXCEPTION))
    awake.told.resume(asleep, 60_000, None, now_ms=awake.now_ms)
    assert awake.values() == {directive.EXCEPTION: 1, directive.ENDS + directive.EXCEPTION: ends_ms - 60_000, SHED: 100}
    awake.now_ms = ends_ms
    assert awake.values() == {}


def test_an_answer_that_was_held_up_beyond_its_time_holds_nothing():
    desk = asked()
    desk.now_ms += 60_000
    desk.answer({SHED: (200, 60)})
    assert desk.values() == {} and not desk.told.drain_changes()


def test_an_answer_is_complete_and_each_change_of_a_decision_is_told_once():
    desk = asked()
    desk.answer({DROUGHT: (2, 9000), SHED: (100, 9000), OUTDOOR: (0, 9000)})
    assert sorted(desk.told.drain_changes()) == [(DROUGHT, 2, 9000), (SHED, 100, 9000)]
    desk.now_ms += limits.DIRECTIVES_EVERY_MS
    assert desk.turn()
    desk.answer({DROUGHT: (2, 8000), SHED: (150, 8000), OUTDOOR: (10, 8000)})
    assert list(desk.told.drain_changes()) == [(SHED, 150, 8000)]
    desk.now_ms += limits.DIRECTIVES_EVERY_MS
    assert desk.turn()
    desk.answer({DROUGHT: (2, 7000)})
    assert list(desk.told.drain_changes()) == [(SHED, None, 0)] and desk.values() == {DROUGHT: 2}


def test_codes_that_the_trade_does_not_want_and_those_of_tomorrow_are_left_out():
    desk = asked()
    desk.answer(payload=bytes((0xA3, 0x07, 0x82, 0x01, 0x18, 0x64, 0x09, 0x82, 0x01, 0x18, 0x64, 0x17, 0x80)))
    assert desk.values() == {DROUGHT: 1}
    assert desk.told.counters["unknown-codes"] == 1


@pytest.mark.parametrize("payload", [b"", b"\xff", b"\x80", b"\xa1\x07\x82\x05\x01", b"\xa1\x07\x01"])
def test_what_cannot_be_read_changes_nothing_and_is_asked_again(payload):
    desk = asked()
    desk.answer({DROUGHT: (3, 9000)})
    desk.now_ms += limits.DIRECTIVES_EVERY_MS
    assert desk.turn()
    desk.answer(payload=payload)
    assert desk.values() == {DROUGHT: 3} and desk.told.counters["unreadable"] == 1
    desk.now_ms += limits.DIRECTIVES_RETRY_FIRST_MS
    assert desk.turn()


def test_it_asks_every_quarter_of_an_hour_less_its_own_seconds():
    desk = asked(spread_s=67)
    desk.answer()
    desk.now_ms += limits.DIRECTIVES_EVERY_MS - 7001
    assert not desk.turn() and desk.told.deadline_ms(desk.now_ms) == desk.now_ms + 1
    desk.now_ms += 1
    assert desk.turn()


def test_a_silent_gateway_is_left_alone_until_it_has_answered_something_else():
    desk = asked()
    desk.fail()
    desk.now_ms += 86_400_000
    assert not desk.turn() and desk.told.deadline_ms(desk.now_ms) is None
    assert desk.alive()
    desk.fail()
    assert not desk.alive(), "nor at once: it backs off"
    desk.now_ms += limits.DIRECTIVES_RETRY_FIRST_MS
    assert desk.turn()


@pytest.mark.parametrize("code", [messages.UNAVAILABLE, messages.BAD_REQUEST])
def test_a_gateway_that_cannot_say_is_asked_again_later_and_later(code):
    desk = asked()
    desk.answer(code=code)
    waits = []
    for _ in range(6):
        before_ms = desk.now_ms
        desk.now_ms = desk.told.deadline_ms(desk.now_ms)
        waits.append(desk.now_ms - before_ms)
        assert desk.turn()
        desk.answer(code=code)
    assert waits == [30_000, 60_000, 120_000, 240_000, 450_000, 450_000]


def test_one_that_knows_no_directives_is_asked_after_hours_or_when_it_has_started_anew():
    desk = asked()
    desk.answer(code=messages.NOT_FOUND)
    desk.now_ms += limits.DIRECTIVES_UNKNOWN_MS - 1
    assert not desk.alive()
    desk.now_ms += 1
    assert desk.turn()
    desk.answer(code=messages.NOT_FOUND)
    desk.link.era += 1
    assert not desk.alive()
    desk.now_ms += 7000
    assert desk.turn()


def test_what_is_held_survives_a_gateways_restart_and_refusals():
    desk = asked()
    desk.answer({DROUGHT: (3, 9000)})
    desk.link.era += 1
    desk.now_ms += limits.DIRECTIVES_EVERY_MS
    assert desk.alive()
    desk.answer(code=messages.UNAVAILABLE)
    assert desk.values() == {DROUGHT: 3}


def test_a_full_link_is_tried_again():
    desk = Desk()
    desk.link.is_full = True
    assert not desk.alive()
    desk.link.is_full = False
    desk.now_ms += limits.DIRECTIVES_RETRY_FIRST_MS
    assert desk.alive()


def test_a_trade_that_wants_nothing_never_asks():
    desk = Desk(codes=())
    assert not desk.alive() and desk.told.deadline_ms(desk.now_ms) is None


def test_the_events_of_others_are_not_its_own():
    desk = asked()
    assert not desk.told.is_ours(Failed("gateway", 99, "timeout")) and not desk.told.is_ours(object())
