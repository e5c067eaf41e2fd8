"""A short look of the proof on power cuts, and the planted bugs that it must see."""

import json

import pytest

from gateway.core.custody.journal import Journal
from tests.support.planted_journals import PLANTED
from tools import cli
from tools.prove import powercut


@pytest.mark.slow
def test_nothing_acknowledged_is_lost_at_any_operation_looked_at(capsys):
    assert cli.main(["prove", "powercut", "--seed", "2", "--every", "17", "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert figures["starts"] == figures["operations"] > 15
    assert figures["cuts"] > figures["operations"], "some cuts come in a row"
    assert figures["acknowledged"] > 1000
    assert figures["let_go"] > 0, "the run crosses the cap of the journal"
    assert figures["lost"] == figures["duplicated"] == figures["altered"] == figures["failed"] == 0


@pytest.mark.slow
@pytest.mark.parametrize("planted", PLANTED)
def test_a_planted_bug_is_caught(planted, monkeypatch, capsys):
    monkeypatch.setattr("gateway.core.gateway.Journal", planted)
    figures = powercut.prove(1, 1, every=31)
    assert figures["lost"] > 0 and not powercut.is_proven(figures)


class DoesNotComeBack(Journal):
    """Planted: more than one damaged file stops the start; the reference run itself leaves one."""

    def recover(self):
        report = super().recover()
        assert report.damages_count < 2, "a torn folder"
        return report


@pytest.mark.slow
def test_a_start_that_fails_is_counted_and_told(monkeypatch, capsys):
    monkeypatch.setattr("gateway.core.gateway.Journal", DoesNotComeBack)
    figures = powercut.prove(1, 1, every=31)
    assert figures["failed"] > 0 and not powercut.is_proven(figures)
    assert "a torn folder" in capsys.readouterr().err


@pytest.mark.slow
def test_a_gateway_that_thins_without_a_durable_explanation_is_caught(monkeypatch, capsys):
    monkeypatch.setattr("gateway.core.own_records.OwnRecords.explain", lambda own, body, *, now_ms: ("event", -1))
    figures = powercut.prove(1, 1, every=31)
    assert figures["lost"] > 0 and not powercut.is_proven(figures)
