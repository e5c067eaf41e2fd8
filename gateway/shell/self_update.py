"""Exchanges the gateway's own package, or those of the system: stages them, installs them in a unit of its own,
watches, and takes them back.

    /var/lib/bocage-update   (root's; the agent reads)
        lists, cache      apt's, of the territory's repository
        wanted.deb        the package that is being tried
        former.deb        the one that runs: the way back
        runner/           the former package unpacked: its program leads the trial
        system/           the system's packages, new and former, and the script of the way back (io/archive.py)
        trial.json        the trial that is under way, of the agent or of the system (core/self_update.py)
        outcome.json, system-outcome.json
                          how the last one of each ended; the agent makes records of them (shell/update_report.py)

The unit of the trial lies in /etc, where no package touches it, and is enabled. So the trial goes on after a power cut,
also where the new package has broken the agent, its commands or its units. Python leads the trial of a system, and an
update may break Python: after five failures in an hour the script takes the update back.
`System` and `Archive` change the machine, this decides nothing.
"""

import json
import os
import shutil
import ssl
import sys
import time
from collections.abc import Callable, Mapping
from http.client import HTTPException
from pathlib import Path
from urllib.request import urlopen

from gateway.core import self_update as core
from gateway.core.self_update import Before, Plan, Trial
from gateway.core.status import Status
from gateway.io import files, packages
from gateway.io.archive import Archive
from gateway.io.packages import PackageFault, Repository, System

FOLDER = Path("/var/lib/bocage-update")
KEY = Path("/etc/bocage/packages.asc")
OUTCOME, SYSTEM_OUTCOME = "outcome.json", "system-outcome.json"
OUTCOME_BYTES_MAX = 4096
UNIT, BACK_UNIT = "bocage-trial.service", "bocage-back.service"
# A folder in memory: what lies there is gone once the machine has started again.
_RUN = Path("/run")
_AGENT = Path("/usr/bin/bocage")
# Beside the broker's port; `tools/centre/broker/screens.py` opens it.
PORT = 8884
# Unpacked twice, and what dpkg keeps of the former files meanwhile; a package has half a megabyte.
_FREE_BYTES_MIN = 64 << 20
# A point release brings some hundred megabytes: fetched, kept as they were, and unpacked.
_SYSTEM_FREE_BYTES_MIN = 1 << 30
_PLAN_BYTES_MAX = 1 << 20
_TIMEOUT_S = 60
_LOOK_EVERY_S = 5
_BACK_AGAIN_S = 30
# Of the names of the system's packages, for a record.
_PACKAGES_CHARS_MAX = 100
# Why an update is refused before it begins, beside the words of `io/packages.py`.
OLDER, NO_WAY_BACK, PLAN = "older", "no-way-back", "plan"
_WRITTEN = "# Written by `bocage gateway update`; it goes when the trial of new packages is over.\n"
_UNIT_TEXT = """\
[Unit]
Description=Bocage, trial of new packages
{limit}

[Service]
ExecStart=/usr/bin/python3 -I {program} gateway update --trial --config {config}
Restart=on-failure
RestartSec=60

[Install]
WantedBy=multi-user.target
"""
_FOR_EVER = "StartLimitIntervalSec=0"
_FIVE_TIMES = f"StartLimitIntervalSec=1h\nStartLimitBurst=5\nOnFailure={BACK_UNIT}"
_BACK_UNIT_TEXT = """\
[Unit]
Description=Bocage, the way back of a trial whose own program does not run

[Service]
Type=oneshot
ExecStart=/bin/sh {script}
ExecStart=/usr/bin/systemctl reboot
Restart=on-failure
RestartSec=60
"""


def address_of(host: str) -> str:
    """Returns where a centre gives plan and packages."""
    return f"https://{f'[{host}]' if ':' in host else host}:{PORT}/"


