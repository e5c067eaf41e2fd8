"""What stands on plain pins: contacts without their bounce, pulses, voltages."""

import pytest

from drivers.analog import Analog
from drivers.contact import Contact
from drivers.pulses import Pulses
from simulator.twins import pins
from tests.support.parts_bench import Bench


@pytest.fixture
def bench():
    return Bench()


def run(bench, polled, until_ms, step_ms=10):
    """What `polled.poll` says until then, [(ms, word)]."""
    said = []
    while bench.now_ms < until_ms:
        word = polled.poll(now_ms=bench.now_ms)
        if word:
            said.append((bench.now_ms, word))
        bench.pass_ms(step_ms)
    return said


# --- contact ---------------------------------------------------------------------------


def test_a_contact_that_bounces_changes_once(bench):
    twin = pins.Contact(bench.ticks_ms, bounce_ms=25)
    contact = Contact(twin, active_level=0)
    assert run(bench, contact, 100, 3) == [(30, True)] and contact.active is False
    twin.move(True)
    said = run(bench, contact, 400, 3)
    assert len(said) == 1 and contact.active is True
    assert said[0][0] <= 102 + 25 + 36


def test_a_contact_asks_for_the_turn_at_which_it_counts(bench):
    twin = pins.Contact(bench.ticks_ms)
    contact = Contact(twin, active_level=0)
    contact.poll(now_ms=0)
    assert contact.deadline_ms == 30
    contact.poll(now_ms=30)
    assert contact.deadline_ms is None
    twin.move(True)
    contact.poll(now_ms=100)
    assert contact.deadline_ms == 130
    twin.move(False)
    contact.poll(now_ms=110)
    assert contact.deadline_ms is None and contact.active is False


# --- pulses ---------------------------------------------------------------------------------------


def test_no_pulse_is_lost(bench):
    twin = pins.Counter()
    twin.turn(777)
    driver = Pulses(twin, hz_max=200)
    assert bench.measure(driver)[0] == 0, "what came before is nobody's"
    total = 0
    for second in range(60):
        pulses = 190 if second % 2 else 3
        twin.turn(pulses)
        total += pulses
        bench.pass_ms(1000)
        assert bench.measure(driver)[0] == total
    assert (driver.noise, driver.faults) == (0, 0)


def test_pulses_that_no_meter_can_give_are_noise_and_no_water(bench):
    twin = pins.Counter()
    driver = Pulses(twin, hz_max=50)
    bench.measure(driver)
    bench.pass_ms(1000)
    twin.turn(5000)
    assert bench.measure(driver)[0] is None
    bench.pass_ms(1000)
    twin.turn(40)
    assert bench.measure(driver)[0] == 40
    assert (driver.noise, driver.faults) == (5000, 1)


def test_a_meter_that_is_too_fast_is_counted_as_fast_as_can_be(bench):
    """An unknown flow would be no burst."""
    twin = pins.Counter()
    driver = Pulses(twin, hz_max=50, caps=True)
    bench.measure(driver)
    bench.pass_ms(1000)
    twin.turn(5000)
    assert bench.measure(driver)[0] == 52
    assert (driver.noise, driver.faults) == (4948, 0)


def test_a_counter_that_began_anew_loses_nothing_that_was_read(bench):
    twin = pins.Counter()
    driver = Pulses(twin, hz_max=50)
    bench.measure(driver)
    bench.pass_ms(1000)
    twin.turn(40)
    assert bench.measure(driver)[0] == 40
    twin.fault = "restarted"
    bench.pass_ms(1000)
    assert bench.measure(driver)[0] == 40


# --- voltages -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("upper", "lower"), [(0, 1_000_000), (1_000_000, 1_000_000), (1_000_000, 100_000)])
@pytest.mark.parametrize("at_pin_mv", [0, 300, 1000, 2200, 3000])
def test_a_voltage_is_told_before_its_divider_and_without_its_noise(bench, upper, lower, at_pin_mv):
    """Over the whole range of the chip, which the driver asks for."""
    millivolts = at_pin_mv * (upper + lower) // lower
    twin = pins.Adc(millivolts, upper, lower, noise_uv=9000)
    assert abs(bench.measure(Analog(twin, upper_ohm=upper, lower_ohm=lower))[0] - millivolts) <= 1


def test_a_chip_that_starts_with_the_narrow_range_says_its_end_for_whatever_is_beyond():
    """What a full cell (4.2 V) was told as: half of it. The twin is as blind as the chip."""
    twin = pins.Adc(4200, 1_000_000, 1_000_000)
    assert twin.read_uv() == 950_000
    twin.atten(twin.ATTN_11DB)
    assert twin.read_uv() == 2_100_000


def test_an_adc_that_refuses_is_none(bench):
    twin = pins.Adc(3300)
    driver = Analog(twin, upper_ohm=0, lower_ohm=1000)
    twin.fault = "absent"
    assert bench.measure(driver)[0] is None
    assert driver.faults == 1
