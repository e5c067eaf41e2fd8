"""An interpreter of our own is exchanged: under a model of ESP-IDF's boot loader, whose power fails at any write."""

import sys
import types

import pytest

from esp32 import guard, place_rom, slots
from simulator.world.flash import Cut
from tests.support.node_update_rig import NodeUpdateRig
from tests.support.ota_chip import ABORTED, PRODUCT, VALID, Partitions, interpreter_offered
from tests.support.rom_medium import BLOCK
from wire import interpreter

WORD = interpreter.WORD


@pytest.fixture
def rig(monkeypatch):
    Partitions.small(monkeypatch)
    return NodeUpdateRig(place=Partitions)


def tried(rig):
    """Whether the interpreter on trial runs."""
    return rig.choice.is_trial


def arrives(rig, number):
    """An interpreter is offered, fetched, tried and confirmed."""
    rig.offer(interpreter_offered(number))
    rig.until(lambda: tried(rig) or rig.place.started[-1] == number)
    if tried(rig):
        rig.confirm()


def asks(rig):
    """Both questions are asked, hours later, and their answers judged."""
    rig.updating.ask_at(rig.now_ms)
    rig.run(60_000)


# --- one after the other ----------------------------------------------------------------------------------------------


def test_it_is_fetched_into_the_other_partition_tried_and_confirmed(rig):
    arrives(rig, 3)
    assert rig.place.started == [0, 3] and rig.outcomes == [(3, "ready", WORD)]
    rig.start(guard.POWER)
    assert rig.place.started[-1] == 3 and not tried(rig) and rig.choice.floor == 3
    arrives(rig, 4)
    assert rig.place.started[-1] == 4 and rig.place.chip.running == 0


def test_the_boot_loader_goes_back_from_one_that_crashes_and_it_is_not_tried_again(rig):
    rig.place.interprets = lambda number: number != 3
    before = rig.store.read()
    rig.offer(interpreter_offered(3))
    rig.until(lambda: len(rig.place.started) == 3)
    assert rig.place.started == [0, 3, 0] and rig.choice.given_up == rig.choice.failed == 3
    assert rig.store.read() == before and rig.guarded.strikes == 0, "it is no fault of the program"
    asks(rig)
    assert rig.outcomes == [(3, "ready", WORD), (3, "fell-back", WORD)]
    assert len(rig.place.started) == 3 and ABORTED in [state for _, state, _ in rig.place.chip.records()]
    rig.updating.ask_at(rig.now_ms)
    arrives(rig, 4)
    assert rig.place.started[-1] == 4


@pytest.mark.parametrize("ended", [guard.POWER, guard.RESET])
def test_any_end_of_the_trial_but_its_confirmation_is_its_end(rig, ended):
    rig.offer(interpreter_offered(3))
    rig.until(lambda: tried(rig))
    rig.start(ended)
    assert rig.place.started == [0, 3, 0] and rig.choice.given_up == 3
    rig.start(guard.POWER)
    assert rig.choice.given_up == 0 and rig.choice.failed == 3, "told once"


def test_the_rescue_asks_for_the_next_interpreter_where_a_confirmed_one_goes_bad(rig):
    arrives(rig, 3)
    rig.place.interprets = lambda number: number != 3
    rig.start(guard.RESET)
    assert rig.boots[-1] == "rescue" and rig.place.started[-1] == 3
    rig.offer(interpreter_offered(3), interpreter_offered(4))
    rig.until(lambda: tried(rig), for_ms=86_400_000)
    assert rig.boots[-1] == 1 and rig.place.started[-1] == 4
    rig.confirm()
    rig.start(guard.RESET)
    assert rig.boots[-1] == 1 and rig.guarded.strikes == 0


def test_neither_an_older_nor_the_same_number_is_fetched(rig):
    arrives(rig, 3)
    rig.start(guard.POWER)
    for number in (3, 2):
        rig.offer(interpreter_offered(number))
        asks(rig)
    assert rig.place.started == [0, 3, 3] and rig.outcomes == [(3, "ready", WORD)]


