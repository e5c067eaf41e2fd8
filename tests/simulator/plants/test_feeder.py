"""The feeder of a cabinet: its contactor follows the coil, its cable draws what its lamps draw."""

import pytest

from simulator.plants.feeder import INRUSH_MAX_MA, WARM_UP_MS, Cable, Contactor
from simulator.world.chance import Prng


@pytest.fixture
def cable():
    return Cable(Prng("cable"), lamps=14, lamp_dw=320)


def test_each_lamp_draws_its_own_watts_near_what_is_printed_on_it(cable):
    steady = cable.steady_dw
    parts = []
    for lamp in range(14):
        cable.fail(lamp)
        parts.append(steady - cable.steady_dw)
        steady = cable.steady_dw
    assert steady == 0
    assert all(300 <= dw <= 340 for dw in parts)
    assert len(set(parts)) > 5


def test_a_cold_cable_draws_a_little_more_and_settles(cable):
    assert cable.power_dw(0) == cable.steady_dw * 106 // 100
    assert cable.power_dw(WARM_UP_MS // 2) == pytest.approx(cable.steady_dw * 1.03, abs=1)
    assert cable.power_dw(WARM_UP_MS) == cable.power_dw(10 * WARM_UP_MS) == cable.steady_dw


def test_energy_is_the_integral_of_power(cable):
    by_steps = sum(cable.power_dw(at_ms) for at_ms in range(0, 200_000, 10)) * 10
    assert cable.energy_dwms(0, 200_000) == pytest.approx(by_steps, rel=1e-4)
    # In parts it is the same but for a rounding each.
    parts = cable.energy_dwms(0, 33_333) + cable.energy_dwms(33_333, 200_000)
    assert abs(parts - cable.energy_dwms(0, 200_000)) <= 2


def test_a_cut_takes_every_lamp_behind_it_and_a_repair_gives_them_back(cable):
    whole = cable.steady_dw
    cable.cut(5)
    assert cable.able == 5
    cable.fail(9)  # behind the cut: nobody sees it yet
    assert cable.able == 5
    cable.cut(0)
    assert (cable.able, cable.steady_dw) == (0, 0)
    cable.mend()
    assert (cable.able, cable.steady_dw) == (14, whole)


def test_the_inrush_is_forty_times_the_current_and_bounded(cable):
    amperes = cable.steady_dw / 10 / 230
    assert cable.inrush_ma(2300) == pytest.approx(40_000 * amperes, rel=0.01)
    assert Cable(Prng("a street"), lamps=120, lamp_dw=700).inrush_ma(2300) == INRUSH_MAX_MA


@pytest.fixture
def contactor():
    return Contactor(Prng("contactor"))


def drive(contactor, coil, now_ms):
    contactor.drive(coil, now_ms=now_ms)
    contactor.move(now_ms=now_ms + contactor.lag_ms)
    return contactor.is_closed


def test_it_follows_after_its_lag_and_counts_closings(contactor):
    contactor.drive(True, now_ms=1000)
    assert contactor.due_ms() == 1000 + contactor.lag_ms
    contactor.move(now_ms=1000)
    assert not contactor.is_closed
    contactor.move(now_ms=contactor.due_ms())
    assert contactor.is_closed and contactor.auxiliary and contactor.due_ms() is None
    assert not drive(contactor, False, 2000)
    assert drive(contactor, True, 3000)
    assert contactor.closings == 2


def test_a_coil_that_changes_its_mind_within_the_lag_moves_nothing(contactor):
    contactor.drive(True, now_ms=0)
    contactor.drive(False, now_ms=5)
    contactor.move(now_ms=5 + contactor.lag_ms)
    assert not contactor.is_closed and contactor.closings == 0


def test_contacts_weld_at_a_closing_and_stay_closed(contactor):
    contactor.stick(True, now_ms=0)
    assert not contactor.is_closed
    assert drive(contactor, True, 1000)
    assert drive(contactor, False, 2000)
    assert contactor.auxiliary
    contactor.mend(now_ms=3000)
    contactor.move(now_ms=3000)
    assert not contactor.is_closed


def test_a_burnt_coil_opens_and_never_closes(contactor):
    drive(contactor, True, 0)
    contactor.stick(False, now_ms=1000)
    assert not contactor.is_closed
    drive(contactor, False, 2000)
    assert not drive(contactor, True, 3000)
    contactor.mend(now_ms=4000)
    contactor.move(now_ms=4000)
    assert contactor.is_closed


def test_a_dirty_auxiliary_contact_says_open(contactor):
    drive(contactor, True, 0)
    contactor.auxiliary_is_dirty = True
    assert contactor.is_closed and not contactor.auxiliary
