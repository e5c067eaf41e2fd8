"""Invariant 2, as far as a lamp can show it: every lamp that dies is told, no healthy lamp is accused, and
soon.

Compares the faults that the scenario put into lamps with the alarm records in the warehouse.
"""

from collections.abc import Iterable
from typing import NamedTuple

from wire import event, record


class LampFault(NamedTuple):
    """What the scenario did to a lamp, and when (Unix s) it could first be seen: lit or dark as the fault
    needs."""

    node: bytes
    code: int
    visible_s: int


class AlarmVerdict(NamedTuple):
    expected: int
    told: int
    false: int
    faults: tuple[str, ...]


Bodies = Iterable[tuple[tuple[bytes, int, int], record.Stamp, bytes]]


def judge(expected: list[LampFault], bodies: Bodies) -> AlarmVerdict:
    """Every expected fault has a begin record of its node; no other node has any."""
    begun: dict[tuple[bytes, int], int] = {}
    for (node, _, _), _, body in bodies:
        said = record.decode_body(body)
        if isinstance(said, record.EventBody) and event.lane(said.code) == event.ALARM and said.active:
            begun[node, said.code] = begun.get((node, said.code), 0) + 1
    wanted = {(fault.node, fault.code) for fault in expected}
    faults = [f"not told: {event.label(code)} of {node.hex()}" for node, code in sorted(wanted - set(begun))]
    false = [f"false: {event.label(code)} of {node.hex()}" for node, code in sorted(set(begun) - wanted)]
    return AlarmVerdict(len(wanted), len(wanted & set(begun)), len(false), tuple(faults + false))
