"""PostgreSQL shows a person what is granted and nothing else, as SQLite does: the same roles, rows and commands."""

import sqlite3
from collections import Counter
from contextlib import closing

import pytest

from tests.support.scoped_world import ROLES, build_for_persons, leaks, opened, texts
from tests.tools.centre import test_scope as on_files
from tools import cli
from tools.centre.scope.rules import RULES
from tools.centre.store import schema, views

pytestmark = pytest.mark.services
_ask_of_each_person = on_files.test_command_shows_each_person_no_foreign_row_and_notes_what_is_about_persons


@pytest.fixture(scope="module")
def built(postgres_server):
    where = postgres_server.new()
    build_for_persons(where)
    assert cli.main(["centre", "access", "server", "--db", where]) == 0
    assert cli.main(["centre", "access", "server", "--db", where]) == 0, "it may be done again"
    return where


def test_relation_holds_no_foreign_row_for_any_person(built):
    for person in ROLES:
        with opened(built, person) as connection:
            for table in (*RULES, *views.STATEMENTS):
                rows = connection.execute(f"SELECT * FROM {table}").fetchall()
                assert not leaks(person, texts(rows)), (person, table)
                if person == "nobody" and table not in ("calendar", "quantities", "retention"):
                    assert rows == [], table
                if person == "operator" and table not in ("grants", "journal"):
                    with closing(schema.open_to_read(built)) as whole:
                        every = whole.execute(f"SELECT * FROM {table}").fetchall()
                    assert Counter(rows) == Counter(every), table


def test_no_row_is_judged_for_who_sees_the_whole_territory(built):
    with opened(built, "operator") as connection:
        for table in ("latest", "records", "hours", "equipment"):
            plan = [step for (step,) in connection.execute(f"EXPLAIN (ANALYZE) SELECT * FROM {table}").fetchall()]
            steps = [step for step in plan if "held_scope_nodes" in step or "held_scope_cabinets" in step]
            assert steps and all("never executed" in step for step in steps), (table, plan)


def test_what_is_granted_is_asked_once_for_all_equipment(built):
    for person in ("mayor", "contractor"):
        with opened(built, person) as connection:
            plan = [step for (step,) in connection.execute("EXPLAIN (ANALYZE) SELECT * FROM equipment").fetchall()]
        steps = [step for step in plan if "held_scope_areas" in step]
        assert steps and all("loops=1)" in step or "never executed" in step for step in steps), (person, plan)


def test_commands_show_each_person_no_foreign_row_and_note_what_is_about_persons(built, capsys, tmp_path):
    """Each command once: its other arguments are those of the other engine."""
    for name, (words, *_) in on_files.READS.items():
        _ask_of_each_person(built, capsys, tmp_path, name, words)


def test_a_leak_that_is_planted_is_found(built):
    with closing(schema.open_to_write(built)) as owner:
        owner.execute("ALTER TABLE equipment DISABLE ROW LEVEL SECURITY")
        with pytest.raises(AssertionError):
            test_relation_holds_no_foreign_row_for_any_person(built)
        owner.execute("ALTER TABLE equipment ENABLE ROW LEVEL SECURITY")


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM held_scope_nodes",
        "INSERT INTO held_scope_areas VALUES (pg_backend_pid(), now(), '*', 'every')",
        "INSERT INTO scope_areas VALUES ('*', 'every')",
        "SELECT * FROM readable",
        "SET ROLE bocage",
        "SELECT set_config('role', 'bocage', false)",
        "SET SESSION AUTHORIZATION bocage",
        "ALTER TABLE records DISABLE ROW LEVEL SECURITY",
        "DROP POLICY scope ON records",
        "CREATE VIEW more AS SELECT * FROM records",
        "DELETE FROM journal",
        "UPDATE journal SET person = 'another'",
        "INSERT INTO grants VALUES ('electrician', '*', '*', 0, NULL, 'herself', 0)",
        "COPY records TO '/tmp/records'",
        "COPY (SELECT 1) TO PROGRAM 'true'",
        "SELECT pg_read_file('/etc/passwd')",
        "SELECT lo_import('/etc/passwd')",
    ],
)
def test_statement_that_goes_past_the_scope_is_refused(built, statement):
    with opened(built, "electrician") as connection:
        connection.execute("SET default_transaction_read_only = off")
        with pytest.raises(sqlite3.Error, match=r"permission|policy|owner|must be|denied"):
            connection.execute(statement)


def test_policies_that_are_switched_off_show_nothing(built):
    with opened(built, "electrician") as connection:
        connection.execute("SET row_security = off")
        with pytest.raises(sqlite3.Error, match="row-level security"):
            connection.execute("SELECT * FROM records")


def test_session_without_anything_written_down_sees_nothing(built):
    with opened(built, "operator") as first, opened(built, "nobody") as second:
        assert first.execute("SELECT count(*) FROM lights").fetchone() == (3,)
        assert second.execute("SELECT count(*) FROM lights").fetchone() == (0,)
