"""A broker that goes away from its gateways and comes back: they ask as the limits say, and no record is lost."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.core import limits
from simulator.rig.rig import find_mosquitto
from tools.prove.fleet import Attempt
from tools.prove.storm import is_hasty, peak_per_s

REPOSITORY = Path(__file__).resolve().parents[2]
ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join([str(REPOSITORY / "firmware"), str(REPOSITORY)])}
AGENTS = 12  # `bocage prove storm` has 200


@pytest.mark.live
@pytest.mark.broker
@pytest.mark.slow
@pytest.mark.timeout(600)
def test_gateways_outlive_a_broker_killed_and_one_that_hangs_up(tmp_path):
    if find_mosquitto() is None:
        pytest.skip("no Mosquitto: apt-get install mosquitto")
    story = ["--agents", str(AGENTS), "--outage", "6", "--kicks", "4", "--watch", "5", "--seed", "3"]
    done = subprocess.run(
        [sys.executable, "-m", "tools", "prove", "storm", *story, "--folder", str(tmp_path), "--json"],
        capture_output=True,
        text=True,
        timeout=580,
        env=ENVIRONMENT,
        cwd=REPOSITORY,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    figures = json.loads(done.stdout)
    # At least the first wait of each gateway ends while the broker is away: 1 s at most of 6 s, and of 4 s.
    assert figures["outage_6s_attempts_away"] >= AGENTS
    assert figures["kicks_attempts_away"] >= AGENTS
    assert figures["acknowledged"] >= 2 * AGENTS
    assert figures["stored"] == figures["acknowledged"] == figures["made"]
    assert figures["lost"] == figures["duplicated"] == figures["altered"] == 0
    assert figures["hasty"] == figures["bunched"] == 0


def attempt(waited_ms, waits):
    return Attempt(gateway=1, at_ms=waited_ms, due_ms=waited_ms, waited_ms=waited_ms, waits=waits)


@pytest.mark.parametrize(("waits", "least_ms"), [(0, 500), (1, 1_000), (6, 32_000), (7, 60_000), (1_000, 60_000)])
def test_an_attempt_is_hasty_before_half_of_its_back_off(waits, least_ms):
    assert limits.UPLINK_RECONNECT_FIRST_MS == 1_000 and limits.UPLINK_RECONNECT_LAST_MS == 120_000
    assert is_hasty(attempt(least_ms - 1, waits))
    assert not is_hasty(attempt(least_ms, waits))


@pytest.mark.parametrize(
    ("times_ms", "peak"), [([], 0), ([5], 1), ([0, 1_000], 1), ([999, 0], 2), ([0, 500, 999, 1_400, 1_499, 2_600], 4)]
)
def test_the_busiest_second_may_begin_at_any_moment(times_ms, peak):
    assert peak_per_s(times_ms) == peak
