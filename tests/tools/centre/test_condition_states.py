"""The state of an equipment: what its node said, or else what its cabinet says of its feeder."""

import json
from itertools import count

import pytest

from tests.support.centre_world import GATEWAY, batch, fact, reading, synced
from tools import cli
from tools.centre.condition.states import FAULT, OK, UNKNOWN, UNPOWERED, States
from tools.centre.ingest.warehouse import Warehouse
from tools.centre.limits import SILENT_S
from tools.centre.register.equipment import KINDS
from wire import event

NOW_S = 1_795_000_000
SPEAKS, MUTE = b"lamp0001", None


@pytest.fixture
def street(tmp_path):
    """Two lamps on a feeder, one with a node; `told` states things (seconds ago) and returns the states by id."""
    path = str(tmp_path / "centre.db")
    warehouse = Warehouse(path)
    connection = warehouse._connection
    connection.executemany(
        "INSERT INTO equipment (insee, kind, id, from_unix_s, cabinet, feeder, node, zone)"
        " VALUES ('49135', ?, ?, 0, ?, ?, ?, ?)",
        [
            ("cabinet", "mairie-1", None, None, None, None),
            ("feeder", "mairie-1/bourg", None, None, None, None),
            ("light", "1", "49135-mairie-1", "bourg", SPEAKS, None),
            ("light", "2", "49135-mairie-1", "bourg", MUTE, None),
            ("green_space", "stade-1", None, None, b"lawn0001", 1),
            ("green_space", "stade-2", None, None, b"lawn0001", 2),
        ],
    )

    numbers = count()

    def told(*stated, now_s=NOW_S, insee=None):
        for ago_s, node, *said in stated:
            number = next(numbers)
            stamp = synced(NOW_S - ago_s)
            if said:
                code, detail, active = said
                item, lane = fact(number, code, detail, active=active, node=node, stamp=stamp), event.lane(code)
            else:
                item, lane = reading(number, node=node, stamp=stamp), event.TELEMETRY
            topic = f"tc/1/{'t' if lane == event.TELEMETRY else 'e'}/49135/mairie-1"
            warehouse.accept(topic, batch([item], number, oldest=0, lane=lane), received_unix_s=NOW_S)
        states = States(connection, now_s=now_s, insee=insee)
        found = [one for kind in KINDS for one in states.of_equipment(kind)]
        return {one.id: (one.state, one.since_unix_s) for one in [*found, *states.of_strangers()]}

    told.path, told.connection = path, connection
    return told


def switched(ago_s, closed):
    return ago_s, GATEWAY, event.FEEDER_SWITCHED, ["bourg", closed, "policy", 0], None


def test_who_was_heard_is_ok_and_a_lamp_without_a_node_is_what_its_feeder_is(street):
    found = street(switched(9000, True), (600, GATEWAY), (500, SPEAKS))
    assert found["1"] == (OK, NOW_S - 500) and found["2"] == found["mairie-1"] == (OK, NOW_S - 600)
    assert found["mairie-1/bourg"][0] == OK and found["stade-1"] == (UNKNOWN, None)


def test_many_values_are_asked_for_by_one_question(street):
    connection, names = street.connection, [f"n{number:03}" for number in range(150)]
    connection.executemany("INSERT INTO counters VALUES (?, 1)", [(name,) for name in names])
    question = "SELECT name FROM counters WHERE name {} ORDER BY name"
    assert sorted(connection.among(question, [*names[:130], "n"])) == [(name,) for name in names[:130]]
    assert [*connection.among(question, [])] == []


def test_silence_is_unknown_since_the_last_word(street):
    found = street(switched(9000, True), (SILENT_S + 1, SPEAKS), (600, GATEWAY))
    assert found["1"] == (UNKNOWN, NOW_S - SILENT_S - 1) and found["2"][0] == OK
    # The cabinet itself falls silent: all that it told is old.
    later = street(now_s=NOW_S + SILENT_S)
    assert {state for state, _ in later.values()} == {UNKNOWN}


def test_an_open_contactor_is_unpowered_and_neither_silence_nor_alarm(street):
    found = street((50_000, SPEAKS), switched(40_000, False), (600, GATEWAY))
    assert found["1"] == found["2"] == found["mairie-1/bourg"] == (UNPOWERED, NOW_S - 40_000)
    assert street(switched(60, True))["1"] == (UNPOWERED, NOW_S - 50_000), "it has not spoken yet"
    assert street(switched(SILENT_S + 60, True), (10, GATEWAY))["1"] == (UNKNOWN, NOW_S - 50_000)


