"""Lists the lights of a commune by street: searched by street or number, filtered by state, a page at a time.

The address holds everything (`?q=port&state=fault&page=2`), so a colleague opens the same. The rows alone are answered
where htmx asks for them.
"""

from typing import Any

from gateway.language import N_, NC_, NN_, Phrases
from tools.centre.scope import grants
from tools.centre.web.access import commune
from tools.centre.web.control import orderable_feeders
from tools.centre.web.health import alone
from tools.centre.web.page import listed, picture
from tools.centre.web.search import Asked
from tools.centre.web.states import SHOWN

WORDS = Phrases({
    "title": N_("Lights of {commune}"),
    "count": NN_("{count} light", "{count} lights"),
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


def lights(request: Any, insee: str) -> Any:
    own = commune(request, insee, grants.LIGHTING)
    whole = picture(request, own)
    asked = Asked.of(request.GET, SHOWN)
    return listed(
        request, own, WORDS, asked, whole.lights, "lights",
        alone=alone(request, own),
        may_light=bool(orderable_feeders(own, now_s=request.now_s)),
        version=whole.version,
    )  # fmt: skip
