"""The screens on a warehouse in PostgreSQL, whose policies hold each person to their rights: the tests of pages again.

The walk of all addresses is made as the role of an installed centre's screens, which may read and nothing else.
"""

from contextlib import closing
from urllib.parse import urlsplit

import pytest

from tests.support.scoped_world import build_for_persons
from tests.tools.centre.web.test_web_history import *  # noqa: F403
from tests.tools.centre.web.test_web_notes import *  # noqa: F403
from tests.tools.centre.web.test_web_pages import *  # noqa: F403
from tests.tools.centre.web.test_web_privacy import *  # noqa: F403
from tests.tools.centre.web.test_web_scope import *  # noqa: F403
from tools import cli
from tools.centre.scope.server import WEB_ROLE
from tools.centre.store import database

pytestmark = pytest.mark.services
_BY_ROLE = "test_web_scope"


@pytest.fixture(scope="module")
def address(postgres_server):
    where = postgres_server.new()
    build_for_persons(where)
    assert cli.main(["centre", "access", "server", "--db", where]) == 0
    return where


def of_role(where):
    """The same place, for the role of the screens."""
    return urlsplit(where)._replace(netloc=f"{WEB_ROLE}@").geturl()


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
