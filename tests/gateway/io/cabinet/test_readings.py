"""What has been read, and how old it may be."""

import struct
from fractions import Fraction

from gateway.io.cabinet import limits
from gateway.io.cabinet.points import Meter, parse
from gateway.io.cabinet.readings import Readings
from gateway.io.cabinet.rounds import Question

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
    readings.take(readings.questions[0], [1, 0, 1], now_ms=7)
    assert readings.bit(first, now_ms=8) == (True, 7) and readings.bit(inverted, now_ms=8) == (False, 7)


def test_a_register_in_its_natural_unit():
    point = parse("modbus:4/30002:s16*0.1")
    readings = Readings([point])
    assert readings.questions == [Question(4, 4, 1, 1, SECOND)]
    readings.take(readings.questions[0], words(struct.pack(">h", -53)), now_ms=0)
    assert readings.number(point, now_ms=0) == Fraction(-53, 10)


def test_a_meters_questions_and_values():
    readings = Readings([METER])
    power, energy = readings.questions
    assert power == Question(3, 4, 0, 14, SECOND) and energy == Question(3, 4, 72, 2, limits.ENERGY_EVERY_MS)
    readings.take(power, words(struct.pack(">f8xf8xf", 230.0, 1.0, 220.0)), now_ms=0)
    readings.take(energy, words(struct.pack(">f", 1234.5)), now_ms=0)
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
            readings.take(question, values, now_ms=start_ms)
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
    readings.take(power, words(struct.pack(">f8xf8xf", float("nan"), 1.0, 1e30)), now_ms=0)
    assert readings.measured(METER, "voltage_dv", now_ms=0) is None
    assert readings.measured(METER, "current_ma", now_ms=0) == 1000 and readings.absurd == 2
    readings.take(power, words(struct.pack(">f8xf8xf", 230.0, 1.0, 220.0)), now_ms=1)
    assert readings.measured(METER, "power_dw", now_ms=1) == 2200 and readings.absurd == 2
