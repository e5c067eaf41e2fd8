"""The cabinet's wires: whose word a coil follows, what a mains failure takes, energy that adds up."""

import pytest

from policy import civil, sun
from simulator.cabinet.commune import BEHUARD
from simulator.plants.cabinet import AGENT, CLOCK, HAND, Cabinet, CabinetData, Photocell, Ups
from simulator.plants.fallback import RELAY_MS, Programme
from simulator.plants.feeder import FeederData, Light
from simulator.world.chance import Prng

FEEDERS = (FeederData("bourg", 14, 32), FeederData("levée", 9, 45), FeederData("abri", 2, 20, switched=False))
NOON_S = civil.unix_from_local(civil.PARIS, civil.days_from_civil(2026, 11, 24), 12 * 3600)
DAY = civil.days_from_civil(2026, 11, 24)
DUSK_MS = 1000 * (sun.crossing_s(DAY, BEHUARD.latitude_e4, BEHUARD.longitude_e4, rising=False) - NOON_S)
HOUR_MS = 3_600_000


def cabinet(**changes):
    data = CabinetData(BEHUARD.latitude_e4, BEHUARD.longitude_e4, FEEDERS, Programme(0, 1350, 330), **changes)
    return Cabinet(data, Prng("plant"), start_unix_s=NOON_S)


@pytest.fixture
def plant():
    return cabinet()


def lit(plant):
    return tuple(light.lit for light in plant.lights())


def take_over(plant, now_ms, *closed):
    """Two pulses and the outputs of an agent."""
    for feeder, is_closed in enumerate(closed):
        plant.order(feeder, is_closed, now_ms=now_ms)
    plant.pulse(now_ms=now_ms)
    plant.pulse(now_ms=now_ms + 1000)
    plant.advance(now_ms + 2000)


# --- whose word -------------------------------------------------------------------------------------------------


def test_without_an_agent_the_astronomical_clock_lights_the_street(plant):
    assert plant.in_charge() == CLOCK and lit(plant) == (0, 0, 2)  # the permanent feeder by day
    plant.advance(DUSK_MS - 2000)
    assert lit(plant) == (0, 0, 2)
    plant.advance(DUSK_MS + 2000)
    assert lit(plant) == (14, 9, 2)
    plant.advance(10 * HOUR_MS + 1_800_000 + 1000)  # 22:30
    assert lit(plant) == (0, 0, 2)


def test_an_output_counts_only_while_the_relay_is_pulled(plant):
    plant.order(0, True, now_ms=1000)
    plant.pulse(now_ms=2000)
    plant.advance(3000)
    assert lit(plant) == (0, 0, 2) and plant.in_charge() == CLOCK
    plant.pulse(now_ms=4000)
    plant.advance(5000)
    assert lit(plant) == (14, 0, 0) and plant.in_charge() == AGENT
    plant.advance(4000 + RELAY_MS - 1)
    assert plant.in_charge() == AGENT
    plant.advance(4000 + RELAY_MS + 50)
    assert lit(plant) == (0, 0, 2) and plant.in_charge() == CLOCK


def test_the_hand_switch_comes_before_both(plant):
    take_over(plant, 1000, False, True, True)
    assert lit(plant) == (0, 9, 2)
    plant.turn_switch("on", now_ms=10_000)
    plant.advance(11_000)
    assert lit(plant) == (14, 9, 2) and plant.in_charge() == HAND
    plant.turn_switch("off", now_ms=20_000)
    plant.advance(21_000)
    assert lit(plant) == (0, 0, 0)
    assert {light.hindered for light in plant.lights()} == {"switch"}
    plant.turn_switch("auto", now_ms=30_000)
    plant.advance(31_000)
    assert lit(plant) == (0, 9, 2)


def test_a_board_that_resets_lets_its_lines_fall(plant):
    take_over(plant, 1000, True, True, True)
    plant.outputs_fall(now_ms=5000)
    plant.advance(6000)
    assert lit(plant) == (0, 0, 0)
    plant.advance(2000 + RELAY_MS + 100)
    assert lit(plant) == (0, 0, 2)


