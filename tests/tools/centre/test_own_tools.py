"""kWh by street and hour with people's own tools, on views and files, without our code; compared with ours."""

import csv
import io
import json
import shutil
import subprocess
from collections import defaultdict

import pytest

from tests.support.centre_world import NODE, TELEMETRY_TOPIC, batch, reading, synced
from tools import cli
from tools.centre.ingest.warehouse import Warehouse
from tools.centre.register.register import Register
from tools.centre.rollup import hours
from tools.centre.rollup.worker import Worker
from wire import quantity

DAY = hours.hours_of(20_770)[0]  # midnight of 2026-11-13 in France
LAMPS = {
    NODE: ("0117", "rue de la Loire", 6),
    bytes.fromhex("00000000000000a2"): ("0118", "place de l'Église", 4),
    bytes.fromhex("00000000000000a3"): ("0119", "place de l'Église", 9),
}
BY_HOUR = "SELECT street, hour_utc, sum(kwh) AS kwh FROM hourly_energy GROUP BY street, hour_utc"


PACKAGES = {"sqlite3": "sqlite3", "psql": "postgresql-client", "ogr2ogr": "gdal-bin"}


def needs(program):
    """Marks a test that waits for a program of `make services`."""
    missing = pytest.mark.skipif(not shutil.which(program), reason=f"no {program}: apt-get install {PACKAGES[program]}")
    return lambda test: pytest.mark.services(missing(test))


@pytest.fixture
def path(tmp_path):
    """Three lamps in two streets for a day and a half, in the register and rolled up."""
    path = tmp_path / "centre.db"
    warehouse = Warehouse(str(path), synchronous="OFF")
    items = []
    for number, (node, (id, street, wh)) in enumerate(LAMPS.items()):
        warehouse._connection.execute(
            "INSERT INTO equipment (insee, kind, id, street, node, from_unix_s, power_dw, longitude, latitude)"
            " VALUES ('49007', 'light', ?, ?, ?, 0, 350, ?, 47.56)",
            (id, street, node, -0.61 + number / 1000),
        )
        for step in range(150):
            body = {quantity.POWER: 400, quantity.ENERGY: 100 + wh * step, quantity.LEVEL_ORDERED: 100}
            items.append(reading(step, body, node=node, stamp=synced(DAY + 900 * step)))
    for first in range(0, len(items), 90):
        message = batch(items[first : first + 90], first, oldest=0)
        assert warehouse.accept(TELEMETRY_TOPIC, message, received_unix_s=DAY + 2 * 86_400)
    worker = Worker(warehouse._connection)
    while worker.step(10):
        pass
    warehouse.close()
    return path


@pytest.fixture
def ours(path, engine):
    """{(street, hour in UTC): Wh}, by our roll-up and our register."""
    warehouse, found = Warehouse(str(path)), defaultdict(int)
    register = Register(warehouse._connection)
    for hour, node, wh in warehouse._connection.execute("SELECT hour_unix_s, node, energy_wh FROM hours").fetchall():
        _, utc, _, _ = next(row for row in hours.calendar(hours.day_of(hour)) if row[0] == hour)
        found[register.of_node(node, unix_s=hour).street, utc] += wh
    warehouse.close()
    assert len(found) == 2 * 38 and sum(found.values()) == 149 * (6 + 4 + 9)
    return dict(found)


def run(*command):
    return subprocess.run(list(map(str, command)), check=True, capture_output=True, text=True).stdout


def of_csv(text):
    rows = csv.DictReader(io.StringIO(text))
    return {(row["street"], row["hour_utc"]): round(1000 * float(row["kwh"])) for row in rows}


@needs("sqlite3")
def test_sqlite_shell_on_the_view(path, ours, of_sqlite):
    assert of_csv(run("sqlite3", "-readonly", "-csv", "-header", path, BY_HOUR)) == ours


@needs("psql")
def test_psql_on_the_view(path, ours, engine):
    if not engine.address(path).startswith("postgresql://"):
        pytest.skip("of PostgreSQL")
    assert of_csv(run("psql", engine.address(path), "--csv", "-c", BY_HOUR)) == ours


def test_pandas_on_single_readings_without_our_roll_up(path, ours, engine):
    pandas = pytest.importorskip("pandas")
    with engine.client(path) as client:
        frame = pandas.DataFrame(
            client.execute(
                "SELECT street, node, measured_unix_s, value FROM readings WHERE quantity = 'energy'"
            ).fetchall(),
            columns=["street", "node", "at", "wh"],
        ).sort_values(["node", "at"])
    # Readings stand at quarters: what was used since the one before lies in that one's hour.
    frame["used"] = frame.groupby("node")["wh"].diff()
    frame["hour"] = pandas.to_datetime(frame["at"] - 900, unit="s", utc=True).dt.strftime("%Y-%m-%dT%H:00Z")
    table = frame.dropna().groupby(["street", "hour"])["used"].sum()
    assert {key: int(wh) for key, wh in table.items()} == ours


@needs("ogr2ogr")
def test_gdal_draws_the_streets_from_the_view_of_lights(path, ours, tmp_path, of_sqlite):
    """What QGIS does: points from the view, with the energy of an hour, as a layer of a GeoPackage."""
    lights = tmp_path / "lights.csv"
    lights.write_text(run("sqlite3", "-readonly", "-csv", "-header", path, """SELECT l.longitude, l.latitude, l.street,
        e.hour_utc, e.kwh FROM lights AS l JOIN hourly_energy AS e ON e.insee = l.insee AND e.id = l.id"""))
    run("ogr2ogr", tmp_path / "out.gpkg", lights, "-nln", "energy", "-a_srs", "EPSG:4326",
        "-oo", "X_POSSIBLE_NAMES=longitude", "-oo", "Y_POSSIBLE_NAMES=latitude")  # fmt: skip
    said = run("ogrinfo", "-ro", "-al", "-so", tmp_path / "out.gpkg", "energy")
    assert "Geometry: Point" in said and f"Feature Count: {3 * 38}" in said
    text = run("ogr2ogr", "-f", "CSV", "/vsistdout/", tmp_path / "out.gpkg", "-dialect", "SQLITE",
               "-sql", "SELECT street, hour_utc, sum(kwh) AS kwh FROM energy GROUP BY street, hour_utc")  # fmt: skip
    assert of_csv(text) == ours


@needs("ogr2ogr")
def test_gdal_reads_the_views_themselves_and_joins_the_register_s_file(path, ours, tmp_path, capsys, of_sqlite):
    register = tmp_path / "register.gpkg"
    assert cli.main(["centre", "register", "export", str(register), "--db", str(path)]) == 0
    capsys.readouterr()
    run("ogr2ogr", "-f", "CSV", tmp_path / "hours.csv", path, "-sql", "SELECT id, hour_utc, kwh FROM hourly_energy")
    named = json.loads(run("ogrinfo", "-json", "-ro", "-al", register))["layers"]
    layer = next(one for one in named if one["featureCount"] == 3)["name"]
    run("ogr2ogr", "-f", "GPKG", tmp_path / "joined.gpkg", register, layer)
    run("ogr2ogr", "-f", "GPKG", "-update", tmp_path / "joined.gpkg", tmp_path / "hours.csv", "-nln", "hours")
    text = run("ogr2ogr", "-f", "CSV", "/vsistdout/", tmp_path / "joined.gpkg", "-sql", f"""SELECT r.street AS street,
        h.hour_utc AS hour_utc, sum(h.kwh) AS kwh FROM hours AS h JOIN "{layer}" AS r ON r.id = h.id
        GROUP BY r.street, h.hour_utc""")  # fmt: skip
    assert of_csv(text) == ours


def test_file_of_the_command_says_the_same_sum_by_street(path, ours, capsys, of_sqlite):
    words = ["--from", "2026-11-13", "--until", "2026-11-14", "--by", "street", "--json"]
    assert cli.main(["centre", "energy", "--db", str(path), *words]) == 0
    said = json.loads(capsys.readouterr().out)
    by_street = defaultdict(int)
    for (street, _), wh in ours.items():
        by_street[street] += wh
    assert {row["street"]: round(1000 * row["kwh"]) for row in said if row.get("street")} == dict(by_street)
