"""The loader's choice: three strikes, the way back, cuts at every write, damaged files, programs that do not import."""

import pathlib
import runpy
import sys
import types

import pytest

from esp32 import place_folder, place_rom, slots
from esp32.slots import Boot, State, Store
from simulator.world.flash import Cut, Medium


def store_of(medium):
    return Store(open_file=medium.open)


def test_a_new_board_starts_from_the_first_folder_and_writes_nothing():
    medium = Medium()
    assert slots.begin(store_of(medium)) == Boot(0, False, 0, 0) and medium.files == {}


def test_three_strikes_lead_back_and_the_number_is_remembered():
    store = store_of(Medium())
    assert slots.confirm(store, 0, 4) and slots.choose(store, 0, 5)
    assert [slots.begin(store) for _ in range(5)] == [
        *[Boot(1, True, 4, 0)] * 3,
        *[Boot(0, False, 4, 5)] * 2,
    ]


def test_a_trial_that_is_confirmed_stays():
    store = store_of(Medium())
    slots.choose(store, 0, 5)
    slots.begin(store)
    assert slots.confirm(store, 1, 5)
    assert [slots.begin(store) for _ in range(9)] == [Boot(1, False, 5, 0)] * 9
    assert slots.choose(store, 1, 6) and slots.begin(store) == Boot(0, True, 5, 0)


def test_the_floor_never_falls():
    store = store_of(Medium())
    slots.confirm(store, 0, 9)
    slots.confirm(store, 0, 3)
    assert store.read().floor == 9


def life(medium):
    """Choices and starts in a row; what each start ran."""
    store = store_of(medium)
    slots.choose(store, 0, 5)
    slots.begin(store)
    slots.begin(store)
    slots.confirm(store, 1, 5)
    slots.choose(store, 1, 6)
    for _ in range(4):
        slots.begin(store)


def test_a_cut_at_every_operation_leaves_a_choice_that_was_made():
    whole = Medium()
    made = set()
    real = Store.write

    def noted(self, state):
        made.add(state)
        return real(self, state)

    Store.write = noted
    try:
        life(whole)
    finally:
        Store.write = real
    for cut_at in range(1, whole.operations + 1):
        medium = Medium()
        medium.cut_at = cut_at
        with pytest.raises(Cut):
            life(medium)
        medium.cut_at = None
        assert store_of(medium).read() in made | {State(0, 0, 0, 0, 0)}
        assert slots.begin(store_of(medium)).slot in (0, 1)


@pytest.mark.parametrize("name", slots.FILES)
@pytest.mark.parametrize("harm", [b"", b"\xff" * 26, None])
def test_one_damaged_file_leaves_the_other_choice(name, harm):
    medium = Medium()
    store = store_of(medium)
    slots.confirm(store, 1, 4)
    slots.confirm(store, 1, 5)
    if harm is None:
        del medium.files[name]
    else:
        medium.files[name] = harm
    assert slots.begin(store).slot == 1 and store.read().floor in (4, 5)
    assert slots.confirm(store, 1, 6) and store.read().floor == 6


def test_a_trial_that_cannot_be_counted_is_not_begun():
    medium = Medium()
    store = store_of(medium)
    slots.choose(store, 0, 5)
    medium.bytes_max = 0
    assert slots.begin(store) == Boot(0, False, 0, 0)
    medium.bytes_max = 1 << 20
    assert slots.begin(store) == Boot(1, True, 0, 0)


# --- the loader -----------------------------------------------------------------------------------------------------


@pytest.fixture
def loader(monkeypatch):
    monkeypatch.setitem(sys.modules, "machine", types.ModuleType("machine"))
    monkeypatch.setitem(sys.modules, "slots", slots)
    monkeypatch.setattr(sys, "print_exception", lambda _error: None, raising=False)
    monkeypatch.delitem(sys.modules, "concentrator.loader", raising=False)
    from concentrator import loader

    yield loader
    sys.modules.pop("concentrator.loader", None)


def start(loader, store, broken=()):
    """What was run: the folder, and whether it could confirm itself."""
    ran = []

    def imports(folder):
        if folder in broken:
            raise ImportError(folder)
        return lambda boot, _choose, confirm: ran.append((folder, boot.is_trial, confirm(7)))

    loader.start(store, imports)
    return ran


def test_the_program_of_the_chosen_folder_runs_and_can_confirm_itself(loader):
    store = store_of(Medium())
    slots.choose(store, 0, 7)
    assert start(loader, store) == [("b", True, True)]
    assert store.read() == State(1, 7, 0, 0, 0)


def test_on_trial_what_cannot_be_imported_counts_as_a_strike(loader):
    store = store_of(Medium())
    slots.choose(store, 0, 7)
    for _ in range(3):
        with pytest.raises(ImportError):
            start(loader, store, broken=("b",))
    assert start(loader, store, broken=("b",)) == [("a", False, True)]
    assert store.read().failed == 7


