"""Energy, water and rooms of some days: from the meter that measures, with how much of the time is known."""

import csv
import io
import json
from itertools import count

import pytest

from tests.support.centre_world import GATEWAY, batch, reading, synced
from tools import cli
from tools.centre.condition.usage import ENERGY, first_counted_s
from tools.centre.ingest.warehouse import Warehouse
from tools.centre.register.equipment import parse
from wire import quantity

LAMPS = [b"lamp" + n.to_bytes(4, "big") for n in range(3)]
ROOM, LAWN, NEIGHBOUR = b"room0001", b"lawn0001", b"lamp0001"
DAY_S = 86_400
OCTOBER = parse("valid_from", "2026-10-01")


@pytest.fixture
def centre(tmp_path, capsys):
    """Runs a command on a territory; `tell` has a node read something at a time in October."""
    path = str(tmp_path / "centre.db")
    warehouse = Warehouse(path)
    warehouse._connection.executemany(
        "INSERT INTO equipment (insee, kind, id, from_unix_s, street, cabinet, feeder, node, zone)"
        " VALUES ('49135', ?, ?, 0, ?, ?, ?, ?, ?)",
        [
            ("commune", "49135", None, None, None, None, None),
            ("cabinet", "mairie-1", None, None, None, None, None),
            ("feeder", "mairie-1/bourg", None, None, None, None, 1),
            ("feeder", "mairie-1/port", None, None, None, None, None),
            ("light", "0", "rue du Port", "49135-mairie-1", "port", LAMPS[0], None),
            ("light", "1", "rue du Port", "49135-mairie-1", "port", LAMPS[1], None),
            ("light", "2", "rue du Port", "49135-mairie-1", "port", None, None),
            ("light", "3", "rue du Puits", "49135-mairie-1", "bourg", LAMPS[2], None),
            ("room", "ecole", None, None, None, ROOM, None),
            ("green_space", "stade-1", None, None, None, LAWN, 1),
            ("green_space", "stade-2", None, None, None, LAWN, 2),
        ],
    )
    numbers = count()

    def tell(day, node, readings, boot=1):
        number = next(numbers)
        item = reading(number, readings, node=node, boot=boot, stamp=synced(OCTOBER + int(day * DAY_S)))
        topic, payload = "tc/1/t/49135/mairie-1", batch([item], number, oldest=0, gateway=GATEWAY)
        warehouse.accept(topic, payload, received_unix_s=OCTOBER + 40 * DAY_S)

    def run(*arguments, rolled=True):
        if rolled:
            assert cli.main(["centre", "rollup", "--once", "--db", path]) == 0
            capsys.readouterr()
        assert cli.main(["centre", *arguments, "--db", path, "--month", "2026-10"]) == 0
        told = capsys.readouterr()
        run.said.append(told.err)
        return told.out

    run.tell, run.said, run.connection = tell, [], warehouse._connection
    return run


def energy(centre, kind):
    return {
        one["id"] or one["street"]: (one["kwh"], one["coverage_percent"], one["meters"])
        for one in json.loads(centre("energy", "--by", kind, "--json"))
    }


def test_kilowatt_hours_of_october_by_feeder_with_their_coverage(centre):
    """31 days and an hour: 745 h. The feeder with a zone is metered; the other is the sum of its three lights."""
    centre.tell(0, GATEWAY, {4 + 256: 1000, 4: 50_000})
    centre.tell(31, GATEWAY, {4 + 256: 91_000, 4: 950_000})
    centre.tell(0, LAMPS[0], {4: 0})
    centre.tell(31, LAMPS[0], {4: 7000})
    centre.tell(0, LAMPS[1], {4: 0})
    centre.tell(15.5, LAMPS[1], {4: 3000})
    assert energy(centre, "feeder") == {
        "mairie-1/bourg": (90, round(100 * 744 / 745, 1), 1),
        "mairie-1/port": (10, round(100 * (744 + 372) / 745 / 3, 1), 3),
    }
    assert energy(centre, "street") == {
        "rue du Port": energy(centre, "feeder")["mairie-1/port"],
        "rue du Puits": (None, 0, 1),
    }
    assert energy(centre, "cabinet")["mairie-1"] == energy(centre, "commune")["49135"] == (900, 99.9, 1)
    table = centre("energy")
    assert "couverture %" in table and "90,0" in table and all(len(line) <= 80 for line in table.splitlines())
    centre.connection.execute("UPDATE equipment SET name = 'Feneu' WHERE kind = 'commune'")
    rows = list(csv.reader(io.StringIO(centre("energy", "--csv")), delimiter=";"))
    assert rows[0][:2] == ["commune", "code INSEE"] and rows[1][:2] == ["Feneu", "49135"]
    assert rows[0][5:7] == ["kWh", "couverture %"] and rows[1][5] == "90,0"


