"""The benchmark of commands: it measures what gateways say, and what fails shows in its figures and its status."""

import json

import pytest

pytest.importorskip("paho.mqtt.client", reason="paho-mqtt is not installed")
pytest.importorskip("cryptography", reason="cryptography is not installed")

from tests.support.control_rig import ControlRig
from tests.support.control_world import INSEE
from tools import cli
from tools.bench.command import Switched, figures
from tools.centre.control import orders


def took(measured_ms):
    return Switched("49135-cab-1", 100, {"received": 1.0, "applied": 2.0, "measured": measured_ms}, "measured")


def test_percentiles_are_those_of_the_nearest_rank_and_a_failure_fails():
    found = figures([took(float(number)) for number in range(1, 101)], 5)
    assert found["measured_ms"] == {"p50": 50.0, "p95": 95.0, "p100": 100.0} and found["passed"]
    assert not figures([took(5001.0)], 5)["passed"]
    found = figures([took(1.0), took(None)._replace(became="refused limit")], 5)
    assert (found["failed"], found["failures"], found["passed"]) == (1, ["refused limit"], False)
    assert figures([], 5)["measured_ms"]["p95"] is None and not figures([], 5)["passed"]


@pytest.fixture
def rig(tmp_path, mosquitto_path):
    rig = ControlRig(tmp_path, mosquitto_path)
    yield rig
    rig.close()


def run(rig, *words):
    usual = ("command", "--db", str(rig.path), "--key", str(rig.key), "--target", "bourg")
    return cli.main(["bench", *usual, *words])


@pytest.mark.broker
@pytest.mark.live
def test_commands_to_two_gateways_are_measured_and_ended(rig, capsys):
    rig.daemon()
    gateways = ("--gateway", f"{INSEE}-cab-1", "--gateway", f"{INSEE}-cab-2")
    for name in ("cab-1", "cab-2"):
        rig.gateway(name, obeys={"bourg": 4480})
        rig.until_heard(name)
    capsys.readouterr()
    assert run(rig, *gateways, "--rounds", "3", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["commands"], found["failed"], found["passed"]) == (6, 0, True)
    assert 0 < found["received_ms"]["p50"] <= found["applied_ms"]["p50"] <= found["measured_ms"]["p50"]
    kept = [one.command for one in rig.look(orders.latest, 99)]
    switched = {one.id: one.level for one in kept if one.level is not None}
    assert sorted(switched.values()) == [0, 0, 100, 100, 100, 100]
    assert {one.ends for one in kept if one.ends} == set(switched)


@pytest.mark.broker
@pytest.mark.live
def test_a_gateway_that_refuses_fails_and_so_does_a_bench_without_a_daemon(rig, capsys):
    assert run(rig, "--gateway", f"{INSEE}-cab-1") == 1
    assert "no `bocage centre control`" in capsys.readouterr().err
    rig.daemon()
    rig.gateway("cab-1", refuses="limit")
    rig.until_heard("cab-1")
    assert run(rig, "--gateway", f"{INSEE}-cab-1", "--rounds", "1") == 1
    said = capsys.readouterr().out
    assert "1 commands, 1 failed" in said and "failed: refused limit" in said
