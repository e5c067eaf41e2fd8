"""Holds what is known of the lights, rooms and green spaces of a commune, once for all who look at it with the same
rights.

List, map, counts and what is pushed are made from the same picture, so they are always equal. It is read through the
scope of those rights, and held under them: two persons share a picture when everything that is granted to them is the
same. A warehouse is asked when it has changed, at most once in PICTURE_S by pages and once in LIVE_EVERY_S by what
pushes its changes (`live`); a page that nobody looks at costs nothing.
"""

import os
import secrets
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import lru_cache
from threading import Lock
from typing import NamedTuple

from policy import sun
from tools.centre.condition.states import State, States
from tools.centre.limits import STAMP_AHEAD_S_MAX, STAMP_UNIX_S_MIN
from tools.centre.register.equipment import LIGHT
from tools.centre.store import bodies, database
from tools.centre.web.access import opened
from tools.centre.web.connections import Areas
from tools.centre.web.limits import PICTURE_LIGHTS_MAX, PICTURE_S, PICTURE_STALE_S
from tools.centre.web.search import plain, sorting
from tools.centre.web.spaces import Space, spaces
from tools.centre.web.states import LIT, OFF, PENDING, Shown, shown
from wire import event, record

_MEASURED = f"""SELECT node, power_dw, level_percent, CASE WHEN readings_quality <> {record.UNSET}
    AND readings_seconds >= {STAMP_UNIX_S_MIN} THEN readings_seconds END FROM latest WHERE node {{}}"""
# What was ordered since the newest readings is told at once, and the readings of it come by the quarter hour. Readings
# of the second of a switching have the level of before it, and stand behind its event.
_BESIDE = 3
_ORDERED = f"""SELECT l.node, r.body FROM latest AS l JOIN records AS r ON r.node = l.node AND r.boot = l.boot
    AND r.sequence > CASE WHEN l.readings_boot = l.boot THEN l.readings_sequence - {_BESIDE} ELSE -1 END
    AND (r.sequence > l.readings_sequence OR l.readings_boot <> l.boot OR r.seconds = l.readings_seconds)
    WHERE r.lane = {event.LANES.index(event.EVENT)} AND l.node {{}} ORDER BY l.node, r.sequence"""
_PLACES = """SELECT id, post, lamp, power_dw, longitude, latitude FROM equipment WHERE insee = ? AND kind = 'light'
    AND from_unix_s <= ? AND (until_unix_s IS NULL OR until_unix_s > ?)"""
_NOWHERE = (None,) * 5
_UNMEASURED = (None,) * 3


class Place(NamedTuple):
    """Holds what the register says of a light beside its state."""

    post: str | None = None
    lamp: str | None = None
    power_dw: int | None = None
    longitude: float | None = None
    latitude: float | None = None


class Figures(NamedTuple):
    """Holds what a light measured, when, and what was ordered last: since that perhaps."""

    power_dw: int | None = None
    level_percent: int | None = None
    measured_unix_s: int | None = None


class Light(NamedTuple):
    """Holds one light as screens show it."""

    state: State
    shown: Shown
    place: Place
    figures: Figures
    words: str  # what a search looks into
    order: tuple

    @property
    def id(self) -> str:
        return self.state.id or ""

    @property
    def number(self) -> str:
        """Returns what stands on the post."""
        return self.place.post or self.id


class Picture(NamedTuple):
    """Holds the lights of a commune, by street and number, and its rooms and green spaces. `version` is another one
    whenever anything has changed, and `places` whenever a light has come, gone or moved: a light is named by its place
    in `lights` until then."""

    insee: str
    version: str
    places: str
    now_s: int
    lights: tuple[Light, ...]
    counts: Counter[Shown]  # of lights
    spaces: tuple[Space, ...]