def test_one_for_another_chip_is_refused_by_the_chip_and_the_choice_stays(rig):
    rig.offer(interpreter_offered(3, chip=0))
    rig.until(lambda: len(rig.outcomes) == 2)
    assert rig.outcomes == [(3, "ready", WORD), (3, "state", WORD)]
    rig.start(guard.RESET)
    assert rig.place.started == [0, 0] and rig.choice.given_up == 0 and not tried(rig)


def test_one_of_another_bytecode_or_board_is_never_asked_for(rig):
    assert PRODUCT == "interpreter-bocage-6"
    for product in ("interpreter-bocage-7", "interpreter-esp32_generic_s3-6"):
        rig.offer(interpreter_offered(3, product=product))
        asks(rig)
    assert rig.images.asked >= 4 and rig.place.started == [0] and rig.outcomes == []


def test_one_of_the_two_is_under_way_at_a_time_and_each_restart_tries_one(rig):
    rig.offer(rig.offered(2), interpreter_offered(3))
    seen = set()

    def done():
        seen.add(tuple(one.is_idle() for one in rig.updating._both))
        if rig.is_trial:
            assert rig.boot.is_trial is not tried(rig)
            rig.confirm()
            rig.start(guard.RESET)
        return rig.place.started[-1] == 3 and rig.number == 2

    rig.until(done, for_ms=86_400_000)
    assert (False, False) not in seen and {(True, False), (False, True)} <= seen


def test_what_waits_for_its_hour_keeps_the_other_one_from_beginning(rig):
    rig.may_restart = False
    rig.offer(interpreter_offered(3))
    rig.until(lambda: rig.outcomes)
    rig.offer(rig.offered(2), interpreter_offered(3))
    asks(rig)
    assert rig.outcomes == [(3, "ready", WORD)] and not rig.updating.is_idle()
    assert rig.updating.deadline_ms(rig.now_ms) is None, "it waits for the hour, and for nothing else"


def test_both_are_asked_about_and_the_sooner_question_is_the_deadline(rig):
    rig.run(2000)
    first, second = (one.deadline_ms(rig.now_ms) for one in rig.updating._both)
    rests = [one.rest_ms(rig.now_ms) for one in rig.updating._both]
    assert rig.updating.deadline_ms(rig.now_ms) == min(first, second) and rig.updating.rest_ms(rig.now_ms) == min(rests)
    rig.updating.ask_at(5)
    assert [one.deadline_ms(0) for one in rig.updating._both] == [5, 5]
    assert rig.updating.rest_ms(rig.now_ms) is None, "a question is due: it stays awake"


# --- cuts -------------------------------------------------------------------------------------------------------------


def life(rig):
    """Two interpreters, one after the other, from wherever it is; what a cut has ended is followed by the next."""
    for number in (3, 4):
        if rig.place.started[-1] < number and rig.choice.failed < number:
            arrives(rig, number)
            rig.start(guard.POWER)


@pytest.mark.slow
def test_power_cut_at_every_erase_and_write_and_one_sound_interpreter_starts(monkeypatch):
    Partitions.small(monkeypatch)
    whole = NodeUpdateRig(place=Partitions)
    begun = whole.medium.operations
    life(whole)
    assert whole.place.started[-1] == 4 and whole.medium.operations > 100
    ends = set()
    for cut_at in range(begun + 1, whole.medium.operations + 1):
        rig = NodeUpdateRig(place=Partitions)
        rig.medium.cut_at = cut_at
        with pytest.raises(Cut):
            life(rig)
        rig.medium.cut_at = None
        rig.start(guard.POWER)  # Brick where nothing starts
        ends.add((rig.place.started[-1], rig.choice.given_up, tried(rig)))
        if tried(rig):
            rig.confirm()
            rig.start(guard.POWER)
        life(rig)
        arrives(rig, 5)
        rig.start(guard.POWER)
        assert rig.place.started[-1] == 5 and not tried(rig) and rig.choice.failed in (0, 3, 4)
        assert rig.store.read() == slots.State(0, 0, 0, 0, 0), "the program's choice is untouched"
    wanted = {(0, 0, False), (0, 3, False), (3, 0, True), (3, 0, False), (3, 4, False), (4, 0, True), (4, 0, False)}
    assert wanted <= ends, ends


