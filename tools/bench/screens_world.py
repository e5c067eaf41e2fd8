"""Makes a warehouse of one commune with as many lights as a screen is to show, in every state, along streets.

Long streets with a name of 80 letters are among them. It is for benchmarks and for the tests in a browser.
"""

import math
from contextlib import closing
from random import Random

from tools.centre.ingest.warehouse import Warehouse
from tools.centre.scope import grants
from tools.centre.store import database, schema
from wire import cbor, event

INSEE, OPERATOR = "49135", "Léa Durand"
STREETS = (
    "rue du Port", "place du Bourg", "chemin des Écoliers", "rue de l’Église", "allée des Tilleuls",
    "avenue du Maréchal-de-Lattre-de-Tassigny-et-des-Anciens-Combattants-d’Afrique",
)  # fmt: skip
_STREET_LIGHTS = 40
_SHARES = {"unknown": 0.03, "pending": 0.06, "off": 0.16, "fault": 0.175}


def build(path: str, lights: int, *, now_s: int, seed: int = 1) -> None:
    """Fills a new warehouse: lights every 30 m or so; of a hundred three are silent, three do not light, ten are off,
    and one or two have a fault."""
    Warehouse(path, synchronous="OFF").close()
    chance = Random(seed)
    with closing(schema.open_to_write(path, "OFF")) as connection:
        connection.execute("BEGIN")
        connection.execute(
            "INSERT INTO equipment (insee, kind, id, name, from_unix_s) VALUES (?, 'commune', ?, 'Feneu', 0)",
            (INSEE, INSEE),
        )
        connection.execute("INSERT INTO gateways (id, insee, name, first_seen_unix_s) VALUES (?, ?, 'cab-1', 0)",
                           (b"gw-00001", INSEE))  # fmt: skip
        for number in range(lights):
            _add(connection, number, chance, now_s)
        _hear(connection, b"gw-00001", now_s, None, None)
        for trade in (grants.ALL, grants.JOURNAL):
            grants.give(connection, grants.Grant(OPERATOR, grants.ALL, trade, 0, None, "secretary", 0))
        connection.execute("COMMIT")


def _add(connection, number, chance, now_s):
    street, place = divmod(number, _STREET_LIGHTS)
    name = STREETS[street % len(STREETS)] + (f" {street}" if street >= len(STREETS) else "")
    turn, far = 2.399 * street, 0.0009 * math.sqrt(street + 1)
    latitude = 47.57 + far * math.sin(turn) + 0.00025 * place * math.cos(3 * turn) + chance.uniform(-1, 1) * 5e-5
    longitude = -0.59 + 1.5 * far * math.cos(turn) + 0.00038 * place * math.sin(3 * turn) + chance.uniform(-1, 1) * 5e-5
    node = b"L" + number.to_bytes(7, "big")
    connection.execute(
        "INSERT INTO equipment (insee, kind, id, street, lamp, power_dw, longitude, latitude, cabinet, feeder, node,"
        " from_unix_s) VALUES (?, 'light', ?, ?, 'LED', 350, ?, ?, ?, 'bourg', ?, 0)",
        (INSEE, f"{number + 1:05}", name, longitude, latitude, f"{INSEE}-cab-1", node),
    )
    drawn = chance.random()
    state = next((name for name, share in _SHARES.items() if drawn < share), "lit")
    power_dw = {"pending": 0, "off": 2}.get(state, chance.randrange(120, 260))
    heard_s = now_s - (7200 if state == "unknown" else chance.randrange(10, 800))
    _hear(connection, node, heard_s, power_dw, 0 if state == "off" else 70)
    if state == "fault":
        fail(connection, node, heard_s)


def _hear(connection, node, unix_s, power_dw, level_percent):
    values = (node, unix_s, unix_s, unix_s, power_dw, level_percent)
    connection.execute("INSERT INTO latest VALUES (?, 1, 1, ?, 1, 1, 1, ?, 1, 1, ?, 1, 1, NULL, ?, ?)", values)


def fail(connection: database.Connection, node: bytes, unix_s: int) -> None:
    """Puts a lamp out of order."""
    body = cbor.encode([event.LAMP_FAILURE, True, None])
    alarm = event.LANES.index(event.ALARM)
    connection.execute("INSERT INTO records VALUES (?, 1, 2, ?, 1, 1, ?, ?, 1, ?)", (node, unix_s, alarm, body, unix_s))
    connection.execute("INSERT INTO faults VALUES (?, 1, 2, ?, ?, 1, 2, NULL, NULL)", (node, event.LAMP_FAILURE, b""))