def read_file(address: str, ca: str, name: str, bytes_max: int) -> bytes:
    """Fetches a file of the centre, whose certificate is of the territory's authority. PackageFault."""
    context = ssl.create_default_context(cafile=ca)
    try:
        with urlopen(f"{address}{name}", timeout=_TIMEOUT_S, context=context) as answer:
            data: bytes = answer.read(bytes_max)
            return data
    except (OSError, HTTPException) as error:
        raise PackageFault(packages.UNREACHABLE, str(error)) from error


def read_plan(address: str, ca: str, name: str = "plan.json") -> Plan:
    """Fetches a plan of the centre. PackageFault."""
    try:
        return core.parse_plan(read_file(address, ca, name, _PLAN_BYTES_MAX))
    except ValueError as error:
        raise PackageFault(PLAN, str(error)) from error


class Outcome:
    """Keeps how the last update ended, in a file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def last(self) -> dict[str, object]:
        return files.read_object(self._path, OUTCOME_BYTES_MAX)

    def end(self, number: int, version: str, before: str | None, outcome: str, why: str | None, **more: str) -> None:
        """OSError."""
        plain = {"number": number, "version": version, "before": before, "outcome": outcome, "why": why, **more}
        if plain != self.last():
            files.write(self._path, json.dumps(plain).encode(), gives=False, is_public=True)

    def has_failed(self, plan: Plan) -> bool:
        """Returns whether this campaign's version was taken back here: only another campaign tries it again."""
        last = self.last()
        same = (last.get("number"), last.get("version")) == (plan.number, plan.version)
        return same and last.get("outcome") == core.ROLLED_BACK

    def settle(self, plan: Plan, installed: str | None, *, is_ours: bool) -> None:
        """Ends the alarm of a failure that is over: the version that runs is wanted, or another campaign holds, which
        does not concern this cabinet. OSError."""
        last = self.last()
        is_over = is_ours or last.get("number") != plan.number
        if is_over and installed is not None and last.get("outcome") in (core.REFUSED, core.ROLLED_BACK):
            self.end(plan.number, installed, installed, core.KEPT, None)


