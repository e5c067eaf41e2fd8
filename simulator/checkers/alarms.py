"""Checks that (invariant 2) every fault of equipment is reported, once and soon, and healthy equipment is not accused.

`judge_nodes` compares the faults that a scenario put into lamps, rooms and pipes with the alarm records of their nodes
in the warehouse; `judge_cabinet` compares what a story did to a cabinet with the alarm records of its gateway. A
restarted agent may there report again what still lasts; a number of lamps that changes is reported again under the
active alarm.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from wire import event, event_table, record

# Three samples a minute apart after a lamp's warm-up of five minutes, and a level change that begins it anew.
SOON_S = 900
# What one fault of a lamp may make its node report besides: a relay that sticks shows as a lamp that burns by day.
COMPANIONS = {event.LAMP_UNEXPECTED_ON: (event.RELAY_FAILURE,)}
# Alarms of the way to the centre, which stories cut for their own reasons, are judged by the records that arrive.
_OF_THE_BEARER = frozenset((event.BEARER_FAILURE,))
_OF_A_FEEDER = frozenset(
    (
        event.FEEDER_UNEXPECTED_ON,
        event.FEEDER_FAILURE,
        event.LAMPS_LOST,
        event.CABLE_FAULT,
        event.CONTACTOR_STUCK,
        event.CABINET_METER_FAILURE,
    )
)

Bodies = Iterable[tuple[tuple[bytes, int, int], record.Stamp, bytes]]


class AlarmVerdict(NamedTuple):
    """Holds the result of a judgement.

    `reported` of `expected` faults were reported correctly; `faults` lists the rest.
    """

    expected: int
    reported: int
    false: int
    faults: tuple[str, ...]


class ExpectedAlarm(NamedTuple):
    """Describes a fault that a scenario put into a node's equipment.

    `visible_s`: since when (Unix s) it could be observed; None: unknown (a lamp that fails by day shows it at dusk).
    """

    node: bytes
    code: int
    visible_s: int | None


def withdrawn(expected: list[ExpectedAlarm], node: bytes, *, now_s: int) -> set[bytes]:
    """Takes back what is expected of a node whose fault is mended before it had to be reported; returns the nodes that
    nothing can be said of: such a fault may have been reported or not."""
    early = [one for one in expected if one.node == node and (one.visible_s is None or now_s < one.visible_s + SOON_S)]
    for one in early:
        expected.remove(one)
    return {one.node for one in early}


class Cause(NamedTuple):
    """Describes what a story did to a cabinet, as the event that must report it.

    Unix s: visible from when, until when (None: for good). `soon_s`: how long the report may take, and that of its end.
    `lamps`: the number that the last report must hold.
    """

    code: int
    feeder: str | None
    from_s: int
    to_s: int | None
    soon_s: int
    lamps: int | None = None


class AlarmRecord(NamedTuple):
    """Holds one alarm record of a gateway. `active` False: the alarm ends."""

    boot: int
    unix_s: int
    code: int
    active: bool
    feeder: str | None
    detail: tuple


def judge_nodes(expected: Sequence[ExpectedAlarm], bodies: Bodies) -> AlarmVerdict:
    """Checks that every expected fault has a record of its node that begins the alarm, made soon.

    No other node may have an alarm.
    """
    begun: dict[tuple[bytes, int], int] = {}
    for (node, _, _), stamp, body in bodies:
        decoded = _event(body)
        if decoded is None or decoded.code in _OF_THE_BEARER:
            continue
        if event.lane(decoded.code) == event.ALARM and decoded.active:
            # A record without UTC (a node that has just booted) cannot be judged by its time.
            made_s = stamp.seconds if stamp.quality != record.UNSET else 0
            begun[node, decoded.code] = min(made_s, begun.get((node, decoded.code), made_s))
    wanted = {(fault.node, fault.code) for fault in expected}
    faults = [f"not told: {event_table.label(code)} of {node.hex()}" for node, code in sorted(wanted - set(begun))]
    for node, code, visible_s in expected:
        made_s = begun.get((node, code), 0)
        if visible_s is not None and made_s > visible_s + SOON_S:
            faults.append(f"late by {made_s - visible_s} s: {event_table.label(code)} of {node.hex()}")
    allowed = wanted | {(node, other) for node, code in wanted for other in COMPANIONS.get(code, ())}
    false = [f"false: {event_table.label(code)} of {node.hex()}" for node, code in sorted(set(begun) - allowed)]
    return AlarmVerdict(len(wanted), len(wanted & set(begun)), len(false), tuple(faults + false))


def _event(body: bytes) -> record.EventBody | None:
    """Returns the event in a record's body, or None for readings: they are a map (major type 5, RFC 8949, 3.1)."""
    return None if body[0] >> 5 == 5 else record.decode_body(body)


