"""Finds the earliest of deadlines, where a part without one needs no poll."""

from collections.abc import Iterable

# Stands for None where deadlines are compared at each turn: later than any.
NEVER = 1 << 62


def earliest(deadlines: Iterable[int | None]) -> int | None:
    """Returns the first instant; None: only an event will make a poll due. A plain loop, for each poll asks."""
    first = None
    for deadline in deadlines:
        if deadline is not None and (first is None or deadline < first):
            first = deadline
    return first
