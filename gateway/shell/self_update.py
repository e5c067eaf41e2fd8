"""Exchanges the gateway's own package: stages it, installs it in a unit of its own, watches, and takes it back.

    /var/lib/bocage-update   (root's; the agent reads)
        lists, cache      apt's, of the territory's repository
        wanted.deb        the package that is being tried
        former.deb        the one that runs: the way back
        runner/           the former package unpacked: its program leads the trial
        trial.json        the trial that is under way (core/self_update.py)
        outcome.json      how the last one ended; the agent makes a record of it (shell/update_report.py)

The unit of the trial lies in /etc, where no package touches it, and is enabled: after a power cut it goes on by itself,
whatever the new package has done to the agent, its commands and its units. `System` changes the machine, this decides
nothing.
"""

import json
import os
import shutil
import ssl
import sys
import time
from collections.abc import Callable
from http.client import HTTPException
from pathlib import Path
from urllib.request import urlopen

from gateway.core import self_update as core
from gateway.core.self_update import Before, Plan, Trial
from gateway.core.status import Status
from gateway.io import files, packages
from gateway.io.packages import PackageFault, Repository, System

FOLDER = Path("/var/lib/bocage-update")
KEY = Path("/etc/bocage/packages.asc")
OUTCOME = "outcome.json"
OUTCOME_BYTES_MAX = 4096
UNIT = "bocage-trial.service"
# Beside the broker's port; `tools/centre/broker/screens.py` opens it.
PORT = 8884
# Unpacked twice, and what dpkg keeps of the former files meanwhile; a package has half a megabyte.
_FREE_BYTES_MIN = 64 << 20
_PLAN_BYTES_MAX = 1 << 20
_TIMEOUT_S = 60
_LOOK_EVERY_S = 5
_BACK_AGAIN_S = 30
# Why an update is refused before it begins, beside the words of `io/packages.py`.
OLDER, NO_WAY_BACK, PLAN = "older", "no-way-back", "plan"
_UNIT_TEXT = """\
# Written by `bocage gateway update`; it goes when the trial of a new package is over.
[Unit]
Description=Bocage, trial of a new package of the gateway
StartLimitIntervalSec=0

[Service]
ExecStart=/usr/bin/python3 -I {runner}/usr/bin/bocage gateway update --trial --config {config}
Restart=on-failure
RestartSec=60

[Install]
WantedBy=multi-user.target
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


def read_plan(address: str, ca: str) -> Plan:
    """Fetches the plan of the centre. PackageFault."""
    try:
        return core.parse_plan(read_file(address, ca, "plan.json", _PLAN_BYTES_MAX))
    except ValueError as error:
        raise PackageFault(PLAN, str(error)) from error


class Update:
    """Works in `folder`. `ask` returns the agent's status; `wait(seconds)` waits; `now_s` is a monotonic clock."""

    def __init__(
        self,
        ask: Callable[[], Status],
        *,
        folder: Path = FOLDER,
        units: Path = Path("/etc/systemd/system"),
        system: System | None = None,
        wait: Callable[[float], None] = time.sleep,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ask, self._wait, self._now_s = ask, wait, now_s
        self._folder, self._unit = folder, units / UNIT
        self._system = system or System()
        self._wanted, self._former = folder / "wanted.deb", folder / "former.deb"
        self._trial, self._runner = folder / "trial.json", folder / "runner"

    # --- before a trial -----------------------------------------------------------------------------------------

    def trial(self) -> Trial | None:
        """Returns the trial that is under way. OSError."""
        try:
            return core.parse_trial(self._trial.read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            return None

    def has_failed(self, plan: Plan) -> bool:
        """Returns whether this campaign's version was taken back here: only another campaign tries it again."""
        last = self._last()
        same = (last.get("number"), last.get("version")) == (plan.number, plan.version)
        return same and last.get("outcome") == core.ROLLED_BACK

    def stage(self, plan: Plan, repository: Repository, before: Before) -> Trial | None:
        """Fetches what a trial needs, and writes it down. None: that version runs. PackageFault: nothing changed."""
        installed = self._installed()
        if installed == plan.version:
            return None
        if not self._system.is_newer(plan.version, installed):
            raise PackageFault(OLDER, f"{installed} > {plan.version}")
        if shutil.disk_usage(self._folder).free < _FREE_BYTES_MIN:
            raise PackageFault(packages.FULL)
        repository.refresh()
        if self._system.version_of(self._former) != installed:
            try:
                repository.fetch(installed, self._former)
            except PackageFault as fault:
                raise PackageFault(NO_WAY_BACK if fault.reason == packages.UNKNOWN else fault.reason) from fault
        repository.fetch(plan.version, self._wanted)
        trial = Trial(plan.number, plan.version, installed, plan.watch_s, before)
        self._save(trial)
        return trial

    def begin(self, config: Path) -> None:
        """Hands the trial over to a unit of its own, now and at each boot until it is over. OSError; PackageFault."""
        if not self._unit.exists():  # where it is, what it runs is on the disk
            self._system.extract(self._former, self._runner)
            os.sync()
            text = _UNIT_TEXT.format(runner=self._runner, config=config.resolve())
            files.write(self._unit, text.encode(), gives=False, is_public=True)
        self._system.systemctl("daemon-reload")
        self._system.systemctl("enable", UNIT)
        os.sync()  # nothing is touched before the way back is on the disk
        self._system.systemctl("start", "--no-block", UNIT)

    def refuse(self, plan: Plan, why: str) -> None:
        """Writes down that this plan cannot be followed. OSError."""
        self._end(plan.number, plan.version, self._system.installed(), core.REFUSED, why)

    def settle(self, plan: Plan, *, is_ours: bool) -> None:
        """Ends the alarm of a failure that is over: the version that runs is wanted, or another campaign holds, which
        does not concern this cabinet. OSError."""
        last, installed = self._last(), self._system.installed()
        is_over = is_ours or last.get("number") != plan.number
        if is_over and installed is not None and last.get("outcome") in (core.REFUSED, core.ROLLED_BACK):
            self._end(plan.number, installed, installed, core.KEPT, None)

    def _installed(self) -> str:
        installed = self._system.installed()
        if installed is None:  # a person was interrupted
            self._system.mend()
            installed = self._system.installed()
        if installed is None:
            raise PackageFault(packages.INSTALL, "dpkg --audit")
        return installed

    # --- the trial ----------------------------------------------------------------------------------------------

    def run_trial(self) -> None:
        """Goes through the trial from where it stands. OSError: the disk refuses; the unit tries again."""
        trial = self.trial()
        if trial is not None:
            trial = trial.started()
            self._save(trial)
            while trial.phase not in core.OVER:
                _tell(trial)
                trial = self._step(trial)
                self._save(trial)
            _tell(trial)
            self._end(trial.number, trial.version, trial.former, trial.phase, trial.why)
            if trial.phase == core.KEPT and self._wanted.exists():
                self._wanted.replace(self._former)
            self._trial.unlink()
        # The unit goes before what it runs.
        self._system.systemctl("disable", UNIT)
        self._unit.unlink(missing_ok=True)
        self._wanted.unlink(missing_ok=True)
        shutil.rmtree(self._runner, ignore_errors=True)

    def _step(self, trial: Trial) -> Trial:
        if trial.phase == core.INSTALL:
            return self._install(trial)
        return self._watch(trial) if trial.phase == core.WATCH else self._go_back(trial)

    def _install(self, trial: Trial) -> Trial:
        self._system.mend()
        try:
            if self._system.installed() != trial.version:
                self._system.install(self._wanted)
        except PackageFault as fault:
            print(fault, file=sys.stderr)
        is_done = self._system.installed() == trial.version
        return trial.after(core.DONE) if is_done else trial.after(core.FAILED, packages.INSTALL)

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
            if self._system.installed() != trial.former:
                self._system.take_back(self._former)
        except PackageFault as fault:
            print(fault, file=sys.stderr)
        if self._system.installed() != trial.former:
            self._wait(_BACK_AGAIN_S)
            return trial.after(core.FAILED)
        self._system.restart_agent()
        return trial.after(core.DONE)

    # --- files --------------------------------------------------------------------------------------------------

    def _last(self) -> dict[str, object]:
        return files.read_object(self._folder / OUTCOME, OUTCOME_BYTES_MAX)

    def _save(self, trial: Trial) -> None:
        files.write(self._trial, trial.as_json().encode(), gives=False, is_public=True)

    def _end(self, number: int, version: str, before: str | None, outcome: str, why: str | None) -> None:
        plain = {"number": number, "version": version, "before": before, "outcome": outcome, "why": why}
        if plain != self._last():
            files.write(self._folder / OUTCOME, json.dumps(plain).encode(), gives=False, is_public=True)


def _tell(trial: Trial) -> None:
    print(f"{trial.former} -> {trial.version}: {trial.phase}{f' ({trial.why})' if trial.why else ''}", flush=True)
