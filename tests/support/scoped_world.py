"""A warehouse of two communes with all three trades, where what belongs to whom can be read off each word.

Feneu is 49135 and Angers is 49007; in each a cabinet, a feeder, a light, a room, a green space and a meter, with a
fault of each trade. Names, streets, ids of nodes and readings say the commune and the trade. The light `moved` stood in
Feneu until MOVED_S and stands in Angers since, with the same node.
"""

import time
from contextlib import closing
from functools import cache
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.support.centre_world import batch, fact, reading, synced
from tools.centre.ingest.warehouse import Warehouse
from tools.centre.rollup.hours import hours_of
from tools.centre.rollup.worker import Worker
from tools.centre.scope import grants, journal, reader
from tools.centre.store import database, schema, sqlite_file
from wire import event, quantity

FENEU, ANGERS = "49135", "49007"
LIGHTING, HEATING, WATERING = TRADES = "lighting", "heating", "watering"
DAYS = [hours_of(20_770 + day)[0] for day in range(4)]  # midnights of France, from 2026-11-13 on
MOVED_S = DAYS[2]
NOW_S = DAYS[3] + 43_200
MOVED = b"moved-49"
# Of every commune, a word that only this trade's rows have: in names and streets, and as celsius, litres and watts.
_KINDS = {"light": LIGHTING, "room": HEATING, "green_space": WATERING, "meter": WATERING}
_FIGURES = {FENEU: 100, ANGERS: 200}
_STREET = f"{grants.OF_STREET}lighting street of {ANGERS}"
# Who may see what, as (commune, trade).
ROLES = {
    "nobody": [],
    "electrician": [(FENEU, LIGHTING)],
    "caretaker": [(ANGERS, HEATING)],
    "gardener": [("*", WATERING)],
    "two": [(FENEU, HEATING), (ANGERS, LIGHTING)],
    "mayor": [(FENEU, "*")],
    "operator": [("*", "*")],
    "auditor": [("*", "journal")],
    # By ticket: one light, and the lights of a street.
    "contractor": [(FENEU, grants.of_place("light", "light-1")), (ANGERS, _STREET)],
}
_NODE_KINDS = {LIGHTING: ("light",), HEATING: ("room",), WATERING: ("green_space", "meter")}
_FAULTS = {"light": event.LAMP_FAILURE, "room": event.SENSOR_FAILURE, "green_space": event.VALVE_FAILURE}


def node_of(kind, insee):
    return f"{kind[:3]}{insee}".encode()


def gateway_of(insee):
    return f"gw-{insee}".encode()


def build(path):
    """The warehouse at `path`, its roll-up done."""
    warehouse = Warehouse(path, synchronous="OFF")
    for insee in (FENEU, ANGERS):
        _equip(warehouse._connection, insee)
    rows = [(FENEU, 0, MOVED_S), (ANGERS, MOVED_S, None)]
    warehouse._connection.executemany(
        "INSERT INTO equipment (insee, kind, id, name, street, node, from_unix_s, until_unix_s)"
        " VALUES (?, 'light', 'moved', ?, ?, ?, ?, ?)",
        [(i, f"moved lighting of {i}", f"lighting street of {i}", MOVED, start, end) for i, start, end in rows],
    )
    for insee in (FENEU, ANGERS):
        _report(warehouse, insee)
    _trespass(warehouse)
    worker = Worker(warehouse._connection)
    worker.fill_calendar(now_s=NOW_S)
    while worker.step(100):
        pass
    warehouse.close()


