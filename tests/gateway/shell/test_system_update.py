"""Debian's updates on a machine of paper, which is cut off at every step: in the end it has all new packages, and all
that held before holds, or it has all former ones.

The checker knows nothing of trials: it looks at the packages, and at what the centre would be told.
"""

import json

import pytest

from gateway.core import self_update as core
from gateway.core.self_update import Before, Change, Plan
from gateway.core.status import CentreStatus, NodesStatus, Status
from gateway.io.packages import INSTALL, NOT_KEPT, PackageFault
from gateway.shell import self_update
from gateway.shell.self_update import BACK_UNIT, PLAN, UNIT, Update

STATE, LATER = "20261101T000000Z", "20261115T000000Z"
WANTED = Plan(4, STATE, 1200, None)
BEFORE = Before(nodes=10, centre=True)
FORMER = {"openssl": "3.5.1", "python3.13": "3.13.5"}
NEW = {"openssl": "3.5.4", "python3.13": "3.13.9", "linux-image": "6.12.9"}
CHANGES = tuple(Change(name, FORMER.get(name), version) for name, version in NEW.items())


class Cut(Exception):
    """The power fails, or the machine starts again."""


class Paper:
    """A machine with dpkg and an archive; the agent is well with any packages but those of `broken`, a set of (name,
    version). `unfit`: a package that cannot be installed. A cut comes before the step with number `cut_at`."""

    def __init__(self, folder, *, broken=(), unfit=None, cut_at=None):
        self.folder, self.broken, self.unfit, self.cut_at = folder, set(broken), unfit, cut_at
        self.packages, self.kept, self.units, self.steps, self.starts = dict(FORMER), None, set(), 0, 0
        self.loaded, self.is_taken = dict(FORMER), False
        (folder / "update").mkdir()
        (folder / "units").mkdir()
        (folder / "run").mkdir()

    def _step(self):
        self.steps += 1
        if self.steps == self.cut_at:
            raise Cut

    def boot(self):
        """What runs is what is installed."""
        self.loaded, self.starts = dict(self.packages), self.starts + 1
        for path in (self.folder / "run").iterdir():
            path.unlink()

    # --- as System

    def installed(self):
        return "0.3.0"

    def mend(self):
        self._step()

    def systemctl(self, word, *rest):
        if word == "reboot":
            raise Cut
        if word in ("enable", "disable"):
            (self.units.add if word == "enable" else self.units.discard)(rest[0])

    # --- as Archive

    way_back = "back"

    def refresh(self, state):
        pass

    def changes(self, _state):
        return tuple(one for one in CHANGES if self.packages.get(one.package) != one.after)

    def fetch(self, state):
        pass

    def is_reverted(self):
        return self.is_taken

    def keep(self, _changes):
        self.kept = dict(self.packages)

    def install(self, _state):
        for name, version in NEW.items():
            self._step()
            if name == self.unfit:
                raise PackageFault(INSTALL, name)
            self.packages[name] = version

    def revert(self):
        for name in list(self.packages):
            self._step()
            if name in self.kept:
                self.packages[name] = self.kept[name]
            else:
                del self.packages[name]
        self.is_taken = True

    def versions(self, names):
        return {name: version for name, version in self.packages.items() if name in names}

    def clear(self):
        self.kept = None

    # --- the agent

    def status(self):
        if self.broken & set(self.loaded.items()):
            return Status(phase="absent")
        centre = CentreStatus(connected=True, bearer="fibre", receipt_ago_s=9)
        nodes = NodesStatus(heard=10)
        return Status(version="0.3.0", phase="running", uptime_s=600, faults=(), centre=centre, nodes=nodes)


def update_of(machine):
    """Its clock goes on by what it waits; going back is not tried for ever."""
    clock = [0.0]

    def wait(seconds):
        clock[0] += seconds
        assert clock[0] < 10_000

    return Update(machine.status, folder=machine.folder / "update", units=machine.folder / "units",
                  run=machine.folder / "run", system=machine, archive=machine, wait=wait,
                  now_s=lambda: clock[0])  # fmt: skip


def brought(machine):
    """Goes through a trial: each time that the machine starts, its unit goes on."""
    update = update_of(machine)
    assert update.stage_system(WANTED, BEFORE) is not None
    update.begin(machine.folder / "gateway.toml")
    while machine.units:
        try:
            update_of(machine).run_trial()
        except Cut:
            machine.boot()
            assert machine.starts < 20, "it starts again and again"
    return check(machine)


def outcome(machine):
    return json.loads((machine.folder / "update/system-outcome.json").read_text())


def check(machine):
    """What is installed is what runs, and what the centre is told of; the agent is well, and nothing of the trial is
    left."""
    told = outcome(machine)
    assert machine.packages == machine.loaded == (NEW if told["outcome"] == core.KEPT else FORMER), told
    assert machine.status().phase == "running"
    left = {path.name for path in (machine.folder / "update").iterdir()}
    assert left == {"system-outcome.json"} and not list((machine.folder / "units").iterdir())
    return told["outcome"], told["why"]


