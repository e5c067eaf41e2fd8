"""`bocage centre alarms`: what has begun and not ended, in words, with what to do."""

import json

import pytest

from tests.support.centre_world import EVENT_TOPIC, NODE, NOW, batch, fact
from tools import cli
from tools.centre.ingest.warehouse import Warehouse
from wire import event

OTHER = bytes.fromhex("00000000000000a2")


@pytest.fixture
def alarms(tmp_path, capsys):
    """Runs the command on a warehouse with these facts."""

    def run(facts, *arguments):
        path = str(tmp_path / "centre.db")
        warehouse = Warehouse(path)
        if facts:
            warehouse.accept(EVENT_TOPIC, batch(facts, lane="alarm"), **NOW)
        warehouse.close()
        assert cli.main(["centre", "alarms", "--db", path, *arguments]) == 0
        return capsys.readouterr().out

    return run


def test_no_alarm_is_said(alarms):
    assert alarms([]) == "Aucune alarme en cours.\n"


def test_what_stands_is_told_with_what_to_do_and_what_has_ended_is_not(alarms):
    said = alarms([
        fact(1, event.PIPE_BURST, [3, 41_200], active=True),
        fact(2, event.LAMP_FAILURE, {1: 3}, active=True, node=OTHER),
        fact(3, event.FROST_PROTECTION, [430], active=True),
        fact(4, event.FROST_PROTECTION, [1500], active=False),
    ])  # fmt: skip
    lamp, lamp_do, burst, burst_do = said.splitlines()
    assert "00000000000000a2  49007-mairie-1  La lampe n'éclaire pas alors qu'elle est allumée" in lamp
    assert lamp_do.strip().startswith("→ à faire : voir le fusible en pied de candélabre")
    assert "Canalisation rompue (zone 3, 41,2 L/min)" in burst and "acquitter" in burst_do


def test_two_zones_are_two_alarms_and_a_repetition_is_none(alarms):
    found = json.loads(
        alarms(
            [
                fact(1, event.FLOW_TOO_LOW, [1, 100, 900], active=True),
                fact(2, event.FLOW_TOO_LOW, [2, 200, 900], active=True),
                fact(3, event.FLOW_TOO_LOW, [1, 50, 900], active=True),
                fact(4, event.FLOW_TOO_LOW, [2, 900, 900], active=False),
                fact(5, event.CLOCK_FAILURE, ["stopped"], active=None),
            ],
            "--json",
            "--lang",
            "en",
        )
    )
    (one,) = found
    assert one["event"] == "flowTooLow" and one["since_unix_s"] == 1_790_000_001 and one["node"] == NODE.hex()
    assert one["sentence"] == "Zone 1: too little water, 0.1 L/min for 0.9 L/min expected"
    assert one["to_do"].startswith("clean the filter")


def test_two_nodes_that_send_too_much_are_two_alarms_of_their_gateway(alarms):
    said = alarms([
        fact(1, event.FAIR_USE_EXCEEDED, [NODE, 256, 3, 900], active=True),
        fact(2, event.FAIR_USE_EXCEEDED, [OTHER, 1, 512, 900], active=True),
        fact(3, event.FAIR_USE_EXCEEDED, [NODE, 0, 0, 0], active=False),
    ])  # fmt: skip
    (one, remedy) = said.splitlines()
    assert OTHER.hex() in one and "512 événements" in one and "adopt --remove" in remedy
