"""The exchange of the gateway's package on a machine of paper, cut off at every step: a working agent always runs.

The checker knows nothing of trials: it looks at the machine and at what the centre would be told.
"""

import json

import pytest

from gateway.core import self_update as core
from gateway.core.self_update import Before, Plan
from gateway.core.status import CentreStatus, NodesStatus, Status
from gateway.io.packages import FULL, INSTALL, SIGNATURE, UNKNOWN, PackageFault
from gateway.shell import self_update
from gateway.shell.self_update import NO_WAY_BACK, OLDER, UNIT, Update

PLAN = Plan(4, "0.3.0", 1200, None)
BEFORE = Before(nodes=10, centre=True)


class Cut(Exception):
    """The power fails."""


class PaperMachine:
    """A machine with dpkg: a package is whole, or what a cut left of it. `broken`: versions whose agent does not run;
    `unfit`: versions that cannot be configured. A cut comes before or after the step with number `cut_at`."""

    def __init__(self, folder, *, broken=(), unfit=(), cut_at=None):
        self.folder, self.broken, self.unfit, self.cut_at = folder, broken, unfit, cut_at
        self.version, self.is_whole, self.running = "0.2.0", True, "0.2.0"
        self.units = set()
        self.steps = 0

    def _step(self, act=lambda: None):
        self.steps += 1
        if self.steps == self.cut_at:
            self.running = None
            raise Cut
        act()
        self.steps += 1
        if self.steps == self.cut_at:
            self.running = None
            raise Cut

    def boot(self):
        self.cut_at = None
        self.restart_agent()

    def installed(self):
        return self.version if self.is_whole else None

    def is_newer(self, version, other):
        return version > other

    def version_of(self, package):
        return package.read_text() if package.exists() else None

    def extract(self, package, folder):
        folder.mkdir()

    def systemctl(self, word, *rest):
        if word in ("enable", "disable"):
            (self.units.add if word == "enable" else self.units.discard)(rest[0])

    def mend(self):
        self._step(self._configure)

    def install(self, package):
        self._unpack(package)

    def revert(self, package):
        self._unpack(package)

    def _unpack(self, package):
        def half():
            self.version, self.is_whole = package.read_text(), False

        self._step(half)
        self._step(self._configure)
        if not self.is_whole:
            raise PackageFault(INSTALL, "postinst")

    def _configure(self):
        if not self.is_whole and self.version not in self.unfit:
            self.is_whole = True
            self.restart_agent()

    def restart_agent(self):
        self.running = None if self.version in self.broken else self.version

    def status(self):
        if self.running is None:
            return Status(phase="absent")
        centre = CentreStatus(connected=True, bearer="fibre", receipt_ago_s=9)
        return Status(
            version=self.running, phase="running", uptime_s=600, faults=(), centre=centre, nodes=NodesStatus(heard=10)
        )


class PaperRepository:
    def __init__(self, *versions, fault=None):
        self.versions, self.fault = versions, fault

    def refresh(self):
        if self.fault is not None:
            raise PackageFault(self.fault)

    def fetch(self, version, target):
        if version not in self.versions:
            raise PackageFault(UNKNOWN)
        target.write_text(version)


def update_of(machine):
    """Its clock goes on by what it waits."""
    clock = [0.0]

    def wait(seconds):
        clock[0] += seconds

    folder = machine.folder / "update"
    folder.mkdir(exist_ok=True)
    units = machine.folder / "units"
    units.mkdir(exist_ok=True)
    return Update(machine.status, folder=folder, units=units, system=machine, wait=wait, now_s=lambda: clock[0])


def begun(machine, plan=PLAN):
    update = update_of(machine)
    assert update.stage(plan, PaperRepository("0.2.0", "0.3.0"), BEFORE) is not None
    update.begin(machine.folder / "gateway.toml")
    return update


def outcome(machine):
    return json.loads((machine.folder / "update/outcome.json").read_text())


def check(machine, *, ends_as=(core.KEPT, core.ROLLED_BACK)):
    """A working agent runs, it is the one that the centre is told of, and nothing of the trial is left."""
    told = outcome(machine)
    assert told["outcome"] in ends_as, told
    wanted = told["version"] if told["outcome"] == core.KEPT else told["before"]
    assert (machine.installed(), machine.running) == (wanted, wanted)
    left = {path.name for path in (machine.folder / "update").iterdir()}
    assert left <= {"outcome.json", "former.deb"} and not machine.units
    assert list((machine.folder / "units").iterdir()) == []
    return told


def test_a_version_that_is_well_is_kept_and_is_the_next_way_back(tmp_path):
    machine = PaperMachine(tmp_path)
    begun(machine)
    assert machine.units == {UNIT}
    unit = (tmp_path / "units" / UNIT).read_text()
    assert f"{tmp_path}/update/runner/usr/bin/bocage gateway update --trial" in unit
    update_of(machine).run_trial()
    told = check(machine)
    assert (tmp_path / "update/outcome.json").stat().st_mode & 0o777 == 0o644, "the agent is another user"
    assert told == {"number": 4, "version": "0.3.0", "before": "0.2.0", "outcome": core.KEPT, "why": None}
    assert (tmp_path / "update/former.deb").read_text() == "0.3.0"


