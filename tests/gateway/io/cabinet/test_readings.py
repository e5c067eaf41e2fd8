"""The questions of a Modbus line: which is asked next, what was read, and how old it may be."""

import struct
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from gateway.io.cabinet import limits
from gateway.io.cabinet.readings import Question, Readings, Rounds
from gateway.io.cabinet.wiring import Meter, parse

METER = Meter(3, "sdm120")
SECOND = limits.READ_EVERY_MS


def words(packed):
    return list(struct.unpack(f">{len(packed) // 2}H", packed))


def test_bits_that_lie_together_share_a_question():
    points = [parse(text) for text in ("modbus:1/coil:0", "!modbus:1/coil:5", "modbus:1/input:5", "modbus:1/coil:200",
                                       "modbus:2/coil:6")]  # fmt: skip
    assert sorted(Readings(points).questions) == [
        Question(1, 1, 0, 6, SECOND), Question(1, 1, 200, 1, SECOND), Question(1, 2, 5, 1, SECOND),
        Question(2, 1, 6, 1, SECOND),
    ]  # fmt: skip


def test_bits_find_their_points_and_are_inverted():
    first, inverted = parse("modbus:1/coil:2"), parse("!modbus:1/coil:4")
    readings = Readings([first, inverted])
    readings.accept(readings.questions[0], [1, 0, 1], now_ms=7)
    assert readings.bit(first, now_ms=8) == (True, 7) and readings.bit(inverted, now_ms=8) == (False, 7)


def test_a_register_in_its_natural_unit():
    point = parse("modbus:4/30002:s16*0.1")
    readings = Readings([point])
    assert readings.questions == [Question(4, 4, 1, 1, SECOND)]
    readings.accept(readings.questions[0], words(struct.pack(">h", -53)), now_ms=0)
    assert readings.number(point, now_ms=0) == Fraction(-53, 10)


def test_a_meters_questions_and_values():
    readings = Readings([METER])
    power, energy = readings.questions
    assert power == Question(3, 4, 0, 14, SECOND) and energy == Question(3, 4, 72, 2, limits.ENERGY_EVERY_MS)
    readings.accept(power, words(struct.pack(">f8xf8xf", 230.0, 1.0, 220.0)), now_ms=0)
    readings.accept(energy, words(struct.pack(">f", 1234.5)), now_ms=0)
    expected = {"power_dw": 2200, "energy_wh": 1_234_500, "voltage_dv": 2300, "current_ma": 1000}
    assert {name: readings.measured(METER, name, now_ms=1) for name in expected} == expected


def test_before_the_first_answer_nothing_is_known():
    number, bit = parse("modbus:4/30001"), parse("modbus:1/input:0")
    readings = Readings([METER, number, bit])
    assert readings.measured(METER, "power_dw", now_ms=0) is None and readings.number(number, now_ms=0) is None
    assert readings.bit(bit, now_ms=9) == (None, 9)


def test_values_are_none_after_their_time_and_return():
    number, bit = parse("modbus:4/30001"), parse("modbus:1/input:0")
    readings = Readings([METER, number, bit])
    answers = {
        Question(3, 4, 0, 14, SECOND): words(struct.pack(">f8xf8xf", 230.0, 1.0, 220.0)),
        Question(3, 4, 72, 2, limits.ENERGY_EVERY_MS): words(struct.pack(">f", 1.0)),
        Question(4, 4, 0, 1, SECOND): [12],
        Question(1, 2, 0, 1, SECOND): [1],
    }
    for start_ms in (0, 100_000):  # they come, go silent, and come back
        for question, values in answers.items():
            readings.accept(question, values, now_ms=start_ms)
        last_ms = start_ms + limits.READ_STALE_MS
        assert readings.measured(METER, "power_dw", now_ms=last_ms) == 2200
        assert readings.number(number, now_ms=last_ms) == 12 and readings.bit(bit, now_ms=last_ms) == (True, start_ms)
        assert readings.measured(METER, "power_dw", now_ms=last_ms + 1) is None
        assert readings.number(number, now_ms=last_ms + 1) is None
        assert readings.bit(bit, now_ms=last_ms + 1) == (None, start_ms)
        assert readings.measured(METER, "energy_wh", now_ms=start_ms + limits.ENERGY_STALE_MS) == 1000
        assert readings.measured(METER, "energy_wh", now_ms=start_ms + limits.ENERGY_STALE_MS + 1) is None


def test_absurd_values_are_none_and_counted():
    readings = Readings([METER])
    power = readings.questions[0]
    readings.accept(power, words(struct.pack(">f8xf8xf", float("nan"), 1.0, 1e30)), now_ms=0)
    assert readings.measured(METER, "voltage_dv", now_ms=0) is None
    assert readings.measured(METER, "current_ma", now_ms=0) == 1000 and readings.absurd == 2
    readings.accept(power, words(struct.pack(">f8xf8xf", 230.0, 1.0, 220.0)), now_ms=1)
    assert readings.measured(METER, "power_dw", now_ms=1) == 2200 and readings.absurd == 2


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
