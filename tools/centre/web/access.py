"""Gives pages the communes that a person may see, and connections to the warehouse that show no more.

Pages ask no other module what they may show. A commune that is not granted answers 404, as if it did not exist.
"""

from collections.abc import Iterable
from contextlib import AbstractContextManager
from functools import lru_cache
from threading import Lock
from typing import Any, NamedTuple

from django.conf import settings
from django.http import Http404

from tools.centre.scope import grants
from tools.centre.store import database
from tools.centre.web import connections
from tools.centre.web.connections import Areas
from tools.centre.web.limits import COMMUNES_REMEMBERED
from tools.centre.web.search import sorting


def areas_of(person: str, *, now_s: int) -> Areas:
    """Returns what the scope grants to a person now; nothing without a grant."""
    return connections.areas_of(settings.BOCAGE.warehouse, person, now_s=now_s)


def reads_journal(areas: Areas) -> bool:
    """Returns whether these include the journal of a commune: its own grant, which no other brings."""
    return any(trade == grants.JOURNAL for _, trade in areas)


def within(areas: Areas, insee: str) -> Areas:
    """Returns the part of what is granted that lies in one commune: opening that costs no more than it has lights."""
    return frozenset((insee, trade) for where, trade in areas if where in (insee, grants.ALL))


def opened(areas: Areas) -> AbstractContextManager[database.Connection]:
    """Opens the warehouse for who has these areas: every question on it sees the granted rows only."""
    return connections.opened(settings.BOCAGE.warehouse, areas)


class Commune(NamedTuple):
    """Names a commune that a person may see, and what they may see in it."""

    insee: str
    name: str
    areas: Areas

    @property
    def lighting(self) -> Areas:
        """Returns the right to this commune's lighting alone: the person may have more."""
        return frozenset(((self.insee, grants.LIGHTING), (self.insee, grants.ANY)))


_COMMUNES = """SELECT insee, max(CASE WHEN kind = 'commune' THEN name END) FROM equipment
    WHERE from_unix_s <= ? AND (until_unix_s IS NULL OR until_unix_s > ?) GROUP BY insee"""


_READING = Lock()


@lru_cache(maxsize=COMMUNES_REMEMBERED)
def _communes(warehouse: str, areas: Areas, minute: int) -> tuple[Commune, ...]:
    with opened(areas) as connection:
        named: dict[str, str | None] = dict(connection.execute(_COMMUNES, (60 * minute, 60 * minute)).fetchall())
    # A grant for a commune whose register is still empty is a commune all the same.
    named |= {insee: None for insee, _ in areas if insee != grants.ALL and insee not in named}
    found = (Commune(insee, name or insee, within(areas, insee)) for insee, name in named.items())
    return tuple(sorted(found, key=lambda one: (sorting(one.name), one.insee)))


def communes(request: Any) -> tuple[Commune, ...]:
    """Returns the communes that the person may see, by name."""
    if not request.areas:
        return ()
    with _READING:  # many begin at once, and one of them asks for all
        return _communes(settings.BOCAGE.warehouse, request.areas, request.now_s // 60)


def commune_names(request: Any, insees: Iterable[str]) -> dict[str, str]:
    """Returns the names of communes, for who may read of them without a right to their equipment: a right to the name
    alone is opened for it."""
    areas = frozenset((insee, grants.TICKET) for insee in insees if insee not in (grants.ALL, ""))
    with _READING:
        return {one.insee: one.name for one in _communes(settings.BOCAGE.warehouse, areas, request.now_s // 60)}


def commune(request: Any, insee: str, trade: str | None = None) -> Commune:
    """Returns the commune of an address; 404 where the person has no right to it (to this trade of it), or there is
    none."""
    found = next((one for one in communes(request) if one.insee == insee), None)
    if found is None or (trade is not None and (insee, trade) not in found.areas):
        raise Http404
    return found
