"""Copies a warehouse of PostgreSQL into one file, and makes it again on another server.

pg_dump reads one snapshot while ingest and worker go on, so the copy holds whole transactions, and of each stream what
the receipts of that instant say: what was acknowledged later comes again from the cabinets. A base backup would copy
the other databases of the server too, and would be of this version and machine only; whoever keeps one beside it
(pg_basebackup, pgBackRest) loses nothing by this. Must not know a table.
"""

import os
import subprocess
from contextlib import closing
from pathlib import Path
from typing import Any

from gateway.language import N_
from tools.centre.broker.files import Place, sync
from tools.centre.scope import server
from tools.centre.store import database
from tools.command_line import Refused

NAME = "warehouse.dump"
_POLICY = " POLICY "


def write(place: Place, target: Path) -> None:
    """Writes the warehouse of this centre, and reads the copy once more to its end. Refused; OSError."""
    with target.open("xb") as file:
        os.fchmod(file.fileno(), 0o600)
        _run(place, "pg_dump", "--format=custom", f"--dbname={place.warehouse}", stdout=file)
    with target.open("rb") as file:
        _run(place, "pg_restore", "--file=-", stdin=file, stdout=subprocess.DEVNULL)
    sync(target)


def check_empty(place: Place, where: str) -> None:
    """Refuses a server that does not answer, and a database with anything in it; database.Error."""
    with closing(_opened(place, where)) as connection:
        if connection.version() is not None:
            raise Refused(N_("--db {path} is not empty: nothing is overwritten. Make a new database."), path=where)


def load(place: Place, source: Path, where: str) -> None:
    """Makes the warehouse again in an empty database: all of it, or nothing. Refused; OSError; database.Error."""
    with source.open("rb") as file:
        listed = _run(place, "pg_restore", "--list", stdin=file, stdout=subprocess.PIPE)
    if _POLICY in listed:  # it says what a role may see, which is the server's and in no copy of a database
        with closing(_opened(place, where)) as connection:
            server.make_roles(connection)
    with source.open("rb") as file:
        _run(place, "pg_restore", "--no-owner", "--single-transaction", f"--dbname={where}", stdin=file)


def _opened(place: Place, where: str) -> database.Connection:
    with place.acting():
        return database.open_unchecked(where)


def _run(place: Place, program: str, *words: str, **streams: Any) -> str:
    """Runs a program of PostgreSQL as the services' user, and returns what it printed. Refused."""
    user = place.user
    if user is not None:
        streams |= {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": (), "cwd": "/"}
        streams["env"] = {**os.environ, "HOME": user.pw_dir}
    try:
        done = subprocess.run([program, *words], stderr=subprocess.PIPE, text=True, check=False, **streams)
    except FileNotFoundError as error:
        raise Refused(N_("there is no {program} here: sudo apt install postgresql-client"), program=program) from error
    if done.returncode != 0:
        raise Refused(f"{program}: {' '.join(done.stderr.split())}")
    return done.stdout or ""
