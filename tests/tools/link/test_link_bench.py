"""`tools.bench.link`: protected telemetry keeps its bound on every interpreter, and the figures are there."""

import argparse
import json
import sys

import pytest

from tools.bench import link


@pytest.mark.every_vm
@pytest.mark.vm
def test_on_a_vm_a_protected_message_keeps_its_bound(micropython):
    acts = link.measure(micropython)["acts"]
    assert acts["clear_message"]["encoded"] < acts["link_message"]["encoded"] <= link.PROTECTED_BYTES_MAX
    assert acts["clear_message"]["allocated"] < acts["link_message"]["allocated"] < acts["handshake"]["allocated"]


@pytest.mark.slow
def test_the_figures_are_one_json_object(monkeypatch, capsys):
    monkeypatch.setattr(link, "micropythons", list)
    assert link.run(argparse.Namespace(json=True)) == 0
    figures = json.loads(capsys.readouterr().out)
    (row,) = figures["rows"]
    assert figures["gateway"]["messages"] == 20 * 500 and figures["gateway"]["messages_per_s"] > 0
    assert row["interpreter"].startswith(sys.version.split()[0])
    assert row["acts"]["link_message"]["encoded"] <= 80 < row["acts"]["handshake"]["encoded"] < 110


@pytest.mark.slow
def test_a_longer_message_fails_the_bench(monkeypatch, capsys):
    monkeypatch.setattr(link, "micropythons", list)
    monkeypatch.setattr(link, "PROTECTED_BYTES_MAX", 75)
    assert link.run(argparse.Namespace(json=False)) == 1
    said = capsys.readouterr().out
    assert "76 B datagram" in said and "contexts 500" in said
