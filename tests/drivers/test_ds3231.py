"""The clock on its battery: it gives the time it was given, or none."""

import calendar

import pytest

from drivers import ds3231
from drivers.ds3231 import Ds3231
from simulator.twins import ds3231 as twins
from tests.support.parts_bench import Bench

NOON = calendar.timegm((2026, 11, 26, 12, 0, 0))


@pytest.fixture
def bench():
    made = Bench()
    made.twin = made.i2c.attach(0x68, twins.Ds3231(made.ticks_ms))
    made.clock = Ds3231(made.bus, 0x68)
    return made


def test_a_new_clock_has_never_run_and_gives_no_time(bench):
    assert bench.measure(bench.clock) == (None, 0)
    assert bench.clock.faults == 1
    assert bench.clock.temperature_ck == 2500


@pytest.mark.parametrize(
    "start",
    [
        (2026, 11, 26, 12, 0, 0),
        (2026, 12, 31, 23, 59, 58),
        (2028, 2, 28, 23, 59, 59),
        (2028, 2, 29, 23, 59, 59),
        (2099, 12, 31, 23, 59, 59),
        (2000, 1, 1, 0, 0, 0),
        (2038, 1, 19, 3, 14, 7),
    ],
)
def test_it_gives_back_what_it_was_set_to_and_goes_on(bench, start):
    unix_s = calendar.timegm(start)
    assert bench.clock.set(unix_s) is True
    assert bench.measure(bench.clock)[0] == unix_s
    bench.pass_ms(2500)
    assert bench.measure(bench.clock)[0] == unix_s + 2
    bench.pass_ms(3_600_000)
    assert bench.measure(bench.clock)[0] == unix_s + 3602


def test_a_clock_that_stood_still_is_refused_until_it_is_set(bench):
    bench.clock.set(NOON)
    bench.twin.lose_power()
    assert bench.measure(bench.clock)[0] is None
    assert bench.clock.set(NOON + 60) is True
    assert bench.measure(bench.clock)[0] == NOON + 60


def test_setting_lets_the_oscillator_run_on_battery(bench):
    bench.twin.control |= 0x80
    bench.clock.set(NOON)
    assert not bench.twin.control & 0x80
    assert not bench.twin.status & 0x80


def test_an_absent_clock_is_neither_read_nor_set(bench):
    bench.twin.fault = "absent"
    assert bench.clock.set(NOON) is False
    assert bench.measure(bench.clock)[0] is None
    assert bench.clock.temperature_ck is None


@pytest.mark.parametrize(("quarters", "temperature_ck"), [(0, 0), (101, 2525), (-1, -25), (-160, -4000)])
def test_its_temperature_has_a_sign_and_quarters(bench, quarters, temperature_ck):
    bench.twin.temperature_quarters = quarters
    bench.measure(bench.clock)
    assert bench.clock.temperature_ck == temperature_ck


@pytest.mark.parametrize(
    ("register", "hour"), [(0x52, 0), (0x41, 1), (0x51, 11), (0x72, 12), (0x61, 13), (0x71, 23)]
)
def test_a_clock_that_somebody_left_in_twelve_hours_is_understood(register, hour):
    """Bit 6: twelve hours; bit 5: after noon; 12 before noon is midnight."""
    data = bytearray(ds3231.encode(NOON))
    data[2] = register
    assert ds3231.decode(data) == NOON - 43_200 + 3600 * hour


@pytest.mark.parametrize(
    ("at", "byte"), [(0, 0x7A), (0, 0x60), (1, 0x6B), (2, 0x24), (2, 0x40), (4, 0x32), (5, 0x13), (6, 0xAA)]
)
def test_registers_that_are_no_date_are_no_time(at, byte):
    data = bytearray(ds3231.encode(NOON))
    data[at] = byte
    assert ds3231.decode(data) is None


def test_the_century_bit_is_the_second_hundred_years():
    data = ds3231.encode(calendar.timegm((2126, 3, 1, 0, 0, 0)))
    assert data[5] & 0x80 and data[6] == 0x26
    assert ds3231.decode(data) == calendar.timegm((2126, 3, 1, 0, 0, 0))
