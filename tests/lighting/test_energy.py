"""Wh that never fall, and what a lamp keeps across a power cut."""

from random import Random

import pytest

from lighting import memory
from lighting.limits import ENERGY_STEP_MAX_WH
from lighting.memory import EMPTY, U32, EnergyMeter, LampMemory


def test_a_meter_that_starts_at_zero_adds_to_the_life_of_the_lamp():
    energy = EnergyMeter(500_000, None, keeps=False)
    for reading in (0, 3, 10):
        energy.sample(reading, 360, now_ms=0)
    assert energy.wh == 500_010


def test_a_meter_that_restarts_alone_takes_nothing_away():
    energy = EnergyMeter(0, None, keeps=False)
    for reading in (0, 40, 2, 5):
        energy.sample(reading, 360, now_ms=0)
    assert energy.wh == 45


def test_a_gears_counter_gives_back_what_was_burnt_before_the_cut():
    energy = EnergyMeter(1000, 77_000, keeps=True)
    energy.sample(77_090, 360, now_ms=0)
    assert energy.wh == 1090 and energy.last_wh == 77_090


@pytest.mark.parametrize("reading", [5, 77_000 + ENERGY_STEP_MAX_WH + 1])
def test_another_gears_counter_adds_nothing_and_is_followed_from_then_on(reading):
    energy = EnergyMeter(1000, 77_000, keeps=True)
    energy.sample(reading, 360, now_ms=0)
    assert energy.wh == 1000
    energy.sample(reading + 3, 360, now_ms=0)
    assert energy.wh == 1003


def test_a_first_gear_starts_where_it_is():
    energy = EnergyMeter(0, None, keeps=True)
    energy.sample(5_000_000, 360, now_ms=0)
    assert energy.wh == 0


def test_without_a_counter_power_over_time_counts():
    energy = EnergyMeter(0, None, keeps=True)
    for minute in range(121):
        energy.sample(None, 360, now_ms=minute * 60_000)
    assert energy.wh == 72
    energy.sample(None, 360, now_ms=121 * 60_000 + 7_200_000)
    assert energy.wh == 72, "two hours without a sample are not measured"


def test_energy_never_falls_whatever_the_meters_and_the_mains_do():
    """Reboots at random, checkpoints hourly: monotonic, and an hour is lost at most."""
    random = Random(14)
    kept, shown, true_wh = EMPTY, 0, 0
    for _ in range(200):
        energy = EnergyMeter(kept.wh, kept.gear_wh, keeps=False)
        assert energy.wh <= shown + 60
        minutes = random.randrange(1, 300)
        true_wh += minutes
        for minute in range(minutes):
            meter_wh = minute + 1
            before = energy.wh
            energy.sample(meter_wh if random.randrange(10) else None, None, now_ms=60_000 * minute)
            assert energy.wh >= before
            if minute % 60 == 59:
                kept = memory.decode(memory.encode(EMPTY._replace(wh=energy.wh)))
        shown = energy.wh
    assert true_wh - 200 * 62 <= kept.wh <= true_wh


@pytest.mark.parametrize(
    "kept",
    [EMPTY, LampMemory(1, 2, 3, 4, 5, 6, (7, 8)), LampMemory(U32, U32, U32, (1 << 48) - 1, U32, U32, (U32, U32))],
)
def test_memory_comes_back(kept):
    data = memory.encode(kept)
    assert memory.decode(data) == kept and len(data) == 36


def test_strange_bytes_are_nothing():
    for strange in (b"", b"\x01", bytes(35), bytes(37)):
        assert memory.decode(strange) == EMPTY


def test_what_is_too_much_is_the_most_that_can_be_kept():
    assert memory.decode(memory.encode(EMPTY._replace(lamp_s=1 << 40, starts=1 << 40, wh=1 << 40)))[:3] == (U32,) * 3
