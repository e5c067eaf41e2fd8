"""A gateway brings itself up to date in a clean, booted Debian: by a campaign of a centre beside it, and from a stick.

Everything is real but the network: dpkg, apt and its signatures, systemd, the agent, a broker, the ingest. Not `live`:
where namespaces are refused this is skipped.
"""

import json
import re
import shutil
import subprocess
import time
from contextlib import closing

import pytest

from gateway.shell.self_update import PORT
from simulator.rig.rig import find_mosquitto
from tests.gateway.shell.test_images import packed
from tests.support.debian_machine import Machine
from tests.support.packaged_gateway import UNIT, Centre, is_active, setup, until
from tools.centre.agents import campaign, programs, repository
from tools.centre.store import bodies, schema
from tools.package import build, contents
from wire import event

pytestmark = [
    pytest.mark.root,
    pytest.mark.services,
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.skipif(
        not all(map(shutil.which, ("dpkg-deb", "apt-ftparchive", "gpg"))),
        reason="no apt-ftparchive or gpg program: apt-get install apt-utils gpg",
    ),
]

CONFIG = "/etc/bocage/gateway.toml"
NAME = "49135-cab-1"
FOLDER = "/var/lib/bocage-update"
UPDATE, TRIAL = "bocage-update.service", "/etc/systemd/system/bocage-trial.service"
WATCH_S = 40


@pytest.fixture
def bench(root, tmp_path):
    return Bench(root, tmp_path)


class Bench:
    """A root with version 0.1.0, keys of the territory and of a stranger, and a repository in a folder."""

    def __init__(self, root, folder):
        self.root, self.folder, self.repository = root, folder, folder / "agents"
        for whose in ("territory", "stranger"):
            public = repository.make_key(folder / f"{whose}.key", whose)
            (root / f"root/{whose}.asc").write_bytes(public)
        self.publish("0.1.0")
        shutil.copy(folder / "bocage-gateway_0.1.0_all.deb", root / "root")

    def publish(self, version, *, whose="territory", files=None):
        """Builds a version and signs it in. `files`: {name of a file of the package: (what is replaced, by what)}."""
        made = build.build(contents.GATEWAY, self.folder, version=version, maintainer=build.MAINTAINER, epoch=1)
        if files:
            tree = self.folder / f"tree-{version}"
            subprocess.run(["dpkg-deb", "--raw-extract", str(made), str(tree)], check=True)
            for name, (before, after) in files.items():
                path = tree / name
                path.write_text(path.read_text().replace(before, after, 1))
            subprocess.run(["dpkg-deb", "--root-owner-group", "--build", str(tree), str(made)], check=True,
                           capture_output=True)  # fmt: skip
        repository.publish(self.repository, made, self.folder / f"{whose}.key")

    def plan(self, number, version, cabinets=(NAME,)):
        plan = campaign.begin(None, version, cabinets, after_s=3600, watch_s=WATCH_S, now_s=0)
        campaign.save(self.repository / "plan.json", plan._replace(number=number))


    def want(self, number, *, stopped_s=None):
        """Publishes a program of thermostats, and the plan that brings it to this cabinet, or that was stopped."""
        made = self.folder / f"{number}.img"
        made.write_bytes(packed(number, "thermostat"))
        programs.publish(self.repository, made)
        stages = campaign.begin(None, str(number), (NAME,), after_s=0, watch_s=0, now_s=1)
        if stopped_s is not None:
            stages = campaign.stop(stages, now_s=stopped_s)
        plan = programs.NodePlan("thermostat", number, 3, 86_400, 1, 10, stages)
        programs.save(self.repository / "nodes.json", [plan])


def without_lamps(machine):
    """Makes it a gateway that lights nothing, which may be updated at any hour: the test runs at any."""
    path = machine.path(CONFIG)
    parts = re.split(r"^(?=\[)", path.read_text(), flags=re.MULTILINE)
    kept = [part for part in parts if not part.startswith(("[cabinet", "[[cabinet", "[link"))]
    path.write_text("".join(kept) + '\n[link]\nbind = "127.0.0.1:5683"\n')
    machine.run("systemctl", "restart", UNIT)


def version(machine):
    """What dpkg holds for installed and whole; None: nothing."""
    shown = machine.run("dpkg-query", "--show", "--showformat=${db:Status-Abbrev}${Version}", "bocage-gateway").stdout
    return shown.removeprefix("ii ") if shown.startswith("ii ") else None


def update(machine, *words, status=0):
    done = machine.run("bocage", "gateway", "update", "--config", CONFIG, *words, "--lang", "en", check=False)
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout + done.stderr


def outcome(machine):
    return json.loads(machine.path(f"{FOLDER}/outcome.json").read_text())


def over(machine):
    """The trial that was begun is over; what became of it."""
    until(lambda: not machine.path(TRIAL).exists(), "the trial does not end")
    until(lambda: not machine.path(f"{FOLDER}/runner").exists(), "what led the trial stays")
    assert not machine.path(f"{FOLDER}/trial.json").exists()
    return outcome(machine)


def runs(machine, wanted):
    """The agent runs, as that version, and dpkg knows of it."""
    until(lambda: is_active(machine) and machine.gateway().get("phase") == "running", "no agent runs")
    found = {version(machine), machine.gateway()["version"], machine.run("bocage", "--version").stdout.split()[1]}
    assert found == {wanted}


def told(database):
    """What the warehouse holds of updates: [(code, active, detail)], in order."""
    codes = (event.AGENT_UPDATE, event.AGENT_UPDATE_FAILURE)
    return [(one.code, one.active, list(one.detail)) for one in held(database) if getattr(one, "code", None) in codes]


