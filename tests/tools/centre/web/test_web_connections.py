"""What is granted to a person is asked with each request, on one connection to a warehouse that is a file."""

import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from tools.centre.scope import grants
from tools.centre.store import database, schema
from tools.centre.web import connections

PERSON, INSEE, NOW_S = "ada", "49135", 1_800_000_000
GRANTED = {(INSEE, grants.WATERING), (INSEE, grants.ANY)}


def warehouse(path, *, granted=True):
    with closing(schema.open_to_write(str(path), "OFF")) as connection, database.transaction(connection):
        if granted:
            grants.give(connection, grants.Grant(PERSON, INSEE, grants.WATERING, 0, None, "root", 0))
    return str(path)


@pytest.fixture
def ask():
    """Asks in a thread of its own, as each request does."""

    def areas_of(path):
        with ThreadPoolExecutor(1) as thread:
            return thread.submit(connections.areas_of, path, PERSON, now_s=NOW_S).result()

    yield areas_of
    connections.close()


def test_what_is_withdrawn_is_gone_with_the_next_request(tmp_path, ask):
    path = warehouse(tmp_path / "centre.db")
    assert ask(path) == GRANTED
    with closing(schema.open_to_write(path, "OFF")) as connection, database.transaction(connection):
        grants.withdraw(connection, PERSON, (), (), now_s=NOW_S)
    assert ask(path) == set()


def test_a_warehouse_in_the_place_of_another_grants_what_stands_there(tmp_path, ask):
    path = warehouse(tmp_path / "centre.db")
    assert ask(path) == GRANTED
    os.replace(warehouse(tmp_path / "restored.db", granted=False), path)
    assert ask(path) == set()


def test_a_warehouse_that_is_gone_and_comes_back(tmp_path, ask):
    path = warehouse(tmp_path / "centre.db")
    assert ask(path) == GRANTED
    os.rename(path, tmp_path / "away.db")
    with pytest.raises(database.Error):
        ask(path)
    os.rename(tmp_path / "away.db", path)
    assert ask(path) == GRANTED
