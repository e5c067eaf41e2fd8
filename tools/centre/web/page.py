"""Puts a screen into the frame that all have: commune, screens, clock, person; or alone, where htmx asks for a part."""

from typing import Any, NamedTuple

from django.conf import settings
from django.shortcuts import render

from gateway.language import LANGUAGES, Phrases
from tools.centre.scope import grants
from tools.centre.web import words
from tools.centre.web.access import THEMES, Commune, communes, reads_journal
from tools.centre.web.limits import ROWS_PER_PAGE
from tools.centre.web.pictures import Picture, Pictures

_NO_WORDS = Phrases({})
# The screens of a commune, in the order of the menu: the name of its address (`urls`), and of its word.
TABS = ("map", "town", "lights", "faults", "orders", "duty", "health")


def tabs_of(commune: Commune) -> tuple[str, ...]:
    """Returns the screens of a commune that a person has something on: the town is of lighting, and the duty there
    where somebody is told."""
    is_there = {"town": (commune.insee, grants.LIGHTING) in commune.areas, "duty": settings.BOCAGE.duty is not None}
    return tuple(one for one in TABS if is_there.get(one, True))


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
        "communes": communes(request) if request.person else (),
        "tab": tab,
        "tabs": tabs_of(commune) if commune else (),
    }
    return render(request, f"web/{template}", context, status=status)


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


def picture_at(commune: Commune) -> Picture:
    """Returns the same outside of a request."""
    return _pictures().of(commune.areas, commune.insee, now_s=int(settings.BOCAGE.clock()))


def _pictures() -> Pictures:
    found = _PICTURES.get(settings.BOCAGE.warehouse)
    return found or _PICTURES.setdefault(settings.BOCAGE.warehouse, Pictures(settings.BOCAGE.warehouse))


_PICTURES: dict[str, Pictures] = {}
