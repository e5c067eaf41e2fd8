"""A real cabinet in a network namespace whose fibre goes away: mobile carries, and nothing is lost or doubled."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from simulator.rig.rig import find_mosquitto
from simulator.rig.two_paths import CABINET, TwoPaths, why_not

# Not `live`: where namespaces are refused this is skipped, and that must be allowed.
pytestmark = [pytest.mark.root, pytest.mark.slow]

REPOSITORY = Path(__file__).resolve().parents[2]
ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join([str(REPOSITORY / "firmware"), str(REPOSITORY)])}


@pytest.fixture(autouse=True)
def parts():
    if find_mosquitto() is None:
        pytest.skip("no Mosquitto: apt-get install mosquitto")
    missing = why_not()
    if missing is not None:
        pytest.skip(missing)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("scenario", ["cut", "black-hole"])
def test_mobile_carries_when_fibre_goes_and_nothing_is_lost(tmp_path, scenario, record_property):
    arguments = ["prove", "bearers", "--scenario", scenario, "--no-return", "--folder", str(tmp_path), "--json"]
    done = subprocess.run(
        [sys.executable, "-m", "tools", *arguments],
        capture_output=True,
        text=True,
        timeout=280,
        env=ENVIRONMENT,
        cwd=REPOSITORY,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    figures = json.loads(done.stdout)
    record_property("detect_s", figures[f"{scenario}_detect_s"])
    assert figures["lost"] == figures["duplicated"] == figures["altered"] == 0
    assert figures["acknowledged"] > 100
    assert figures[f"{scenario}_changes"] == 1
    assert figures[f"{scenario}_mobile_bytes"] > 10_000, "the load went by mobile"


def test_what_a_killed_run_left_hinders_no_later_one():
    script = (
        "import time; from simulator.rig.two_paths import TwoPaths\nwith TwoPaths(): print(flush=True); time.sleep(60)"
    )
    killed = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, cwd=REPOSITORY, env=ENVIRONMENT)
    assert killed.stdout.readline() == b"\n"
    killed.kill()
    killed.wait()
    with TwoPaths(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as node:
        node.settimeout(5)
        node.connect((CABINET, 5683))
        node.send(b"nobody listens")
        with pytest.raises(ConnectionRefusedError):  # the cabinet's kernel answers
            node.recv(1)
