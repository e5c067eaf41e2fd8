"""The views for other people's tools, asked with the engine's own client: names, units, both times, coverage."""

from contextlib import closing

import pytest

from tests.support.centre_world import EVENT_TOPIC, GATEWAY, NODE, TELEMETRY_TOPIC, batch, fact, reading, synced
from tools import cli
from tools.centre.ingest.warehouse import Warehouse
from tools.centre.rollup import dictionary, hours
from tools.centre.rollup.worker import Worker
from tools.centre.store import schema, views
from wire import event, quantity

DAY = hours.hours_of(20_770)[0]  # midnight of 2026-11-13 in France
OTHER = bytes.fromhex("00000000000000a2")
PLACES = [
    ("49007", "commune", "49007", "Feneu", None, None),
    ("49007", "light", "0117", "Candélabre 117", "rue de la Loire", NODE),
    ("49007", "light", "0118", "Candélabre 118", "place de l'Église", OTHER),
    ("49007", "light", "0119", "Candélabre 119", "place de l'Église", None),
]


@pytest.fixture
def client(tmp_path, engine):
    """What a stranger's SQL client opens: two lamps for an hour and a half, the second replaced the day before."""
    path = str(tmp_path / "centre.db")
    warehouse = Warehouse(path, synchronous="OFF")
    for row in PLACES:
        warehouse._connection.execute(
            "INSERT INTO equipment (insee, kind, id, name, street, node, from_unix_s, power_dw, cabinet)"
            " VALUES (?, ?, ?, ?, ?, ?, 0, 350, '49007-mairie-1')",
            row,
        )
    items = []
    for node, wh in ((NODE, 10), (OTHER, 4)):
        for step in range(7):
            body = {quantity.POWER: 4 * wh, quantity.ENERGY: wh * step, quantity.LEVEL_ORDERED: 100}
            items.append(reading(step, body, node=node, stamp=synced(DAY + 900 * step)))
    now = {"received_unix_s": DAY + 6000}
    warehouse.accept(TELEMETRY_TOPIC, batch(items, oldest=0), **now)
    said = [
        fact(8, event.LAMP_FAILURE, None, active=True, node=NODE, stamp=synced(DAY + 5430)),
        fact(9, event.LAMP_FAILURE, None, active=False, node=NODE, stamp=synced(DAY + 5730)),
        fact(10, event.SUPPLY_LOSS, None, active=True, node=GATEWAY, stamp=synced(DAY + 5760)),
    ]
    warehouse.accept(EVENT_TOPIC, batch(said, lane=event.ALARM), **now)
    worker = Worker(warehouse._connection)
    worker.fill_calendar(now_s=DAY + 6000)
    worker.step(10)
    warehouse.close()
    with closing(engine.client(path)) as opened:
        yield opened


def test_energy_by_street_and_hour(client):
    found = client.execute(
        "SELECT street, hour_local, sum(kwh), min(coverage) FROM hourly_energy"
        " WHERE day_local = '2026-11-13' GROUP BY street, hour_local ORDER BY 1, 2"
    ).fetchall()
    assert found == [
        ("place de l'Église", "2026-11-13T00:00+01:00", 0.016, 1.0),
        ("place de l'Église", "2026-11-13T01:00+01:00", 0.008, 0.5),
        ("rue de la Loire", "2026-11-13T00:00+01:00", 0.04, 1.0),
        ("rue de la Loire", "2026-11-13T01:00+01:00", 0.02, 0.5),
    ]


def test_day_of_a_commune_with_its_coverage(client):
    found = client.execute("SELECT commune, sum(kwh), avg(coverage), sum(lit_hours) FROM daily_energy GROUP BY commune")
    [(commune, kwh, *known)] = found.fetchall()
    assert (commune, round(kwh, 3)) == ("Feneu", 0.084)
    assert known == [5400 / 86_400, 1.5]  # the second draws less than a lit lamp does


def test_light_with_its_last_state(client):
    found = client.execute("SELECT name, watts, measured_watts, measured_utc, measured_local FROM lights ORDER BY id")
    assert found.fetchall()[0] == (
        "Candélabre 117", 35.0, 4.0, "2026-11-13T00:30Z", "2026-11-13T01:30+01:00",
    )  # fmt: skip


