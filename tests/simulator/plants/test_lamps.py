"""The street obeys physics: energy is power over time, quantities agree, heat lags, faults look like faults."""

from itertools import pairwise

import pytest

from simulator.plants.lamps import Air, Lamp, LampData, LampFeeder
from simulator.world.chance import Prng

MIDNIGHT_S = 1_795_561_200  # 2026-11-25 00:00 in Angers
HOUR_MS = 3_600_000
DATA = LampData(nominal_dw=360, standby_dw=6, true_dw=364, age_h=10_000)
ANGERS = {"latitude_e4": 474736, "longitude_e4": -5542}


class Steady:
    """Air that stays where it is put."""

    def __init__(self, ck):
        self.ck = ck

    def temperature_ck(self, unix_s):
        return self.ck


@pytest.fixture
def feeder():
    return LampFeeder(Prng("feeder"), switched=False)


@pytest.fixture
def air():
    return Steady(500)


@pytest.fixture
def lamp(feeder, air):
    return Lamp(DATA, feeder, air, Prng("lamp"))


def at(hours):
    now_ms = int(hours * HOUR_MS)
    return {"now_ms": now_ms, "unix_s": MIDNIGHT_S + now_ms // 1000}


# --- energy -----------------------------------------------------------------------------------------------------


def test_energy_is_power_times_time_over_a_scripted_day(lamp):
    script = [(0, 40), (5.5, 100), (7.75, 0), (17.25, 100), (22, 70), (24, 0)]
    expected_dwms = 0
    for (hour, level), (until, _) in pairwise(script):
        lamp.set_level(level, **at(hour))
        expected_dwms += lamp.power_dw() * int((until - hour) * HOUR_MS)
    lamp.set_level(0, **at(24))
    assert lamp._energy_dwms == expected_dwms
    # By hand: dW 149 (40 %), 364 (100 %), 6 (standby), 364, 256 (70 %), in 0.1 Wh.
    by_hand = 149 * 5.5 + 364 * 2.25 + 6 * 9.5 + 364 * 4.75 + 256 * 2
    assert lamp.energy_wh() == int(by_hand / 10)


def test_energy_does_not_depend_on_how_often_it_is_settled(feeder, air):
    rare, often = (Lamp(DATA, feeder, air, Prng(1)) for _ in range(2))
    for lamp in (rare, often):
        lamp.set_level(70, **at(0))
    for second in range(0, 7200, 7):
        often.settle(**at(second / 3600))
    for lamp in (rare, often):
        lamp.settle(**at(2))
    assert rare._energy_dwms == often._energy_dwms == 256 * 2 * HOUR_MS


def shown(lamp):
    """Returns what meter and thermometer show at the instant to which the lamp was settled."""
    return lamp.measure(now_ms=lamp._at_ms, unix_s=0)


def test_the_register_restarts_with_the_mains_and_the_true_energy_does_not(lamp, feeder):
    lamp.set_level(100, **at(0))
    lamp.settle(**at(10))
    assert shown(lamp)[3] == lamp.energy_wh() == 364
    feeder.powered = False
    lamp.settle(**at(20))
    assert lamp.energy_wh() == 364, "nothing is drawn without mains"
    feeder.powered = True
    lamp.meter_reset()
    assert shown(lamp)[3] == 0
    lamp.settle(**at(25))
    assert (shown(lamp)[3], lamp.energy_wh()) == (182, 546)


# --- power and light ----------------------------------------------------------------------------------------------


def test_power_rises_with_the_level_from_standby_to_full(lamp):
    powers = []
    for level in range(101):
        lamp.set_level(level, **at(0))
        powers.append(lamp.power_dw())
    assert powers[0] == DATA.standby_dw
    assert powers[100] == DATA.true_dw
    assert powers == sorted(powers)
    assert powers[50] == DATA.standby_dw + (DATA.true_dw - DATA.standby_dw) // 2


def test_light_falls_with_age(feeder, air):
    def light(age_h):
        lamp = Lamp(DATA._replace(age_h=age_h), feeder, air, Prng(1))
        lamp.set_level(100, **at(0))
        return lamp.light_percent()

    assert [light(0), light(10_000), light(30_000)] == [100, 97, 91]


def test_power_factor_falls_with_the_load(lamp):
    factors = []
    for level in (0, 40, 70, 100):
        lamp.set_level(level, **at(0))
        factors.append(shown(lamp)[2])
    assert factors == sorted(factors)
    assert 50 <= factors[0] < 55
    assert factors[-1] == 95


def test_mains_is_230_volts_give_or_take(feeder):
    volts = [feeder.grid_dv() for _ in range(500)]
    assert 2250 < min(volts) < max(volts) < 2400


def test_the_noise_of_mains_and_case_is_centred_and_each_is_free_of_the_other(lamp, feeder):
    lamp.set_level(0, **at(0))
    true_ck = 500 + 25 * DATA.standby_dw // 10
    noises = {(values[1] - feeder.base_dv, values[4] - true_ck) for values in (shown(lamp) for _ in range(3000))}
    assert noises == {(dv, ck) for dv in range(-7, 8) for ck in range(-6, 7)}


def test_without_mains_there_is_no_power_and_no_light(lamp, feeder):
    lamp.set_level(100, **at(0))
    feeder.powered = False
    assert (lamp.power_dw(), lamp.light_percent(), lamp.burning_percent()) == (0, 0, 0)
    lamp.relay_stuck = True
    assert (lamp.power_dw(), lamp.light_percent()) == (0, 0)


def test_a_dead_module_draws_what_its_driver_idles_on_and_gives_no_light(lamp):
    lamp.set_level(100, **at(0))
    lamp.module_dead = True
    assert (lamp.power_dw(), lamp.light_percent()) == (DATA.standby_dw + 10, 0)
    lamp.set_level(0, **at(0))
    assert lamp.power_dw() == DATA.standby_dw


def test_a_stuck_relay_burns_though_darkness_is_ordered_and_dims_as_ever(lamp):
    lamp.relay_stuck = True
    assert [burnt(lamp, level) for level in (0, 100)] == [DATA.true_dw, DATA.true_dw]
    assert burnt(lamp, 40) == DATA.standby_dw + (DATA.true_dw - DATA.standby_dw) * 40 // 100


def burnt(lamp, level):
    lamp.set_level(level, **at(0))
    return lamp.power_dw()


# --- heat -----------------------------------------------------------------------------------------------------------


def case(lamp):
    """Without the sensor's noise."""
    return sum(shown(lamp)[4] for _ in range(400)) // 400


def test_the_case_warms_with_what_it_burns_and_lags(lamp):
    lamp.settle(**at(0))
    cold = case(lamp)
    lamp.set_level(100, **at(0))
    rise = []
    for minute in range(1, 241):
        lamp.settle(**at(minute / 60))
        rise.append(case(lamp) - cold)
    full = 25 * (DATA.true_dw - DATA.standby_dw) // 10
    assert rise[0] < full // 10, "no jump"
    assert abs(rise[29] - 63 * full // 100) < full // 20, "63 % after one time constant"
    assert abs(rise[-1] - full) < full // 20
    lamp.set_level(0, **at(4))
    for minute in range(241, 271):
        lamp.settle(**at(minute / 60))
    assert abs(case(lamp) - cold - 37 * full // 100) < full // 20


def test_the_case_follows_the_air(lamp, air):
    lamp.settle(**at(0))
    before = case(lamp)
    air.ck += 1000
    for minute in range(1, 241):
        lamp.settle(**at(minute / 60))
    assert abs(case(lamp) - before - 1000) < 60


def test_the_air_is_coldest_before_the_morning_and_warmest_after_noon():
    air = Air(**ANGERS, mean_ck=850, swing_ck=600)
    day = [air.temperature_ck(MIDNIGHT_S + 600 * step) for step in range(144)]
    assert 250 <= min(day) < 400 < 1000 < max(day) <= 1450
    assert 13 <= day.index(max(day)) / 6 <= 16
    steps = [abs(after - before) for before, after in pairwise(day)]
    assert max(steps) < 40, "no jump of the air in ten minutes"
