"""A web on a warehouse of two communes with all trades, and a browser for each person (Django's client, no socket)."""

from contextlib import closing
from copy import copy

import pytest

from tests.support.scoped_world import NOW_S, ROLES, build_for_persons
from tests.support.town_world import build_control
from tools.centre.store import schema
from tools.centre.web import connections
from tools.centre.web.configuration import Options, configure

PASSWORD = "un chêne au bord de l'eau"


@pytest.fixture(scope="session")
def served(tmp_path_factory):
    """The settings of this process: Django has one set, so its tests share a web and its accounts."""
    folder = tmp_path_factory.mktemp("web")
    warehouse = str(folder / "centre.db")
    build_for_persons(warehouse)
    (folder / "49135.geojson").write_text('{"type": "FeatureCollection", "features": []}', encoding="utf-8")
    data, control = str(folder / "web.sqlite3"), build_control(folder / "control.db")
    duty = str(folder / "duty.db")
    configure(Options(warehouse, data, "http://testserver", lambda: NOW_S, str(folder), control, duty=duty))
    from django.contrib.auth import get_user_model
    from django.contrib.auth.hashers import Argon2PasswordHasher
    from django.db import connection
    from django.utils import timezone

    connection.close()
    connection.settings_dict["OPTIONS"]["init_command"] = "PRAGMA synchronous = OFF"  # nobody waits for a disk

    # What argon2 needs at least, and not Django's 100 MB: the same code, without the tenth of a second that it is for.
    Argon2PasswordHasher.time_cost, Argon2PasswordHasher.memory_cost, Argon2PasswordHasher.parallelism = 1, 8, 1
    for person in ROLES:
        account = get_user_model()(username=person, last_login=timezone.now())
        account.set_password(PASSWORD)
        account.save()
    yield folder
    connections.close()


@pytest.fixture(scope="session")
def handler(served):
    """Has the chain of middleware for all browsers: at its beginning WhiteNoise reads the folders of static files."""
    from django.test.client import ClientHandler

    made = ClientHandler(enforce_csrf_checks=False)
    made.load_middleware()
    return made


@pytest.fixture
def writable(served):
    """The address of the warehouse for those who may write to it."""
    from django.conf import settings

    return settings.BOCAGE.warehouse


@pytest.fixture
def browser(writable, handler):
    """Makes a browser in which this person is logged in; None: nobody is. No line of another test is in the journal."""
    from axes.utils import reset
    from django.contrib.auth import get_user_model
    from django.test import Client

    def of(person=None, **headers):
        client = Client(headers={"Accept-Language": "en", **headers})
        client.handler = copy(handler)
        if person is not None:
            account = get_user_model().objects.get(username=person)
            client.force_login(account, "django.contrib.auth.backends.ModelBackend")
        return client

    reset()
    with closing(schema.open_to_write(writable)) as connection:
        connection.execute("DELETE FROM journal WHERE person <> 'somebody'")
    return of