def alarms_of(gateway: bytes, bodies: Bodies) -> list[AlarmRecord]:
    """Returns the alarms of one gateway, in the order in which it made them."""
    found = []
    for (about, boot, sequence), stamp, body in bodies:
        decoded = _event(body) if about == gateway else None
        if decoded is None or decoded.code in _OF_THE_BEARER:
            continue
        if event.lane(decoded.code) == event.ALARM and decoded.active is not None:
            detail = tuple(decoded.detail or ())
            feeder = detail[0] if decoded.code in _OF_A_FEEDER and detail else None
            alarm = AlarmRecord(boot, stamp.seconds, decoded.code, decoded.active, feeder, detail)
            found.append((boot, sequence, alarm))
    return [alarm for _, _, alarm in sorted(found)]


def judge_cabinet(causes: list[Cause], alarms: list[AlarmRecord]) -> AlarmVerdict:
    """Matches alarms with causes; what is left over on either side is a fault."""
    faults: list[str] = []
    reported = 0
    left = list(alarms)
    for cause in causes:
        mine = [alarm for alarm in left if _is_of(alarm, cause)]
        left = [alarm for alarm in left if not _is_of(alarm, cause)]
        wrong = _fault_of(cause, mine)
        reported += wrong is None
        faults += [] if wrong is None else [f"{_name(cause.code, cause.feeder)}: {wrong}"]
    false = [alarm for alarm in left if alarm.active]
    faults += [f"{_name(alarm.code, alarm.feeder)}: false, at {alarm.unix_s}" for alarm in false]
    return AlarmVerdict(len(causes), reported, len(false), tuple(faults))


def _is_of(alarm: AlarmRecord, cause: Cause) -> bool:
    until_s = None if cause.to_s is None else cause.to_s + cause.soon_s
    is_alike = alarm.code == cause.code and alarm.feeder == cause.feeder
    return is_alike and cause.from_s <= alarm.unix_s and (until_s is None or alarm.unix_s <= until_s)


def _fault_of(cause: Cause, alarms: list[AlarmRecord]) -> str | None:
    """Returns the fault in the reports of one cause, or None."""
    begun = [alarm for alarm in alarms if alarm.active]
    if not begun:
        return "not told"
    if begun[0].unix_s > cause.from_s + cause.soon_s:
        return f"told {begun[0].unix_s - cause.from_s} s late"
    is_active, times = False, {}
    for alarm in alarms:
        times[alarm.boot] = times.get(alarm.boot, 0) + (alarm.active and not is_active)
        is_active = alarm.active
    if max(times.values()) > 1:
        return f"told {max(times.values())} times"
    if is_active is (cause.to_s is not None):
        return "not ended" if is_active else "ended too early"
    if cause.lamps is not None and begun[-1].detail[1] != cause.lamps:
        return f"says {begun[-1].detail[1]} lamps, it is {cause.lamps}"
    return None


def _name(code: int, feeder: str | None) -> str:
    return event_table.label(code) if feeder is None else f"{event_table.label(code)} of {feeder}"
