"""The twin of the points sees what wires tell and moves what wires move; no point is missing."""

import pytest

from gateway.core.cabinet import tic
from gateway.core.cabinet.equipment import FeederObservation, Observation, SetContactor, Watchdog
from simulator.cabinet.commune import BEHUARD
from simulator.cabinet.points import WHOLE, CabinetTwin, LinkyTwin
from simulator.plants.cabinet import AGENT, Cabinet, CabinetData
from simulator.plants.fallback import Programme
from simulator.plants.feeder import FeederData
from simulator.world.chance import Prng

FEEDERS = (FeederData("bourg", 14, 32), FeederData("levée", 9, 45))


@pytest.fixture
def plant():
    data = CabinetData(BEHUARD.latitude_e4, BEHUARD.longitude_e4, FEEDERS, Programme(), index_wh=5_000_000)
    return Cabinet(data, Prng("plant"), start_unix_s=1_795_518_000)


@pytest.fixture
def twin(plant):
    return CabinetTwin(plant, Prng("twin"))


def light(twin, now_ms):
    for effect in (SetContactor(0, True), Watchdog()):
        assert twin.carry_out(effect, now_ms=now_ms)
    assert twin.carry_out(Watchdog(), now_ms=now_ms + 1000)


def test_everything_that_is_wired_has_a_value_and_nothing_else():
    units = {"ups": "ups_mv", "door": "door_open", "temperature": "temperature_ck", "photocell": "photocell_lx"}
    wired = {units.get(name, name) for name in WHOLE._fields}
    assert wired == set(Observation._fields) - {"feeders", "in_hand"} | {"feedback", "meters", "watchdog"}


def test_a_whole_look(twin, plant):
    light(twin, 0)
    seen = twin.sample(now_ms=300_000 // 10)
    assert plant.in_charge() == AGENT
    bourg, levee = seen.feeders
    assert bourg.feedback is True and levee == FeederObservation(False, 0, 0, bourg.voltage_dv, 0)
    true_dw = plant.feeders[0].power_dw(now_ms=30_000)
    assert abs(bourg.power_dw - true_dw) <= true_dw // 500
    assert 2250 <= bourg.voltage_dv <= 2400
    assert bourg.current_ma == pytest.approx(bourg.power_dw * 100 / (bourg.voltage_dv / 10) / 0.95, rel=0.01)
    assert (seen.switch, seen.door_open, seen.mains, seen.ups_mv) == ("auto", False, True, 13_650)
    assert seen.photocell_lx > 1000 and 500 < seen.temperature_ck < 2500
    assert seen.linky.index_wh >= 5_000_000


def test_what_is_not_wired_is_none(plant):
    twin = CabinetTwin(plant, Prng("twin"), WHOLE._make([False] * len(WHOLE)))
    assert twin.sample(now_ms=0) == Observation((FeederObservation(), FeederObservation()))
    twin.carry_out(Watchdog(), now_ms=0)
    twin.carry_out(Watchdog(), now_ms=1000)
    assert plant.in_charge() != AGENT


def test_a_meter_may_fall_silent_or_answer_garbage(twin):
    twin.silent_meters.add(1)
    seen = twin.sample(now_ms=1000)
    assert seen.feeders[0].power_dw == 0 and seen.feeders[1] == FeederObservation(False)
    twin.silent_meters.clear()
    twin.garbage_permille = 1000
    assert twin.sample(now_ms=2000).feeders == (FeederObservation(False), FeederObservation(False))
    assert twin.counters["garbage"] == 2


def test_meters_and_linky_live_on_the_mains(twin, plant):
    plant.set_mains(False, now_ms=1000)
    seen = twin.sample(now_ms=400_000)
    assert seen.mains is False and seen.feeders[0] == FeederObservation(False) and seen.linky is None
    assert seen.ups_mv < 13_000


def test_a_board_off_the_bus_lets_the_contactors_fall_and_takes_what_was_ordered_when_it_is_back(twin, plant):
    light(twin, 0)
    assert twin.sample(now_ms=2000).in_hand
    twin.lose_board(True, now_ms=3000)
    seen = twin.sample(now_ms=4000)
    assert not seen.in_hand and not seen.feeders[0].feedback
    twin.carry_out(SetContactor(1, True), now_ms=5000)
    twin.lose_board(False, now_ms=6000)
    seen = twin.sample(now_ms=7000)
    assert seen.in_hand and [feeder.feedback for feeder in seen.feeders] == [True, True]
    twin.forget_orders()
    twin.lose_board(True, now_ms=8000)
    twin.lose_board(False, now_ms=9000)
    assert not twin.sample(now_ms=10_000).feeders[0].feedback


def test_effects_of_others_are_left_alone(twin):
    assert not twin.carry_out(object(), now_ms=0)


@pytest.mark.parametrize("mode", tic.MODES)
def test_the_real_decoder_reads_the_frames_of_both_modes(plant, mode):
    linky = LinkyTwin(plant, Prng("linky"), mode=mode)
    said = linky.read(now_ms=0)
    assert said.mode == mode and said.serial.startswith("0419")
    assert said.index_wh == plant.index_wh() and said.apparent_va == 8 * 100 // 95
    assert said.tariff in ("TH..", "BASE")


def test_noise_on_the_line_is_never_read_as_a_value_and_silence_shows(plant):
    linky = LinkyTwin(plant, Prng("linky"))
    linky.noise_permille = 600
    told = {linky.read(now_ms=60_000 * minute) for minute in range(300)}
    assert {said.index_wh for said in told if said} == {5_000_000}
    linky.noise_permille = 1000
    assert linky.read(now_ms=60_000 * 400) is None
    linky.noise_permille = 0
    assert linky.read(now_ms=60_000 * 401) is not None
    linky.is_silent = True
    assert linky.read(now_ms=60_000 * 403) is not None
    assert linky.read(now_ms=60_000 * 405) is None
