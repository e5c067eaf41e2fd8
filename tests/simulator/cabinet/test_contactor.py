"""A contactor follows its coil a little later, welds only where it has closed, and its auxiliary contact tells."""

import pytest

from simulator.cabinet.contactor import Contactor
from simulator.world.chance import Prng


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
