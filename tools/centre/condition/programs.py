"""Answers which program a gateway or a node runs, by what its last start stated, how far gateways are with the
campaigns that bring their nodes programs, what became of the last update of their system, and where that is long
ago."""

from collections.abc import Iterator
from typing import NamedTuple

from gateway.language.values import instant_of_state
from tools.centre.limits import SILENCE_S_MAX, SYSTEM_AGE_DAYS_MAX
from tools.centre.register.equipment import cabinet_of
from tools.centre.store import bodies, database
from wire import event

_BOOT = f"""SELECT body, seconds, received_unix_s FROM records
    WHERE node = ? AND boot = (SELECT max(boot) FROM records WHERE node = ?)
    AND lane = {event.LANES.index(event.EVENT)} ORDER BY sequence LIMIT 3"""

_CAMPAIGNS = """SELECT c.node, r.body, r.received_unix_s FROM campaigns AS c
    JOIN records AS r ON r.node = c.node AND r.boot = c.boot AND r.sequence = c.sequence
    JOIN gateways AS g ON g.id = c.node AND g.bound = 1 WHERE g.insee = coalesce(?, g.insee)
    ORDER BY c.node, c.product"""

_LINKED = """SELECT g.id, g.insee, g.name, g.first_seen_unix_s FROM gateways AS g
    JOIN prefixes AS p ON p.gateway = g.gateway WHERE g.bound = 1 AND g.insee = coalesce(?, g.insee)
    GROUP BY g.id, g.insee, g.name, g.first_seen_unix_s HAVING max(p.extended_unix_s) >= ? ORDER BY g.insee, g.name"""
_DAY_S = 86_400


class Program(NamedTuple):
    """Holds a version, when its last start was by the clock that stated it, and when that was received; None: not
    known."""

    version: str | None
    started_unix_s: int | None
    received_unix_s: int | None


def program(connection: database.Connection, node: bytes | None) -> Program:
    """Returns what the last start of a gateway or a node stated; nothing of an equipment that has none."""
    for body, seconds, received_s in connection.execute(_BOOT, (node, node)).fetchall():
        found = bodies.decode_event(body)
        if found.code == event.BOOT and found.detail[4] is not None:
            return Program(str(found.detail[4]), seconds, received_s)
    return Program(None, None, None)


class Campaign(NamedTuple):
    """Holds what a gateway said last of its campaign for a kind of node: the image's number, the phase (a word of
    gateway/core/campaigns), how many nodes have confirmed it and how many failed; `detail`: that record's."""

    gateway: bytes
    product: str
    number: int
    phase: str
    received_unix_s: int
    detail: list


def campaigns(connection: database.Connection, insee: str | None = None) -> list[Campaign]:
    """Returns the latest word of each gateway of each kind; `insee`: of one commune."""
    found = []
    for node, code, detail, received_s in _latest(connection, insee):
        if code == event.CAMPAIGN and all(isinstance(detail[at], int) for at in (1, 3, 4)):
            found.append(Campaign(node, str(detail[0]), detail[1], str(detail[2]), received_s, detail))
    return found


class System(NamedTuple):
    """Holds what a gateway said last of its system: the state of Debian's archive that it has, None where that is not
    known; `detail`: that record's."""

    gateway: bytes
    state: str | None
    received_unix_s: int
    detail: list


def systems(connection: database.Connection, insee: str | None = None) -> list[System]:
    """Returns the latest word of each gateway that has updated its system, or tried to; `insee`: of one commune."""
    found = []
    for node, code, detail, received_s in _latest(connection, insee):
        if code == event.SYSTEM_UPDATE:
            state = detail[0 if detail[2] == "kept" else 1]
            found.append(System(node, state if isinstance(state, str) else None, received_s, detail))
    return found


class Outdated(NamedTuple):
    """Names a cabinet whose system has waited too long for Debian's updates. state_unix_s: the instant of the archive
    that it has; None: it has told of no update in these days, since it was first seen."""

    gateway: bytes
    cabinet: str
    state_unix_s: int | None
    days: int


def outdated(connection: database.Connection, insee: str | None = None, *, now_s: int) -> list[Outdated]:
    """Returns the linked cabinets whose system is older than SYSTEM_AGE_DAYS_MAX; what a silent one has done by itself
    is not known. `insee`: of one commune."""
    states = {one.gateway: instant_of_state(one.state) for one in systems(connection, insee)}
    linked = connection.execute(_LINKED, (insee, now_s - SILENCE_S_MAX)).fetchall()
    found = []
    for gateway, of, name, first_seen_s in linked:
        state_s = states.get(gateway)
        days = (now_s - (first_seen_s if state_s is None else state_s)) // _DAY_S
        if days > SYSTEM_AGE_DAYS_MAX:
            found.append(Outdated(gateway, cabinet_of(of, name), state_s, days))
    return found


def _latest(connection: database.Connection, insee: str | None) -> Iterator[tuple[bytes, int, list, int]]:
    for node, body, received_s in connection.execute(_CAMPAIGNS, (insee,)).fetchall():
        happened = bodies.decode_event(body)
        yield node, happened.code, happened.detail, received_s
