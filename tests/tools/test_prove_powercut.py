"""A short look of the proof on power cuts, and the planted bugs that it must see."""

import json

import pytest

from gateway.core.custody.journal import Journal
from tools import cli
from tools.prove import powercut


def test_nothing_acknowledged_is_lost_at_any_operation_looked_at(capsys):
    assert cli.main(["prove", "powercut", "--seed", "2", "--every", "17", "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert figures["starts"] == figures["operations"] > 15
    assert figures["cuts"] > figures["operations"], "some cuts come in a row"
    assert figures["acknowledged"] > 1000
    assert figures["let_go"] > 0, "the run crosses the cap of the journal"
    assert figures["lost"] == figures["duplicated"] == figures["altered"] == figures["failed"] == 0


class AcknowledgesAtAppend(Journal):
    """Planted: reports durable what was only written."""

    early = ()

    def flush(self):
        ticket = super().flush()
        if ticket is not None:
            self.early = [*self.early, *super().on_synced(ticket, None)]
        return ticket

    def on_synced(self, ticket, error):
        early, self.early = self.early, ()
        return list({end.lane: end for end in early}.values())


class TrustsTheNextSync(Journal):
    """Planted: after a failed sync, syncs the same file again and believes the answer."""

    def on_synced(self, ticket, error):
        if error is not None:
            self._flushes.pop(ticket)
            for name in self._disk.list():
                self._files.mark(name)
            return []
        return super().on_synced(ticket, error)


class FreesOneTooMany(Journal):
    """Planted: an off-by-one on the watermark."""

    def free_through(self, stream, position):
        super().free_through(stream, position + 1)


@pytest.mark.parametrize("planted", [AcknowledgesAtAppend, TrustsTheNextSync, FreesOneTooMany])
def test_a_planted_bug_is_caught(planted, monkeypatch, capsys):
    monkeypatch.setattr("gateway.core.gateway.Journal", planted)
    figures = powercut.prove(1, 1, every=6)
    assert figures["lost"] > 0 and not powercut.is_proven(figures)


class DoesNotComeBack(Journal):
    """Planted: more than one damaged file stops the start; the reference run itself leaves one."""

    def recover(self):
        report = super().recover()
        assert report.damages_count < 2, "a torn folder"
        return report


def test_a_start_that_fails_is_counted_and_told(monkeypatch, capsys):
    monkeypatch.setattr("gateway.core.gateway.Journal", DoesNotComeBack)
    figures = powercut.prove(1, 1, every=17)
    assert figures["failed"] > 0 and not powercut.is_proven(figures)
    assert "a torn folder" in capsys.readouterr().err


def test_a_gateway_that_thins_without_a_durable_explanation_is_caught(monkeypatch, capsys):
    monkeypatch.setattr("gateway.core.own.OwnRecords.explain", lambda own, body: ("event", -1))
    figures = powercut.prove(1, 1, every=17)
    assert figures["lost"] > 0 and not powercut.is_proven(figures)
