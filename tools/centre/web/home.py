"""Leads a person to their commune, or lets them choose one of theirs."""

from typing import Any

from django.http import HttpResponseRedirect
from django.urls import reverse

from gateway.language import N_, Phrases
from tools.centre.scope import grants
from tools.centre.web.access import communes
from tools.centre.web.page import TABS, shown

WORDS = Phrases({
    "title": N_("Communes"),
    "none": N_("{person}, you have no right on any commune yet; `bocage centre access give` gives it."),
})  # fmt: skip


def home(request: Any) -> Any:
    found = communes(request)
    if len(found) == 1:
        # Who answers for one commune begins with its night, who works in a territory with the map.
        is_own = (found[0].insee, grants.LIGHTING) in request.areas
        return HttpResponseRedirect(reverse("town" if is_own else TABS[0], args=(found[0].insee,)))
    return shown(request, "home.html", WORDS, first=TABS[0])