def test_a_cabinet_without_linky_is_the_sum_of_its_feeders(centre):
    for day, wh in ((0, 0), (31, 5000)):
        centre.tell(day, GATEWAY, {4 + 256: wh})
        centre.tell(day, LAMPS[0], {4: wh})
    assert energy(centre, "cabinet")["mairie-1"][0] == 10


def test_what_was_used_before_the_first_day_is_left_out_with_its_time(centre):
    """It was silent from 20 September to 11 October: of these 50 kWh nobody knows which are October's."""
    centre.tell(-11, LAMPS[2], {4: 0})
    centre.tell(10, LAMPS[2], {4: 50_000})
    assert energy(centre, "light")["3"] == (None, 0, 1)
    centre.tell(25, LAMPS[2], {4: 60_000})
    assert energy(centre, "light")["3"] == (10, round(100 * 15 * 24 / 745, 1), 1)


def test_readings_that_no_day_counts_yet_are_told(centre):
    centre.tell(1, LAMPS[0], {4: 0})
    assert centre("energy", rolled=False) and "1 nœud" in centre.said[-1]
    assert centre("energy") and centre.said[-1] == ""


def test_the_first_hour_that_counts_is_of_a_meter_of_the_commune(centre):
    day, neighbour_s = "2026-10-05", OCTOBER + 4 * DAY_S
    own_s = neighbour_s + 9 * 3600
    for statement, rows in (
        ("equipment (insee, kind, id, from_unix_s, node) VALUES ('49007', 'light', '0', 0, ?)", [(NEIGHBOUR,)]),
        ("days (day_local, node, channel, energy_wh) VALUES (?, ?, 0, 1)", [(day, NEIGHBOUR), (day, LAMPS[0])]),
        ("hours (hour_unix_s, node, channel, energy_wh) VALUES (?, ?, 0, 1)",
         [(neighbour_s, NEIGHBOUR), (own_s, LAMPS[0])]),
        ("calendar VALUES (?, '', '', ?)", [(neighbour_s, day), (own_s, day)]),
    ):  # fmt: skip
        centre.connection.executemany(f"INSERT INTO {statement}", rows)
    october = OCTOBER, OCTOBER + 31 * DAY_S
    found = {one: first_counted_s(centre.connection, ENERGY, october, insee=one) for one in ("49135", "49007", "49200")}
    assert found == {"49135": own_s, "49007": neighbour_s, "49200": None}


def test_the_water_of_two_zones_of_one_meter_is_one_line(centre):
    centre.tell(1, LAWN, {quantity.WATER_VOLUME: 1000})
    centre.tell(30, LAWN, {quantity.WATER_VOLUME: 9500})
    (row,) = json.loads(centre("water", "--json"))
    assert (row["id"], row["litres"], row["coverage_percent"]) == ("stade-1, stade-2", 8500, round(2900 * 24 / 745, 1))


def test_rooms_of_some_days_have_their_temperatures(centre):
    """The mean is over the time that readings cover: an hour of 17.1 and one of 19; the third day has one reading."""
    for day, celsius in ((0, 1710), (1 / 24, 1900), (2 / 24, 1800), (2, 2000), (33, 500)):
        centre.tell(day, ROOM, {quantity.TEMPERATURE: celsius})
    assert "1 nœud" in (centre("rooms", "--json", rolled=False), centre.said[-1])[1], "it waits for the roll-up"
    (row,) = json.loads(centre("rooms", "--json"))
    assert (row["least_c"], row["mean_c"], row["most_c"], row["state"]) == (17.1, 18.05, 20.0, "unknown")
    assert "moy. °C" in centre("rooms")