# --- supply -----------------------------------------------------------------------------------------------------


def test_a_mains_failure_darkens_everything_and_the_battery_carries_the_agent_for_a_while():
    plant = cabinet(battery_min=10)
    take_over(plant, 1000, True, True, True)
    plant.set_mains(False, now_ms=60_000)
    plant.advance(61_000)
    assert plant.lights() == (Light(0, "mains"),) * 3
    assert plant.has_supply and plant.voltage_dv() == 0 and plant.power_dw() == 0
    plant.advance(60_000 + 600_000 - 1)
    assert plant.has_supply
    plant.advance(60_000 + 600_000)
    assert not plant.has_supply
    plant.pulse(now_ms=700_000)
    plant.pulse(now_ms=701_000)
    plant.set_mains(True, now_ms=800_000)
    plant.advance(801_000)
    assert plant.has_supply and plant.in_charge() == CLOCK
    assert lit(plant) == (0, 0, 2)


def test_contactors_fall_with_the_mains_and_close_again_with_them(plant):
    take_over(plant, 1000, True, True, True)
    plant.set_mains(False, now_ms=10_000)
    plant.advance(10_100)
    assert not any(feeder.contactor.is_closed for feeder in plant.feeders)
    plant.pulse(now_ms=20_000)
    plant.set_mains(True, now_ms=30_000)
    plant.advance(30_100)
    assert lit(plant) == (14, 9, 2)


# --- faults -----------------------------------------------------------------------------------------------------


def test_each_fault_hinders_its_feeder_by_its_name(plant):
    take_over(plant, 1000, True, True, True)
    plant.fail_lamp(0, 3, now_ms=5000)
    assert plant.lights()[0] == Light(13, None)
    plant.cut_cable(0, 5, now_ms=6000)
    assert plant.lights()[0] == Light(4, None)
    plant.cut_cable(0, 0, now_ms=7000)
    assert plant.lights()[0] == Light(0, "cable")
    plant.trip_breaker(1, now_ms=8000)
    assert plant.lights()[1] == Light(0, "breaker") and plant.feeders[1].contactor.auxiliary
    plant.mend(0, now_ms=9000)
    plant.mend(1, now_ms=9000)
    assert plant.lights()[:2] == (Light(14, None), Light(9, None))
    plant.stick_contactor(0, False, now_ms=10_000)
    plant.stick_contactor(1, True, now_ms=10_000)
    plant.order(1, False, now_ms=11_000)
    plant.advance(12_000)
    assert plant.lights()[:2] == (Light(0, "contactor"), Light(9, "contactor"))


def test_a_bridged_contactor_burns_by_day_with_its_feedback_open(plant):
    plant.bridge_contactor(0, now_ms=1000)
    plant.advance(2000)
    assert plant.lights()[0] == Light(14, "contactor") and not plant.feeders[0].contactor.auxiliary


# --- energy and time --------------------------------------------------------------------------------------------


def test_energy_is_power_over_time_whoever_looks_and_how_often():
    seldom, often = cabinet(index_wh=1_000_000), cabinet(index_wh=1_000_000)
    for plant, step_ms in ((seldom, HOUR_MS), (often, 7_000)):
        for now_ms in range(0, 24 * HOUR_MS, step_ms):
            plant.advance(now_ms)
        plant.advance(24 * HOUR_MS)
    steady_w = [feeder.cable.steady_dw / 10 for feeder in seldom.feeders]
    # Lit from 17:18:22 to 22:30 and from 05:30 to 08:21; the shelter all day; half a warm-up at 6 % each time.
    assert seldom.feeders[0].energy_wh() == pytest.approx(steady_w[0] * 8.04, rel=0.005)
    assert seldom.feeders[2].energy_wh() == pytest.approx(steady_w[2] * 24, rel=0.005)
    assert [one.energy_wh() for one in seldom.feeders] == [one.energy_wh() for one in often.feeders]
    assert seldom.index_wh() == 1_000_000 + 192 + sum(one.energy_wh() for one in seldom.feeders)


