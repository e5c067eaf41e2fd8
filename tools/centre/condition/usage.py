"""Counts what meters measured over days, and for how much of that time it is known.

A register counts from reading to reading, by the rules of `Archive.energy_wh`: across a restart only where it ran on.
The time between two readings is covered where the register counted through it, however long it was silent: a lamp whose
contactor is open by day is covered by the readings of two nights. Not covered is what lies before the first reading of
the period, after its last, and around a register that began anew. Where several meters are summed, coverage is their
mean, and one that should be there and said nothing counts as nothing.
"""

from collections.abc import Iterable
from typing import NamedTuple

from tools.centre.store.archive import Archive, Reading

# A node and the channel of its register.
Meter = tuple[bytes, int]


class Usage(NamedTuple):
    """Holds an amount in the unit of its quantity (Wh, litres), the seconds covered, and of how many meters: those
    that said something, and those that should have."""

    amount: int
    covered_s: int
    heard: int
    meters: int

    def coverage(self, period_s: int) -> float:
        """Returns the percentage of the period that is covered."""
        return 100 * self.covered_s / (period_s * self.meters) if self.meters and period_s else 0.0


NOTHING = Usage(0, 0, 0, 0)


def counted(readings: Iterable[Reading]) -> Usage:
    """Returns what one register counted from the first of its readings to the last; their times are known."""
    amount = covered_s = 0
    before: Reading | None = None
    for reading in readings:
        if before is not None:
            rise = reading.value - before.value
            if reading.boot == before.boot or rise >= 0:
                amount += rise
                assert reading.unix_s is not None and before.unix_s is not None
                covered_s += max(0, reading.unix_s - before.unix_s)
        before = reading
    return Usage(amount, covered_s, int(before is not None), 1)


def total(usages: Iterable[Usage]) -> Usage:
    """Returns the sum over several meters."""
    found = list(usages)
    return Usage._make(map(sum, zip(*found, strict=True))) if found else NOTHING


class Usages:
    """Answers for one quantity and one period; each meter is read once."""

    def __init__(self, archive: Archive, code: int, period: tuple[int, int]) -> None:
        self._archive = archive
        self._code = code
        self._period = period
        self._known: dict[Meter, Usage] = {}

    def of(self, meter: Meter) -> Usage:
        node, channel = meter
        found = self._known.get(meter)
        if found is None:
            found = self._known[meter] = counted(self._archive.readings(node, self._code, channel, *self._period))
        return found

    def of_all(self, meters: Iterable[Meter]) -> Usage:
        return total(map(self.of, meters))
