"""Keeps what was true when: an equipment's past is a row of versions, and a statement changes it from a day on.

Pure: no file, no database, no clock.
"""

from collections.abc import Mapping
from typing import Any

from tools.centre.register.equipment import Equipment

# (first second, first second after or None, what it was), ascending, disjoint; neighbours differ.
History = tuple[tuple[int, int | None, Equipment], ...]


def at(history: History, unix_s: int) -> Equipment | None:
    """Returns what the equipment was at an instant; None when there was none."""
    for start, end, equipment in history:
        if start <= unix_s and (end is None or unix_s < end):
            return equipment
    return None


def nearest(history: History, unix_s: int) -> Equipment | None:
    """Returns what the equipment was at an instant, or else last before it, or else first after it."""
    found = None
    for start, _, equipment in history:
        if found is None or start <= unix_s:
            found = equipment
    return found


def stated(history: History, start: int, end: int | None, given: Mapping[str, Any]) -> History:
    """Returns the history in which the equipment has, from `start` on, the attributes that are `given`.

    Without an `end` it holds until the next change that the history already has. With one it replaces what the history
    has in between, and nothing stands from `end` to the next change. A statement of what is already so changes nothing.
    """
    points: dict[int, Equipment | None] = {}
    for first, after, equipment in history:
        points[first] = equipment
        if after is not None:
            points.setdefault(after, None)
    kept = {point: what for point, what in points.items() if point < start or point >= (start if end is None else end)}
    kept[start] = (at(history, start) or Equipment())._replace(**given)
    if end is not None:
        kept.setdefault(end, None)
    return _joined(sorted(kept.items(), key=lambda entry: entry[0]))


def _joined(points: list[tuple[int, Equipment | None]]) -> History:
    versions: list[tuple[int, int | None, Equipment]] = []
    before: Equipment | None = None
    for point, equipment in points:
        if equipment == before:
            continue
        if before is not None:
            first, _, what = versions[-1]
            versions[-1] = (first, point, what)
        if equipment is not None:
            versions.append((point, None, equipment))
        before = equipment
    return tuple(versions)