def test_every_change_of_light_is_told_once_at_its_instant(plant):
    told = []
    plant.on_change.append(lambda now_ms: told.append((now_ms, lit(plant))))
    plant.advance(12 * HOUR_MS)
    lags = sorted((one.contactor.lag_ms, index) for index, one in enumerate(plant.feeders[:2]))
    assert [at_ms - lag for (at_ms, _), (lag, _) in zip(told, lags, strict=False)] == [told[0][0] - lags[0][0]] * 2
    assert told[1][1] == (14, 9, 2) and told[-1][1] == (0, 0, 2)
    assert len(told) == 4


def test_one_seed_is_one_cabinet():
    seen = []
    for _ in range(2):
        plant = cabinet()
        plant.advance(7 * HOUR_MS)
        seen.append((plant.power_dw(), plant.voltage_dv(), plant.lux(), plant.index_wh(), plant.temperature_ck()))
    assert seen[0] == seen[1]


PLACE = {"latitude_e4": BEHUARD.latitude_e4, "longitude_e4": BEHUARD.longitude_e4}
MIDNIGHT_S = civil.unix_from_local(civil.PARIS, civil.days_from_civil(2027, 5, 10), 0)
SUNSET_S = sun.crossing_s(civil.days_from_civil(2027, 5, 10), *PLACE.values(), rising=False)


@pytest.fixture
def cell():
    return Photocell(Prng("clouds"), **PLACE)


def test_night_is_dark_day_is_bright_and_dusk_falls_between(cell):
    assert cell.lux(MIDNIGHT_S) == 0
    assert cell.lux(MIDNIGHT_S + 13 * 3600) > 10_000
    assert 80 <= cell.lux(SUNSET_S) <= 500
    assert cell.lux(SUNSET_S + 2400) < 10
    # Within an hour clouds do not change: twilight only falls.
    hour_s = SUNSET_S - SUNSET_S % 3600
    seen = [cell.lux(at_s) for at_s in range(hour_s, hour_s + 3600, 60)]
    assert seen == sorted(seen, reverse=True)


def test_the_darkest_cloud_and_the_brightest_sky_leave_the_checkers_band_alone(cell):
    """The checker judges by 6° below and 0° above the horizon: dusk and dawn by the cell fall in between."""
    for at_s in range(MIDNIGHT_S, MIDNIGHT_S + 7 * 86_400, 120):
        height = sun.elevation_cdeg(at_s, *PLACE.values())
        if height < -600:
            assert cell.lux(at_s) < 35
        elif height >= 0:
            assert cell.lux(at_s) > 55


def test_what_may_be_in_front_of_it(cell):
    noon_s = MIDNIGHT_S + 13 * 3600
    clean = cell.lux(noon_s)
    cell.clear_permille = 100
    assert cell.lux(noon_s) == clean // 10
    cell.is_covered = True
    assert cell.lux(noon_s) == 0
    cell.is_covered, cell.is_dazzled = False, True
    assert cell.lux(MIDNIGHT_S) == 3_000


def test_a_battery_floats_drains_ends_and_comes_back_slowly():
    battery = Ups(45 * 60_000)
    assert battery.voltage_mv() == 13_650 and battery.due_ms() is None
    battery.mains(False, now_ms=1_000)
    assert battery.voltage_mv() == 12_750
    assert battery.due_ms() == 1_000 + 45 * 60_000
    battery.move(now_ms=1_000 + 22 * 60_000)
    assert 11_700 < battery.voltage_mv() < 11_900
    battery.move(now_ms=battery.due_ms())
    assert battery.is_empty and battery.due_ms() is None and battery.voltage_mv() == 10_800
    battery.mains(True, now_ms=3_000_000)
    assert not battery.is_empty
    battery.move(now_ms=3_000_000 + 45 * 60_000)
    assert 11_500 < battery.voltage_mv() < 12_000  # charging, an eighth of it
    battery.move(now_ms=3_000_000 + 9 * 45 * 60_000)
    assert battery.voltage_mv() == 13_650