BROKEN = {"broken": [("python3.13", "3.13.9")]}
UNFIT = {"unfit": "python3.13"}


def test_updates_that_are_well_are_kept_and_run(tmp_path):
    machine = Paper(tmp_path)
    update = update_of(machine)
    assert update.stage_system(WANTED, BEFORE).changes == CHANGES
    update.begin(tmp_path / "gateway.toml")
    unit = (tmp_path / "units" / UNIT).read_text()
    assert "/usr/bin/bocage gateway update --trial" in unit and f"OnFailure={BACK_UNIT}" in unit
    assert "ExecStart=/bin/sh back" in (tmp_path / "units" / BACK_UNIT).read_text()
    assert brought(machine) == (core.KEPT, None)
    assert machine.starts == 1
    assert update.stage_system(WANTED, BEFORE) is None, "it has that state"


@pytest.mark.parametrize(("fault", "why"), [(BROKEN, core.AGENT), (UNFIT, INSTALL)])
def test_updates_that_are_not_well_are_taken_back(tmp_path, fault, why):
    machine = Paper(tmp_path, **fault)
    assert brought(machine) == (core.ROLLED_BACK, why)
    assert outcome(machine)["packages"] == "openssl python3.13 linux-image"
    update = update_of(machine)
    assert update.system_outcome.has_failed(WANTED) and update.state() is None


def cut_everywhere(tmp_path, **fault):
    found = []
    for cut_at in range(1, 12):
        folder = tmp_path / str(cut_at)
        folder.mkdir()
        found.append(brought(Paper(folder, cut_at=cut_at, **fault))[0])
    return set(found)


@pytest.mark.parametrize(
    ("fault", "ends"), [({}, core.KEPT), (BROKEN, core.ROLLED_BACK), (UNFIT, core.ROLLED_BACK)]
)
def test_power_that_fails_at_any_step_leaves_a_system_that_is_well(tmp_path, fault, ends):
    assert cut_everywhere(tmp_path, **fault) == {ends}


def test_what_the_script_has_taken_back_counts_as_taken_back(tmp_path):
    """The program of the trial did not run with the new packages."""
    machine = Paper(tmp_path)
    update_of(machine).stage_system(WANTED, BEFORE)
    update_of(machine).begin(tmp_path / "gateway.toml")
    with pytest.raises(Cut):
        update_of(machine).run_trial()
    machine.revert()
    machine.boot()
    update_of(machine).run_trial()
    assert check(machine) == (core.ROLLED_BACK, core.INTERRUPTED)


def test_planted_bug_health_that_is_not_asked_is_found(tmp_path, monkeypatch):
    monkeypatch.setattr(core, "missing", lambda _status, _trial: None)
    with pytest.raises(AssertionError):
        brought(Paper(tmp_path, **BROKEN))


def test_planted_bug_a_way_back_that_is_forgotten_is_found(tmp_path, monkeypatch):
    monkeypatch.setattr(Paper, "revert", lambda _self: None)
    with pytest.raises(AssertionError):
        brought(Paper(tmp_path, **BROKEN))


def test_planted_bug_a_restart_that_is_left_out_is_found(tmp_path, monkeypatch):
    table = {**core._NEXT_OF_SYSTEM, (core.INSTALL, core.DONE): core.WATCH}
    monkeypatch.setattr(core, "_NEXT_OF_SYSTEM", table)
    with pytest.raises(AssertionError):
        brought(Paper(tmp_path, **BROKEN))


def test_a_system_that_has_all_is_told_without_a_trial(tmp_path):
    machine = Paper(tmp_path)
    machine.packages = dict(NEW)
    assert update_of(machine).stage_system(WANTED, BEFORE) is None
    assert outcome(machine)["outcome"] == core.KEPT and update_of(machine).state() == STATE
    assert update_of(machine).stage_system(WANTED._replace(version=LATER), BEFORE) is None
    assert update_of(machine).state() == LATER


def test_nothing_is_begun_without_a_way_back_or_towards_no_state(tmp_path, monkeypatch):
    def keep(_self, _changes):
        raise PackageFault(NOT_KEPT)

    machine = Paper(tmp_path)
    update = update_of(machine)
    with pytest.raises(PackageFault, match=PLAN):
        update.stage_system(WANTED._replace(version="0.3.0"), BEFORE)
    monkeypatch.setattr(Paper, "keep", keep)
    with pytest.raises(PackageFault, match=NOT_KEPT):
        update.stage_system(WANTED, BEFORE)
    assert update.trial() is None and machine.packages == FORMER
    update.refuse_system(WANTED, NOT_KEPT)
    assert outcome(machine)["outcome"] == core.REFUSED


def test_a_card_without_room_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(self_update, "_SYSTEM_FREE_BYTES_MIN", 1 << 60)
    with pytest.raises(PackageFault):
        update_of(Paper(tmp_path)).stage_system(WANTED, BEFORE)
