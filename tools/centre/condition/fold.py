"""Turns the alarm records of one node into faults. Pure: no file, no database, no clock.

A fault lasts from the record that begins it to the record that ends it, in the order in which the node made them (boot,
sequence). A repetition is the same fault with newer figures. A node may have several of one code, by feeder, zone or
sensor. An end without a beginning makes nothing.
"""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from wire import cbor, event, event_table, record

# A kind of node; a longer word is a stranger's.
_PRODUCT_CHARS_MAX = 24
# In the place of a kind of node: the gateway's own system.
SYSTEM = "system"

# Fields of a detail that distinguish two faults of one code at the same node.
IDENTIFYING = frozenset(("feeder", "zone", "sensor", "meter", "bearer", "flag", "about", "product"))

# (boot, sequence) of a record; a node makes them in this order.
Position = tuple[int, int]


class Statement(NamedTuple):
    """States that a condition is so, or is over. `part`: the identifying fields, in CBOR."""

    position: Position
    code: int
    part: bytes
    is_so: bool


class Fault(NamedTuple):
    """Names the records of a fault. `last`: the latest that states it; `end`: None, it lasts."""

    begin: Position
    code: int
    part: bytes
    last: Position
    end: Position | None


def fields(code: int, detail: Any) -> dict[str, Any]:
    """Returns the fields of a detail by name."""
    entry = event_table.BY_CODE.get(code)
    if entry is None or not entry.detail or not isinstance(detail, (list, tuple)):
        return {}
    return dict(zip(entry.detail, detail, strict=False))


def statement(position: Position, body: record.EventBody | dict[int, int]) -> Statement | None:
    """Returns what a record states of a fault; None: nothing."""
    if isinstance(body, dict) or body.active is None or event.lane(body.code) != event.ALARM:
        return None
    found = fields(body.code, body.detail)
    part = [found.get(name) for name in sorted(IDENTIFYING & found.keys())]
    return Statement(position, body.code, cbor.encode(part), body.active)


def fold(open_faults: Iterable[Fault], statements: Iterable[Statement]) -> list[Fault]:
    """Returns the faults that were open, as they now are, and those that the statements begin, in their order."""
    faults = list(open_faults)
    places = {(fault.code, fault.part): place for place, fault in enumerate(faults)}
    for position, code, part, is_so in statements:
        place = places.get((code, part))
        if not is_so:
            if place is not None:
                faults[place] = faults[place]._replace(end=position)
                del places[code, part]
        elif place is None:
            places[code, part] = len(faults)
            faults.append(Fault(position, code, part, position, None))
        else:
            faults[place] = faults[place]._replace(last=position)
    return faults


def campaign(body: record.EventBody | dict[int, int]) -> str | None:
    """Returns the kind of node of whose campaign a gateway's record tells, or `SYSTEM` where it tells of an update of
    its system; None: of none."""
    if isinstance(body, dict):
        return None
    if body.code == event.SYSTEM_UPDATE:
        return SYSTEM
    if body.code != event.CAMPAIGN:
        return None
    found = fields(body.code, body.detail).get("product")
    return found if isinstance(found, str) and 0 < len(found) <= _PRODUCT_CHARS_MAX and found.isprintable() else None


def switched(body: record.EventBody | dict[int, int]) -> Mapping[str, bool]:
    """Returns the contactor that a record says was ordered, by the name of its feeder, and whether it was closed."""
    if isinstance(body, dict) or body.code != event.FEEDER_SWITCHED:
        return {}
    found = fields(body.code, body.detail)
    feeder, closed = found.get("feeder"), found.get("closed")
    # A name is text on a screen and in a database; a stranger's may be neither.
    return {feeder: closed} if isinstance(feeder, str) and feeder.isprintable() and isinstance(closed, bool) else {}