@pytest.mark.parametrize(
    ("fault", "why"), [({"broken": ["0.3.0"]}, core.AGENT), ({"unfit": ["0.3.0"]}, INSTALL)]
)
def test_a_version_that_is_not_well_is_taken_back_and_not_tried_again(tmp_path, fault, why):
    machine = PaperMachine(tmp_path, **fault)
    begun(machine)
    update_of(machine).run_trial()
    assert check(machine)["why"] == why
    assert update_of(machine).outcome.has_failed(PLAN)
    assert not update_of(machine).outcome.has_failed(PLAN._replace(number=5)), "another campaign tries it again"


def cut_everywhere(tmp_path, run=lambda update: update.run_trial(), **fault):
    """Cuts the trial at each step in turn, boots, and lets its unit go on; what became of each."""
    found, cut_at, was_cut = [], 0, True
    while was_cut:
        cut_at += 1
        folder = tmp_path / str(cut_at)
        folder.mkdir()
        machine = PaperMachine(folder, cut_at=cut_at, **fault)
        begun(machine)
        try:
            run(update_of(machine))
            was_cut = False
        except Cut:
            machine.boot()
            if machine.units:
                run(update_of(machine))
        found.append(check(machine)["outcome"])
    return found


@pytest.mark.parametrize(
    ("fault", "ends"),
    [({}, core.KEPT), ({"broken": ["0.3.0"]}, core.ROLLED_BACK), ({"unfit": ["0.3.0"]}, core.ROLLED_BACK)],
)
def test_power_that_fails_at_any_step_leaves_a_working_agent(tmp_path, fault, ends):
    found = cut_everywhere(tmp_path, **fault)
    assert set(found) == {ends} and len(found) > 6


def test_power_that_fails_before_the_unit_is_there_delays_the_trial_by_an_hour(tmp_path):
    machine = PaperMachine(tmp_path)
    update_of(machine).stage(PLAN, PaperRepository("0.2.0", "0.3.0"), BEFORE)
    again = update_of(machine)
    assert again.trial() is not None and not machine.units
    again.begin(tmp_path / "gateway.toml")
    again.begin(tmp_path / "gateway.toml")
    update_of(machine).run_trial()
    assert check(machine)["outcome"] == core.KEPT


def test_planted_bug_a_trial_that_is_not_written_down_is_found(tmp_path, monkeypatch):
    monkeypatch.setattr(Update, "_save", lambda _self, _trial: None)
    with pytest.raises((AssertionError, FileNotFoundError)):
        cut_everywhere(tmp_path)


def test_planted_bug_dpkg_that_is_not_mended_is_found(tmp_path, monkeypatch):
    monkeypatch.setattr(PaperMachine, "revert", lambda _self, _package: None)
    monkeypatch.setattr(self_update, "_BACK_AGAIN_S", 0)
    with pytest.raises((AssertionError, RecursionError, Cut)):
        cut_everywhere(tmp_path, broken=["0.3.0"], run=bounded)


def bounded(update):
    """Going back goes on for ever where it cannot be done: here, not."""
    tries = []

    def wait(seconds):
        tries.append(seconds)
        assert len(tries) < 1000

    update._wait = wait
    update._now_s = lambda: float(len(tries)) * 10
    update.run_trial()


def test_nothing_is_begun_without_a_way_back(tmp_path):
    update = update_of(PaperMachine(tmp_path))
    with pytest.raises(PackageFault, match=NO_WAY_BACK):
        update.stage(PLAN, PaperRepository("0.3.0"), BEFORE)
    assert update.trial() is None


@pytest.mark.parametrize(
    ("plan", "repository", "why"),
    [
        (PLAN._replace(version="0.1.0"), PaperRepository("0.1.0", "0.2.0"), OLDER),
        (PLAN, PaperRepository("0.2.0"), UNKNOWN),
        (PLAN, PaperRepository("0.2.0", "0.3.0", fault=SIGNATURE), SIGNATURE),
    ],
)
def test_what_cannot_be_is_refused_before_anything_changes(tmp_path, plan, repository, why):
    machine = PaperMachine(tmp_path)
    update = update_of(machine)
    with pytest.raises(PackageFault) as refused:
        update.stage(plan, repository, BEFORE)
    assert refused.value.reason == why and update.trial() is None
    update.refuse(plan, refused.value.reason)
    assert (outcome(machine)["outcome"], outcome(machine)["why"]) == (core.REFUSED, why)
    assert machine.running == "0.2.0" and machine.steps == 0


def test_a_card_without_room_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(self_update, "_FREE_BYTES_MIN", 1 << 60)
    with pytest.raises(PackageFault, match=FULL):
        update_of(PaperMachine(tmp_path)).stage(PLAN, PaperRepository("0.2.0", "0.3.0"), BEFORE)


def test_a_failure_is_over_when_what_runs_is_wanted_or_another_campaign_goes_elsewhere(tmp_path):
    def after(number, *, is_ours):
        update.refuse(PLAN, SIGNATURE)
        update.settle(PLAN._replace(number=number), is_ours=is_ours)
        return outcome(machine)["outcome"]

    machine = PaperMachine(tmp_path)
    update = update_of(machine)
    update.settle(PLAN, is_ours=True)
    assert not (tmp_path / "update/outcome.json").exists(), "there was nothing to end"
    assert after(PLAN.number, is_ours=False) == core.REFUSED, "this campaign was stopped"
    assert after(PLAN.number + 1, is_ours=False) == core.KEPT
    assert after(PLAN.number, is_ours=True) == core.KEPT
    assert outcome(machine)["version"] == "0.2.0"


def test_the_version_that_runs_is_wanted(tmp_path):
    update = update_of(PaperMachine(tmp_path))
    assert update.stage(PLAN._replace(version="0.2.0"), PaperRepository(), BEFORE) is None
