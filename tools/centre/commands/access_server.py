"""Has a warehouse in PostgreSQL hold persons to what is granted to them, by row-level security.

`bocage centre init --db` does it for the centre of this machine. Once, and again after a new version, by the owner of
the tables. It makes the role bocage_reader, which may log in and only read, and bocage-web for the screens; who may not
make roles asks the administrator first: CREATE ROLE bocage_reader LOGIN; CREATE ROLE "bocage-web" LOGIN. The first must
be let in from here as the owner is (pg_hba.conf), by whom `--as` is used with.

example:
  bocage centre access server --db postgresql://bocage@/bocage
"""

import argparse
from contextlib import closing

from gateway.language import N_
from tools.centre.arguments import add_warehouse, database_faults
from tools.centre.scope import server
from tools.centre.store import database, schema
from tools.command_line import UsageError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_warehouse(parser)


def run(args: argparse.Namespace) -> int:
    if not database.is_server(args.db):
        raise UsageError(N_("--db {path}: a file needs no preparation; this is for PostgreSQL"), path=args.db)
    with (
        database_faults(args.db),
        closing(schema.open_to_write(args.db)) as connection,
        database.transaction(connection),
    ):
        server.prepare(connection)
    return 0
