"""The control file beside `scoped_world`: a policy, a telephone and an order in each of the two communes.

Names of feeders and reasons say the commune and that they are of lighting, as `scoped_world.leaks` looks for.
"""

from contextlib import closing

from policy import document
from tests.support.control_world import (
    FEEDERS,
    MAYOR,
    key_set,
    order,
    person,
    policy,
    put,
    signed_order,
    signed_policy,
)
from tests.support.scoped_world import ANGERS, FENEU, NOW_S
from tools.centre.control import communes, orders, outbox
from tools.centre.control import file as control_file
from tools.centre.store import database
from wire import cose

PHONE, AGENT = person("Téléphone de la maire"), person("Exploitante")
REFERENT, GARDENER = person("Référente chauffage"), person("Référent espaces verts")
OPERATORS = (
    (MAYOR, document.ALL_RIGHTS), (PHONE, document.LIGHT), (AGENT, document.OVERRIDE), (REFERENT, document.HEAT),
    (GARDENER, document.DRY),
)  # fmt: skip


def build_control(path):
    """The control file at `path`, its path as text."""
    connection = control_file.open_to_write(str(path))
    for number, insee in enumerate((FENEU, ANGERS)):
        feeders = tuple(one._replace(name=f"lighting {one.name[0]} {insee}") for one in FEEDERS)
        made = policy(insee=insee, feeders=feeders, operators=OPERATORS, valid_from_s=NOW_S - 86_400)
        with database.transaction(connection):
            keys = communes.keyset.encode(key_set(insee=insee))
            assert communes.accept_keyset(connection, keys, now_s=NOW_S)[0]
            assert communes.accept_policy(connection, signed_policy(made), now_s=NOW_S)[0]
            connection.execute(
                "INSERT INTO gateways (insee, name, first_unix_s) VALUES (?, ?, ?)", (insee, f"cab-{insee}", NOW_S)
            )
        past = order(900 + number, start_s=NOW_S - 7200)
        put(connection, past._replace(insee=insee, reason=f"lighting of {insee}"), now_s=NOW_S - 7200)
    connection.close()
    return str(path)


def light(number, **changes):
    """An order of the telephone for Feneu from now."""
    return order(number, start_s=NOW_S)._replace(**{"insee": FENEU, "author": PHONE.name, **changes})


def signed(one, key=PHONE):
    return signed_order(one, key)


def post(browser, data, insee=FENEU):
    """What the web answers to signed bytes, or to a text."""
    return browser.post(f"/{insee}/orders/sign", {"order": data.hex() if isinstance(data, bytes) else data})


def fetch(served, control):
    """The daemon fetches what was signed."""
    with closing(outbox.Outbox(str(served / "web.sqlite3.outbox"), control, lambda *_, **__: None)) as daemon:
        daemon.fetch(now_s=NOW_S)


def report(path, one, *outcomes):
    """What the cabinet of Feneu says of an order."""
    connection = control_file.open_to_write(path)
    gateway = f"cab-{FENEU}"
    with database.transaction(connection):
        orders.note_sent(connection, one.id, gateway, None, now_s=NOW_S)
        for outcome in outcomes:
            assert orders.accept_outcome(connection, FENEU, gateway, outcome, now_s=NOW_S) is None
    connection.close()


def kid_of(key=PHONE):
    return cose.kid_of(key.public).hex()