def test_a_cut_in_the_transfer_costs_one_piece(rig):
    pieces = len(interpreter_offered(3).files)
    rig.offer(interpreter_offered(3))
    rig.until(lambda: any(rig.place.chip.flash[1].data[2 * BLOCK : 4 * BLOCK - 1].strip(b"\xff")))
    rig.until(lambda: rig.place.chip.flash[1].data[0] == 0xE9)
    rig.start(guard.POWER)
    asked = []
    judge = rig.images._judge
    rig.images._judge = lambda one, *rest, now_ms: asked.append(one.path) or judge(one, *rest, now_ms=now_ms)
    rig.until(lambda: tried(rig))
    fetched = {path[-1] for path in asked if len(path) == 4}
    assert pieces == 2 and fetched == {b"1"}, "the header's piece, which was under way"


def test_confirmed_by_the_boot_loader_alone_it_is_confirmed(rig):
    """The power fails between the two writes of a confirmation."""
    rig.offer(interpreter_offered(3))
    rig.until(lambda: tried(rig))
    rig.place.chip.partition.mark_app_valid_cancel_rollback()
    rig.start(guard.POWER)
    assert rig.place.started[-1] == 3 and not tried(rig) and rig.choice.floor == 3
    assert VALID in [state for _, state, _ in rig.place.chip.records()]


def test_the_check_sees_one_that_is_confirmed_before_its_trial(rig, monkeypatch):
    """A planted bug: the choice confirms at once."""
    rig.place.interprets = lambda number: number != 3
    mark = rig.place.chip.partition.mark_app_valid_cancel_rollback

    def choice():
        found = Partitions.choice(rig.place)
        mark()
        assert len(rig.place.started) < 9, "an interpreter that crashes is started for ever"
        return found

    monkeypatch.setattr(rig.place, "choice", choice)
    rig.offer(interpreter_offered(3))
    with pytest.raises(AssertionError, match="for ever"):
        for _ in range(9):
            rig.until(lambda: rig.place.started[-1] == 3)
            rig.start(guard.RESET)
            assert rig.place.started[-1] == 0, "it is gone back from, or started for ever"


def test_the_check_sees_one_that_is_chosen_before_it_is_whole(rig):
    """A planted bug: the header is there before the rest, and it is chosen without a look at it."""
    chip = rig.place.chip
    chip.flash[1].data[:BLOCK] = chip.flash[0].data[:BLOCK]
    chip.flash[0].data[:BLOCK] = b"\xff" * BLOCK  # and the former one is gone
    chip.set_boot(1)
    with pytest.raises(AssertionError, match="no partition"):
        rig.start(guard.RESET)


# --- the start --------------------------------------------------------------------------------------------------------


@pytest.fixture
def ota(rig, monkeypatch, in_folder):
    from esp32 import ota

    monkeypatch.setattr("esp32.Partition", rig.place.chip.partition, raising=False)
    return ota


def test_a_start_finds_both_partitions_and_remembers_in_files_of_its_own(ota, rig, in_folder):
    choice = ota.begin()
    assert (choice.running.slot, choice.other.slot) == (0, 1) and not choice.is_trial
    choice._write(9)
    assert ota.begin().given_up == 9 and ota.begin().given_up == 0
    assert {path.name for path in in_folder.iterdir()} <= {"ota-slots-a.bin", "ota-slots-b.bin"}


