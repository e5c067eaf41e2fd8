"""The state files: every power cut leaves a readable state, and no boot number is ever used twice."""

import pytest

from esp32 import flash
from esp32.flash import DAMAGED, LOST, NEW, SLOTS, SOUND, State, Store
from node.checkpoint import OWN_BYTES_MAX
from node.trade import MEMORY_BYTES_MAX
from simulator.world.flash import Cut
from tests.support.powered_flash import Flash
from wire import limits


def never(_bound):
    raise AssertionError("nothing was lost: no number is drawn")


def start(medium, random_below=never):
    store = Store(open_file=medium.open)
    return store, flash.begin(store, random_below)


def test_boots_count_from_one_and_name_the_previous_one():
    medium = Flash()
    seen = [start(medium)[1] for _ in range(5)]
    assert [begun.boot for begun in seen] == [1, 2, 3, 4, 5]
    assert [begun.previous_boot for begun in seen] == [None, 1, 2, 3, 4]
    assert all(begun.note is None for begun in seen)


def test_a_checkpoint_comes_back_at_the_next_start_only():
    medium = Flash()
    store, begun = start(medium)
    assert store.write(State(begun.boot, 41, b"hours", b"own"))
    _, second = start(medium)
    assert (second.previous_boot, second.durable_sequence, second.memory, second.own) == (1, 41, b"hours", b"own")
    _, third = start(medium)  # no checkpoint in boot 2: its durable sequence is not known, the memory is
    assert (third.previous_boot, third.durable_sequence, third.memory, third.own) == (2, None, b"hours", b"own")


@pytest.mark.parametrize("sequence", [None, 0, limits.SEQUENCE_MAX])
def test_every_durable_sequence_survives(sequence):
    state = State(7, sequence, bytes(range(MEMORY_BYTES_MAX)), bytes(OWN_BYTES_MAX))
    assert flash.decode(flash.encode(3, state)) == (3, state)


def speak_and_cut(files, cut_at):
    """A start, three checkpoints, and the power goes at one operation. Boots spoken under, last checkpoint, files."""
    medium = Flash(files)
    medium.cut_at = cut_at
    spoken, durable = [], None
    try:
        store, begun = start(medium, lambda bound: bound // 2)
        spoken.append(begun.boot)
        for sequence in (10, 20, 30):
            assert store.write(State(begun.boot, sequence, bytes((sequence,)) * sequence, b""))
            durable = sequence
    except Cut:
        pass
    return spoken, durable, medium.files, medium.operations


@pytest.mark.parametrize("starts_before", [0, 1, 2, 3])
def test_a_cut_at_every_single_operation_leaves_a_state_and_a_new_boot_number(starts_before):
    medium = Flash()
    used = [start(medium)[1].boot for _ in range(starts_before)]
    whole = speak_and_cut(medium.files, None)[3]
    assert whole > 100
    for cut_at in range(1, whole + 1):
        spoken, durable, files, _ = speak_and_cut(medium.files, cut_at)
        after = Flash(files)
        state, condition = Store(open_file=after.open).read()
        if used or spoken:
            assert state is not None and condition in (SOUND, DAMAGED)
        _, begun = start(after, lambda bound: bound // 2)
        assert begun.boot not in used + spoken
        if durable is not None:
            assert begun.previous_boot == spoken[0]
            assert begun.durable_sequence >= durable


def test_cuts_in_a_row_never_repeat_a_boot_number():
    files, used, draws = {}, [], iter(range(1000))
    for cut_at in list(range(1, 60)) * 3:
        medium = Flash(files)
        medium.cut_at = cut_at
        try:
            store, begun = start(medium, lambda bound: next(draws) * 1000 % bound)
            used.append(begun.boot)
            store.write(State(begun.boot, 1, b"1", b""))
            store.write(State(begun.boot, 2, b"2", b""))
        except Cut:
            pass
        files = medium.files
    assert len(used) > 50
    assert len(set(used)) == len(used)


@pytest.mark.parametrize("slot", SLOTS)
@pytest.mark.parametrize("harm", ["flip", "cut", "empty", "long", "absent"])
def test_one_damaged_file_costs_its_contents_but_no_boot_number(slot, harm):
    medium = Flash()
    used = [start(medium)[1].boot for _ in range(6)]
    data = medium.files[slot]
    medium.files[slot] = {
        "flip": data[:9] + bytes((data[9] ^ 1,)) + data[10:],
        "cut": data[:-1],
        "empty": b"",
        "long": data + b"\0",
        "absent": b"",
    }[harm]
    if harm == "absent":
        del medium.files[slot]
    state, condition = Store(open_file=medium.open).read()
    assert condition == DAMAGED
    assert state.boot in (5, 6)
    for _ in range(4):
        _, begun = start(medium)
        assert begun.boot not in used
        assert begun.note is None
        used.append(begun.boot)
    assert Store(open_file=medium.open).read()[1] == SOUND


def test_both_files_damaged_give_a_number_beyond_counting_and_say_so():
    medium = Flash(dict.fromkeys(SLOTS, b"\xff" * 25))
    assert Store(open_file=medium.open).read() == (None, LOST)
    _, begun = start(medium, lambda bound: bound - 1)
    assert flash.JUMP_MIN <= begun.boot <= limits.BOOT_MAX - flash.JUMP_MIN
    assert (begun.note, begun.previous_boot, begun.durable_sequence) == (flash.STATE_LOST, None, None)
    _, second = start(medium)
    assert (second.previous_boot, second.note) == (begun.boot, None)
    assert second.boot > begun.boot


def test_a_new_board_has_no_files_and_draws_nothing():
    medium = Flash()
    assert Store(open_file=medium.open).read() == (None, NEW)
    assert start(medium)[1].boot == 1


def test_a_flash_that_takes_no_writes_gives_a_drawn_number_each_time():
    medium = Flash()
    start(medium)
    medium.refuses = True
    draws = iter((5, 9))
    seen = [start(medium, lambda bound: next(draws))[1] for _ in range(2)]
    assert [begun.boot for begun in seen] == [flash.JUMP_MIN + 5, flash.JUMP_MIN + 9]
    assert all(begun.note == flash.STATE_UNWRITABLE for begun in seen)


def test_the_last_boot_number_is_followed_by_a_drawn_one():
    medium = Flash()
    Store(open_file=medium.open).write(State(limits.BOOT_MAX, None, b"", b""))
    assert start(medium, lambda bound: 0)[1].boot == flash.JUMP_MIN


def test_a_failed_checkpoint_leaves_the_newest_record():
    medium = Flash()
    store, _ = start(medium)
    medium.refuses = True
    assert not store.write(State(1, 5, b"5", b""))
    medium.refuses = False
    assert Store(open_file=medium.open).read() == (State(1, None, b"", b""), SOUND)


def test_every_change_of_one_byte_is_seen():
    data = flash.encode(3, State(7, 5, b"memory", b"own"))
    for index in range(len(data)):
        assert flash.decode(data[:index] + bytes((data[index] ^ 0x40,)) + data[index + 1 :]) is None
        assert flash.decode(data[:index]) is None


def test_memory_that_is_too_long_is_a_fault_of_ours():
    with pytest.raises(AssertionError):
        flash.encode(1, State(1, None, bytes(MEMORY_BYTES_MAX + 1), b""))