def _equip(connection, insee):
    names = (("commune", insee, "commune"), ("cabinet", "cab", "cabinet"), ("feeder", "cab/main", "lighting feeder"))
    rows = [(kind, id, f"{name} of {insee}", None, None) for kind, id, name in names]
    for kind, trade in _KINDS.items():
        name = f"{kind} {trade} of {insee}"
        rows.append((kind, f"{kind}-1", name, f"{trade} street of {insee}", node_of(kind, insee)))
    connection.executemany(
        "INSERT INTO equipment (insee, kind, id, name, street, node, from_unix_s, cabinet, feeder, longitude, latitude)"
        " VALUES (?, ?, ?, ?, ?, ?, 0, ?, ?, -0.59, 47.57)",
        [(insee, *row, *((f"{insee}-cab", "main") if row[0] == "light" else (None, None))) for row in rows],
    )


def _readings(kind, insee, step):
    figure = _FIGURES[insee]
    if kind == "light":
        return {quantity.POWER: figure, quantity.LEVEL_ORDERED: 100, quantity.ENERGY: 1000 * figure + step * figure}
    if kind == "room":
        return {quantity.TEMPERATURE: 10 * figure, quantity.SETPOINT: 11 * figure, quantity.HEATING_DUTY: figure // 10}
    return {quantity.WATER_VOLUME: 1000 * figure + step * figure}


def _report(warehouse, insee):
    numbers, gateway = count(), gateway_of(insee)
    telemetry = [
        reading(step, _readings(kind, insee, step), node=node_of(kind, insee), stamp=synced(DAYS[0] + 1800 * step))
        for kind in _KINDS
        for step in range(140)
    ]
    # Its records come through the cabinet that stands there.
    begin_s, boot = (DAYS[0], 1) if insee == FENEU else (MOVED_S, 2)
    telemetry += [
        reading(step, _readings("light", insee, step), node=MOVED, boot=boot, stamp=synced(begin_s + 1800 * step))
        for step in range(48)
    ]
    telemetry.append(reading(0, {6: 2000}, node=f"stray{insee[2:]}".encode(), stamp=synced(DAYS[0])))
    faults = [
        fact(900 + n, code, [], active=True, node=node_of(kind, insee), stamp=synced(DAYS[1]))
        for n, (kind, code) in enumerate(_FAULTS.items())
    ]
    faults.append(fact(900, event.LAMP_FAILURE, [], active=True, node=MOVED, boot=boot, stamp=synced(begin_s + 60)))
    faults.append(fact(1, event.FEEDER_FAILURE, ["main"], active=True, node=gateway, stamp=synced(DAYS[1])))
    facts = [
        fact(2, event.FEEDER_SWITCHED, ["main", True, "policy", 0], node=gateway, stamp=synced(DAYS[1])),
        fact(3, event.GAP, [node_of("room", insee), 1, 500, 501, "full"], node=gateway, stamp=synced(DAYS[1])),
        fact(
            4, event.NODE_PLACED, [node_of("light", insee), f"number in {insee}", None, "A person", None, None],
            node=gateway, stamp=synced(DAYS[1]),
        ),
    ]
    if insee == ANGERS:  # the person in charge said that the lamp was moved
        warehouse.bind([MOVED], f"{ANGERS}-cab", alone=True, now_s=MOVED_S)
    for lane, items in ((event.TELEMETRY, telemetry), (event.ALARM, faults), (event.EVENT, facts)):
        topic = f"tc/1/{'t' if lane == event.TELEMETRY else 'e'}/{insee}/cab"
        for item in items:
            payload = batch([item], next(numbers), oldest=0, lane=lane, gateway=gateway)
            warehouse.accept(topic, payload, received_unix_s=item.record.stamp.seconds + 5)


def _trespass(warehouse):
    """The cabinet of Feneu speaks for the light of Angers, and sends what cannot be read."""
    item = fact(9, event.GAP, [node_of("light", ANGERS), 1, 500, 501, "full"], node=gateway_of(FENEU))
    payload = batch([item], 0, lane=event.EVENT, gateway=gateway_of(FENEU), epoch=b"epoch-02")
    warehouse.accept(f"tc/1/e/{FENEU}/cab", payload, received_unix_s=DAYS[1])
    warehouse.accept(f"tc/1/t/{FENEU}/cab", b"refused", received_unix_s=DAYS[1])


def build_for_persons(where):
    """The same with everybody's rights, and a line of the journal for each commune. A file is built once in a process
    and copied."""
    if database.is_server(where):
        _build_for_persons(where)
    else:
        sqlite_file.make(where)
        Path(where).write_bytes(_file())


@cache
def _file():
    with TemporaryDirectory() as folder:
        path = Path(folder, "centre.db")
        _build_for_persons(str(path))
        return path.read_bytes()


def _build_for_persons(path):
    build(path)
    with closing(schema.open_to_write(path)) as connection:
        for person, granted_areas in ROLES.items():
            for insee, trade in granted_areas:
                grants.give(connection, grants.Grant(person, insee, trade, 0, None, "secretary", 0))
        for insee in (FENEU, ANGERS):
            journal.write(connection, journal.Line(int(time.time()), "somebody", "rooms", insee, ""))


def opened(path, person, *, now_s=2_000_000_000):
    with closing(schema.open_to_read(path)) as connection:
        areas = grants.areas(connection, person, now_s=now_s)
    return closing(reader.open_to_read(path, areas))


def granted(person, insee, trade):
    return any(area in ((insee, trade), (insee, "*"), ("*", trade), ("*", "*")) for area in ROLES[person])


def has_page(person, insee):
    """Whether the person has any equipment to see in a commune."""
    return any(where in (insee, "*") and trade != "journal" for where, trade in ROLES[person])


def sees(person, insee, kind):
    """Whether the person sees the first equipment of a kind."""
    return granted(person, insee, _KINDS.get(kind, LIGHTING)) or (person == "contractor" and kind == "light")


def foreign_words(person):
    """What this person must not read anywhere."""
    if person == "contractor":
        return _foreign_of_contractor()
    words = []
    for insee in (FENEU, ANGERS):
        mine = [trade for trade in TRADES if granted(person, insee, trade)]
        for trade in set(TRADES) - set(mine):
            words += [f"{trade} of {insee}", f"{trade} street of {insee}", f"{trade} feeder of {insee}"]
            # A cabinet names its nodes where it tells of gaps, and the journal what was asked.
            if LIGHTING not in mine and person != "auditor":
                words += [node_of(kind, insee).hex() for kind in _NODE_KINDS[trade]]
        if LIGHTING not in mine and person not in ("gardener", "auditor"):
            words.append(gateway_of(insee).hex() if not mine else f'"{gateway_of(insee).hex()}/"')
        if not mine and person != "auditor":  # who reads which commune's journal it is, by name
            words += [f"commune of {insee}", insee]
        if len(mine) < len(TRADES):
            words.append(f"stray{insee[2:]}".encode().hex())
    if not any(granted(person, insee, LIGHTING) for insee in (FENEU, ANGERS)):
        words.append(MOVED.hex())
    if person != "auditor":
        words += ["somebody", "secretary"]
    # Who reads the rights reads the name of the street that was granted.
    return [word for word in words if person != "auditor" or word not in _STREET]


def _foreign_of_contractor():
    words = ["somebody", "secretary", f"moved lighting of {FENEU}"]
    for insee in (FENEU, ANGERS):
        words += [f"lighting feeder of {insee}", f"stray{insee[2:]}".encode().hex(), f'"{gateway_of(insee).hex()}/"']
        for trade in (HEATING, WATERING):
            words += [f"{trade} of {insee}", f"{trade} street of {insee}"]
            words += [node_of(kind, insee).hex() for kind in _NODE_KINDS[trade]]
    return words


def leaks(person, text):
    return [word for word in foreign_words(person) if word in text]


def texts(rows):
    return "\n".join(" ".join(value.hex() if isinstance(value, bytes) else str(value) for value in row) for row in rows)


def lines(path):
    """All lines of the journal."""
    with closing(schema.open_to_read(path)) as connection:
        return journal.read(connection, since_unix_s=0, until_unix_s=1 << 40)