def test_light_without_a_node_has_none(client):
    assert client.execute("SELECT id FROM lights WHERE node IS NULL").fetchall() == [("0119",)]


def test_fault_with_its_name_its_street_and_both_times(client):
    found = client.execute(
        "SELECT fault, begin_utc, end_local, is_open, street, cabinet FROM equipment_faults ORDER BY begin_utc"
    )
    assert found.fetchall() == [
        ("lampFailure", "2026-11-13T00:30Z", "2026-11-13T01:35+01:00", 0, "rue de la Loire", "49007-mairie-1"),
        ("supplyLoss", "2026-11-13T00:36Z", None, 1, None, "49007-mairie-1"),
    ]


def test_no_view_shows_a_blob(client):
    for name in views.STATEMENTS:
        for row in client.execute(f"SELECT * FROM {name}"):
            assert not any(isinstance(value, bytes) for value in row), name


@pytest.mark.parametrize("condition", ["hour_unix_s >= 1", "day_local = '2026-11-13'", "hour_utc >= '2026-11-13'"])
def test_hours_are_found_by_their_time(of_sqlite, client, condition):
    plan = client.execute(f"EXPLAIN QUERY PLAN SELECT sum(kwh) FROM hourly_energy WHERE {condition}").fetchall()
    assert any("SEARCH f USING" in row[3] and "hour_unix_s" in row[3] for row in plan), plan


# --- the dictionary ---


def test_commune_of_each_hour_is_found_in_one_index(of_sqlite, client):
    question = "SELECT insee, hour_utc, sum(kwh) FROM hourly_energy WHERE day_local = '2026-11-13' GROUP BY 1, 2"
    plan = [row[3] for row in client.execute(f"EXPLAIN QUERY PLAN {question}")]
    assert any(step.startswith("SEARCH f USING PRIMARY KEY") for step in plan), plan
    assert any(step.startswith("SEARCH e USING COVERING INDEX equipment_nodes") for step in plan), plan


def test_light_of_a_month_is_found_by_its_hours(of_sqlite, client):
    """Hours have no index by node: each hour of the calendar is one step in their key."""
    question = "SELECT hour_utc, kwh FROM hourly_energy WHERE insee = '49007' AND id = '0117'"
    plan = [row[3] for row in client.execute(f"EXPLAIN QUERY PLAN {question} AND day_local LIKE '2026-11-%'")]
    assert any(step.startswith("SEARCH f USING PRIMARY KEY (hour_unix_s=? AND node=?)") for step in plan), plan


def test_dictionary_names_every_column_of_every_view_and_no_other(of_sqlite):
    described = {(row.view, row.column) for row in dictionary.rows("fr")}
    with closing(schema.open_to_write(":memory:")) as connection:
        held = {
            (name, column[1])
            for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'view'").fetchall()
            for column in connection.execute(f"PRAGMA table_info({name})")
        }
    assert described == {one for one in held if one[0] != "readable"}
    assert set(dictionary.VIEWS) == set(views.STATEMENTS)


@pytest.mark.parametrize(("form", "head"), [("--csv", "vue;colonne;unité;sens\n"), ("--lang=fr", "# Dictionnaire")])
def test_command_writes_the_dictionary_with_its_version(capsys, form, head):
    assert cli.main(["centre", "dictionary", form]) == 0
    said = capsys.readouterr().out
    assert said.startswith(head) and "hourly_energy" in said and "kWh" in said
    assert form == "--csv" or f"version {schema.VERSION}" in said


def test_pandas_reads_energy_by_street_and_hour(client):
    pandas = pytest.importorskip("pandas")
    frame = pandas.read_sql("SELECT street, hour_utc, kwh FROM hourly_energy", client, parse_dates=["hour_utc"])
    table = frame.pivot_table(index="hour_utc", columns="street", values="kwh", aggfunc="sum")
    assert table.shape == (2, 2) and str(table.index.tz) == "UTC"
    assert round(float(table["rue de la Loire"].sum()), 3) == 0.06
