"""Lists the lights of a commune by street: searched by street or number, filtered by state, a page at a time.

The address holds everything (`?q=port&state=fault&page=2`), so a colleague opens the same. The rows alone are answered
where htmx asks for them.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from django.utils.http import urlencode

from gateway.language import N_, NC_, Phrases
from tools.centre.web.access import commune
from tools.centre.web.control import orderable_feeders
from tools.centre.web.health import alone
from tools.centre.web.limits import SEARCH_CHARACTERS_MAX
from tools.centre.web.page import Pager, picture, shown
from tools.centre.web.pictures import Light
from tools.centre.web.search import plain
from tools.centre.web.states import SHOWN

WORDS = Phrases({
    "title": N_("Lights of {commune}"),
    "search": N_("Street or number"),
    "search.do": NC_("button", "Search"),
    "state": NC_("column", "State"),
    "street.none": N_("Without a street"),
    "number": NC_("column", "Number"),
    "ordered": NC_("column", "Ordered"),
    "measured": NC_("column", "Measured"),
    "heard": NC_("column", "Last word"),
    "percent": N_("{percent} %"),
    "none": N_("No light of your rights stands here yet. The register brings them: `bocage centre register import`."),
    "none.found": N_("No light answers to that."),
    "none.found.all": N_("Show all lights"),
    "caption": N_("Lights by street"),
})  # fmt: skip


class Row(NamedTuple):
    """Holds a light and its place in the picture, by which changes name it."""

    n: int
    light: Light


class Asked(NamedTuple):
    """Holds what the address asks for; `states` empty: all."""

    text: str
    states: tuple[str, ...]

    @classmethod
    def of(cls, query: Any) -> "Asked":
        states = tuple(one for one in SHOWN if one in query.getlist("state"))
        return cls(query.get("q", "")[:SEARCH_CHARACTERS_MAX].strip(), states)

    def finds(self, lights: Sequence[Light]) -> list[Row]:
        wanted = plain(self.text).split()
        return [
            Row(n, one)
            for n, one in enumerate(lights)
            if (not self.states or one.shown in self.states) and all(word in one.words for word in wanted)
        ]

    @property
    def query(self) -> str:
        """Returns the query of an address that asks the same."""
        values = [("q", self.text)] if self.text else []
        return urlencode(values + [("state", one) for one in self.states])


def lights(request: Any, insee: str) -> Any:
    own = commune(request, insee)
    whole = picture(request, own)
    asked = Asked.of(request.GET)
    found = asked.finds(whole.lights)
    pager = Pager.of(request.GET.get("page", ""), len(found))
    template = "lights_rows.html" if request.htmx and not request.htmx.history_restore_request else "lights.html"
    return shown(
        request, template, WORDS, commune=own, tab="lights",
        alone=alone(request, own),
        may_light=bool(orderable_feeders(own, now_s=request.now_s)),
        asked=asked,
        filters=_filters(asked, whole),
        found=len(found),
        total=len(whole.lights),
        version=whole.version,
        rows=found[pager.slice],
        pager=pager,
        query=asked.query,
    )  # fmt: skip


def _filters(asked: Asked, whole: Any) -> list[dict[str, Any]]:
    """Returns a link for each state that some light has: one more press takes it away again."""
    return [
        {
            "state": one,
            "count": whole.counts[one],
            "is_on": one in asked.states,
            "address": "?" + asked._replace(states=tuple(s for s in SHOWN if (s in asked.states) != (s == one))).query,
        }
        for one in SHOWN
        if whole.counts[one] or one in asked.states
    ]