class Pictures:
    """Keeps the pictures of one warehouse; it is used from many threads."""

    def __init__(self, warehouse: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._warehouse = warehouse
        self._clock = clock
        self._lock = Lock()
        self._held: OrderedDict[tuple[Areas, str], _Held] = OrderedDict()

    def of(self, areas: Areas, insee: str, *, now_s: int, is_look: bool = False) -> Picture:
        """Returns the picture of a commune for who has these areas (`access.within`). `is_look`: the warehouse is asked
        for changes, however new the picture is; `live` does so, on behalf of all viewers."""
        with self._lock:
            held = self._held.setdefault((areas, insee), _Held())
            self._held.move_to_end((areas, insee))
            self._make_room()
        with held.lock:
            asked_s = self._clock()
            if held.picture is not None and not is_look and asked_s - held.asked_s < PICTURE_S:
                return held.picture
            before, mark = held.picture, held.mark
            held.asked_s, held.mark = asked_s, self._changes()
            is_same = held.mark is not None and held.mark == mark
            if before is None or not is_same or abs(now_s - before.now_s) >= PICTURE_STALE_S:
                with opened(areas) as connection:
                    held.picture = before = drawn(connection, insee, before, now_s=now_s)
            return before._replace(now_s=now_s)

    def _make_room(self) -> None:
        lights = sum(len(one.picture.lights) for one in self._held.values() if one.picture is not None)
        while lights > PICTURE_LIGHTS_MAX and len(self._held) > 1:
            _, gone = self._held.popitem(last=False)
            lights -= 0 if gone.picture is None else len(gone.picture.lights)

    def _changes(self) -> tuple[int, ...] | None:
        """Returns what differs when a file was written to; None: it cannot be told."""
        if database.is_server(self._warehouse):
            return None
        found: tuple[int, ...] = ()
        for path in (self._warehouse, self._warehouse + "-wal"):
            with suppress(FileNotFoundError):
                status = os.stat(path)
                # A log without content is what a reader leaves behind.
                found += (status.st_mtime_ns, status.st_size) if status.st_size else ()
        return found


class _Held:
    def __init__(self) -> None:
        self.lock = Lock()
        self.picture: Picture | None = None
        self.mark: tuple[int, ...] | None = None
        self.asked_s = float("-inf")


def drawn(connection: database.Connection, insee: str, before: Picture | None = None, *, now_s: int) -> Picture:
    """Returns the picture of a commune; `before`, if nothing has changed since."""
    states = States(connection, now_s=now_s, insee=insee)
    lights = _lights(connection, states, insee, before.lights if before is not None else (), now_s=now_s)
    others = spaces(connection, states, insee, now_s=now_s)
    if before is not None and before.lights == lights and before.spaces == others:
        return before._replace(now_s=now_s)
    version = secrets.token_hex(4)
    places = before.places if before is not None and _stand_there(before.lights, lights) else version
    return Picture(insee, version, places, now_s, lights, Counter(one.shown for one in lights), others)


def _stand_there(before: tuple[Light, ...], now: tuple[Light, ...]) -> bool:
    """Returns whether no light has come, gone or moved. Most are the very objects that they were."""
    pairs = zip(before, now, strict=False)
    return len(before) == len(now) and all(old is new or _where(old) == _where(new) for old, new in pairs)


def _where(light: Light) -> tuple:
    return light.id, light.state.street, light.place.longitude, light.place.latitude


def _lights(
    connection: database.Connection, states: States, insee: str, before: tuple[Light, ...], *, now_s: int
) -> tuple[Light, ...]:
    """Returns the lights of a commune by street and number; one of `before` that is still the same is taken as it was,
    for making them is most of the work."""
    known = {one.state.id: one for one in before}
    measured, latest_s = {}, now_s + STAMP_AHEAD_S_MAX
    for node, power_dw, level_percent, at_s in connection.among(_MEASURED, states.nodes or ()):
        measured[node] = power_dw, level_percent, None if at_s is not None and at_s > latest_s else at_s
    for node, body in connection.among(_ORDERED, states.nodes or ()):
        said = bodies.decode_event(body)
        if said.code == event.LEVEL_CHANGED and isinstance(said.detail[0], int):
            measured[node] = measured[node][0], said.detail[0], measured[node][2]
    places = {row[0]: row[1:] for row in connection.execute(_PLACES, (insee, now_s, now_s))}
    found = []
    turned = _turned(places.values(), now_s=now_s)
    for state in states.of_equipment(LIGHT):
        place, figures = places.get(state.id, _NOWHERE), measured.get(state.node, _UNMEASURED)
        turn = None if states.is_switched(state.cabinet, state.feeder) else turned
        old, how = known.get(state.id), _shown(state, Figures._make(figures), turn)
        if old is None or old.shown != how or old.state != state or old.figures != figures or old.place != place:
            old = _light(state, how, Place._make(place), Figures._make(figures), old)
        found.append(old)
    return tuple(sorted(found, key=_order))


class _Turn(NamedTuple):
    """States when the sun last set or rose, and which it did."""

    unix_s: int
    is_dusk: bool


def _turned(places: Iterable[tuple], *, now_s: int) -> _Turn | None:
    """Returns the last sunset or sunrise where the lights are: (…, longitude, latitude); None: no light has a place."""
    found = next(((place[-1], place[-2]) for place in places if None not in place[-2:]), None)
    return None if found is None else _turned_at(*(round(10_000 * one) for one in found), now_s // 60)


@lru_cache(maxsize=1024)
def _turned_at(latitude_e4: int, longitude_e4: int, minute: int) -> _Turn | None:
    days = (60 * minute // 86_400 - 1, 60 * minute // 86_400)
    turns = [(sun.crossing_s(day, latitude_e4, longitude_e4, rising=rising), not rising)
             for day in days for rising in (True, False)]  # fmt: skip
    past = [_Turn(at_s, is_dusk) for at_s, is_dusk in turns if at_s is not None and at_s <= 60 * minute]
    return max(past, default=None)


def _shown(state: State, figures: Figures, turned: _Turn | None) -> Shown:
    """Returns the state that screens show. turned: for a lamp that is always under power; it tells of its switching
    with its next report, and until then one that was dark before the sun set, or burnt before it rose, is as little
    known as one that was ordered and not measured."""
    power, level, at_s = figures
    how = shown(state.state, has_node=state.node is not None, power_dw=power, level_percent=level)
    if turned is None or at_s is None or at_s >= turned.unix_s or how != (OFF if turned.is_dusk else LIT):
        return how
    return PENDING


def _light(state: State, how: Shown, place: Place, figures: Figures, old: Light | None) -> Light:
    if old is not None and (old.state.street, old.state.name, old.place.post) == (state.street, state.name, place.post):
        return Light(state, how, place, figures, old.words, old.order)
    id = state.id or ""
    words = plain(" ".join(part for part in (state.street, place.post, id, state.name) if part))
    # Lights without a street come last.
    order = (state.street is None, sorting(state.street or ""), sorting(place.post or id), id)
    return Light(state, how, place, figures, words, order)


def _order(light: Light) -> tuple:
    return light.order
