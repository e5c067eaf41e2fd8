"""Counts what meters measured over days, and for how much of that time it is known, from the roll-up; and temperatures.

A day has what its register counted, and how long it counted through (`tools.centre.rollup.hours`). A silence over
midnights lies in no single day, but a sum of the days that it lies in knows its amount, and so it is covered: a meter
whose cabinet was cut off for a week has told that week all the same. One that began before the first day is left out,
amount and time, since a part of it was used before. Where several meters are summed, coverage is their mean, and one
that should be there and said nothing counts as nothing.
"""

from collections.abc import Iterable
from typing import NamedTuple

from tools.centre.register.register import NODES_OF_COMMUNE, of_commune_values
from tools.centre.rollup import hours
from tools.centre.store import database

# The quantities that meters count, as the columns of `days` name them, and their units there.
ENERGY, WATER = "energy", "water"
_UNITS = {ENERGY: "wh", WATER: "l"}
# A node and the channel of its register.
Meter = tuple[bytes, int]

_SELECT = """SELECT node, channel,
    sum(CASE WHEN {bridged}_from_unix_s < ? THEN {amount} - {bridged}_{unit} ELSE {amount} END),
    sum({covered} + CASE WHEN {bridged}_from_unix_s >= ? THEN {bridged}_s ELSE 0 END)
    FROM days WHERE day_local >= ? AND day_local < ? AND {amount} IS NOT NULL{{}} GROUP BY node, channel"""
_TEMPERATURES = """SELECT node, min(temperature_least_ck), sum(temperature_ck_s), sum(temperature_s),
    max(temperature_most_ck) FROM days
    WHERE day_local >= ? AND day_local < ? AND temperature_least_ck IS NOT NULL{} GROUP BY node"""
_FIRST_DAY = "SELECT min(day_local) FROM days WHERE day_local >= ? AND day_local < ? AND {amount} IS NOT NULL{{}}"
_OF_COMMUNE = f" AND node IN ({NODES_OF_COMMUNE})"
_FIRST_HOUR = f"""SELECT min(hours.hour_unix_s) FROM calendar JOIN hours ON hours.hour_unix_s = calendar.hour_unix_s
    WHERE day_local = ? AND {{amount}} IS NOT NULL{_OF_COMMUNE}"""
# Nodes of which readings have come that are in no day yet.
_WAITING = """SELECT count(*) FROM (SELECT node FROM day_spans WHERE dirty = 1 AND day >= ? AND day < ?
    UNION SELECT node FROM unplaced) AS waiting"""


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


class Temperatures(NamedTuple):
    """Holds the least and the most temperature that were read, and the mean over the covered time (None: there is
    none), in 0.01 °C."""

    least: int
    mean: float | None
    most: int


NOTHING = Usage(0, 0, 0, 0)
_SILENT = Usage(0, 0, 0, 1)


def total(usages: Iterable[Usage]) -> Usage:
    """Returns the sum over several meters."""
    found = list(usages)
    return Usage._make(map(sum, zip(*found, strict=True))) if found else NOTHING


class Usages:
    """Answers for ENERGY or WATER over the days of one period, from one question; `insee`: of the
    meters of one commune."""

    def __init__(
        self, connection: database.Connection, quantity: str, period: tuple[int, int], *, insee: str | None = None
    ) -> None:
        unit = _UNITS[quantity]
        statement = _SELECT.format(
            amount=f"{quantity}_{unit}", covered=f"{quantity}_s", bridged=f"{quantity}_bridged", unit=unit
        )
        rows = _of_days(connection, statement, period, insee, period[0], period[0])
        self._known: dict[Meter, Usage] = {
            (node, channel): Usage(amount, covered_s, 1, 1) for node, channel, amount, covered_s in rows
        }

    def of(self, meter: Meter) -> Usage:
        return self._known.get(meter, _SILENT)

    def of_all(self, meters: Iterable[Meter]) -> Usage:
        return total(map(self.of, meters))


def first_counted_s(
    connection: database.Connection, quantity: str, period: tuple[int, int], *, insee: str
) -> int | None:
    """Returns the first hour of a period in which a meter of a commune counted; None: none has."""
    amount = f"{quantity}_{_UNITS[quantity]}"
    ((first,),) = _of_days(connection, _FIRST_DAY.format(amount=amount), period, insee)
    if first is None:
        return None
    values = (first, *of_commune_values(insee))
    begins_s = connection.execute(_FIRST_HOUR.format(amount=amount), values).fetchone()[0]
    return None if begins_s is None else max(period[0], begins_s)


def temperatures(
    connection: database.Connection, period: tuple[int, int], *, insee: str | None = None
) -> dict[bytes, Temperatures]:
    """Returns the temperatures of each node that measures one, over the days of a period."""
    return {
        node: Temperatures(least, total_s / covered_s if covered_s else None, most)
        for node, least, total_s, covered_s, most in _of_days(connection, _TEMPERATURES, period, insee)
    }


def _of_days(
    connection: database.Connection, statement: str, period: tuple[int, int], insee: str | None, *values: int
) -> Iterable[tuple]:
    """Returns the rows of a question about the days of a period; `insee`: of the nodes of one commune."""
    days = [hours.day_text(hours.day_of(one)) for one in period]
    of_commune = ("", ()) if insee is None else (_OF_COMMUNE, of_commune_values(insee))
    return connection.execute(statement.format(of_commune[0]), (*values, *days, *of_commune[1]))


def waiting(connection: database.Connection, period: tuple[int, int]) -> int:
    """Returns how many nodes have sent readings of these days that the roll-up has not counted yet."""
    days = [hours.day_of(one) for one in period]
    return int(connection.execute(_WAITING, days).fetchone()[0])
