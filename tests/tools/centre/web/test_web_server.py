"""The screens on a warehouse in PostgreSQL, whose policies hold each person to their rights: the tests of pages again.

The walk of all addresses is made as the role of an installed centre's screens, which may read and nothing else.
"""

from contextlib import closing
from threading import BoundedSemaphore
from urllib.parse import urlsplit

import pytest

from tests.support.scoped_world import ROLES, build_for_persons
from tests.tools.centre.web.test_web_history import *  # noqa: F403
from tests.tools.centre.web.test_web_notes import *  # noqa: F403
from tests.tools.centre.web.test_web_pages import *  # noqa: F403
from tests.tools.centre.web.test_web_privacy import *  # noqa: F403
from tests.tools.centre.web.test_web_scope import *  # noqa: F403
from tests.tools.centre.web.test_web_scope import FENEU, addresses, test_address_shows_no_foreign_row
from tools import cli
from tools.centre.scope.server import WEB_ROLE
from tools.centre.store import database
from tools.centre.web import connections

pytestmark = pytest.mark.services
_BY_ROLE = "test_web_scope"


@pytest.fixture(scope="module")
def address(postgres_server):
    where = postgres_server.new()
    build_for_persons(where)
    assert cli.main(["centre", "access", "server", "--db", where]) == 0
    return where


@pytest.fixture
def writable(address):
    return address


def of_role(where):
    """The same place, for the role of the screens."""
    return urlsplit(where)._replace(netloc=f"{WEB_ROLE}@").geturl()


@pytest.fixture
def logins(monkeypatch):
    """The areas of each connection that is opened for a person, from now on."""
    connections._KEPT.clear()
    begun, begin = [], connections.reader.open_to_read
    monkeypatch.setattr(
        connections.reader, "open_to_read", lambda where, areas: begun.append(areas) or begin(where, areas)
    )
    return begun


@pytest.fixture(autouse=True)
def on_server(request, served, address, monkeypatch):
    from django.conf import settings

    is_by_role = request.function.__module__.endswith(_BY_ROLE)
    where = of_role(address) if is_by_role else address
    monkeypatch.setattr(settings, "BOCAGE", settings.BOCAGE._replace(warehouse=where))


def test_role_of_the_screens_writes_nothing_but_who_reads_what(address):
    with closing(database.open_unchecked(of_role(address), "OFF")) as web:
        [user] = web.execute("SELECT current_user").fetchone()
        assert user == WEB_ROLE
        for table in ("records", "grants", "equipment"):
            assert web.execute(f"SELECT count(*) FROM {table}").fetchone()[0] > 0
            for begin in ("DELETE FROM", "DROP TABLE", f"INSERT INTO {table} SELECT * FROM"):
                with pytest.raises(database.Error):
                    web.execute(f"{begin} {table}")


def test_connection_is_kept_for_the_next_page_of_the_same_rights(browser, logins):
    for person in ("electrician", "electrician", "mayor", "electrician"):
        assert browser(person).get(f"/{FENEU}/faults").status_code == 200
    assert len(logins) == len({frozenset(areas) for areas in logins})


def test_connection_ends_a_while_after_it_began(browser, logins, monkeypatch):
    monkeypatch.setattr(connections, "CONNECTION_KEPT_S", 0)
    own = browser("electrician")
    pages = [own.get(f"/{FENEU}/faults").status_code for _ in range(2)]
    assert pages == [200, 200] and len(logins) > len({frozenset(areas) for areas in logins})


def test_no_more_connections_wait_than_the_limit_says(browser, logins, monkeypatch):
    monkeypatch.setattr(connections, "CONNECTIONS_KEPT_MAX", 2)
    for person in ROLES:
        browser(person).get(f"/{FENEU}/faults")
    assert len(connections._KEPT) == 2


def test_no_page_holds_two_connections_at_once(browser, monkeypatch):
    """Else pages could wait for one another; one connection is enough for every address."""
    monkeypatch.setattr(connections, "_IN_USE", BoundedSemaphore(1))
    monkeypatch.setattr(connections, "CONNECTION_WAIT_S", 0)
    own = browser("operator")
    assert not [address for address in addresses() if own.get(address).status_code == 503]
    connections._IN_USE.acquire()
    assert own.get(f"/{FENEU}/faults").status_code == 503


def test_server_that_was_restarted_is_found_again_by_every_page(browser, address):
    own = browser("electrician")
    assert own.get(f"/{FENEU}/faults").status_code == 200
    with closing(database.open_unchecked(address, "OFF")) as owner:
        owner.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()")
    assert own.get(f"/{FENEU}/faults").status_code == 200


def test_connection_that_is_lent_to_another_is_found(browser, monkeypatch):
    """A keeper that forgets whose rights a connection has."""
    of_any = None

    def taken(warehouse, areas, *, now_s):
        nonlocal of_any
        if areas is None:
            return None
        of_any = of_any or connections._Session(
            warehouse, areas, now_s, connections.reader.open_to_read(warehouse, everything)
        )
        return of_any

    everything = {("*", trade) for trade in ("lighting", "heating", "watering", "any", "every")}
    monkeypatch.setattr(connections, "_taken", taken)
    with pytest.raises(AssertionError):
        test_address_shows_no_foreign_row(browser, "caretaker")
    of_any.connection.close()
    connections._KEPT.clear()
