"""What follows from one cause is one: within a cabinet, along a feeder, and across a village."""

import json

import pytest

from tests.support import border_world
from tests.support.centre_world import GATEWAY, batch, fact, synced
from tools import cli
from tools.centre.condition.faults import Faults
from tools.centre.condition.groups import group
from tools.centre.ingest.warehouse import Warehouse
from wire import event, event_table

BEGIN_S = 1_795_000_000
OTHER_GATEWAY = bytes.fromhex("6761746577617932")


def node_of(number):
    return b"lamp" + number.to_bytes(4, "big")


@pytest.fixture
def village():
    """A warehouse with 40 lamps on a feeder of one cabinet, and a second cabinet; `told` groups what is stated."""
    warehouse = Warehouse(":memory:")
    connection = warehouse._connection
    connection.executemany(
        "INSERT INTO equipment (insee, kind, id, from_unix_s, cabinet, feeder, node) VALUES (?, ?, ?, 0, ?, ?, ?)",
        [("49135", "light", f"{n:04}", "49135-mairie-1", "bourg", node_of(n)) for n in range(40)]
        + [("49135", "cabinet", name, None, None, None) for name in ("mairie-1", "gare-2")],
    )

    def told(*stated):
        """`stated`: (seconds after the beginning, node, code, detail)."""
        for number, (after_s, node, code, detail) in enumerate(stated):
            name, gateway = ("gare-2", OTHER_GATEWAY) if node == OTHER_GATEWAY else ("mairie-1", GATEWAY)
            said = fact(number, code, detail, active=True, node=node, stamp=synced(BEGIN_S + after_s))
            warehouse.accept(
                f"tc/1/e/49135/{name}",
                batch([said], number, oldest=0, gateway=gateway, lane="alarm"),
                received_unix_s=BEGIN_S + 9000,
            )
        return [(event_table.label(one.first.code), len(one.all)) for one in group(Faults(connection).open())]

    return told


def test_a_dead_feeder_of_forty_lamps_is_one(village):
    lamps = [(n, node_of(n), event.VOLTAGE_TOO_LOW, None) for n in range(40)]
    assert village(*lamps, (120, GATEWAY, event.FEEDER_FAILURE, ["bourg", 0, 14000])) == [("feederFailure", 40 + 1)]


def test_what_was_broken_before_or_has_another_cause_stays_its_own(village):
    found = village(
        (0, node_of(1), event.LAMP_FAILURE, None),
        (5000, GATEWAY, event.FEEDER_FAILURE, ["bourg", 0, 14000]),
        (5001, GATEWAY, event.LAMPS_LOST, ["port", 2, 1, 2]),
        (5002, node_of(2), event.BATTERY_LOW, [3000]),
    )
    assert found == [("batteryLow", 1), ("lampsLost", 1), ("feederFailure", 1), ("lampFailure", 1)]


def test_without_a_word_of_the_cabinet_lamps_that_fail_together_are_one(village):
    lamps = [(n, node_of(n), event.LAMP_FAILURE, None) for n in range(3)]
    assert village(*lamps, (4000, node_of(9), event.LAMP_FAILURE, None)) == [("lampFailure", 1), ("lampFailure", 3)]


def test_a_village_without_mains_is_one_and_so_is_what_follows(village):
    found = village(
        (0, GATEWAY, event.SUPPLY_LOSS, None),
        (20, OTHER_GATEWAY, event.SUPPLY_LOSS, None),
        (30, GATEWAY, event.FEEDER_FAILURE, ["bourg", 0, 14000]),
        (40, node_of(1), event.LAMP_FAILURE, None),
        (50, OTHER_GATEWAY, event.DOOR_OPEN, None),
    )
    assert found == [("doorOpen", 1), ("supplyLoss", 4)]


def test_two_cabinets_that_lose_different_bearers_are_two(village):
    stated = [(0, GATEWAY, event.BEARER_FAILURE, ["fibre"]), (9, OTHER_GATEWAY, event.BEARER_FAILURE, ["mobile"])]
    assert village(*stated) == [("bearerFailure", 1), ("bearerFailure", 1)]


def test_a_contactor_that_stays_closed_puts_no_lamp_out(village):
    stated = [(0, GATEWAY, event.CONTACTOR_STUCK, ["bourg", False]), (9, node_of(1), event.LAMP_FAILURE, None)]
    assert village(*stated) == [("lampFailure", 1), ("contactorStuck", 1)]


def test_a_cause_beyond_the_border_is_told_as_one_in_both_communes(tmp_path, capsys):
    path = str(tmp_path / "centre.db")
    border_world.build(path)
    for commune in ("49007", "49135"):
        assert cli.main(["centre", "alarms", "--db", path, "--commune", commune, "--json", "--lang", "en"]) == 0
        told = json.loads(capsys.readouterr().out)
        assert [(one["group"], one["is_cause"]) for one in told] == [(0, True), (0, False)]
    assert cli.main(["centre", "alarms", "--db", path, "--commune", "49036", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == []
