"""A centre whose warehouse is on a server of PostgreSQL: made, watched, copied while it works, and made again."""

import os
from contextlib import closing

import pytest

pytest.importorskip("paho.mqtt.client", reason="paho-mqtt is not installed")

from tests.support import postgres_cluster
from tests.support.centre_world import NOW, TELEMETRY_TOPIC, readings
from tests.support.installed_centre import InstalledCentre, now
from tools.centre.broker import backup, health, metrics
from tools.centre.broker.files import Place
from tools.centre.control import file
from tools.centre.ingest.receipts import load_or_make
from tools.centre.ingest.warehouse import Warehouse
from tools.centre.scope import server as scope_server
from tools.centre.store import database, schema

pytestmark = [pytest.mark.broker, pytest.mark.services]


@pytest.fixture
def cluster(monkeypatch):
    with postgres_cluster.temporary() as made:
        monkeypatch.setenv("PATH", f"{postgres_cluster.programs()}:{os.environ['PATH']}")
        yield made


@pytest.fixture
def centre(mosquitto_path, cluster):
    with InstalledCentre(mosquitto_path, "--db", cluster.database()) as made:
        yield made


def accept(warehouse, first, last, oldest=0):
    [answer] = warehouse.accept(TELEMETRY_TOPIC, readings(first, last, oldest=oldest), **NOW)
    return answer.message.next_position


def test_restored_elsewhere_its_receipts_are_lower_and_what_cabinets_still_hold_comes_again(centre, cluster, capsys):
    """The services read the same file; the rights of persons are the server's own, and come back with the tables."""
    warehouse = Warehouse(centre.place.warehouse)
    file.open_to_write(str(centre.place.control)).close()
    key = load_or_make(centre.place.var / "warehouse.db.receipts.pem")
    with closing(schema.open_to_write(centre.place.warehouse)) as owner, database.transaction(owner):
        scope_server.prepare(owner)
    assert accept(warehouse, 0, 9) == 10
    copies = centre.place.root / "usb"
    assert centre.run("backup", "--out", copies) == 0
    [folder] = backup.kept(copies)
    assert accept(warehouse, 10, 19) == 20
    digest = warehouse.digest()
    warehouse.close()
    centre.kill()
    elsewhere, other = cluster.database(), Place(centre.place.root.parent / "other")
    assert centre.run("restore", folder, "--db", centre.place.warehouse) == 1  # there is a centre
    centre.become(other, folder, "--db", elsewhere)
    assert other.setting.read_text() == f"WAREHOUSE={elsewhere}\n" and other.control.exists()
    assert load_or_make(other.var / "warehouse.db.receipts.pem").kid == key.kid
    restored = Warehouse(elsewhere)
    assert restored.counters["records"] == 10
    assert accept(restored, 20, 24, oldest=5) == 10  # the cabinet learns that it went back
    assert accept(restored, 5, 9, oldest=5) == 10
    assert accept(restored, 10, 19, oldest=5) == 25
    assert restored.counters["records"] == 25 and restored.skips() == []
    restored._connection.execute("DELETE FROM records WHERE sequence >= 20")
    assert restored.digest() == digest
    restored.close()
    assert scope_server.READER in {name for (name,) in rows_of(elsewhere, "SELECT rolname FROM pg_roles")}


def rows_of(where, statement):
    with closing(schema.open_to_read(where)) as connection:
        return connection.execute(statement).fetchall()


def test_a_role_that_the_new_server_lacks_is_made_before_the_policies(centre, tmp_path):
    with closing(schema.open_to_write(centre.place.warehouse)) as owner, database.transaction(owner):
        scope_server.prepare(owner)
    assert centre.run("backup") == 0
    [folder] = backup.kept(centre.place.backups)
    centre.kill()
    with postgres_cluster.temporary() as another:
        elsewhere = another.database()
        centre.become(Place(centre.place.root.parent / "other"), folder, "--db", elsewhere)
        assert rows_of(elsewhere, "SELECT count(*) FROM pg_policies WHERE policyname = 'scope'")[0][0] > 10


def test_nothing_is_overwritten_and_a_damaged_copy_changes_nothing(centre, cluster, capsys):
    warehouse = Warehouse(centre.place.warehouse)
    accept(warehouse, 0, 9)
    assert centre.run("backup") == 0
    [folder] = backup.kept(centre.place.backups)
    other = Place(centre.place.root.parent / "other")
    centre.kill()
    here, centre.place = centre.place, other
    assert centre.run("restore", folder) == 1
    assert "is not empty" in capsys.readouterr().err and not other.etc.exists()
    path = folder / "warehouse.dump"
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] + b"?")
    empty = cluster.database()
    assert centre.run("restore", folder, "--db", empty) == 1
    assert "not what was saved" in capsys.readouterr().err
    with closing(database.open_unchecked(empty)) as connection:
        assert connection.version() is None
    assert centre.run("restore", folder, "--db", "/tmp/a.db") == 2
    centre.place = here
    warehouse.close()


def test_a_backup_that_fails_leaves_the_older_ones(centre, cluster, capsys, monkeypatch):
    assert centre.run("backup", "--keep", 1) == 0
    cluster.stop()
    assert centre.run("backup", "--keep", 1) == 1
    assert "pg_dump: " in capsys.readouterr().err
    cluster.start()
    with monkeypatch.context() as bare:
        bare.setenv("PATH", "/nowhere")
        assert centre.run("backup", "--keep", 1) == 1
    assert "postgresql-client" in capsys.readouterr().err
    assert len(backup.kept(centre.place.backups)) == 1


def test_init_leaves_no_records_behind(mosquitto_path, centre, cluster, capsys):
    again = ("init", "localhost", "--port", centre.port)
    first = centre.place.warehouse
    assert centre.run(*again, "--db", first) == 0
    assert centre.run(*again) == 0 and centre.place.warehouse == first
    assert centre.run(*again, "--db", cluster.database()) == 1  # where nothing is
    assert "not a warehouse" in capsys.readouterr().err
    assert centre.run(*again, "--db", "/var/lib/warehouse.db") == 2
    assert centre.run(*again, "--db", "postgresql:///a b") == 2
    assert centre.run(*again, "--db", "postgresql://me:geheim@localhost/a") == 1
    assert centre.place.warehouse == first
    with InstalledCentre(mosquitto_path) as of_file:
        Warehouse(of_file.place.warehouse).close()
        assert of_file.run(*again, "--db", cluster.database()) == 1
        assert "stay behind" in capsys.readouterr().err


def test_status_and_metrics_ask_the_server(centre, cluster):
    warehouse = Warehouse(centre.place.warehouse)
    accept(warehouse, 0, 9)
    said = {one.sentence("en"): one for one in health.findings(centre.place, now=now())}
    assert "not at work: ingest-1" in said
    collector = metrics.CentreCollector(centre.place, centre.place.warehouse, Silent())
    found = {sample.name: sample.value for family in collector.collect() for sample in family.samples}
    assert found["bocage_centre_records_total"] == 10
    warehouse.close()
    cluster.stop()
    [lost] = [one for one in health.findings(centre.place, now=now()) if "cannot be read" in one.sentence("en")]
    assert lost.is_fault and "postgresql" in lost.to_do("en")
    cluster.start()


class Silent:
    """A broker that says nothing."""

    def collect(self):
        return iter(())
