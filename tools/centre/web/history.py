"""Reads what an equipment did in the last hours: what it measured and what was wanted of it, mains, and what it told.

A time that is not known is left out. Between two readings farther apart than a silence is a gap, which is not filled:
where the cabinet held the feeder's contactor open it is no gap, for the lamp had no mains to speak with.
"""

from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Any, NamedTuple

from tools.centre.condition.faults import StandingFault
from tools.centre.condition.visits import Reading, Standing, measured_from, standing
from tools.centre.limits import SILENT_S
from tools.centre.register.register import Register
from tools.centre.store import bodies, database
from tools.centre.store.archive import Archive
from tools.centre.web.limits import HISTORY_RECORDS_MAX, ORDER_EVENTS_MAX
from wire import event, quantity
from wire.command import OUTCOMES

_RECORDS = """SELECT boot, sequence, body, quality, seconds, uncertainty_s FROM records
    WHERE node = ? AND lane = ? ORDER BY boot DESC, sequence DESC LIMIT ?"""
_OVER = ("ended", "expired")
Span = tuple[int, int]


class Point(NamedTuple):
    """Holds one reading of two quantities: of a light the power and the level, of a room the temperature and the
    set-point, of a pipe the flow alone. None where it has none."""

    unix_s: int
    measured: int | None
    wanted: int | None


class Told(NamedTuple):
    """Holds an event that was told by the equipment's node, or by its cabinet about its feeder."""

    unix_s: int
    body: Any  # wire.record.EventBody


class History(NamedTuple):
    """Holds what is known of an equipment from since_s to now_s; points and what was told, the oldest first."""

    since_s: int
    now_s: int
    points: tuple[Point, ...]
    unpowered: tuple[Span, ...]
    gaps: tuple[Span, ...]
    told: tuple[Told, ...]
    signal_dbm: int | None


def history(
    connection: database.Connection,
    node: bytes | None,
    cabinet: str | None,
    feeder: str | None,
    measured: int,
    wanted: tuple[int, ...],
    *,
    since_s: int,
    now_s: int,
) -> History:
    """Returns the last hours of an equipment. measured, wanted: keys of readings; of those that are wanted the first
    that a reading has."""
    archive = Archive(connection)
    points: list[Point] = []
    told: list[Told] = []
    signal_dbm = None
    if node is not None:
        for unix_s, readings in _recent(connection, archive, node, event.TELEMETRY, since_s - SILENT_S, now_s):
            asked = next((readings[key] for key in wanted if key in readings), None)
            points.append(Point(unix_s, readings.get(measured), asked))
            signal_dbm = readings.get(quantity.SIGNAL) if signal_dbm is None else signal_dbm  # the newest comes first
        told += decisions(connection, node, HISTORY_RECORDS_MAX, since_s=since_s, now_s=now_s)
    switched = []
    for gateway in Register(connection).gateway_ids(cabinet) if cabinet and feeder else ():
        for unix_s, body in _recent(connection, archive, gateway, event.EVENT, 0, now_s):
            if body.code == event.FEEDER_SWITCHED and body.detail[0] == feeder:
                switched.append((unix_s, bool(body.detail[1])))
                told += [Told(unix_s, body)] if unix_s >= since_s else []
    unpowered = tuple(_unpowered(sorted(switched), since_s, now_s))
    known = sorted(
        (one for one in points if one.measured is not None or one.wanted is not None), key=lambda one: one.unix_s
    )
    gaps = tuple(_gaps([one.unix_s for one in known], unpowered, since_s, now_s)) if node is not None else ()
    in_order = tuple(sorted(told, key=lambda one: one.unix_s))
    return History(since_s, now_s, tuple(known), unpowered, gaps, in_order, signal_dbm)


def measured(connection: database.Connection, node: bytes, *, since_s: int, now_s: int) -> list[Reading]:
    """Returns what the node of a light measured since then, the oldest first."""
    found = _recent(connection, Archive(connection), node, event.TELEMETRY, since_s, now_s)
    return sorted((_reading(*one) for one in found), key=lambda one: one.unix_s)