def test_a_confirmed_folder_that_is_damaged_gives_way_to_the_other(loader):
    store = store_of(Medium())
    assert start(loader, store, broken=("a",)) == [("b", False, True)]
    assert store.read().slot == 1
    with pytest.raises(ImportError):
        start(loader, store, broken=("a", "b"))


def test_nothing_stays_of_what_could_not_be_imported(loader, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    package = tmp_path / "a" / "concentrator"
    package.mkdir(parents=True)
    (tmp_path / "a" / "left_over.py").write_text("")
    (package / "__init__.py").write_text("")
    (package / "main.py").write_text("import left_over\nimport never_there\n")
    kept = {name: sys.modules.pop(name) for name in list(sys.modules) if name.partition(".")[0] == "concentrator"}
    path = list(sys.path)
    try:
        with pytest.raises(ImportError):
            loader.imported("a")
        assert "left_over" not in sys.modules and sys.path == path
    finally:
        sys.modules.update(kept)


# --- what the loaders do before a program ---------------------------------------------------------------------------


def test_the_concentrator_gives_the_radio_its_memory_before_the_program(monkeypatch, repository):
    did = []

    def stop():
        did.append("program")
        raise OSError

    stubs = {
        "machine": {"WDT": lambda timeout: did.append("watchdog"), "reset": lambda: did.append("reset")},
        "micropython": {"kbd_intr": lambda code: None},
        "network": {"STA_IF": 0, "WLAN": lambda interface: did.append("radio")},
        "slots": {"Store": stop},
    }
    for name, words in stubs.items():
        monkeypatch.setitem(sys.modules, name, types.SimpleNamespace(**words))
    monkeypatch.setattr(sys, "print_exception", lambda error: None, raising=False)
    runpy.run_path(str(repository / "firmware/concentrator/loader.py"), run_name="__main__")
    assert did == ["watchdog", "radio", "program", "reset"]


@pytest.fixture
def node_loader(monkeypatch):
    """The node's loader, as a function of where programs are: its `start` and what else it has."""

    def of(place):
        for name in ("machine", "guard", "rtc"):
            monkeypatch.setitem(sys.modules, name, types.SimpleNamespace())
        monkeypatch.setitem(sys.modules, "place", place)
        monkeypatch.setitem(sys.modules, "slots", slots)
        monkeypatch.setattr(sys, "print_exception", lambda error: None, raising=False)
        return runpy.run_path(str(pathlib.Path(slots.__file__).with_name("loader.py")), run_name="loader")

    return of


def node_start(loader, store, broken, *, is_rescue=False):
    """What was tried, in order; the last one ran if it is not broken."""
    tried = []

    def imports(folder):
        tried.append(folder)
        if folder in broken:
            raise ImportError(folder)
        return lambda start: None

    guarding = types.SimpleNamespace(begin=lambda ended, is_trial: types.SimpleNamespace(is_rescue=is_rescue))
    loader["start"](store, guarding, None, "reset", imports, None)
    return tried


def test_a_folder_that_cannot_be_imported_gives_way_in_the_same_life(node_loader):
    store = store_of(Medium())
    assert node_start(node_loader(place_folder), store, {"a"}) == ["a", "b"] and store.read().slot == 0


def test_of_programs_that_run_in_place_a_life_imports_one(node_loader):
    """Names of the one that failed are still in use: the other must not write over it before a reset."""
    loader, store = node_loader(place_rom), store_of(Medium())
    slots.confirm(store, 0, 5)
    assert node_start(loader, store, {"/a"}) == ["/a"] and store.read() == State(1, 5, 0, 0, 0)
    assert node_start(loader, store, {"/a"}) == ["/b"] and store.read().slot == 1
    with pytest.raises(loader["NoProgram"]):
        node_start(loader, store, {"/rom/r", "/b"}, is_rescue=True)
    assert node_start(loader, store, {"/rom/r", "/b"}, is_rescue=True) == ["/rom/r", "/a"], "each in turn"


def test_on_trial_a_program_that_runs_in_place_is_not_given_up_by_one_failure(node_loader):
    loader, store = node_loader(place_rom), store_of(Medium())
    slots.choose(store, 0, 7)
    with pytest.raises(ImportError):
        node_start(loader, store, {"/b"})
    assert store.read() == State(0, 0, 7, slots.TRIES - 1, 0)


def test_a_program_that_does_not_fit_is_told_with_the_module_that_it_needs(node_loader, capsys):
    loader = node_loader(place_folder)

    def imports(folder):
        raise MemoryError

    guarding = types.SimpleNamespace(begin=lambda ended, is_trial: types.SimpleNamespace(is_rescue=False))
    with pytest.raises(loader["NoProgram"]):
        loader["start"](store_of(Medium()), guarding, None, "reset", imports, None)
    assert "no memory for the program in a: it needs a module with PSRAM" in capsys.readouterr().out
