"""What is PostgreSQL's own: what is refused, the writer's lock, a server that comes back, rows given at once."""

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from tests.support import postgres_cluster
from tests.support.centre_world import GATEWAY, NOW, TELEMETRY_TOPIC, batch, reading, readings
from tools import cli
from tools.centre.ingest.warehouse import Warehouse
from tools.centre.store import database, schema
from tools.centre.store.archive import Archive

pytestmark = pytest.mark.services


@pytest.fixture
def where(postgres_server):
    return postgres_server.new()


@pytest.fixture
def connection(where):
    opened = schema.open_to_write(where)
    yield opened
    opened.close()


# --- what is refused -------------------------------------------------------------------------------------------


def test_tables_of_somebody_else_are_left_alone(where):
    import psycopg

    with psycopg.connect(where) as other:
        other.execute("CREATE TABLE theirs (x BIGINT)")
    with pytest.raises(database.Unusable, match="not a warehouse"):
        Warehouse(where)
    with pytest.raises(database.Unusable, match="not a warehouse"):
        schema.open_to_read(where)


def test_another_version_is_refused_with_what_to_do(connection, where, capsys):
    connection.execute("UPDATE schema_version SET version = ?", (schema.VERSION - 1,))
    assert cli.main(["centre", "stats", "--db", where, "--lang", "en"]) == 1
    said = " ".join(capsys.readouterr().err.split())
    assert f"of version {schema.VERSION} but of version {schema.VERSION - 1}" in said and "begin a new --db" in said


def test_a_password_on_the_command_line_is_refused(capsys):
    assert cli.main(["centre", "stats", "--db", "postgresql://me:geheim@localhost/centre", "--lang", "fr"]) == 1
    said = capsys.readouterr().err
    assert ".pgpass" in said and "mot de passe" in said


def test_no_server_is_told_in_one_line(tmp_path, capsys):
    assert cli.main(["centre", "stats", "--db", f"postgresql:///centre?host={tmp_path}"]) == 1
    assert capsys.readouterr().err.count("\n") == 1


def test_a_server_that_does_not_write_to_the_disk_has_no_custody():
    with postgres_cluster.temporary("-c", "fsync=off") as cluster:
        with pytest.raises(database.Unusable, match="fsync = on"):
            Warehouse(cluster.address())
        Warehouse(cluster.address(), synchronous="OFF").close()


def test_a_cluster_whose_run_was_killed_goes_when_the_next_is_made():
    script = "import os; from tests.support import postgres_cluster as made\n"
    script += "with made.temporary() as cluster: print(cluster.folder.parent, flush=True); os.kill(os.getpid(), 9)"
    killed = subprocess.run([sys.executable, "-c", script], capture_output=True, env=postgres_cluster.environment())
    left = Path(killed.stdout.decode().strip())
    assert left.name.startswith("bocage-pg-") and (left / "cluster" / "data" / "postmaster.pid").exists()
    with postgres_cluster.temporary():
        assert not left.exists()


def test_a_commit_is_on_the_disk_whatever_the_server_would_do(postgres_server, where):
    asking = where + "%20-csynchronous_commit%3Doff"
    opened = schema.open_to_write(asking)
    assert opened.execute("SHOW synchronous_commit").fetchone() == ("on",)
    opened.close()


def test_a_stranger_s_tool_is_planned_as_ours_is(postgres_server):
    """A street's day opens the street's bodies only: the planner may put a dozen relations into any order."""
    import psycopg

    where = postgres_server.database()
    schema.open_to_write(where).close()
    with psycopg.connect(where) as other, closing(schema.open_to_read(where)) as ours:
        for name in ("join_collapse_limit", "from_collapse_limit"):
            assert other.execute(f"SHOW {name}").fetchone() == ours.execute(f"SHOW {name}").fetchone() == ("16",)


def test_a_role_that_does_not_own_the_database_makes_its_tables_all_the_same(postgres_server):
    import psycopg

    where = postgres_server.database()
    with psycopg.connect(where, autocommit=True) as owner:
        owner.execute("CREATE ROLE tenant LOGIN")
        owner.execute("GRANT CREATE ON SCHEMA public TO tenant")
    schema.open_to_write(where.replace("bocage@", "tenant@")).close()


def test_a_reader_cannot_write(connection, where):
    reader = schema.open_to_read(where)
    with pytest.raises(database.Error, match="read-only"):
        reader.execute("DELETE FROM records")
    reader.close()


def test_without_psycopg_a_person_is_told_what_to_install():
    script = "import sys; sys.modules['psycopg'] = None; from tools import cli; sys.exit(cli.main(sys.argv[1:]))"
    command = [sys.executable, "-c", script, "centre", "stats", "--db", "postgresql:///centre", "--lang", "en"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=postgres_cluster.environment())
    assert done.returncode == 1 and "bocage[postgres]" in done.stderr


# --- one writer ------------------------------------------------------------------------------------------------


def test_a_second_writer_waits_and_gives_up_in_order(connection, where, monkeypatch):
    monkeypatch.setattr("tools.centre.store.postgres.BUSY_TIMEOUT_MS", 50)
    other = schema.open_to_write(where)
    with database.transaction(connection):
        with pytest.raises(database.Error, match="lock timeout"), database.transaction(other):
            raise AssertionError("two write at once")
        assert not other.in_transaction
    with database.transaction(other):
        pass
    other.close()


