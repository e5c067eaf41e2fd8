"""A gateway brings its system up to date in a clean, booted Debian: by a campaign of a centre, or after a month without
one; from a small signed archive with snapshots. A machine that starts again is booted again here.

Everything is real but the network and the kernel. Not `live`: where namespaces are refused this is skipped.
"""

import json
import os
import shutil
import subprocess
import time
from datetime import UTC, datetime, timedelta

import pytest

from gateway.shell.self_update import PORT
from simulator.rig.rig import find_mosquitto
from tests.support.debian_machine import Machine
from tests.support.packaged_gateway import Centre, setup, until
from tests.tools.package.test_package_updates import (
    FOLDER,
    NAME,
    held,
    runs,
    update,
    without_lamps,
)
from tests.tools.package.test_package_updates import pytestmark as marks
from tools.centre.agents import campaign, repository
from wire import event

pytestmark = marks
FIRST, SECOND = "20261101T000000Z", "20261115T000000Z"
WATCH_S = 30
TRIAL = "etc/systemd/system/bocage-trial.service"
NO_AGENT = ("usr/lib/systemd/system/bocage-gateway.service.d/zz.conf", "[Service]\nExecStartPre=/bin/false\n")
NO_PYTHON = ("usr/lib/python3/dist-packages/zz.pth", "import os; os._exit(3)\n")
HALF = "#!/bin/sh\n[ -e /root/was-cut ] || { touch /root/half; sleep 600; }\n"


class Debian:
    """A root with two packages of version 1, and a signed archive of which snapshots are published."""

    def __init__(self, root, folder, address):
        self.root, self.folder, self.served = root, folder, folder / "served"
        self.served.mkdir()
        (root / "root/archive.asc").write_bytes(repository.make_key(folder / "archive.key", "archive"))
        sources = root / "etc/apt/sources.list.d"
        shutil.rmtree(sources)
        sources.mkdir()
        (root / "etc/apt/sources.list").unlink(missing_ok=True)
        (sources / "small.sources").write_text(
            f"Types: deb\nURIs: {address}/live\nSuites: ./\nSigned-By: /root/archive.asc\n"
        )
        (root / "etc/apt/apt.conf.d/90small").write_text(
            f'Acquire::Snapshots::URI::Override::Label::Small "{address}/@SNAPSHOTID@/";\n'
            'Acquire::https::CaInfo "/root/territory.pem";\n'
        )
        for name in ("small-one", "small-two"):
            deb = self.build(folder, name, "1.0")
            shutil.copy(deb, root / "root")
        self.publish("live", {})

    def build(self, folder, name, version, file=None, preinst=None):
        tree = self.folder / "tree"
        shutil.rmtree(tree, ignore_errors=True)
        for path, text in ((f"usr/share/{name}/version", version), *([file] if file else ())):
            (tree / path).parent.mkdir(parents=True, exist_ok=True)
            (tree / path).write_text(text)
        control = f"Package: {name}\nVersion: {version}\nArchitecture: all\nMaintainer: A <a@b.c>\nDescription: small\n"
        (tree / "DEBIAN").mkdir()
        (tree / "DEBIAN/control").write_text(control)
        if preinst:
            (tree / "DEBIAN/preinst").write_text(preinst)
            (tree / "DEBIAN/preinst").chmod(0o755)
        words = ["dpkg-deb", "--root-owner-group", "--build", str(tree), str(folder)]
        subprocess.run(words, check=True, capture_output=True)
        return folder / f"{name}_{version}_all.deb"

    def publish(self, state, packages):
        """Publishes a snapshot with these packages: {name: what `build` is given}."""
        folder = self.served / state
        folder.mkdir()
        for name, given in packages.items():
            self.build(folder, name, *given)
        index = subprocess.run(["apt-ftparchive", "packages", "."], cwd=folder, check=True, capture_output=True).stdout
        (folder / "Packages").write_bytes(index)
        words = ["apt-ftparchive", "-oAPT::FTPArchive::Release::Label=Small", "release", "."]
        release = subprocess.run(words, cwd=folder, check=True, capture_output=True).stdout
        with repository._gpg(self.folder / "archive.key") as gpg:
            (folder / "InRelease").write_bytes(gpg("--clearsign", given=release))

    def plan(self, number, state, cabinets=(NAME,)):
        plan = campaign.begin(None, state, cabinets, after_s=3600, watch_s=WATCH_S, now_s=0)
        campaign.save(self.served / "system.json", plan._replace(number=number))


def versions(machine):
    words = ("dpkg-query", "--show", "--showformat=${db:Status-Abbrev}${Version} ", "small-one", "small-two")
    return machine.run(*words).stdout.replace("ii ", "").split()


def over(machine):
    """The trial is over; what became of it."""
    until(lambda: not (machine.root / TRIAL).exists(), "the trial does not end")
    assert not machine.path(f"{FOLDER}/trial.json").exists() and not machine.path(f"{FOLDER}/system").exists()
    assert not machine.path("/etc/systemd/system/bocage-back.service").exists()
    found = json.loads(machine.path(f"{FOLDER}/system-outcome.json").read_text())
    return {key: found[key] for key in ("outcome", "why", "before")}


