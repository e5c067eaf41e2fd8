"""Real processes killed with -9: every acknowledged record is in the warehouse exactly once, digit for digit."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from simulator.rig import find_mosquitto
from simulator.vm import find_micropython

pytestmark = [pytest.mark.live, pytest.mark.broker, pytest.mark.vm, pytest.mark.slow]

REPOSITORY = Path(__file__).resolve().parents[2]
KILLS_EACH = 20


def bocage(*arguments, timeout_s):
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(REPOSITORY / "firmware"), str(REPOSITORY)])}
    return subprocess.run(
        [sys.executable, "-m", "tools", *arguments],
        capture_output=True,
        text=True,
        timeout=timeout_s,
        env=environment,
        cwd=REPOSITORY,
    )


@pytest.fixture(autouse=True)
def parts():
    if find_mosquitto() is None:
        pytest.skip("no Mosquitto: apt-get install mosquitto")
    if find_micropython() is None:
        pytest.skip("no MicroPython VM: apt-get install micropython")


@pytest.mark.timeout(600)
def test_twenty_kills_each_of_gateway_broker_and_ingest_lose_and_double_nothing(tmp_path):
    rounds = str(3 * KILLS_EACH)
    done = bocage(
        "prove", "kill", "--rounds", rounds, "--seed", "7", "--folder", str(tmp_path), "--json", timeout_s=580
    )
    assert done.returncode == 0, done.stdout + done.stderr
    figures = json.loads(done.stdout)
    assert [figures[f"kills_{part}"] for part in ("gateway", "broker", "ingest")] == [KILLS_EACH] * 3
    assert figures["acknowledged"] > 1000
    assert figures["lost"] == figures["duplicated"] == figures["altered"] == 0
    assert figures["stored"] >= figures["acknowledged"]


# A gateway that acknowledges every fifth record without having kept it.
PLANTED = """
import itertools, sys
from gateway.core.inbox import Inbox
place, count = Inbox._place, itertools.count()
def forgetful(self, node, made, data):
    return ("telemetry", -1) if next(count) % 5 == 4 else place(self, node, made, data)
Inbox._place = forgetful
from tools.cli import main
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.timeout(300)
def test_a_gateway_that_acknowledges_what_it_does_not_keep_is_caught(tmp_path, monkeypatch):
    from simulator import rig as rig_module
    from simulator.live import conclude
    from simulator.rig import Rig

    planted = tmp_path / "planted.py"
    planted.write_text(PLANTED, encoding="utf-8")
    monkeypatch.setattr("simulator.live._DRAIN_S", 5)
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