def test_what_another_process_wrote_is_seen_and_what_is_ones_own_is_not(connection, where):
    other = schema.open_to_write(where)

    def turn():
        with database.transaction(connection):
            return connection.changes_by_others()

    first = turn()
    assert turn() == first
    with database.transaction(other):
        other.execute("DELETE FROM counters")
        other.execute("INSERT INTO counters VALUES ('x', 1)")
    assert turn() != first
    assert turn() == turn()
    other.close()


def test_what_the_ingest_knows_of_its_nodes_it_asks_once(where):
    """A subtransaction would take a number too, and look like another process."""
    warehouse = Warehouse(where)
    asked = []
    warehouse.accept(TELEMETRY_TOPIC, readings(0, 9), **NOW)
    warehouse.accept(TELEMETRY_TOPIC, batch([reading(1, node=bytes(7) + bytes([n])) for n in range(1, 21)], 10), **NOW)
    execute = warehouse._connection.execute
    warehouse._connection.execute = lambda statement, *values: asked.append(statement) or execute(statement, *values)
    warehouse.accept(TELEMETRY_TOPIC, batch([reading(2, node=bytes(7) + bytes([n])) for n in range(1, 21)], 30), **NOW)
    warehouse.accept(TELEMETRY_TOPIC, batch([reading(3, node=bytes(7) + bytes([n])) for n in range(1, 21)], 50), **NOW)
    assert asked and not any("FROM serving" in statement for statement in asked)
    warehouse.close()


def test_a_transaction_that_failed_inside_is_not_told_as_committed(connection):
    with pytest.raises(database.Error), database.transaction(connection):
        connection.execute("INSERT INTO counters VALUES ('x', 1)")
        with pytest.raises(sqlite3.IntegrityError):
            connection.execute("INSERT INTO counters VALUES ('x', 1)")
    assert connection.execute("SELECT count(*) FROM counters").fetchone() == (0,)


# --- a server that comes back ----------------------------------------------------------------------------------


def test_an_ingest_finds_its_server_again():
    with postgres_cluster.temporary() as cluster:
        warehouse = Warehouse(cluster.address())
        warehouse.accept(TELEMETRY_TOPIC, readings(0, 4), **NOW)
        cluster.kill()
        with pytest.raises(database.Error):
            warehouse.accept(TELEMETRY_TOPIC, readings(5, 9), **NOW)
        for _ in range(2):
            [answer] = warehouse.accept(TELEMETRY_TOPIC, readings(5, 9), **NOW)
            assert answer.message.next_position == 10
        assert warehouse.counters["records"] == 10
        warehouse.close()


# --- rows and numbers ------------------------------------------------------------------------------------------


def test_rows_of_one_key_are_counted_one_after_the_other(connection):
    add = "INSERT INTO counters VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = counters.value + excluded.value"
    rows = [(f"{n % 5}%", n) for n in range(50)]
    with database.transaction(connection):
        connection.executemany(add, rows)
        connection.executemany(add, [(f"each {n}", 2**40 + n) for n in range(50)])
    found = dict(connection.execute("SELECT name, value FROM counters"))
    assert [found[f"{n}%"] for n in range(5)] == [sum(range(n, 50, 5)) for n in range(5)]
    assert found["each 49"] == 2**40 + 49
    kept = "INSERT INTO serving VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
    assert connection.executemany(kept, [(GATEWAY, f"c{n % 10}", n) for n in range(40)]).rowcount == 10
    assert connection.execute("SELECT sum(value) FROM counters").fetchone() == (sum(found.values()),)


def test_a_question_for_many_rows_has_the_answers_of_each(connection):
    rows = [(f"{n:02}", 2**40 + n) for n in range(20)]
    connection.executemany("INSERT INTO counters VALUES (?, ?)", rows)
    nearest = "SELECT name, value, '50%' FROM counters WHERE name < ? AND value > ? ORDER BY value DESC LIMIT 2"
    asked = [("20", 0), ("00", 0), ("05", 2**40 + 3), ("05", 2**40 + 3)]
    assert connection.ask(nearest, asked) == [connection.execute(nearest, one).fetchall() for one in asked]
    assert connection.ask(nearest, []) == []


def test_rows_that_are_deleted_at_once_are_those_of_each(connection):
    connection.executemany("INSERT INTO counters VALUES (?, ?)", [(f"{n:02}%", n) for n in range(40)])
    rows = [(f"{n:02}%", n - n % 2) for n in range(9, 30)] * 2
    delete = "DELETE FROM counters WHERE name = ? AND value = ? AND name LIKE '%'"
    assert connection.executemany(delete, rows).rowcount == 10
    left = [value for (value,) in connection.execute("SELECT value FROM counters ORDER BY 1")]
    assert left == [n for n in range(40) if n % 2 or not 9 <= n < 30]


def test_text_is_ordered_by_bytes_as_sqlite_does(connection):
    names = ["49007-a", "49007-Z", "490070", "49007 b", "é", "e", "z"]
    connection.executemany("INSERT INTO counters VALUES (?, 1)", [(name,) for name in names])
    found = [name for (name,) in connection.execute("SELECT name FROM counters ORDER BY name")]
    assert found == sorted(names, key=str.encode)


def test_a_long_answer_comes_in_pieces_and_others_are_asked_beside_it(where):
    warehouse = Warehouse(where)
    for first in range(0, 3000, 500):
        warehouse.accept(TELEMETRY_TOPIC, readings(first, first + 499), **NOW)
    archive = Archive.open(where)
    seen = [archive.moment(one.node, one.boot, one.stamp).unix_s for one in archive.held()]
    assert len(seen) == 3000 and archive.digest() == warehouse.digest()
    some = archive.held()
    assert next(some).sequence == 0
    some.close()
    assert not archive._connection.in_transaction
