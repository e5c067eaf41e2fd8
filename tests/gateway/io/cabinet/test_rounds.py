"""Which question is asked next."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.io.cabinet import limits
from gateway.io.cabinet.rounds import Question, Rounds

POWER, ENERGY = Question(3, 4, 0, 14, 1000), Question(3, 4, 72, 2, 10_000)
COILS = Question(1, 1, 0, 4, 1000)


def test_each_question_has_its_rhythm():
    rounds, asked = Rounds([POWER, ENERGY, COILS], now_ms=0), {POWER: 0, ENERGY: 0, COILS: 0}
    for now_ms in range(0, 30_000, 50):
        if (question := rounds.next(now_ms=now_ms)) is not None:
            asked[question] += 1
            rounds.answered(question, now_ms=now_ms)
    assert asked == {POWER: 30, ENERGY: 3, COILS: 30}


def test_a_silent_unit_is_asked_ever_more_rarely_and_the_others_as_before():
    rounds, at = Rounds([POWER, ENERGY, COILS], now_ms=0), {POWER: [], ENERGY: [], COILS: []}
    for now_ms in range(0, 120_000, 50):
        question = rounds.next(now_ms=now_ms)
        if question is None:
            continue
        at[question].append(now_ms)
        if question.unit == 3:
            rounds.failed(question, now_ms=now_ms)
        else:
            rounds.answered(question, now_ms=now_ms)
    steps = [later - earlier for earlier, later in zip(at[POWER], at[POWER][1:], strict=False)]
    assert steps == [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]
    assert at[ENERGY] == [], "only the question that was left open"
    assert len(at[COILS]) == 120
    assert rounds.failures() == {3: 8, 1: 0} and rounds.heard_ms(3) is None and rounds.heard_ms(1) >= 119_000


def test_a_unit_that_answers_again_is_back_in_its_rhythm():
    rounds = Rounds([POWER, ENERGY], now_ms=0)
    for _ in range(5):
        question = rounds.next(now_ms=10**6)
        rounds.failed(question, now_ms=0)
    rounds.answered(question, now_ms=10**6)
    assert rounds.next(now_ms=10**6) == ENERGY and rounds.failures() == {3: 0}
    assert rounds.heard_ms(3) == 10**6


def test_what_is_overdue_is_not_asked_twice_for_it():
    rounds = Rounds([POWER], now_ms=0)
    rounds.answered(rounds.next(now_ms=60_000), now_ms=60_000)
    rounds.answered(rounds.next(now_ms=60_000), now_ms=60_010)
    assert rounds.next(now_ms=60_010) is None and rounds.wait_ms(now_ms=60_010) == 990


def test_a_hurried_question_is_due():
    rounds = Rounds([COILS], now_ms=0)
    rounds.answered(rounds.next(now_ms=0), now_ms=0)
    assert rounds.next(now_ms=1) is None
    rounds.hurry(COILS, now_ms=1)
    assert rounds.next(now_ms=1) == COILS


def test_without_questions_there_is_nothing_to_wait_for():
    rounds = Rounds([], now_ms=0)
    assert rounds.next(now_ms=5) is None and rounds.wait_ms(now_ms=5) is None and rounds.heard_ms(9) is None


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 3000)), max_size=200))
def test_nobody_starves_and_nothing_is_asked_before_it_is_due(outcomes):
    rounds, now_ms = Rounds([POWER, ENERGY, COILS], now_ms=0), 0
    for answered, step_ms in outcomes:
        now_ms += step_ms
        question = rounds.next(now_ms=now_ms)
        wait_ms = rounds.wait_ms(now_ms=now_ms)
        assert (question is None) == (wait_ms > 0)
        assert wait_ms <= max(ENERGY.every_ms, limits.UNIT_RETRY_LAST_MS)
        if question is not None:
            (rounds.answered if answered else rounds.failed)(question, now_ms=now_ms)
