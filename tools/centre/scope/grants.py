"""Keeps which communes and trades are granted to which person, from when until when, and who gave it.

A grant is for a person under one name, that of the account. Nothing is granted by default. All trades are the three
that have equipment; the journal of who read and did what is a grant of its own, which `ALL` does not bring. In the
place of a trade may stand the lights of a street or one equipment: that is what a contractor has for a ticket, who
reads what these report and says something about their faults, and nothing else.
"""

from collections.abc import Collection
from typing import NamedTuple

from gateway.language import NC_, Message
from tools.centre.store import database

ALL = "*"
LIGHTING, HEATING, WATERING, JOURNAL = "lighting", "heating", "watering", "journal"
TRADES: dict[str, Message] = {
    LIGHTING: NC_("trade", "lighting"),
    HEATING: NC_("trade", "heating"),
    WATERING: NC_("trade", "watering"),
    JOURNAL: NC_("trade", "journal"),
    ALL: NC_("trade", "all trades"),
}
_OF_EQUIPMENT = frozenset((LIGHTING, HEATING, WATERING))
# What opens the lights of a street, and one equipment; the name of a street, or kind and id, follows.
OF_STREET, OF_PLACE = "street:", "equipment:"
# Of an area: a street or a place of it; one of the three trades at least; all three.
TICKET, ANY, EVERY = "ticket", "any", "every"


class Grant(NamedTuple):
    """Holds one grant; `insee` and `trade` may be ALL, `until_unix_s` None; in the place of a trade a street or an
    equipment."""

    person: str
    insee: str
    trade: str
    from_unix_s: int
    until_unix_s: int | None
    given_by: str
    given_unix_s: int


_COLUMNS = ", ".join(Grant._fields)
_IN_FORCE = "from_unix_s <= ? AND (until_unix_s IS NULL OR until_unix_s > ?)"


def of_place(kind: str, id: str) -> str:
    """Returns what stands in the place of a trade for one equipment."""
    return f"{OF_PLACE}{kind}/{id}"


def is_of_ticket(trade: str) -> bool:
    """Returns whether a street or an equipment stands in the place of a trade."""
    return trade.startswith((OF_STREET, OF_PLACE))


def give(connection: database.Connection, grant: Grant) -> None:
    """Keeps a grant, in the caller's transaction; one of the same person, area and first day is replaced."""
    connection.execute(
        f"INSERT INTO grants ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (person, insee, trade, from_unix_s) DO UPDATE SET until_unix_s = excluded.until_unix_s,"
        " given_by = excluded.given_by, given_unix_s = excluded.given_unix_s",
        grant,
    )


def withdraw(
    connection: database.Connection, person: str, insees: Collection[str], trades: Collection[str], *, now_s: int
) -> list[Grant]:
    """Ends the grants of a person now (of these communes and trades, as they were given; none named: of all), in the
    caller's transaction; returns those that it ended."""
    found = [
        one
        for one in every(connection, person=person)
        if (not insees or one.insee in insees) and (not trades or one.trade in trades)
        if one.until_unix_s is None or one.until_unix_s > now_s
    ]
    connection.executemany(
        "UPDATE grants SET until_unix_s = ? WHERE person = ? AND insee = ? AND trade = ? AND from_unix_s = ?",
        [(now_s, *one[:4]) for one in found],
    )
    return found


def every(connection: database.Connection, *, person: str | None = None) -> list[Grant]:
    """Returns all grants that were ever given (to one person), by person, commune and trade."""
    where, values = ("", ()) if person is None else (" WHERE person = ?", (person,))
    rows = connection.execute(f"SELECT {_COLUMNS} FROM grants{where} ORDER BY 1, 2, 3, 4", values)
    return [Grant._make(row) for row in rows]


def count_in_force(connection: database.Connection, *, now_s: int) -> int:
    """Returns how many grants are in force."""
    rows = connection.execute(f"SELECT count(person) FROM grants WHERE {_IN_FORCE}", (now_s, now_s))
    return int(rows.fetchone()[0])


def in_force(connection: database.Connection, rows: slice, *, now_s: int) -> list[Grant]:
    """Returns these of the grants in force, by person, commune and trade."""
    found = connection.execute(
        f"SELECT {_COLUMNS} FROM grants WHERE {_IN_FORCE} ORDER BY 1, 2, 3, 4 LIMIT ? OFFSET ?",
        (now_s, now_s, rows.stop - rows.start, rows.start),
    )
    return [Grant._make(row) for row in found]


def areas(connection: database.Connection, person: str, *, now_s: int) -> set[tuple[str, str]]:
    """Returns what a person may see now, as pairs of a commune (or ALL) and a trade, a street, a place,
    JOURNAL, TICKET, ANY or EVERY."""
    trades: dict[str, set[str]] = {ALL: set()}
    rows = connection.execute(
        f"SELECT insee, trade FROM grants WHERE person = ? AND {_IN_FORCE}", (person, now_s, now_s)
    )
    for insee, trade in rows:
        trades.setdefault(insee, set()).update(_OF_EQUIPMENT if trade == ALL else (trade,))
    found: set[tuple[str, str]] = set()
    for insee, own in trades.items():
        of_all = own | trades[ALL]
        found.update((insee, trade) for trade in of_all)
        if any(is_of_ticket(trade) for trade in own):
            found.add((insee, TICKET))
        if of_all & _OF_EQUIPMENT:
            found.add((insee, ANY))
        if of_all >= _OF_EQUIPMENT:
            found.add((insee, EVERY))
    return found
