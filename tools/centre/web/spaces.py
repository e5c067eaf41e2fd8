"""Reads the rooms, green spaces and meters of water of a commune, as screens show them; a meter of a cabinet is none.

They are part of the picture of the commune (`pictures`), which viewers of the same rights share. What takes more than
the newest readings (why a node did it, runs, days) is read for what is shown alone: `decisions`.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from tools.centre.condition.states import State, States
from tools.centre.limits import STAMP_AHEAD_S_MAX, STAMP_UNIX_S_MIN
from tools.centre.register.equipment import GREEN_SPACE, METER, ROOM
from tools.centre.store import bodies, database
from tools.centre.web import gauges, states
from tools.centre.web.limits import COLD_CK
from tools.centre.web.search import plain, sorting
from tools.centre.web.states import Shown
from wire import event, quantity, record

_PAGES = {ROOM: "room", GREEN_SPACE: "green", METER: "meter"}
_KINDS = tuple(_PAGES)
_PLACES = f"""SELECT e.kind, e.id, e.zone, e.longitude, e.latitude, l.readings,
    CASE WHEN l.readings_quality <> {record.UNSET} AND l.readings_seconds >= {STAMP_UNIX_S_MIN}
        AND l.readings_seconds <= ? THEN l.readings_seconds END
    FROM equipment AS e LEFT JOIN latest AS l ON l.node = e.node
    WHERE e.insee = ? AND e.kind IN ('room', 'green_space', 'meter') AND (e.kind <> 'meter' OR e.cabinet IS NULL)
    AND e.from_unix_s <= ? AND (e.until_unix_s IS NULL OR e.until_unix_s > ?)"""
_EVENTS = f"""SELECT body FROM records WHERE node = ? AND lane = {event.LANES.index(event.EVENT)}
    ORDER BY boot DESC, sequence DESC LIMIT 20"""
# Faults by which water runs where none should, with a valve that stays open.
_LEAKS = (event.PIPE_BURST, event.WATER_LEAK, event.FLOW_TOO_HIGH)
_STUCK_OPEN = "stuck-open"


class Space(NamedTuple):
    """Holds a room, a zone of a green space or a meter of water as screens show it. readings: the newest, by key."""

    state: State
    shown: Shown
    zone: int | None
    longitude: float | None
    latitude: float | None
    readings: Mapping[int, int]
    measured_unix_s: int | None
    words: str  # what a search looks into
    order: tuple

    @property
    def id(self) -> str:
        return self.state.id or ""

    @property
    def name(self) -> str:
        return self.state.name or self.id

    @property
    def kind(self) -> str:
        return self.state.kind or ""

    @property
    def page(self) -> str:
        """Returns the name of its page's address: equipment of two kinds may have one id."""
        return _PAGES[self.kind]

    @property
    def is_room(self) -> bool:
        return self.kind == ROOM

    @property
    def temperature_ck(self) -> int | None:
        return self.readings.get(quantity.TEMPERATURE)

    @property
    def setpoint_ck(self) -> int | None:
        return self.readings.get(quantity.SETPOINT)

    @property
    def heating_percent(self) -> int | None:
        return self.readings.get(quantity.HEATING_DUTY)

    @property
    def depletion_dmm(self) -> int | None:
        return None if self.kind == METER else self.readings.get(quantity.key(quantity.ROOT_DEPLETION, self.zone or 1))

    @property
    def flow_ml_s(self) -> int | None:
        """Returns the flow of the meter, which the zones of one node share."""
        return self.readings.get(quantity.WATER_FLOW)

    @property
    def gauge(self) -> str:
        """Returns its mark, as SVG."""
        if self.is_room:
            drawn = gauges.thermometer(self.temperature_ck, self.setpoint_ck)
        else:
            drawn = gauges.drop(self.depletion_dmm)
        return gauges.framed(drawn, self.shown)


def spaces(connection: database.Connection, states_of: States, insee: str, *, now_s: int) -> tuple[Space, ...]:
    """Returns those of a commune, rooms before green spaces, what wants an eye first."""
    values = (now_s + STAMP_AHEAD_S_MAX, insee, now_s, now_s)
    known = {(kind, id): rest for kind, id, *rest in connection.execute(_PLACES, values).fetchall()}
    opened: dict[bytes, Mapping[int, int]] = {}
    found = []
    for kind in _KINDS:
        for state in states_of.of_equipment(kind):
            if (kind, state.id) in known:
                zone, longitude, latitude, body, measured_s = known[kind, state.id]
                if body is not None and body not in opened:  # zones of a node share it
                    opened[body] = bodies.decode(body)
                readings = opened.get(body, {})
                space = Space(state, states.UNKNOWN, zone, longitude, latitude, readings, measured_s, "", ())
                found.append(_judged(connection, space))
    return tuple(sorted(found, key=lambda one: one.order))


def _judged(connection: database.Connection, space: Space) -> Space:
    state, rank = space.state, _KINDS.index(space.kind)
    words = plain(" ".join(part for part in (state.name, state.street, space.id) if part))
    if space.is_room:
        measured_ck, wanted_ck = space.temperature_ck, space.setpoint_ck
        lack_ck = None if measured_ck is None or wanted_ck is None else wanted_ck - measured_ck
        is_lacking = lack_ck is not None and lack_ck >= COLD_CK
        shown = states.of_room(
            state.state, lack_ck, is_preheating=is_lacking and _is_preheating(connection, state.node)
        )
        first, lack = states.ROOMS, -(lack_ck or 0)
    else:
        shown = states.of_green(state.state, is_leak=_leaks(state), is_watered=_is_watered(connection, space))
        first, lack, rank = states.GREENS, -(space.depletion_dmm or 0), 1
    order = (rank, list(first).index(shown), lack, sorting(space.name), space.id)
    return space._replace(shown=shown, words=words, order=order)


def _leaks(state: State) -> bool:
    fault = state.fault
    return fault is not None and (fault.code in _LEAKS or _STUCK_OPEN in tuple(fault.detail or ()))


def _is_preheating(connection: database.Connection, node: bytes | None) -> bool:
    """Returns whether a room is cold because its node has just begun to warm it for its hours."""
    changed = next((one for one in _told(connection, node) if one.code == event.SETPOINT_CHANGED), None)
    return changed is not None and "preheat" in changed.detail


def _is_watered(connection: database.Connection, space: Space) -> bool:
    """Returns whether water runs, and through this zone's valve."""
    if not space.flow_ml_s or space.zone is None:
        return bool(space.flow_ml_s)
    switched = (one for one in _told(connection, space.state.node) if one.code == event.VALVE_SWITCHED)
    return bool(next((one.detail[1] for one in switched if one.detail[0] == space.zone), False))


def _told(connection: database.Connection, node: bytes | None) -> list[Any]:
    """Returns the last events of a node, the newest first."""
    return [bodies.decode_event(body) for (body,) in connection.execute(_EVENTS, (node,))]
