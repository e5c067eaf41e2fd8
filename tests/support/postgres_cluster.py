"""A server of PostgreSQL for tests, in memory, where a flush costs nothing; a skip where there is none."""

import os
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

from simulator.rig import postgresql
from simulator.rig.postgresql import programs


def environment():
    """In which a process of ours finds our packages as this one does."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}


@contextmanager
def temporary(*options):
    """A server that ends with its user, or a skip that says what is missing."""
    pytest.importorskip("psycopg", reason="no psycopg (pip install 'bocage[postgres]')")
    if programs() is None:
        pytest.skip("no postgres (apt-get install postgresql)")
    above = "/dev/shm" if Path("/dev/shm").is_dir() else None
    # A vacuum of its own would take a transaction's number, as another process does that writes.
    options = (*options, "-c", "autovacuum=off")
    with postgresql.temporary(Path(os.devnull), options, above=above, kind=Cluster) as cluster:
        yield cluster


class Cluster(postgresql.Server):
    """A server whose databases go with it. `address(name)` is what `--db` is given."""

    _names = 0

    def kill(self):
        """Kills the server with -9, all of its processes, and starts it again."""
        super().kill()
        self.start()

    def database(self):
        """The address of an empty database."""
        name = self._make("DATABASE")
        return self.address().replace("/postgres?", f"/{name}?")

    def new(self):
        """The address of an empty place for one warehouse; a schema is made ten times as fast as a database."""
        return self.address(self._make("SCHEMA"))

    def _make(self, kind):
        import psycopg

        self._names += 1
        with psycopg.connect(self.address(), autocommit=True) as connection:
            connection.execute(f"CREATE {kind} place_{self._names}")
        return f"place_{self._names}"
