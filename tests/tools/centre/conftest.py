"""Runs the tests of the store on both engines: on SQLite always, on PostgreSQL by `make services`."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.support import postgres_cluster
from tests.support.scoped_world import build_for_persons
from tools.centre.store import schema

BOTH = (
    "test_centre_alarms", "test_centre_archive", "test_centre_broker", "test_centre_model", "test_centre_readings",
    "test_centre_speakers", "test_centre_views", "test_centre_warehouse", "test_condition_faults",
    "test_condition_groups", "test_condition_states", "test_condition_usage", "test_disown", "test_own_tools",
    "test_register_import", "test_register_placed", "test_retention", "test_rollup",
)  # fmt: skip


def pytest_generate_tests(metafunc):
    if metafunc.module.__name__.rpartition(".")[2] in BOTH and "of_sqlite" not in metafunc.fixturenames:
        server = pytest.param("postgresql", marks=pytest.mark.services)
        metafunc.parametrize("engine", ["sqlite", server], indirect=True)


@pytest.fixture(scope="session")
def of_sqlite():
    """What a test asks for that is about a file of SQLite."""


@pytest.fixture(scope="session")
def postgres_server():
    """A cluster of PostgreSQL, which ends with the tests."""
    with postgres_cluster.temporary() as server:
        yield server


class Files:
    """The engine that needs no server."""

    def address(self, path):
        """What another process gives `--db` for what this test calls `path`."""
        return str(path)

    def client(self, path):
        """What a stranger opens it with, without our code."""
        return sqlite3.connect(path)


class Server:
    """A server that has a place for each file that a test names; each ":memory:" is a new one."""

    def __init__(self, cluster):
        self._cluster = cluster
        self._places = {}

    def address(self, path):
        path = str(path)
        if path == ":memory:":
            return self._cluster.new()
        if path not in self._places:
            Path(path).touch()  # commands look whether there is one
            self._places[path] = self._cluster.new()
        return self._places[path]

    def client(self, path):
        import psycopg

        return psycopg.connect(self.address(path))


@pytest.fixture(autouse=True)
def engine(request, monkeypatch):
    """What keeps the warehouses of this test."""
    if getattr(request, "param", "sqlite") == "sqlite":
        return Files()
    server = Server(request.getfixturevalue("postgres_server"))
    write, read = schema.open_to_write, schema.open_to_read
    monkeypatch.setattr(schema, "open_to_write", lambda path, *how: write(server.address(path), *how))
    monkeypatch.setattr(schema, "open_to_read", lambda path: read(server.address(path)))
    return server


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A warehouse of two communes, with persons who were granted parts of it."""
    path = str(tmp_path_factory.mktemp("scope") / "centre.db")
    build_for_persons(path)
    return path


@pytest.fixture
def path(built, tmp_path):
    """A copy of it, for a test that writes."""
    with closing(schema.open_to_read(built)) as source, closing(sqlite3.connect(tmp_path / "centre.db")) as target:
        source.backup(target)
    return str(tmp_path / "centre.db")
