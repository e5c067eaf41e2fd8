"""No statement of SQL on a person's connection goes past what is granted."""

import sqlite3

import pytest

from tests.support.scoped_world import opened, texts
from tools.centre.scope.rules import RULES
from tools.centre.store import views

BYPASSES = [
    "SELECT * FROM main.records",
    "SELECT count(*) FROM main.records",
    "SELECT node FROM main.equipment AS equipment",
    "SELECT * FROM main.lights",
    "SELECT * FROM readable",
    "WITH records AS (SELECT * FROM main.records) SELECT * FROM records",
    "WITH scoped_records AS (SELECT * FROM main.records) SELECT * FROM scoped_records",
    "SELECT (SELECT max(body) FROM main.records) FROM records",
    "SELECT 1 FROM equipment WHERE EXISTS (SELECT 1 FROM main.equipment AS e WHERE e.name LIKE 'a%')",
    "SELECT * FROM equipment UNION ALL SELECT * FROM main.equipment",
    "SELECT name FROM records JOIN main.gateways USING (gateway)",
    "SELECT * FROM sqlite_master",
    "SELECT * FROM sqlite_temp_master",
    "SELECT * FROM scope_nodes",
    "INSERT INTO scope_areas VALUES ('*', 'every')",
    "INSERT INTO temp.scope_areas SELECT '*', 'every'",
    "UPDATE scope_nodes SET until_unix_s = 0",
    "DROP VIEW temp.records",
    "DROP VIEW records",
    "CREATE TEMP VIEW more AS SELECT * FROM main.records",
    "CREATE TEMP TABLE copy AS SELECT * FROM records",
    "ALTER TABLE scope_areas RENAME TO a",
    "ATTACH '{path}' AS again",
    "DETACH main",
    "VACUUM INTO '{path}.copy'",
    "PRAGMA writable_schema = ON",
    "PRAGMA table_info(records)",
    "PRAGMA temp_store_directory = '/tmp'",
    "SELECT * FROM pragma_table_info('records')",
    "SELECT * FROM pragma_database_list",
    "SELECT * FROM dbstat",
    "SELECT load_extension('x')",
    "SELECT readfile('{path}')",
    "SELECT writefile('{path}.copy', 'x')",
    "SELECT * FROM json_tree('[1]')",
    "WITH RECURSIVE body_steps(node) AS (SELECT node FROM main.records UNION SELECT node FROM body_steps)"
    " SELECT * FROM body_steps",
    "SELECT * FROM readings JOIN main.records AS r ON lower(hex(r.node)) = readings.node",
    "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT * FROM n LIMIT 9",
    "INSERT INTO grants VALUES ('electrician', '*', '*', 0, NULL, 'herself', 0)",
    "DELETE FROM main.journal",
    "UPDATE main.journal SET person = 'another'",
    "EXPLAIN SELECT * FROM main.records",
    "REINDEX",
    "ANALYZE",
]


@pytest.mark.parametrize("statement", BYPASSES)
def test_statement_that_goes_past_the_scope_is_refused(built, statement):
    with opened(built, "electrician") as connection, pytest.raises(sqlite3.Error) as refused:
        connection.execute(statement.format(path=built)).fetchall()
    assert "author" in str(refused.value) or "prohibited" in str(refused.value) or "no such" in str(refused.value)


def test_plan_of_a_question_tells_no_name_behind_the_views(built):
    with opened(built, "electrician") as connection:
        for name in [*RULES, *views.STATEMENTS]:
            for asked in (name, f"(SELECT DISTINCT * FROM {name} LIMIT 5) AS a LEFT JOIN {name} AS b ON 1 = 1"):
                plan = connection.execute(f"EXPLAIN QUERY PLAN SELECT count(*) FROM {asked}").fetchall()
                assert "scoped_" not in texts(plan), name
