"""Puts a screen into the frame that all have: commune, screens, clock, person; or alone, where htmx asks for a part."""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from django.conf import settings
from django.shortcuts import render
from django.urls import reverse

from gateway.language import LANGUAGES, Phrases
from gateway.language.figures import unbroken
from tools.centre.scope import grants
from tools.centre.web import words
from tools.centre.web.access import Commune, communes, reads_journal
from tools.centre.web.limits import ROWS_PER_PAGE
from tools.centre.web.pictures import Picture, Pictures
from tools.centre.web.search import Asked

_NO_WORDS = Phrases({})
LANGUAGE_COOKIE, THEME_COOKIE = "bocage-language", "bocage-theme"
THEMES = ("light", "dark")
# The text between two tags: attributes go back to the server, or to scripts, as they are.
_TEXT = re.compile(r">[^<]*[^<\s][^<]*<")
# The screens of a commune, in the order of the menu: the name of its address (`urls`), and of its word.
TABS = ("map", "town", "lights", "rooms", "greens", "faults", "orders", "duty", "health")
# What there is for a contractor by ticket, who has no trade of the commune.
_OF_TICKET = ("map", "faults")
# Those that are of one trade; the others show what a person may see of each. Whose trade it is not finds no such page.
_TRADES = {"town": grants.LIGHTING, "lights": grants.LIGHTING, "rooms": grants.HEATING, "greens": grants.WATERING}


def tabs_of(commune: Commune) -> tuple[str, ...]:
    """Returns the screens of a commune that a person may open; the duty where somebody is told."""
    return tuple(
        one
        for one in (TABS if (commune.insee, grants.ANY) in commune.areas else _OF_TICKET)
        if (one not in _TRADES or (commune.insee, _TRADES[one]) in commune.areas)
        and (one != "duty" or settings.BOCAGE.duty is not None)
    )


def first_of(commune: Commune) -> str:
    """Returns the screen with which a commune begins: rooms or green spaces for who has nothing else there, or the
    map."""
    own = [one for one in tabs_of(commune) if one in _TRADES]
    return own[0] if own in (["rooms"], ["greens"]) else TABS[0]


def shown(
    request: Any,
    template: str,
    screen: Phrases = _NO_WORDS,
    *,
    commune: Commune | None = None,
    tab: str = "",
    status: int = 200,
    **values: Any,
) -> Any:
    """Returns the answer with a template of `web/`; `tab`: which of TABS it belongs to."""
    context = {
        **values,
        "words": screen,
        "language": request.language,
        "languages": LANGUAGES,
        "theme": request.theme,
        "themes": ("", *THEMES),
        "here": request.get_full_path(),
        "now_s": request.now_s,
        "clock": words.clock(request.now_s),
        "person": request.person,
        "reads_journal": reads_journal(request.areas),
        "commune": commune,
        "others": _others(request, commune, tab) if commune else (),
        "tab": tab,
        "tabs": tabs_of(commune) if commune else (),
    }
    answer = render(request, f"web/{template}", context, status=status)
    if request.language == "fr":
        answer.content = _TEXT.sub(lambda text: unbroken(text[0]), answer.content.decode())
    return answer


def _others(request: Any, commune: Commune, tab: str) -> list[tuple[str, str]]:
    """Returns the communes to choose from, each with the address of the same screen there, or of its first screen;
    nothing for a person of one commune."""
    found = communes(request)
    if len(found) == 1:
        return []
    screens = [tab if tab in tabs_of(one) else first_of(one) for one in found]
    return [(one.name, reverse(screen, args=(one.insee,))) for one, screen in zip(found, screens, strict=True)]


def is_part(request: Any) -> bool:
    """Returns whether htmx asks for a part of a page, which is not all that a browser shows then."""
    return bool(request.htmx) and not request.htmx.history_restore_request


def listed(
    request: Any,
    own: Commune,
    screen: Phrases,
    asked: Asked,
    of_all: Sequence[Any],
    tab: str,
    row: Callable[[Any], Any] | None = None,
    **values: Any,
) -> Any:
    """Returns a page of a list of lights or spaces, or its rows alone (`web/<tab>_rows.html`). row: makes what a row
    shows of one, for those of the page only; without it, they are shown with their places in the list."""
    found = asked.finds(of_all)
    pager = Pager.of(request.GET.get("page", ""), len(found))
    rows_template = f"web/{tab}_rows.html"
    return shown(
        request, rows_template.removeprefix("web/") if is_part(request) else "list.html", screen, commune=own, tab=tab,
        address=reverse(tab, args=(own.insee,)),
        rows_template=rows_template,
        asked=asked,
        filters=asked.filters(Counter(one.shown for one in of_all)),
        found=len(found),
        total=len(of_all),
        rows=[one if row is None else row(one.one) for one in found[pager.slice]],
        pager=pager,
        query=asked.query,
        **values,
    )  # fmt: skip


class Pager(NamedTuple):
    """Says which page of a list is shown; pages count from 1."""

    page: int
    pages: int

    @classmethod
    def of(cls, asked: str, rows: int) -> "Pager":
        """Returns the page that an address asks for, or the nearest that there is."""
        pages = max(1, -(-rows // ROWS_PER_PAGE))
        is_number = asked.isascii() and asked.isdigit() and len(asked) < 6
        return cls(min(pages, max(1, int(asked))) if is_number else 1, pages)

    @property
    def slice(self) -> slice:
        return slice((self.page - 1) * ROWS_PER_PAGE, self.page * ROWS_PER_PAGE)


def picture(request: Any, commune: Commune) -> Picture:
    """Returns what is known of a commune's lights now."""
    return _pictures().of(commune.areas, commune.insee, now_s=request.now_s)


def picture_now(commune: Commune) -> Picture:
    """Returns the same outside of a request, as the warehouse is now."""
    return _pictures().of(commune.areas, commune.insee, now_s=int(settings.BOCAGE.clock()), is_look=True)


def _pictures() -> Pictures:
    found = _PICTURES.get(settings.BOCAGE.warehouse)
    return found or _PICTURES.setdefault(settings.BOCAGE.warehouse, Pictures(settings.BOCAGE.warehouse))


_PICTURES: dict[str, Pictures] = {}
