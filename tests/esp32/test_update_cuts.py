"""An update that is cut at any operation, crashes, is never confirmed or goes bad: the node always starts, and no
rollback is defeated. The real machines of the node: loader's choice, guard, update, file work."""

import pytest

from esp32 import guard
from simulator.world.flash import Cut
from tests.support.node_update_rig import Folders, NodeUpdateRig, image, offered
from tests.support.rom_medium import BLOCK, FIRST, HALF_BLOCKS, Halves
from tests.support.update_rig import is_whole


def life(rig):
    """An update from 1 to 2, its trial, its confirmation, one more start, and the next update; from wherever it is. An
    image whose three trials were all cut short is given up: then the next one it is."""
    if rig.number == 1 and rig.boot.failed != 2:
        rig.offer(rig.offered(2))
        rig.until(lambda: rig.boots[-1] == 2)
    if rig.number == 2:
        if rig.boot.is_trial:
            rig.confirm()
        rig.start(guard.POWER)
    if rig.number < 3:
        number = 4 if rig.boot.failed == 3 else 3
        rig.offer(rig.offered(number))
        rig.until(lambda: rig.boots[-1] == number)


@pytest.mark.slow
@pytest.mark.parametrize("place", [Folders, Halves])
def test_power_cut_at_every_flash_operation_of_two_updates_and_the_node_always_starts(place, monkeypatch):
    place.small(monkeypatch)
    whole = NodeUpdateRig(place=place)
    life(whole)
    total = whole.medium.operations
    assert total > 100
    for cut_at in range(1, total + 1):
        rig = NodeUpdateRig(place=place)
        rig.medium.cut_at = cut_at
        try:
            life(rig)
        except Cut:
            rig.medium.cut_at = None
            rig.start(guard.POWER)  # asserts that what starts is whole
            assert rig.boots[-1] in (1, 2, 3)
            life(rig)  # and gets there all the same
        assert rig.boots[-1] == 3 and rig.place.is_whole(0) and rig.place.is_whole(1)


@pytest.mark.slow
def test_two_cuts_in_a_row_at_drawn_operations():
    prng = NodeUpdateRig(seed=8).random
    for _ in range(25):
        rig = NodeUpdateRig(seed=prng.randrange(1000))
        for _ in range(3):
            rig.medium.cut_at = rig.medium.operations + 1 + prng.randrange(60)
            try:
                life(rig)
            except Cut:
                rig.medium.cut_at = None
                rig.start(guard.POWER)
        rig.medium.cut_at = None
        life(rig)
        assert rig.boots[-1] in (3, 4)


def test_the_check_sees_a_loader_that_starts_what_is_not_whole():
    """A planted bug: the choice is written before the files are."""
    rig = NodeUpdateRig()
    rig.offer(offered(image(2)))
    rig.until(lambda: "b/clock.py" in rig.medium.files)
    rig.files.do(("choose", 2))
    with pytest.raises(AssertionError, match="whole"):
        rig.start(guard.RESET)


def test_the_check_sees_a_half_that_is_not_whole(monkeypatch):
    """A planted bug: the choice is written before the pieces are."""
    Halves.small(monkeypatch)
    rig = NodeUpdateRig(place=Halves)
    rig.offer(rig.offered(2))
    rig.until(lambda: rig.place.number(1) == 2)
    rig.files.do(("choose", 2))
    with pytest.raises(AssertionError, match="whole"):
        rig.start(guard.RESET)


def test_the_header_of_a_half_comes_when_all_other_pieces_are_there(monkeypatch):
    Halves.small(monkeypatch)
    rig = NodeUpdateRig(place=Halves)
    one = rig.image(2)
    rest = b"".join(one.files[:-1])
    rig.offer(rig.offered(2))
    header_at = (FIRST + HALF_BLOCKS) * BLOCK
    seen = []

    def done():
        held = bytes(rig.place.flash.data[header_at:])
        if held.startswith(b"\xd2\xcd\x31"):
            seen.append(held[2 * BLOCK : 2 * BLOCK + len(rest)] == rest)
        return rig.boots[-1] == 2

    rig.until(done)
    assert len(one.files) > 2 and len(seen) > 1 and all(seen)


def test_a_program_that_crashes_at_its_start_goes_back_after_three_trials():
    rig = NodeUpdateRig()
    rig.runs = lambda number: "crash" if number == 2 else "well"
    rig.offer(offered(image(2)))
    rig.until(lambda: len(rig.boots) == 5)
    assert rig.boots == [1, 2, 2, 2, 1]
    assert rig.guarded.strikes == 0, "and the old one bears no blame for it"


def test_a_program_that_is_never_confirmed_goes_back_over_power_cuts_as_well():
    rig = NodeUpdateRig()
    rig.offer(offered(image(2)))
    rig.until(lambda: rig.boots[-1] == 2)
    for ended in (guard.POWER, guard.RESET, guard.POWER):
        rig.start(ended)
    assert rig.boots == [1, 2, 2, 2, 1]


def test_a_confirmed_program_that_goes_bad_leads_to_the_rescue_which_brings_the_next_one():
    rig = NodeUpdateRig()
    rig.runs = lambda number: "crash" if number == 1 else "well"
    rig.start(guard.RESET)
    assert rig.boots[-1] == "rescue" and rig.boots.count(1) == 1 + guard.STRIKES_MAX - 1
    rig.offer(offered(image(2)))
    rig.until(lambda: rig.boots[-1] == 2)
    rig.confirm()
    rig.start(guard.RESET)
    assert rig.boots[-1] == 2 and rig.guarded.strikes == 0


def test_the_rescue_repairs_a_damaged_folder_with_the_same_number():
    rig = NodeUpdateRig(running=4)
    rig.files.do(("confirm", 4))
    rig.runs = lambda number: "well" if is_whole(rig.medium, "b") else "crash"
    rig.start(guard.RESET)
    assert rig.boots[-1] == "rescue"
    rig.medium.files["a/main.py"] = b"torn"
    rig.offer(offered(image(4)))
    rig.until(lambda: rig.boots[-1] == 4)
    assert is_whole(rig.medium, "b") and rig.boot.is_trial


def test_the_rescue_takes_nothing_older_and_nothing_unsigned():
    rig = NodeUpdateRig(running=4)
    rig.files.do(("confirm", 4))
    rig.runs = lambda number: "crash"
    rig.start(guard.RESET)
    rig.offer(offered(image(3)))
    rig.run(600_000)
    assert rig.boots[-1] == "rescue" and rig.outcomes == []
    rig.offer(offered(image(5))._replace(signed=b"\xd2rubbish"))
    rig.run(600_000)
    assert rig.boots[-1] == "rescue" and [word for _, word in rig.outcomes] == ["manifest"]


@pytest.mark.slow
def test_cuts_at_every_operation_in_rescue_end_in_rescue_or_a_whole_program():
    def rescued():
        rig = NodeUpdateRig()
        rig.runs = lambda number: "crash" if number == 1 else "well"
        rig.start(guard.RESET)
        rig.offer(offered(image(2)))
        return rig

    whole = rescued()
    begun = whole.medium.operations
    whole.until(lambda: whole.boots[-1] == 2)
    for cut_at in range(begun + 1, whole.medium.operations + 1):
        rig = rescued()
        rig.medium.cut_at = cut_at
        with pytest.raises(Cut):
            rig.until(lambda rig=rig: rig.boots[-1] == 2)
        rig.medium.cut_at = None
        rig.start(guard.POWER)
        assert rig.boots[-1] in ("rescue", 2)
        rig.until(lambda rig=rig: rig.boots[-1] == 2)
