"""Leads a person to their commune, or shows theirs: what stands in each, and what is broken in it."""

from typing import Any, NamedTuple

from django.http import HttpResponseRedirect
from django.urls import reverse

from gateway.language import N_, NN_, Phrases
from tools.centre.condition.faults import Faults
from tools.centre.condition.groups import group
from tools.centre.register.equipment import GREEN_SPACE, LIGHT, ROOM
from tools.centre.scope import grants
from tools.centre.web.access import Commune, communes, opened
from tools.centre.web.health import Alone, alone_in
from tools.centre.web.page import first_of, shown

WORDS = Phrases({
    "title": N_("Communes"),
    "none": N_(
        "{person}, you have no right on any commune yet: ask who administers Bocage (`bocage centre access give`)."
    ),
    "empty": N_("No commune is known yet: its lights come by `bocage centre register import`."),
    "light": NN_("{count} light", "{count} lights"),
    "room": NN_("{count} room", "{count} rooms"),
    "green_space": NN_("{count} green space", "{count} green spaces"),
    "faults": NN_("{count} open fault", "{count} open faults"),
    "alone": NN_(
        "{count} cabinet alone, nothing received from it since {when}."
        " With power it follows its policy; without, what it feeds is dark.",
        "{count} cabinets alone, nothing received from the first since {when}."
        " With power they follow their policy; without, what they feed is dark.",
    ),
})  # fmt: skip

_KINDS = (LIGHT, ROOM, GREEN_SPACE)
_EQUIPMENT = """SELECT insee, kind, count(*) FROM equipment WHERE from_unix_s <= ?
    AND (until_unix_s IS NULL OR until_unix_s > ?) GROUP BY insee, kind"""


class Line(NamedTuple):
    """Holds a commune, the screen that it begins with, what stands in it ([(kind, how many)]), how many causes of
    faults are open in it, and its cabinets that are alone."""

    commune: Commune
    first: str
    equipment: list[tuple[str, int]]
    faults: int
    alone: list[Alone]

    @property
    def alone_since_s(self) -> int:
        """Returns when the first of them was last heard."""
        return min(one.received_unix_s for one in self.alone)


def home(request: Any) -> Any:
    if request.areas and all(trade == grants.JOURNAL for _, trade in request.areas):
        return HttpResponseRedirect(reverse("privacy"))
    found = communes(request)
    if len(found) == 1:
        # Who answers for one commune's light begins with its night, who works in a territory with the map.
        is_own = (found[0].insee, grants.LIGHTING) in request.areas
        return HttpResponseRedirect(reverse("town" if is_own else first_of(found[0]), args=(found[0].insee,)))
    lines, is_granted = _lines(request, found), bool(request.areas)
    return shown(request, "home.html", WORDS, lines=lines, is_granted=is_granted)


def _lines(request: Any, found: tuple[Commune, ...]) -> list[Line]:
    """Returns the communes by name, those in which something is broken before the others."""
    if not found:
        return []
    with opened(request.areas) as connection:
        causes = group(Faults(connection).open())
        rows = connection.execute(_EQUIPMENT, (request.now_s, request.now_s)).fetchall()
        alone = alone_in(connection, now_s=request.now_s)
    counts = {(insee, kind): count for insee, kind, count in rows}
    lines = [
        Line(
            one,
            first_of(one),
            [(kind, counts[one.insee, kind]) for kind in _KINDS if (one.insee, kind) in counts],
            sum(cause.is_of(one.insee) for cause in causes),
            alone.get(one.insee, []),
        )
        for one in found
    ]
    return sorted(lines, key=lambda line: not (line.faults or line.alone))
