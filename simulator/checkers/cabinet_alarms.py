"""One alarm for one cause, as far as a cabinet can tell: told once, soon, of the right feeder, and ended; no others.

Compares what the story did to the equipment with the alarm records of the gateway in the warehouse. A restarted agent
may tell again what still stands; a number of lamps that changes is told again under the alarm that stands.
"""

from collections.abc import Iterable
from typing import NamedTuple

from wire import event, record

# Alarms of the way to the centre, which stories cut for their own reasons, are another checker's.
_OTHERS = frozenset((event.BEARER_FAILURE,))
_OF_FEEDER = frozenset(
    (
        event.FEEDER_UNEXPECTED_ON,
        event.FEEDER_FAILURE,
        event.LAMPS_LOST,
        event.CABLE_FAULT,
        event.CONTACTOR_STUCK,
        event.CABINET_METER_FAILURE,
    )
)


class Cause(NamedTuple):
    """What the story did, as the event that must tell it. Unix s: seen from when, until when (None: for good).

    `soon_s`: how long the telling may take, and the ending. `lamps`: the number that the last telling must say.
    """

    code: int
    feeder: str | None
    from_s: int
    to_s: int | None
    soon_s: int
    lamps: int | None = None


class Said(NamedTuple):
    """One alarm record. `active` False: it ends."""

    boot: int
    unix_s: int
    code: int
    active: bool
    feeder: str | None
    detail: tuple


class AlarmVerdict(NamedTuple):
    """`faults` in words; `told` of `causes` were told as they should be."""

    causes: int
    told: int
    false: int
    faults: tuple[str, ...]


Bodies = Iterable[tuple[tuple[bytes, int, int], record.Stamp, bytes]]


def said_by(node: bytes, bodies: Bodies) -> list[Said]:
    """The alarms of one gateway, in the order in which it made them."""
    found = []
    for (about, boot, sequence), stamp, body in bodies:
        event_body = record.decode_body(body) if about == node else None
        if not isinstance(event_body, record.EventBody) or event_body.code in _OTHERS:
            continue
        if event.lane(event_body.code) == event.ALARM and event_body.active is not None:
            detail = tuple(event_body.detail or ())
            feeder = detail[0] if event_body.code in _OF_FEEDER and detail else None
            said = Said(boot, stamp.seconds, event_body.code, event_body.active, feeder, detail)
            found.append((boot, sequence, said))
    return [said for _, _, said in sorted(found)]


def judge(causes: list[Cause], said: list[Said]) -> AlarmVerdict:
    """Match alarms with causes; what is left over on either side is a fault."""
    faults: list[str] = []
    told = 0
    left = list(said)
    for cause in causes:
        mine = [one for one in left if _is_of(one, cause)]
        left = [one for one in left if not _is_of(one, cause)]
        wrong = _wrong(cause, mine)
        told += wrong is None
        faults += [] if wrong is None else [f"{_name(cause.code, cause.feeder)}: {wrong}"]
    false = [one for one in left if one.active]
    faults += [f"{_name(one.code, one.feeder)}: false, at {one.unix_s}" for one in false]
    return AlarmVerdict(len(causes), told, len(false), tuple(faults))


def _is_of(said: Said, cause: Cause) -> bool:
    until_s = None if cause.to_s is None else cause.to_s + cause.soon_s
    is_alike = said.code == cause.code and said.feeder == cause.feeder
    return is_alike and cause.from_s <= said.unix_s and (until_s is None or said.unix_s <= until_s)


def _wrong(cause: Cause, said: list[Said]) -> str | None:
    """What is wrong with the telling of one cause, or None."""
    begun = [one for one in said if one.active]
    if not begun:
        return "not told"
    if begun[0].unix_s > cause.from_s + cause.soon_s:
        return f"told {begun[0].unix_s - cause.from_s} s late"
    stands, times = False, {}
    for one in said:
        times[one.boot] = times.get(one.boot, 0) + (one.active and not stands)
        stands = one.active
    if max(times.values()) > 1:
        return f"told {max(times.values())} times"
    if stands is (cause.to_s is not None):
        return "not ended" if stands else "ended too early"
    if cause.lamps is not None and begun[-1].detail[1] != cause.lamps:
        return f"says {begun[-1].detail[1]} lamps, it is {cause.lamps}"
    return None


def _name(code: int, feeder: str | None) -> str:
    return event.label(code) if feeder is None else f"{event.label(code)} of {feeder}"