def installed(machine, package):
    machine.apt("install", f"/root/{package}", "/root/small-one_1.0_all.deb", "/root/small-two_1.0_all.deb")
    setup(machine)


def told(database):
    codes = (event.SYSTEM_UPDATE, event.SYSTEM_UPDATE_FAILURE)
    return [(one.code, one.active, list(one.detail)) for one in held(database) if getattr(one, "code", None) in codes]


def test_a_campaign_brings_debians_updates_and_takes_broken_ones_back(root, packages, tmp_path):
    if find_mosquitto() is None:
        pytest.skip("no Mosquitto: apt-get install mosquitto")
    debian = Debian(root, tmp_path, f"https://127.0.0.1:{PORT}")
    debian.publish(FIRST, {"small-one": ("2.0",), "small-two": ("2.0",)})
    debian.publish(SECOND, {"small-one": ("3.0",), "small-two": ("3.0", NO_AGENT)})
    shutil.copy(packages[0], root / "root")
    (tmp_path / "centre").mkdir()
    with Machine(root) as machine:
        installed(machine, packages[0].name)
        centre = Centre(machine, tmp_path / "centre")
        database = centre.__enter__()
        without_lamps(machine)
        centre.serve(debian.served, PORT)
        until(lambda: machine.gateway()["centre"].get("receipt_ago_s") is not None, "no receipt comes")
        assert "by themselves in 30 days" in update(machine)
        debian.plan(1, FIRST, cabinets=())
        assert "does not concern this cabinet" in update(machine)
        assert versions(machine) == ["1.0", "1.0"]
        debian.plan(2, FIRST)
        assert "being installed (2 packages)" in update(machine)
        machine.wait_for_end()
    try:
        with Machine(root) as machine:
            centre.follow(machine)
            assert over(machine) == {"outcome": "kept", "why": None, "before": None}
            assert versions(machine) == ["2.0", "2.0"]
            kept = [(event.SYSTEM_UPDATE, None, [FIRST, None, "kept", None])]
            until(lambda: told(database) == kept, "the centre is not told")
            assert "the system has Debian's updates" in update(machine)
            debian.plan(3, SECOND)
            assert "being installed (2 packages)" in update(machine)
            machine.wait_for_end()
        with Machine(root) as machine:
            assert versions(machine) == ["3.0", "3.0"]
            machine.wait_for_end()
        with Machine(root) as machine:
            centre.follow(machine)
            assert over(machine) == {"outcome": "rolled-back", "why": "agent", "before": FIRST}
            assert versions(machine) == ["2.0", "2.0"]
            runs(machine, "0.1.0")
            failed = [
                (event.SYSTEM_UPDATE, None, [SECOND, FIRST, "rolled-back", "agent"]),
                (event.SYSTEM_UPDATE_FAILURE, True, [SECOND, "agent", "small-one small-two"]),
            ]
            until(lambda: told(database) == [*kept, *failed], "the centre is not told of the failure")
            assert "only another campaign" in update(machine)
            debian.plan(3, SECOND, cabinets=())  # it was stopped
            assert "does not concern this cabinet" in update(machine)
    finally:
        centre.__exit__()


def test_alone_for_a_month_through_a_power_cut_and_a_python_that_does_not_run(root, packages, tmp_path):
    """No centre is reached: the month is over by the date of a file."""
    debian = Debian(root, tmp_path, "copy:/root/served")
    today = datetime.now(UTC)
    for day in (today, today + timedelta(days=1)):
        debian.publish(f"{day:%Y%m%d}T000000Z", {"small-one": ("2.0", None, HALF), "small-two": ("2.0", NO_PYTHON)})
    shutil.copytree(debian.served, root / "root/served")
    shutil.copy(packages[0], root / "root")
    quick = root / "etc/systemd/system/bocage-trial.service.d/quick.conf"
    quick.parent.mkdir()
    quick.write_text("[Service]\nRestartSec=1\n")
    with Machine(root) as machine:
        installed(machine, packages[0].name)
        without_lamps(machine)
        runs(machine, "0.1.0")
        assert "by themselves in 30 days" in update(machine)
        month_ago = time.time() - 31 * 86_400
        os.utime(machine.path(f"{FOLDER}/system-heard"), (month_ago, month_ago))
        assert "being installed (2 packages)" in update(machine)
        until(lambda: machine.path("/root/half").exists(), "dpkg does not come so far")
    (root / "root/was-cut").touch()
    with Machine(root) as machine:  # goes on
        machine.wait_for_end()
    with Machine(root) as machine:  # neither the agent nor the program of the trial runs: the script takes them back
        machine.wait_for_end()
    with Machine(root) as machine:
        assert over(machine) == {"outcome": "rolled-back", "why": "interrupted", "before": None}
        assert versions(machine) == ["1.0", "1.0"]
        runs(machine, "0.1.0")
        assert "by themselves in 30 days" in update(machine)
