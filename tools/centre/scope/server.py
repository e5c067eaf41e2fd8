"""Has PostgreSQL itself hold a person to what is granted, by row-level security (PostgreSQL 17, section 5.9).

The rules are those of `tools.centre.scope.rules`, each the policy of its table for the role READER, which may log in,
owns nothing and may only read. Who opens a warehouse for a person logs in twice: as the owner, or as WEB, to write down
what is granted for the one session of READER, by its process and the instant at which that began; and as READER, who
can neither change nor read what is granted to other sessions. A session for which nothing is written down sees nothing.
Views are asked with the rights of who asks. WEB is the screens': it reads all, as it does a warehouse that is a file,
and writes down rights; that is all it may write.
"""

from contextlib import closing
from urllib.parse import urlsplit

from gateway.language import N_
from tools.centre.scope.relations import relate
from tools.centre.scope.rules import RULES
from tools.centre.store import database, schema, views

READER = "bocage_reader"
# The user of the screens' service, whom the server knows by the socket (peer).
WEB_ROLE = "bocage-web"
WEB = f'"{WEB_ROLE}"'
_BEGUN = "(SELECT a.backend_start FROM pg_stat_activity AS a WHERE a.pid = pg_backend_pid())"
# Of each relation of the rules: its columns, and the key.
_RELATIONS = {
    "scope_areas": ({"insee": "TEXT", "trade": "TEXT"}, "insee, trade"),
    "scope_cabinets": ({"cabinet": "TEXT"}, "cabinet"),
    "scope_nodes": (
        {"node": "blob", "from_unix_s": "BIGINT", "until_unix_s": "BIGINT", "from_day": "TEXT", "until_day": "TEXT",
         "is_always": "BIGINT"},
        "node, from_unix_s",
    ),
}
_UNPREPARED = N_("rights of persons (--as) need `bocage centre access server` first, once")
_SHUT_OUT = N_("the server does not let bocage_reader in (`bocage centre access server`, pg_hba.conf): {error}")


def make_roles(connection: database.Connection) -> None:
    """Makes the roles that the server does not have yet."""
    for role in (READER, WEB):
        if connection.execute("SELECT 1 FROM pg_roles WHERE rolname = ?", (role.strip('"'),)).fetchone() is None:
            connection.execute(f"CREATE ROLE {role} LOGIN")


def prepare(connection: database.Connection) -> None:
    """Makes the roles, the relations and the policies, in the caller's transaction; it may be done again."""
    make_roles(connection)
    (place,) = connection.execute("SELECT quote_ident(current_schema())").fetchone()
    connection.execute(f"GRANT USAGE ON SCHEMA {place} TO {READER}, {WEB}")
    for name, (columns, key) in _RELATIONS.items():
        defined = ", ".join(f"{column} {kind} NOT NULL" for column, kind in columns.items())
        connection.execute(
            f"CREATE TABLE IF NOT EXISTS held_{name} (pid BIGINT NOT NULL, begun TIMESTAMPTZ NOT NULL, {defined},"
            f" PRIMARY KEY (pid, begun, {key}))"
        )
        connection.execute(
            f"CREATE OR REPLACE VIEW {name} WITH (security_barrier) AS SELECT {', '.join(columns)} FROM held_{name}"
            f" WHERE pid = pg_backend_pid() AND begun = {_BEGUN}"
        )
        connection.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON held_{name} TO {WEB}")
    for table, rule in RULES.items():
        connection.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        connection.execute(f"DROP POLICY IF EXISTS scope ON {table}")
        connection.execute(f"CREATE POLICY scope ON {table} FOR SELECT TO {READER} USING ({rule})")
        connection.execute(f"DROP POLICY IF EXISTS web ON {table}")
        connection.execute(f"CREATE POLICY web ON {table} FOR SELECT TO {WEB} USING (true)")
    for view in views.STATEMENTS:
        connection.execute(f"ALTER VIEW {view} SET (security_invoker = true)")
    for name in ("schema_version", *_RELATIONS, *RULES, *views.STATEMENTS):
        connection.execute(f"GRANT SELECT ON {name} TO {READER}, {WEB}")


def open_to_read(where: str, areas: set[tuple[str, str]]) -> database.Connection:
    """Returns a connection of READER that reads what these areas open."""
    parts = urlsplit(where)
    try:
        connection = schema.open_to_read(parts._replace(netloc=f"{READER}@{parts.netloc.rpartition('@')[2]}").geturl())
    except database.Error as error:
        raise database.Unusable(_SHUT_OUT, error=error) from error
    try:
        # A role that is above the policies is not the one that was made for this.
        if connection.execute("SELECT row_security_active('records')").fetchone() != (True,):
            raise database.Unusable(_UNPREPARED)
        session = connection.execute(f"SELECT pg_backend_pid(), CAST({_BEGUN} AS TEXT)").fetchone()
        # Without the writer's lock, and without a flush: what is written down ends with the session.
        with closing(database.checked(schema.SCHEMA, database.open_unchecked(where, "OFF"))) as owner:
            owner.execute("BEGIN")
            _write_down(owner, areas, session)
            owner.commit()
    except BaseException:
        connection.close()
        raise
    return connection


def _write_down(owner: database.Connection, areas: set[tuple[str, str]], session: tuple[int, str]) -> None:
    relate(owner, areas)
    for name in _RELATIONS:
        over = f"""SELECT h.ctid FROM held_{name} AS h
            WHERE h.pid = ? OR h.pid NOT IN (SELECT a.pid FROM pg_stat_activity AS a) FOR UPDATE SKIP LOCKED"""
        owner.execute(f"DELETE FROM held_{name} WHERE ctid IN ({over})", session[:1])
        owner.execute(
            f"INSERT INTO held_{name} SELECT CAST(? AS BIGINT), CAST(? AS TIMESTAMPTZ), t.* FROM pg_temp.{name} AS t",
            session,
        )
