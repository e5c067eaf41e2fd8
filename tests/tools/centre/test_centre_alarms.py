"""`bocage centre alarms`: what has begun and not ended, in words, with what to do."""

import json
from itertools import count

import pytest

from tests.support.centre_world import EVENT_TOPIC, NODE, NOW, batch, fact, synced
from tools import cli
from tools.centre.ingest.warehouse import Warehouse
from tools.centre.register.equipment import parse
from wire import event

OTHER = bytes.fromhex("00000000000000a2")


@pytest.fixture
def alarms(tmp_path, capsys):
    """Runs the command on a warehouse with these facts."""

    positions = count()

    def run(facts, *arguments, status=0, command=("alarms",)):
        path = str(tmp_path / "centre.db")
        warehouse = Warehouse(path)
        for one in facts:
            warehouse.accept(EVENT_TOPIC, batch([one], next(positions), oldest=0, lane="alarm"), **NOW)
        warehouse.close()
        try:
            assert cli.main(["centre", *command, "--db", path, *arguments]) == status
        except SystemExit as end:
            assert end.code == status
        return capsys.readouterr().out

    return run


def test_no_alarm_is_said(alarms):
    assert alarms([]) == "Aucune alarme en cours.\n"


def test_a_name_that_nothing_has_is_refused(alarms):
    assert alarms([], "49007-9999", status=2) == ""


def test_what_stands_is_told_with_what_to_do_and_what_has_ended_is_not(alarms):
    said = alarms([
        fact(1, event.PIPE_BURST, [3, 41_200], active=True),
        fact(2, event.LAMP_FAILURE, {1: 3}, active=True, node=OTHER),
        fact(3, event.FROST_PROTECTION, [430], active=True),
        fact(4, event.FROST_PROTECTION, [1500], active=False),
    ])  # fmt: skip
    assert all(len(line) <= 80 for line in said.splitlines())
    lamp, burst = said.split("2026-09-21 16:13  ")[1:]
    name = "La lampe n’éclaire pas alors qu’elle devrait être allumée"
    assert lamp.startswith(f"00000000000000a2  49007-mairie-1\n    {name}\n")
    assert "→ à faire : voir le fusible en pied de candélabre" in lamp
    assert "Canalisation rompue (zone 3, 41,2 L/min)" in burst and "l’alarme est acquittée" in " ".join(burst.split())


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
    said = " ".join(said.split())
    assert OTHER.hex() in said and NODE.hex() not in said and "512 événements" in said and "adopt --remove" in said


def day(text):
    return parse("valid_from", text)


def test_a_fault_is_taken_in_hand_and_stays_so_when_an_earlier_record_comes_late(of_sqlite, alarms):
    later = fact(5, event.FLOW_TOO_LOW, [1, 100, 900], active=True)
    assert "Zone 1" in alarms([later, fact(6, event.FLOW_TOO_LOW, [2, 1, 2], active=True)])
    alarms([], command=("access", "give", "Léa Durand", "--commune", "all", "--trade", "all"))
    words = ("--acknowledge", "filtre commandé", "--as", "Léa Durand")
    assert alarms([], "0000000000000001", *words, status=2) == ""
    assert "Zone 1" in alarms([], NODE.hex(), *words)
    both = json.loads(alarms([fact(3, event.FLOW_TOO_LOW, [1, 50, 900], active=True)], "--json"))
    assert [one["in_hand_of"] for one in both] == ["Léa Durand", "Léa Durand"]
    assert {one["since_unix_s"] for one in both} == {1_790_000_003, 1_790_000_006}
    ended = alarms([fact(7, event.FLOW_TOO_LOW, [1, 900, 900], active=False)], NODE.hex())
    assert "filtre commandé" in ended and "finie depuis 2026-09-21 16:13" in ended
    again = json.loads(alarms([fact(8, event.FLOW_TOO_LOW, [1, 100, 900], active=True)], "--json"))
    assert {one["in_hand_of"] for one in again} == {"Léa Durand", None}, "the next fault is another one"


def test_days_tell_what_lasted_on_one_of_them(alarms):
    facts = [
        fact(1, event.LAMP_FAILURE, None, active=True, stamp=synced(day("2026-10-05"))),
        fact(2, event.LAMP_FAILURE, None, active=False, stamp=synced(day("2026-10-08") - 1)),
    ]
    assert "finie depuis 2026-10-07 23:59" in alarms(facts, "--from", "2026-10-07", "--until", "2026-10-09")
    assert "lampe" in alarms([], "--month", "2026-10")
    assert alarms([], "--from", "2026-10-08", "--until", "2026-10-09") == "Aucune alarme en cours.\n"


def test_the_round_goes_from_street_to_street_in_csv_too(alarms):
    rows = alarms([fact(1, event.LAMP_FAILURE, None, active=True)], "--round", "--csv").splitlines()
    assert rows[0].startswith("depuis;fin;commune;rue;identifiant;")
    assert rows[1].startswith(f"2026-09-21 16:13;;49007;;{NODE.hex()};;49007-mairie-1;;La lampe n’éclaire pas")
    assert alarms([], "--round").startswith("49007, sans rue\n  2026-09-21 16:13  ")