def standing_of(connection: database.Connection, fault: StandingFault, *, now_s: int) -> Standing:
    """Returns how a fault stands by what was measured since a person said that it is repaired."""
    since_s = measured_from(fault)
    if since_s is None:
        return standing(fault)
    return standing(fault, measured(connection, fault.subject, since_s=since_s, now_s=now_s))


def _reading(unix_s: int, readings: dict[int, int]) -> Reading:
    level = readings.get(quantity.LEVEL_REPORTED, readings.get(quantity.LEVEL_ORDERED))
    return Reading(unix_s, readings.get(quantity.POWER), level)


def decisions(
    connection: database.Connection, node: bytes | None, most: int, *, since_s: int, now_s: int
) -> list[Told]:
    """Returns the last events and alarms that a node told, at most so many of each, the oldest first."""
    archive = Archive(connection)
    found = [
        Told(*one)
        for lane in (event.EVENT, event.ALARM)
        for one in (_recent(connection, archive, node, lane, since_s, now_s, most) if node is not None else ())
    ]
    return sorted(found, key=lambda one: one.unix_s)


def outcomes(
    connection: database.Connection, nodes: Iterable[bytes], order: bytes, *, since_s: int, now_s: int
) -> dict[bytes, Told]:
    """Returns the last outcome that each node told of an order, as it told it first: the last before its end, where
    there is one. A node repeats it to an agent that has restarted."""
    archive, found = Archive(connection), {}
    for node in nodes:
        told = [
            Told(*one)
            for one in _recent(connection, archive, node, event.EVENT, since_s, now_s, ORDER_EVENTS_MAX)
            if one[1].code == event.COMMAND_OUTCOME and _is_of(order, one[1].detail)
        ]
        begun = [one for one in told if one.body.detail[1] not in _OVER] or told
        for one in begun:
            if one.body.detail != begun[0].body.detail:
                break
            found[node] = one
    return found


def _is_of(order: bytes, detail: Any) -> bool:
    """Returns whether this is a sound outcome of an order; a node may say anything."""
    if detail[0] != order or detail[1] not in OUTCOMES:
        return False
    return isinstance(detail[2], str | None) and isinstance(detail[4], int | None)


def _recent(
    connection: database.Connection,
    archive: Archive,
    node: bytes,
    lane: str,
    since_s: int,
    now_s: int,
    most: int = HISTORY_RECORDS_MAX,
) -> Iterator[tuple[int, Any]]:
    moments = archive.moments(node)
    decode = bodies.decode if lane == event.TELEMETRY else bodies.decode_event
    for boot, sequence, body, *stamp in connection.execute(_RECORDS, (node, event.LANES.index(lane), most)).fetchall():
        unix_s = moments.of(boot, sequence, *stamp).unix_s
        if unix_s is not None and since_s <= unix_s <= now_s:
            yield unix_s, decode(body)


def _unpowered(switched: list[tuple[int, bool]], since_s: int, now_s: int) -> Iterator[Span]:
    for n, (unix_s, is_closed) in enumerate(switched):
        end_s = switched[n + 1][0] if n + 1 < len(switched) else now_s
        if not is_closed and end_s > since_s:
            yield max(unix_s, since_s), end_s


def _gaps(heard: list[int], unpowered: tuple[Span, ...], since_s: int, now_s: int) -> Iterator[Span]:
    """Returns the spans without a reading, but for those of which the feeder's contactor explains all but a silence."""
    bounds = [since_s, *(one for one in heard if one > since_s), now_s]
    before = [one for one in heard if one <= since_s]
    if before:
        bounds[0] = max(before)
    for begin_s, end_s in pairwise(bounds):
        explained_s = sum(max(0, min(end_s, off_s) - max(begin_s, on_s)) for on_s, off_s in unpowered)
        if end_s - begin_s - explained_s > SILENT_S:
            yield max(begin_s, since_s), end_s