class Update:
    """Works in `folder`. `ask` returns the agent's status; `wait(seconds)` waits; `now_s` is a monotonic clock; `run`
    is a folder in memory."""

    def __init__(
        self,
        ask: Callable[[], Status],
        *,
        folder: Path = FOLDER,
        units: Path = Path("/etc/systemd/system"),
        run: Path = _RUN,
        system: System | None = None,
        archive: Archive | None = None,
        wait: Callable[[float], None] = time.sleep,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ask, self._wait, self._now_s = ask, wait, now_s
        self._folder, self._units = folder, units
        self._unit, self._before_restart = units / UNIT, run / "bocage-before-restart"
        self._system, self._archive = system or System(), archive or Archive(folder / "system")
        self._wanted, self._former = folder / "wanted.deb", folder / "former.deb"
        self._trial, self._runner = folder / "trial.json", folder / "runner"
        self.outcome, self.system_outcome = Outcome(folder / OUTCOME), Outcome(folder / SYSTEM_OUTCOME)

    # --- before a trial -----------------------------------------------------------------------------------------

    def trial(self) -> Trial | None:
        """Returns the trial that is under way. OSError."""
        try:
            return core.parse_trial(self._trial.read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            return None

    def stage(self, plan: Plan, repository: Repository, before: Before) -> Trial | None:
        """Fetches what a trial needs, and writes it down. None: that version runs. PackageFault: nothing changed."""
        installed = self._installed()
        if installed == plan.version:
            return None
        if not self._system.is_newer(plan.version, installed):
            raise PackageFault(OLDER, f"{installed} > {plan.version}")
        self._make_room(_FREE_BYTES_MIN)
        repository.refresh()
        if self._system.version_of(self._former) != installed:
            try:
                repository.fetch(installed, self._former)
            except PackageFault as fault:
                raise PackageFault(NO_WAY_BACK if fault.reason == packages.UNKNOWN else fault.reason) from fault
        repository.fetch(plan.version, self._wanted)
        trial = Trial(plan.number, plan.version, installed, plan.watch_s, before, plan.version)
        self._save(trial)
        return trial

    def stage_system(self, plan: Plan, before: Before) -> Trial | None:
        """Fetches the system's packages as they are at a state of the archive, keeps those that are there, and writes
        the trial down. None: the system has that state. PackageFault: nothing changed."""
        if not core.is_state(plan.version):
            raise PackageFault(PLAN, f"version {plan.version}")
        former = self.state()
        if former is not None and former >= plan.version:
            return None
        agent = self._installed()
        self._make_room(_SYSTEM_FREE_BYTES_MIN)
        self._archive.refresh(plan.version)
        changes = self._archive.changes(plan.version)
        if not changes:
            self.system_outcome.end(plan.number, plan.version, former, core.KEPT, None)
            return None
        self._archive.fetch(plan.version)
        self._archive.keep(changes)
        trial = Trial(plan.number, plan.version, former, plan.watch_s, before, agent, changes)
        self._save(trial)
        return trial

    def state(self) -> str | None:
        """Returns the state of the archive that the system was brought to last; None: not known."""
        last = self.system_outcome.last()
        found = last.get("version" if last.get("outcome") == core.KEPT else "before")
        return found if isinstance(found, str) else None

    def begin(self, config: Path) -> None:
        """Hands the trial over to a unit of its own, now and at each boot until it is over. OSError; PackageFault."""
        if not self._unit.exists():  # where it is, what it runs is on the disk
            trial = self.trial()
            is_of_system = trial is not None and bool(trial.changes)
            if is_of_system:
                self._write(BACK_UNIT, _BACK_UNIT_TEXT.format(script=self._archive.way_back))
            else:
                self._system.extract(self._former, self._runner)
                os.sync()
            program = _AGENT if is_of_system else self._runner / "usr/bin/bocage"
            limit = _FIVE_TIMES if is_of_system else _FOR_EVER
            self._write(UNIT, _UNIT_TEXT.format(program=program, config=config.resolve(), limit=limit))
        self._system.systemctl("daemon-reload")
        self._system.systemctl("enable", UNIT)
        os.sync()  # nothing is touched before the way back is on the disk
        self._system.systemctl("start", "--no-block", UNIT)

    def refuse(self, plan: Plan, why: str) -> None:
        """Writes down that this plan of the agent cannot be followed. OSError."""
        self.outcome.end(plan.number, plan.version, self._system.installed(), core.REFUSED, why)

    def refuse_system(self, plan: Plan, why: str) -> None:
        """Writes down that this plan of the system cannot be followed. OSError."""
        self.system_outcome.end(plan.number, plan.version, self.state(), core.REFUSED, why)

    def settle(self, plan: Plan, *, is_ours: bool) -> None:
        """Ends the alarm of a failure of the agent's update that is over. OSError."""
        self.outcome.settle(plan, self._system.installed(), is_ours=is_ours)

    def _installed(self) -> str:
        installed = self._system.installed()
        if installed is None:  # a person was interrupted
            self._system.mend()
            installed = self._system.installed()
        if installed is None:
            raise PackageFault(packages.INSTALL, packages.PACKAGE)
        return installed

    def _make_room(self, bytes_min: int) -> None:
        if shutil.disk_usage(self._folder).free < bytes_min:
            raise PackageFault(packages.FULL)

    def _write(self, unit: str, text: str) -> None:
        files.write(self._units / unit, (_WRITTEN + text).encode(), gives=False, is_public=True)

    # --- the trial ----------------------------------------------------------------------------------------------

    def run_trial(self) -> None:
        """Goes through the trial from where it stands. OSError: the disk refuses; the unit tries again."""
        trial = self.trial()
        if trial is not None:
            trial = trial.started()
            if trial.changes and trial.phase in core.FORTH and self._archive.is_reverted():
                # With the new packages this program did not run.
                trial = trial.after(core.FAILED, core.INTERRUPTED)
            self._save(trial)
            while trial.phase not in core.OVER:
                _print(trial)
                if trial.phase in (core.RESTART, core.RESTART_BACK) and self._before_restart.exists():
                    self._system.systemctl("reboot")
                    return
                trial = self._step(trial)
                self._save(trial)
            _print(trial)
            self._end(trial)
        # The units go before what they run.
        self._system.systemctl("disable", UNIT)
        for unit in (UNIT, BACK_UNIT):
            (self._units / unit).unlink(missing_ok=True)
        self._wanted.unlink(missing_ok=True)
        shutil.rmtree(self._runner, ignore_errors=True)

    def _end(self, trial: Trial) -> None:
        of = trial.number, trial.version, trial.former, trial.phase, trial.why
        if trial.changes:
            self.system_outcome.end(*of, packages=" ".join(one.package for one in trial.changes)[:_PACKAGES_CHARS_MAX])
            self._archive.clear()
        else:
            self.outcome.end(*of)
            if trial.phase == core.KEPT and self._wanted.exists():
                self._wanted.replace(self._former)
        self._trial.unlink()

    def _step(self, trial: Trial) -> Trial:
        if trial.phase == core.INSTALL:
            return self._install(trial)
        if trial.phase in (core.RESTART, core.RESTART_BACK):
            return trial.after(core.DONE)  # the machine has started
        return self._watch(trial) if trial.phase == core.WATCH else self._go_back(trial)

    def _install(self, trial: Trial) -> Trial:
        self._system.mend()
        try:
            if trial.changes:
                self._before_restart.touch()
                self._archive.install(trial.version)
            elif not self._is_new(trial):
                self._system.install(self._wanted)
        except PackageFault as fault:
            print(fault, file=sys.stderr)
        return trial.after(core.DONE) if self._is_new(trial) else trial.after(core.FAILED, packages.INSTALL)

    def _watch(self, trial: Trial) -> Trial:
        end_s = self._now_s() + trial.watch_s
        while (lacks := core.missing(self._ask(), trial)) is not None:
            if self._now_s() >= end_s:
                return trial.after(core.FAILED, lacks)
            self._wait(_LOOK_EVERY_S)
        return trial.after(core.DONE)

    def _go_back(self, trial: Trial) -> Trial:
        self._system.mend()
        try:
            if self._is_former(trial):
                pass
            elif trial.changes:
                self._before_restart.touch()
                self._archive.revert()
            else:
                self._system.revert(self._former)
        except PackageFault as fault:
            print(fault, file=sys.stderr)
        if not self._is_former(trial):
            self._wait(_BACK_AGAIN_S)
            return trial.after(core.FAILED)
        if not trial.changes:
            self._system.restart_agent()
        return trial.after(core.DONE)

    def _is_new(self, trial: Trial) -> bool:
        return self._is(trial, trial.version, {one.package: one.after for one in trial.changes})

    def _is_former(self, trial: Trial) -> bool:
        return self._is(trial, trial.former, {one.package: one.before for one in trial.changes})

    def _is(self, trial: Trial, version: str | None, wanted: Mapping[str, str | None]) -> bool:
        """Returns whether the packages that the trial exchanges are whole, in these versions."""
        if not trial.changes:
            return self._system.installed() == version
        found = self._archive.versions(list(wanted))
        return all(found.get(name) == one for name, one in wanted.items())

    # --- files --------------------------------------------------------------------------------------------------

    def _save(self, trial: Trial) -> None:
        files.write(self._trial, trial.as_json().encode(), gives=False, is_public=True)


def _print(trial: Trial) -> None:
    print(f"{trial.former} -> {trial.version}: {trial.phase}{f' ({trial.why})' if trial.why else ''}", flush=True)
