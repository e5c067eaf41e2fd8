"""Real processes killed with -9: every acknowledged record is in the warehouse exactly once, digit for digit."""

import contextlib
import itertools
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from simulator.hosts.vm import micropythons
from simulator.rig.postgresql import programs
from simulator.rig.rig import Part, find_mosquitto
from simulator.world.chance import Prng
from tools.prove.kill import kinds

pytestmark = [pytest.mark.live, pytest.mark.broker, pytest.mark.vm, pytest.mark.slow]

REPOSITORY = Path(__file__).resolve().parents[2]
ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join([str(REPOSITORY / "firmware"), str(REPOSITORY)])}


def bocage(*arguments, timeout_s):
    return subprocess.run(
        [sys.executable, "-m", "tools", *arguments],
        capture_output=True,
        text=True,
        timeout=timeout_s,
        env=ENVIRONMENT,
        cwd=REPOSITORY,
    )


@pytest.fixture(autouse=True)
def parts():
    if find_mosquitto() is None:
        pytest.skip("no Mosquitto: apt-get install mosquitto")
    if not micropythons():
        pytest.skip("no MicroPython VM: apt-get install micropython")


@pytest.mark.timeout(600)
@pytest.mark.parametrize("engine", ["sqlite", pytest.param("postgresql", marks=pytest.mark.services)])
def test_kills_and_freezes_of_any_part_lose_and_double_nothing(engine, tmp_path):
    """Twenty rounds of a seed that has every kind of them among its first; `bocage prove kill` goes on."""
    if engine == "postgresql" and programs() is None:
        pytest.skip("no PostgreSQL: apt-get install postgresql")
    words = ["--rounds", "20", "--seed", "349", "--engine", engine, "--folder", str(tmp_path)]
    done = bocage("prove", "kill", *words, "--json", timeout_s=580)
    assert done.returncode == 0, done.stdout + done.stderr
    figures = json.loads(done.stdout)
    killed = ("gateway", "broker", "ingest", "worker", *(["database"] if engine == "postgresql" else []))
    assert all(figures[f"kills_{part}"] >= 3 for part in killed)
    assert figures["freezes_broker"] >= 4
    assert figures["acknowledged"] > 300
    assert figures["lost"] == figures["duplicated"] == figures["altered"] == figures["recounted_otherwise"] == 0
    assert figures["rolled_up"] >= 6  # an hour and a day of each node at least
    assert figures["stored"] >= figures["acknowledged"]
    assert "round 20/20" in done.stderr


def processes_of(folder):
    """Command lines that name a folder."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            found.append(path.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
    return [line for line in found if str(folder) in line]


@pytest.mark.timeout(120)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_proof_leaves_no_process_behind(number, tmp_path):
    folder = tmp_path / "rig"
    proof = subprocess.Popen(
        [sys.executable, "-m", "tools", "prove", "kill", "--rounds", "1000", "--nodes", "1", "--folder", str(folder)],
        env=ENVIRONMENT,
        cwd=REPOSITORY,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        # Whoever runs the tests in the background of a shell has it ignored, and hands that on.
        preexec_fn=lambda: signal.signal(number, signal.SIG_DFL),
    )
    try:
        while len(processes_of(folder)) < 4:  # the proof itself, broker, ingest, gateway
            assert proof.poll() is None
            time.sleep(0.05)
        proof.send_signal(number)
        assert proof.wait(60) == 130
        assert processes_of(folder) == []
    finally:
        proof.kill()


def test_a_frozen_part_ends_all_the_same(tmp_path):
    part = Part("sleeper", [sys.executable, "-c", "import time; time.sleep(600)"], tmp_path / "log")
    part.start()
    part.freeze()
    part.stop()
    assert not part.running() and part.freezes == 1
    part.start()
    part.freeze()
    part.thaw()
    assert part.running()
    part.kill()
    assert not part.running() and part.kills == 1


def test_each_kind_of_round_has_its_share_in_any_deck():
    drawn = list(itertools.islice(kinds(Prng(4)), 100))
    assert Counter(drawn[:50]) == Counter(drawn[50:]) and drawn[:50] != drawn[50:]
    every = {"gateway", "broker", "ingest", "worker", "database", "freeze", "freeze-kill", "long-freeze"}
    assert set(drawn) == set(itertools.islice(kinds(Prng(349).split("kinds")), 20)) == every


# A gateway that acknowledges every fifth record without having kept it.
PLANTED = """
import itertools, sys
from gateway.core.inbox.inbox import Inbox
place, count = Inbox._place, itertools.count()
def forgetful(self, *arguments):
    return ("telemetry", -1) if next(count) % 5 == 4 else place(self, *arguments)
Inbox._place = forgetful
from tools.cli import main
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.timeout(300)
def test_a_gateway_that_acknowledges_what_it_does_not_keep_is_caught(tmp_path, monkeypatch):
    from simulator.rig import rig as rig_module
    from simulator.rig.live import conclude
    from simulator.rig.rig import Rig

    planted = tmp_path / "planted.py"
    planted.write_text(PLANTED, encoding="utf-8")
    monkeypatch.setattr("simulator.rig.live._DRAIN_S", 5)
    rig = Rig(tmp_path / "rig", nodes=0, crowd=2)
    rig.gateway = rig_module.Part(
        "gateway",
        [sys.executable, str(planted), "gateway", "run", "--config", str(tmp_path / "rig/gateway.toml"), "--insecure"],
        tmp_path / "gateway.log",
    )
    rig.parts = (rig.broker, rig.ingest, rig.gateway)
    with rig:
        log = tmp_path / "gateway.log"
        assert rig.wait_until(lambda: rig.delivery.acknowledged_count() > 20, 60), log.read_text()
        figures = conclude(rig)
    assert figures["lost"] > 0


@pytest.mark.timeout(300)
def test_three_micropython_nodes_tell_their_story_over_udp(tmp_path):
    done = bocage("live", "--seconds", "12", "--folder", str(tmp_path), "--json", timeout_s=280)
    assert done.returncode == 0, done.stdout + done.stderr
    figures = json.loads(done.stdout)
    assert figures["lost"] == figures["duplicated"] == figures["altered"] == 0
    assert figures["acknowledged"] >= 3, "each node acknowledges its boot report at least"
