"""Answers wait for all their lanes, leave in the order of their requests, and a flush looks only at what it settles."""

from random import Random

import pytest

from gateway.core import limits
from gateway.core.inbox.answers import Answers
from wire.event import ALARM, EVENT, LANES, TELEMETRY


@pytest.mark.parametrize("seed", range(20))
def test_it_agrees_with_the_plain_rule(seed):
    """Lanes advance apart; a duplicate waits for an older position, or for none that is not durable."""
    random = Random(seed)
    answers, waiting = Answers(), []
    durable, appended = dict.fromkeys(LANES, 0), dict.fromkeys(LANES, 0)
    for exchange in range(400):
        ends = {}
        for lane in random.sample(LANES, random.randrange(1, 4)):
            appended[lane] += 1
            ends[lane] = max(0, appended[lane] - 1 - random.choice((0, 0, 0, 5, 50)))
        answers.wait(exchange, ends)
        waiting.append((exchange, ends))
        if random.randrange(3) == 0:
            lane = random.choice(LANES)
            durable[lane] = random.randint(durable[lane], appended[lane])
            answers.advance(lane, durable[lane])
        if random.randrange(3) == 0:
            due = [wait for wait in waiting if all(position < durable[lane] for lane, position in wait[1].items())]
            waiting = [wait for wait in waiting if wait not in due]
            assert answers.take_ready() == [exchange for exchange, _ in due]
            assert answers.take_ready() == []
            assert len(answers) == len(waiting)
    assert len(waiting) < 400


class Compared(int):
    """A position that counts how often it is compared with another."""

    count = 0

    def __eq__(self, other):
        Compared.count += 1
        return int(self) == other

    def __lt__(self, other):
        Compared.count += 1
        return int(self) < other

    __hash__ = int.__hash__


def test_a_flush_looks_only_at_what_it_settles():
    answers = Answers()
    for number in range(limits.INBOX_WAITING_MAX):
        answers.wait(number, {TELEMETRY: Compared(number), EVENT: Compared(number)})
    answers.wait(5000, {ALARM: 0})
    Compared.count = 0
    answers.advance(ALARM, 1)
    assert answers.take_ready() == [5000] and Compared.count == 0
    answers.advance(TELEMETRY, 3)
    answers.advance(EVENT, 2)
    assert answers.take_ready() == [0, 1]
    assert 0 < Compared.count < 300, "three of 2000 left the heap: some 11 levels each, two lanes"