def events(database):
    """What the warehouse holds of any code: [(code, detail)]."""
    return [(one.code, one.detail) for one in held(database) if hasattr(one, "code")]


def held(database):
    with closing(schema.open_to_read(str(database))) as connection:
        rows = connection.execute("SELECT body FROM records ORDER BY boot, sequence").fetchall()
    return [bodies.decode(body) for (body,) in rows]


def campaigns(machine):
    """What the agent says of the campaigns that bring its nodes programs."""
    return [(one["product"], one["number"], one["phase"]) for one in machine.gateway().get("campaigns") or ()]


def brings_a_program_to_its_nodes(bench, machine, database):
    bench.want(7)
    assert 'program no. 7 for "thermostat" is fetched' in update(machine)
    until(lambda: campaigns(machine) == [("thermostat", 7, "canary")], "the agent does not follow the campaign")
    until(lambda: (event.CAMPAIGN, ["thermostat", 7, "canary", 0, 0]) in events(database), "it is not told")
    bench.want(7, stopped_s=int(time.time()))
    assert "the centre has stopped the campaign" in update(machine)
    until(lambda: campaigns(machine) == [("thermostat", 7, "stopped")], "the agent goes on")


def test_a_campaign_brings_a_version_takes_a_broken_one_back_and_refuses_a_strangers(bench, tmp_path):
    if find_mosquitto() is None:
        pytest.skip("no Mosquitto: apt-get install mosquitto")
    (tmp_path / "centre").mkdir()
    with Machine(bench.root) as machine:
        machine.apt("install", "/root/bocage-gateway_0.1.0_all.deb")
        assert machine.status("bocage-update.timer", "ActiveState") == {"ActiveState": "active"}
        setup(machine)
        centre = Centre(machine, tmp_path / "centre")
        with centre as database:
            without_lamps(machine)
            centre.serve(bench.repository, PORT)
            until(lambda: machine.gateway()["centre"].get("receipt_ago_s") is not None, "no receipt comes")

            bench.publish("0.2.0")
            bench.plan(1, "0.2.0", cabinets=())
            assert "no key for packages" in update(machine)
            update(machine, "--trust", "/root/territory.asc")
            assert "does not concern this cabinet" in update(machine)

            bench.plan(2, "0.2.0")
            machine.run("systemctl", "start", UPDATE)
            assert over(machine) == {
                "number": 2, "version": "0.2.0", "before": "0.1.0", "outcome": "kept", "why": None,
            }  # fmt: skip
            runs(machine, "0.2.0")
            kept = [(event.AGENT_UPDATE, None, ["0.2.0", "0.1.0", "kept", None])]
            until(lambda: told(database) == kept, "the centre is not told")
            brings_a_program_to_its_nodes(bench, machine, database)
            assert "it runs" in update(machine)

            # The agent of this version ends at once, and so do its commands.
            bench.publish("0.3.0", files={"usr/share/bocage/gateway/__init__.py": ("", "raise SystemExit(3)\n")})
            bench.plan(3, "0.3.0")
            update(machine)
            found = over(machine)
            assert (found["outcome"], found["why"], found["before"]) == ("rolled-back", "agent", "0.2.0")
            runs(machine, "0.2.0")
            failed = [
                (event.AGENT_UPDATE, None, ["0.3.0", "0.2.0", "rolled-back", "agent"]),
                (event.AGENT_UPDATE_FAILURE, True, ["0.3.0", "agent"]),
            ]
            until(lambda: told(database) == [*kept, *failed], "the centre is not told of the failure")
            assert "only another campaign" in update(machine)

            bench.publish("0.4.0", whose="stranger")
            bench.plan(4, "0.4.0")
            assert "not signed by the key" in update(machine, status=1)
            runs(machine, "0.2.0")
            until(lambda: told(database)[-2:] == [
                (event.AGENT_UPDATE_FAILURE, False, ["0.4.0", "signature"]),
                (event.AGENT_UPDATE_FAILURE, True, ["0.4.0", "signature"]),
            ], "the centre is not told of the stranger")  # fmt: skip


def test_power_that_fails_within_dpkg_is_gone_on_from(bench):
    """From a stick, without a centre: what comes is noticed by hand, and the hour does not count."""
    # Between unpacking and configuring: only the first time.
    waits = "set -e\n[ -e /root/was-cut ] || { touch /root/half; sleep 600; }\n"
    bench.publish("0.2.0", files={"DEBIAN/postinst": ("set -e\n", waits)})
    shutil.copytree(bench.repository, bench.root / "root/agents")
    with Machine(bench.root) as machine:
        machine.apt("install", "/root/bocage-gateway_0.1.0_all.deb")
        setup(machine)
        machine.run("systemctl", "restart", UNIT)
        runs(machine, "0.1.0")
        update(machine, "--trust", "/root/territory.asc")
        assert "0.1.0 runs; 0.2.0 is being installed" in update(machine, "--from", "/root/agents")
        until(lambda: machine.path("/root/half").exists(), "dpkg does not come so far")
        assert "on trial" in update(machine)
    assert (bench.root / TRIAL.removeprefix("/")).exists(), "what was cut off is not forgotten"
    (bench.root / "root/was-cut").touch()
    trial = bench.root / f"{FOLDER}/trial.json".removeprefix("/")
    trial.write_text(json.dumps({**json.loads(trial.read_text()), "watch_s": WATCH_S}))  # not the 20 minutes of a stick
    with Machine(bench.root) as machine:
        found = over(machine)
        assert (found["version"], found["outcome"], found["why"]) == ("0.2.0", "kept", None), found
        runs(machine, "0.2.0")
        machine.apt("purge", "bocage-gateway")
        assert not machine.path(FOLDER).exists()
