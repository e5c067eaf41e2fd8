"""The analogue outputs and the expander: what a chip holds for us, read back where it can be."""

import pytest

from drivers.gp8403 import REFRESH_MS, Gp8403
from drivers.pcf8574 import Pcf8574
from simulator.twins import gp8403 as gp8403_twin
from simulator.twins import pcf8574 as pcf8574_twin
from tests.support.parts_bench import Bench


@pytest.fixture
def bench():
    made = Bench()
    made.gp = made.i2c.attach(0x58, gp8403_twin.Gp8403())
    made.pcf = made.i2c.attach(0x20, pcf8574_twin.Pcf8574())
    return made


@pytest.mark.parametrize("mv", [0, 1, 1000, 4999, 5000, 10_000])
@pytest.mark.parametrize("output", [0, 1])
def test_the_gp8403_gives_what_it_is_told_on_the_output_it_is_told(bench, mv, output):
    assert Gp8403(bench.bus, 0x58, output=output).set(mv, now_ms=0) is True
    assert abs(bench.gp.millivolts(output) - mv) <= 2
    assert bench.gp.millivolts(1 - output) == 0


def test_both_outputs_of_a_gp8403_keep_apart(bench):
    one, other = (Gp8403(bench.bus, 0x58, output=output) for output in (0, 1))
    assert one.set(3000, now_ms=0) and other.set(7000, now_ms=0)
    assert [round(bench.gp.millivolts(output), -2) for output in (0, 1)] == [3000, 7000]


def test_an_unchanged_value_costs_no_transfer_until_the_refresh(bench):
    output = Gp8403(bench.bus, 0x58, output=0)
    output.set(3000, now_ms=0)
    written = len(bench.i2c.log)
    for now_ms in range(0, REFRESH_MS, 100):
        assert output.set(3000, now_ms=now_ms) is True
    assert len(bench.i2c.log) == written
    output.set(3000, now_ms=REFRESH_MS)
    assert len(bench.i2c.log) == written + 2


def test_a_chip_that_restarted_alone_is_right_again_at_the_refresh(bench):
    output = Gp8403(bench.bus, 0x58, output=0)
    output.set(8000, now_ms=0)
    bench.gp.power_cycle()
    assert bench.gp.millivolts(0) == 0
    output.set(8000, now_ms=REFRESH_MS)
    assert abs(bench.gp.millivolts(0) - 8000) <= 2


def test_an_absent_chip_is_tried_now_and_then_and_gets_the_last_value(bench):
    output = Gp8403(bench.bus, 0x58, output=0)
    bench.gp.fault = "absent"
    answers = [output.set(6000, now_ms=now_ms) for now_ms in range(0, 1000, 100)]
    assert answers == [False] * 10
    assert output.faults == 2  # at 0 and at 500
    bench.gp.fault = ""
    assert output.set(2000, now_ms=1000) is True
    assert abs(bench.gp.millivolts(0) - 2000) <= 2


def test_the_expander_switches_one_output_on_with_a_low(bench):
    expander = Pcf8574(bench.bus, 0x20)
    for output in range(8):
        assert expander.select(output) is True
        assert bench.pcf.outputs == 0xFF ^ 1 << output
    assert expander.release() is True
    assert bench.pcf.outputs == 0xFF


def test_an_output_that_does_not_follow_or_a_chip_that_is_gone_is_false(bench):
    expander = Pcf8574(bench.bus, 0x20)
    bench.pcf.fault, bench.pcf.stuck_low = "stuck", 0b100
    assert expander.select(0) is False
    assert expander.select(2) is True, "that is what is asked for"
    bench.pcf.fault = "absent"
    assert expander.release() is False
    assert expander.faults == 2
