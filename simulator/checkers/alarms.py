"""Invariant 2, as far as a lamp can show it: every lamp that dies is told, and soon; no healthy lamp is accused.

Compares the faults that the scenario put into lamps with the alarm records in the warehouse.
"""

from collections.abc import Iterable
from typing import NamedTuple

from wire import event, record

# Three samples a minute apart after a lamp's warm-up of five minutes, and a level change that starts it again.
SOON_S = 900
# What one fault of a lamp may make its node say besides: a relay that sticks shows as a lamp that burns by day.
COMPANIONS = {event.LAMP_UNEXPECTED_ON: (event.RELAY_FAILURE,)}


class LampFault(NamedTuple):
    """What the scenario did to a lamp, and since when (Unix s) it could be seen; None: nobody can say (a lamp that
    dies by day shows it at dusk)."""

    node: bytes
    code: int
    visible_s: int | None


class AlarmVerdict(NamedTuple):
    expected: int
    told: int
    false: int
    faults: tuple[str, ...]


Bodies = Iterable[tuple[tuple[bytes, int, int], record.Stamp, bytes]]


def judge(expected: list[LampFault], bodies: Bodies) -> AlarmVerdict:
    """Every expected fault has a begin record of its node, made soon; no other node has any."""
    begun: dict[tuple[bytes, int], int] = {}
    for (node, _, _), stamp, body in bodies:
        said = record.decode_body(body)
        if not isinstance(said, record.EventBody) or said.code == event.BEARER_FAILURE:
            continue  # a cabinet's way to the centre, which the story cuts
        if event.lane(said.code) == event.ALARM and said.active:
            # A record without UTC (a node that has just booted) cannot be judged by its time.
            made_s = stamp.seconds if stamp.quality != record.UNSET else 0
            begun[node, said.code] = min(made_s, begun.get((node, said.code), made_s))
    wanted = {(fault.node, fault.code) for fault in expected}
    faults = [f"not told: {event.label(code)} of {node.hex()}" for node, code in sorted(wanted - set(begun))]
    for node, code, visible_s in expected:
        made_s = begun.get((node, code), 0)
        if visible_s is not None and made_s > visible_s + SOON_S:
            faults.append(f"late by {made_s - visible_s} s: {event.label(code)} of {node.hex()}")
    allowed = wanted | {(node, other) for node, code in wanted for other in COMPANIONS.get(code, ())}
    false = [f"false: {event.label(code)} of {node.hex()}" for node, code in sorted(set(begun) - allowed)]
    return AlarmVerdict(len(wanted), len(wanted & set(begun)), len(false), tuple(faults + false))