def test_a_chip_with_one_place_has_no_choice(ota, monkeypatch):
    only = types.SimpleNamespace(info=lambda: (0, 0, 0x10000, 0x1F0000, "factory", False))

    def none():
        raise OSError(2)

    for follows in (lambda: only, none):
        only.get_next_update = follows
        partition = type("Partition", (), {"RUNNING": 1, "__new__": lambda _cls, _which: only})
        monkeypatch.setattr("esp32.Partition", partition)
        assert ota.begin() is None
    monkeypatch.delattr("esp32.Partition")
    assert ota.begin() is None, "no partitions at all, as on the bare machine"


def test_a_choice_that_fails_does_not_stop_the_start(monkeypatch, capsys):
    class Rom(bytearray):
        def ioctl(self, _operation, _argument):
            return place_rom.BASE_BLOCKS + 2

    vfs = types.SimpleNamespace(rom_ioctl=lambda *_: Rom(), VfsRom=bytes, mount=lambda *_: None)
    monkeypatch.setitem(sys.modules, "vfs", vfs)
    monkeypatch.setitem(sys.modules, "ota", types.SimpleNamespace(begin=lambda: 1 // 0))
    assert place_rom.begin() is None and "no choice" in capsys.readouterr().out
    monkeypatch.setitem(sys.modules, "ota", types.SimpleNamespace(begin=lambda: "a choice"))
    assert place_rom.begin() == "a choice"


def test_a_flash_that_refuses_confirms_nothing_and_chooses_nothing(ota, rig, monkeypatch, in_folder):
    def refuses(*_):
        raise OSError(-0x6001)

    choice = ota.begin()
    monkeypatch.setattr(rig.place.chip.partition, "mark_app_valid_cancel_rollback", refuses)
    monkeypatch.setattr(rig.place.chip.partition, "set_boot", refuses)
    assert not choice.confirm(3) and choice.floor == 0
    assert not choice.choose(3) and ota.begin().given_up == 0


@pytest.fixture
def loader(monkeypatch, rig):
    from esp32 import rtc

    modules = {"machine": types.ModuleType("machine"), "guard": guard, "place": place_rom, "rtc": rtc, "slots": slots}
    for name, module in modules.items():
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.setattr(sys, "print_exception", lambda _error: None, raising=False)
    monkeypatch.delitem(sys.modules, "esp32.loader", raising=False)
    from esp32 import loader

    yield loader
    sys.modules.pop("esp32.loader", None)


@pytest.mark.parametrize("is_trial", [True, False])
def test_a_program_that_cannot_be_imported_under_an_interpreter_on_trial_keeps_its_half(loader, rig, is_trial):
    """The other half may hold an older program, or none; the reset ends the trial, not the program."""

    def imports(folder):
        raise ImportError(folder)

    choice = types.SimpleNamespace(is_trial=is_trial)
    memory = types.SimpleNamespace(get=lambda _region: None, put=lambda _region, _data: None)
    guarding = guard.Guard(memory, guard.Store(open_file=rig.medium.open))
    if is_trial:
        with pytest.raises(ImportError):
            loader.start(rig.store, guarding, memory, guard.RESET, imports, choice)
    else:
        loader.start(rig.store, guarding, memory, guard.RESET, imports, choice)
    assert rig.store.read().slot == (0 if is_trial else 1)
    assert guarding._store.read()[0] == (0 if is_trial else 1), "a strike"


def test_the_first_module_of_all_starts_the_watchdog_whatever_it_can_import(repository, monkeypatch):
    began = []
    machine = types.SimpleNamespace(WDT=lambda timeout: began.append(timeout))
    monkeypatch.setitem(sys.modules, "machine", machine)
    monkeypatch.setitem(sys.modules, "boot", None)  # cannot be imported
    text = (repository / "firmware" / "interpreter" / "_boot.py").read_text(encoding="utf-8")
    with pytest.raises(ImportError):
        exec(compile(text, "_boot.py", "exec"), {})
    assert began == [30_000]
