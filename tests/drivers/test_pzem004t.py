"""The Modbus energy meter against its twin, and against bytes."""

import pytest

from drivers import pzem004t
from drivers.pzem004t import Pzem004t
from drivers.sensor import PENDING
from simulator.twins import pzem004t as twins
from tests.support.parts_bench import Bench
from wire import quantity, quantity_table


@pytest.fixture
def bench():
    made = Bench()
    made.twin = twins.Pzem004t(made.ticks_ms)
    made.twin.power_dw, made.twin.current_ma, made.twin.energy_wh = 15_234, 70_123, 123_456
    made.meter = Pzem004t(made.twin)
    return made


def test_the_question_is_the_one_of_the_manual():
    assert pzem004t.request(1) == bytes.fromhex("01040000000a700d")
    assert pzem004t.request(pzem004t.GENERAL_ADDRESS) == bytes.fromhex("f8040000000a6464")


def test_an_answer_becomes_readings(bench):
    readings, took_ms = bench.measure(bench.meter, step_ms=10)
    assert readings == {
        quantity.VOLTAGE: 2300,
        quantity.CURRENT: 70_123,
        quantity.POWER: 15_234,
        quantity.ENERGY: 123_456,
        quantity.FREQUENCY: 5000,
        quantity.POWER_FACTOR: 100,
    }
    assert all(quantity_table.in_range(key, value) for key, value in readings.items())
    assert took_ms < 100


@pytest.mark.parametrize("fault", ["absent", "crc", "short"])
def test_what_is_not_a_sound_answer_ends_in_none_after_the_timeout(bench, fault):
    bench.twin.fault = fault
    assert bench.measure(bench.meter, step_ms=10) == (None, pzem004t.TIMEOUT_MS)
    assert bench.meter.faults == 1
    bench.twin.fault = ""
    assert bench.measure(bench.meter, step_ms=10)[0][quantity.POWER] == 15_234


def test_noise_before_the_answer_is_skipped(bench):
    bench.twin.fault = "noise"
    assert bench.measure(bench.meter, step_ms=10)[0][quantity.POWER] == 15_234


def test_a_late_answer_is_not_taken_for_the_next_one(bench):
    bench.meter.begin(now_ms=0)
    assert bench.meter.collect(now_ms=bench.now_ms) is PENDING
    assert bench.meter.collect(now_ms=pzem004t.TIMEOUT_MS) is None
    bench.pass_ms(1000)  # the whole answer is in the buffer now
    bench.twin.power_dw = 7
    assert bench.measure(bench.meter, step_ms=10)[0][quantity.POWER] == 7


def test_every_turned_bit_is_seen():
    twin = twins.Pzem004t(lambda: 0)
    answer = twin._answer()
    for at in range(8 * len(answer)):
        spoilt = bytearray(answer)
        spoilt[at // 8] ^= 1 << at % 8
        meter = Pzem004t(twin)
        meter._buffer = bytes(spoilt)
        assert meter._find() is None, at
