"""Makes a warehouse of one commune with as many lights as a screen is to show, in every state, along streets.

Long streets with a name of 80 letters are among them. Beside the lights it may have a school with rooms and a park with
zones, in each of their states. It is for benchmarks and for the tests in a browser.
"""

import math
from contextlib import closing
from random import Random

from tools.centre.ingest.warehouse import Warehouse
from tools.centre.scope import grants
from tools.centre.store import database, schema
from wire import cbor, directive, event, quantity

INSEE, OPERATOR = "49135", "Léa Durand"
STREETS = (
    "rue du Port", "place du Bourg", "chemin des Écoliers", "rue de l’Église", "allée des Tilleuls",
    "avenue du Maréchal-de-Lattre-de-Tassigny-et-des-Anciens-Combattants-d’Afrique",
)  # fmt: skip
# Name, measured and wanted temperature in 0.01 °C, the rule behind it, seconds since its last word.
ROOMS = (
    ("École, classe 1", 1900, 1900, "programme", 200),
    ("École, classe 2", 1640, 1900, "programme", 300),  # cold
    ("École, salle de motricité et restaurant scolaire Marguerite-de-Navarre", 1650, 1900, "preheat", 400),
    ("Mairie, salle du conseil", 1580, 1600, "programme", 9000),  # without news
)
_STREET_LIGHTS = 40
_SHARES = {"unknown": 0.03, "pending": 0.06, "off": 0.16, "fault": 0.175}


def build(path: str, lights: int, *, now_s: int, seed: int = 1, has_spaces: bool = False) -> None:
    """Fills a new warehouse: lights every 30 m or so; of a hundred three are silent, three do not light, ten are off,
    and one or two have a fault. has_spaces: with the rooms of ROOMS and the zones of a park."""
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
        if has_spaces:
            _add_rooms(connection, now_s)
            _add_park(connection, now_s)
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


def _hear(connection, node, unix_s, power_dw, level_percent, readings=None):
    values = (node, unix_s, unix_s, unix_s, readings, power_dw, level_percent)
    connection.execute("INSERT INTO latest VALUES (?, 1, 1, ?, 1, 1, 1, ?, 1, 1, ?, 1, 1, ?, ?, ?)", values)


def room_node(number: int) -> bytes:
    return b"R" + number.to_bytes(7, "big")


def _add_rooms(connection, now_s):
    for number, (name, temperature_ck, setpoint_ck, rule, age_s) in enumerate(ROOMS):
        node, heard_s = room_node(number), now_s - age_s
        readings = {quantity.SETPOINT: setpoint_ck, quantity.HEATING_DUTY: 100 if temperature_ck < setpoint_ck else 0}
        own = {**readings, quantity.TEMPERATURE: temperature_ck, quantity.key(quantity.TEMPERATURE, 1): 640}
        _place(connection, "room", f"ecole-{number + 1}", name, node, None, 47.5705 + 0.0004 * number)
        _hear(connection, node, heard_s, None, None, cbor.encode(own, 99))
        for quarter in range(100):  # of an hour; an hour and a half of the day is a gap
            at_s, coldest_ck = heard_s - 900 * quarter, temperature_ck - 100
            if not 40 <= quarter < 46:
                said = {**readings, quantity.TEMPERATURE: coldest_ck + (37 * quarter) % 120}
                _record(connection, node, 1000 - quarter, event.TELEMETRY, at_s, cbor.encode(said, 99))
        _tell(connection, node, 1001, event.SETPOINT_CHANGED, [setpoint_ck, 1600, rule, 1], heard_s - 3600)


def _add_park(connection, now_s):
    for space, is_burst in enumerate((False, True)):
        node = b"G" + space.to_bytes(7, "big")
        depletions = {quantity.key(quantity.ROOT_DEPLETION, zone): 90 * zone for zone in (1, 2)}
        _hear(connection, node, now_s - 240, None, None, cbor.encode({**depletions, quantity.WATER_FLOW: 0}, 99))
        _tell(connection, node, 1, event.DIRECTIVE_TAKEN, [directive.DROUGHT_LEVEL, 2, 604_800], now_s - 40 * 86_400)
        for zone, name in enumerate(("pelouse", "massif fleuri"), 1):
            id = f"vert-{space + 1}-{zone}"
            title = f"{('Parc du Moulin', 'Stade')[space]}, {name}"
            _place(connection, "green_space", id, title, node, zone, 47.5690 + 0.0006 * space + 0.0002 * zone)
            for day in range(8):
                at_s, litres = now_s - 86_400 * day - 18_000, 180 + 7 * day
                detail = [zone, True, "balance", 1, 1200]
                _tell(connection, node, 1000 - 10 * day + zone, event.VALVE_SWITCHED, detail, at_s)
                done = [zone, 600, 1000 * litres, 30, "complete"]
                _tell(connection, node, 1000 - 10 * day + 5 + zone, event.WATERING_DONE, done, at_s + 660)
        if is_burst:
            _tell(connection, node, 2000, event.PIPE_BURST, [1, 36_700], now_s - 300, is_alarm=True)
            connection.execute(
                "INSERT INTO faults VALUES (?, 1, 2000, ?, ?, 1, 2000, NULL, NULL)", (node, event.PIPE_BURST, b"")
            )


def _place(connection, kind, id, name, node, zone, latitude):
    connection.execute(
        "INSERT INTO equipment (insee, kind, id, name, street, longitude, latitude, cabinet, node, zone, from_unix_s)"
        " VALUES (?, ?, ?, ?, 'rue du Port', -0.5915, ?, ?, ?, ?, 0)",
        (INSEE, kind, id, name, latitude, f"{INSEE}-cab-1", node, zone),
    )


def _tell(connection, node, sequence, code, detail, unix_s, *, is_alarm=False):
    body = cbor.encode([code, True if is_alarm else None, detail], 99)
    _record(connection, node, sequence, event.ALARM if is_alarm else event.EVENT, unix_s, body)


def _record(connection, node, sequence, lane, unix_s, body):
    values = (node, sequence, unix_s, event.LANES.index(lane), body, unix_s)
    connection.execute("INSERT INTO records VALUES (?, 1, ?, ?, 1, 1, ?, ?, 1, ?)", values)


def fail(connection: database.Connection, node: bytes, unix_s: int) -> None:
    """Puts a lamp out of order."""
    body = cbor.encode([event.LAMP_FAILURE, True, None])
    alarm = event.LANES.index(event.ALARM)
    connection.execute("INSERT INTO records VALUES (?, 1, 2, ?, 1, 1, ?, ?, 1, ?)", (node, unix_s, alarm, body, unix_s))
    connection.execute("INSERT INTO faults VALUES (?, 1, 2, ?, ?, 1, 2, NULL, NULL)", (node, event.LAMP_FAILURE, b""))
