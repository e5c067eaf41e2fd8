"""Checks that no record tells of a passage: two worlds that differ only in who passed give the same records.

The comparison reads no event, rule or detector, so it finds every trace of a passage: one record more, one second of
difference, one count. It allows two differences. The lamp has used energy and grown warm by the light that a passer-by
raised, and reports both by the hour. While its light is raised the lamp repeats its last reading from before, so the
voltage and the current of a report can be some minutes old.
"""

from collections.abc import Iterable
from typing import Any

from wire import quantity, record

# (node, boot, sequence), time stamp and body, as the warehouse has them.
Row = tuple[tuple[bytes, int, int], Any, bytes]

# By how much a reading may differ: 0.01 K, and hundredths of the reading.
_HEAT_CK = 100
_MAINS_PERCENT = 2


def traces(passed: Iterable[Row], empty: Iterable[Row]) -> list[str]:
    """Returns what tells two worlds apart: with people who pass, and without."""
    one, other = ({identity: (stamp, body) for identity, stamp, body in rows} for rows in (passed, empty))
    found = [f"{_name(identity)} is in one world only" for identity in sorted(one.keys() ^ other.keys())]
    for identity in sorted(one.keys() & other.keys()):
        (stamp, body), (other_stamp, other_body) = one[identity], other[identity]
        if stamp != other_stamp:
            found.append(f"{_name(identity)} has another time: {stamp}, {other_stamp}")
        if body != other_body and not _is_trace_of_light(record.decode_body(body), record.decode_body(other_body)):
            found.append(f"{_name(identity)}: {record.decode_body(body)}, {record.decode_body(other_body)}")
    return found


def _is_trace_of_light(readings: Any, other: Any) -> bool:
    """Returns True if two bodies are readings that differ in nothing but what may differ."""
    if not isinstance(readings, dict) or not isinstance(other, dict) or readings.keys() != other.keys():
        return False
    return all(value == other[key] or _may_differ(key, value, other[key], readings) for key, value in readings.items())


def _may_differ(key: int, value: int, other: int, readings: dict[int, int]) -> bool:
    if key in (quantity.ENERGY, quantity.TEMPERATURE):
        by_the_hour = quantity.UPTIME in readings
        return by_the_hour and (key == quantity.ENERGY or abs(value - other) <= _HEAT_CK)
    is_mains = key in (quantity.VOLTAGE, quantity.CURRENT)
    return is_mains and 100 * abs(value - other) <= _MAINS_PERCENT * other


def _name(identity: tuple[bytes, int, int]) -> str:
    node, boot, sequence = identity
    return f"record {sequence} of boot {boot} of {node.hex()}"
