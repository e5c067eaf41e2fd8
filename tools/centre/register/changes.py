"""Decides what statements change in the register, and what forbids them. Pure: the register is given, not touched."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from itertools import groupby
from typing import NamedTuple

from gateway.language import N_
from tools.centre.register.equipment import Equipment, Key, Version
from tools.centre.register.history import History, at, stated
from tools.centre.register.statements import Statement
from tools.centre.register.table import Fault, fault


class Change(NamedTuple):
    """States that an equipment becomes `after` from a day on; `before` None: it is new, or was not there that day."""

    line: int
    key: Key
    from_unix_s: int
    until_unix_s: int | None
    before: Equipment | None
    after: Equipment


class Plan(NamedTuple):
    """Holds the changes, the histories that they make, and how many equipments are new, changed and as they were."""

    changes: tuple[Change, ...]
    histories: dict[Key, History]
    new: int
    changed: int
    unchanged: int
    faults: tuple[Fault, ...]


def plan(
    held: Mapping[Key, History],
    statements: Iterable[Statement],
    served: Iterable[Version],
    heading: Callable[[str], str],
) -> Plan:
    """Returns what the statements do to what is `held`. `served`: every version that has a node. `heading`: the column
    of a field in the file, for faults."""
    changes: list[Change] = []
    histories: dict[Key, History] = {}
    faults: list[Fault] = []
    lines: dict[Key, int] = {}
    counts: Counter[str] = Counter()
    for key, group in groupby(sorted(statements, key=lambda one: (one.key, one.from_unix_s)), key=lambda one: one.key):
        before = history = held.get(key, ())
        for statement in group:
            lines[key] = statement.line
            was, old = at(history, statement.from_unix_s), history
            history = stated(history, *statement[2:])
            if history != old:
                after = at(history, statement.from_unix_s)
                assert after is not None
                changes.append(Change(statement.line, key, *statement[2:4], was, after))
                if after.feeder is not None and after.cabinet is None:
                    problem = N_("is missing: a feeder is one of a cabinet")
                    faults.append(fault(statement.line, heading("cabinet"), problem, N_("name its cabinet")))
        counts["unchanged" if history == before else "changed" if before else "new"] += 1
        if history != before:
            histories[key] = history
    faults.extend(_served_twice(histories, served, lines, heading("node")))
    ordered = tuple(sorted(changes, key=lambda change: change.line))
    by_line = tuple(sorted(faults, key=lambda one: one.line or 0))
    return Plan(ordered, histories, counts["new"], counts["changed"], counts["unchanged"], by_line)


def _served_twice(
    histories: Mapping[Key, History], served: Iterable[Version], lines: Mapping[Key, int], heading: str
) -> Iterable[Fault]:
    """Finds nodes that would serve two equipments on the same day, other than by different zones."""
    by_node: dict[bytes, list[Version]] = {}
    for key, history in histories.items():
        for start, end, equipment in history:
            if equipment.node is not None:
                by_node.setdefault(equipment.node, []).append(Version(key, start, end, equipment))
    for version in served:
        if version.key not in histories and version.equipment.node in by_node:
            by_node[version.equipment.node].append(version)
    for versions in by_node.values():
        versions.sort(key=lambda version: lines.get(version.key, 0))
        for place, late in enumerate(versions):
            early = next((one for one in versions[:place] if one.key != late.key and _meet(one, late)), None)
            if early is not None and late.key in lines:
                problem = N_("serves {address} on the same days")
                remedy = N_("end that first, give each its zone, or correct the node")
                yield fault(lines[late.key], heading, problem, remedy, address=early.key.address)


def _meet(one: Version, other: Version) -> bool:
    if one.until_unix_s is not None and one.until_unix_s <= other.from_unix_s:
        return False
    if other.until_unix_s is not None and other.until_unix_s <= one.from_unix_s:
        return False
    zones = (one.equipment.zone, other.equipment.zone)
    return None in zones or zones[0] == zones[1]
