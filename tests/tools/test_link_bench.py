"""`tools.bench.link`: protected telemetry keeps its bound on every interpreter, and the figures are there."""

import argparse
import json
import sys

import pytest

from tools.bench import link


@pytest.mark.vm
def test_on_a_vm_a_protected_message_keeps_its_bound(micropython):
    acts = link.measure(micropython)["acts"]
    assert acts["clear_request"]["encoded"] < acts["protected_request"]["encoded"] <= link.PROTECTED_BYTES_MAX
    assert acts["protected_request"]["allocated"] > 0


def test_the_figures_are_one_json_object(monkeypatch, capsys):
    monkeypatch.setattr(link, "virtual_machines", list)
    assert link.run(argparse.Namespace(json=True)) == 0
    (row,) = json.loads(capsys.readouterr().out)["rows"]
    assert row["interpreter"].startswith(sys.version.split()[0])
    assert row["acts"]["protected_request"]["encoded"] == 78


def test_a_longer_message_fails_the_bench(monkeypatch, capsys):
    monkeypatch.setattr(link, "virtual_machines", list)
    monkeypatch.setattr(link, "PROTECTED_BYTES_MAX", 77)
    assert link.run(argparse.Namespace(json=False)) == 1
    assert "78 B datagram" in capsys.readouterr().out