def test_in_other_hands_a_contactor_is_not_where_it_was_ordered(street):
    found = street((50_000, SPEAKS), switched(40_000, False), (600, GATEWAY, event.HANDED_BACK, [], True))
    assert found["1"] == (UNKNOWN, NOW_S - 50_000) and found["2"][0] == UNKNOWN
    assert found["mairie-1"] == (FAULT, NOW_S - 600)


@pytest.mark.parametrize(
    ("code", "detail", "light"),
    [
        (event.FEEDER_FAILURE, ["bourg", 0, 900], FAULT),
        (event.FEEDER_UNEXPECTED_ON, ["bourg", 900], FAULT),
        (event.SUPPLY_LOSS, None, FAULT),
        (event.LAMPS_LOST, ["bourg", 1, 2, 3], UNKNOWN),
        (event.FEEDER_FAILURE, ["port", 0, 900], OK),
        (event.DOOR_OPEN, None, OK),
    ],
)
def test_what_a_cabinet_says_of_a_feeder_holds_for_its_lamps(street, code, detail, light):
    found = street(switched(9000, True), (100, SPEAKS), (90, GATEWAY), (80, GATEWAY, code, detail, True))
    assert found["2"][0] == light
    assert found["1"][0] == (OK if light == UNKNOWN else light), "a lamp that speaks says so itself"
    assert found["mairie-1/bourg"][0] == (OK if light == OK else FAULT)


def test_a_fault_of_one_zone_is_not_its_neighbours(street):
    found = street((60, b"lawn0001", event.FLOW_TOO_LOW, [2, 1, 9], True))
    assert found["stade-2"] == (FAULT, NOW_S - 60) and found["stade-1"][0] == OK
    assert street((50, b"lawn0001", event.FLOW_TOO_HIGH, [0, 9, 1], True))["stade-1"] == (FAULT, NOW_S - 50)


def test_a_node_without_equipment_has_a_state_too(street):
    assert street((60, b"stranger"), (50, GATEWAY))[None] == (OK, NOW_S - 60)


def test_states_of_one_commune_are_those_that_the_whole_territory_has(street):
    """A lamp of Angers hangs on a cabinet of Feneu and has no node; another is carried by it, as the cabinet says."""
    connection = street.connection
    connection.executemany(
        "INSERT INTO equipment (insee, kind, id, from_unix_s, cabinet, feeder, node) VALUES (?, ?, ?, 0, ?, ?, ?)",
        [
            ("49007", "light", "7", "49135-mairie-1", "bourg", None),
            ("49007", "room", "8", None, None, b"room0001"),
            ("49200", "room", "9", None, None, b"room0002"),
        ],
    )
    street(
        switched(9000, True), (600, GATEWAY), (500, SPEAKS), (90, b"room0001"), (80, b"room0002"), (70, b"stranger"),
        (60, GATEWAY, event.FEEDER_FAILURE, ["bourg", 0, 900], True),
        (50, GATEWAY, event.FAIR_USE_EXCEEDED, [b"room0001", 1, 2, 3], True),
    )  # fmt: skip
    # A cabinet of yet another commune is the last that is read, and has no fault.
    other = b"\xff" * 8
    connection.execute(
        "INSERT INTO gateways (gateway, id, insee, name, first_seen_unix_s, bound) VALUES (99, ?, '49300', 'z', 0, 1)",
        (other,),
    )
    connection.execute("INSERT INTO feeders VALUES (?, 'x', 1, 0, ?, 1, ?, 1)", (other, NOW_S, NOW_S))
    whole = street()
    assert whole["7"][0] == FAULT and {"8", "9", None} <= set(whole)
    for insee in ("49135", "49007", "49200"):
        found = street(insee=insee)
        assert found == {id: whole[id] for id in found} and len(found) == {"49135": 7, "49007": 2, "49200": 1}[insee]


def test_lamps_are_listed_with_their_states(street, capsys):
    street(switched(9000, True), (500, SPEAKS), (500, GATEWAY, event.FEEDER_FAILURE, ["bourg", 0, 9], True))
    assert cli.main(["centre", "lamps", "--db", street.path]) == 0
    told = capsys.readouterr().out
    assert all(len(line) <= 80 for line in told.splitlines()) and told.endswith("2 en panne\n")
    assert cli.main(["centre", "lamps", "--db", street.path, "--state", "fault", "--json"]) == 0
    assert [one["fault"] for one in json.loads(capsys.readouterr().out)] == ["feederFailure"] * 2
    assert cli.main(["centre", "lamps", "--db", street.path, "--state", "ok"]) == 0
    assert capsys.readouterr().out == "Aucun point lumineux de ce genre.\n"
