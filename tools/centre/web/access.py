"""Says for each request who asks, what they may see, in which language, and what time it is. Pages ask nobody else.

    request.person      the account's name, which is the person of `bocage centre access`; None: nobody is logged in
    request.areas       what the scope grants them now (`tools.centre.scope.grants`)
    request.now_s       the one now of this request, in Unix seconds
    request.language    fr or en: chosen by the person, or else by the browser
    request.theme       the theme that the person chose; "" leaves it to the browser

Every address needs a login but those of OPEN. What is not granted is not there: a commune of somebody else answers 404,
as one that does not exist. Answers are not kept by browsers: the next person at this screen sees nothing of the last.
"""

from collections.abc import Iterable
from contextlib import AbstractContextManager
from functools import lru_cache
from threading import Lock
from typing import Any, NamedTuple
from urllib.parse import urlencode

from django.conf import settings
from django.http import Http404, HttpResponseRedirect
from django.utils.cache import add_never_cache_headers

from gateway.language import DEFAULT_LANGUAGE, LANGUAGES
from tools.centre.scope import grants
from tools.centre.store import database
from tools.centre.web import connections
from tools.centre.web.connections import Areas
from tools.centre.web.limits import COMMUNES_REMEMBERED
from tools.centre.web.search import sorting

LANGUAGE_COOKIE, THEME_COOKIE = "bocage-language", "bocage-theme"
THEMES = ("light", "dark")
OPEN = frozenset(("/login", "/login/directory", "/login/directory/back", "/appearance"))
# Where a person chooses a password before anything else, and may leave.
_BEFORE_ALL = frozenset(("/password", "/logout", "/appearance"))


# What a page may load, and from where: this web alone. Nothing that is written into a page runs (CSP 3).
_CONTENT = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'"
)


def policy_of_content(get_response: Any) -> Any:
    """Is Django's middleware that sends the policy of content with every answer."""

    def answered(request: Any) -> Any:
        response = get_response(request)
        response["Content-Security-Policy"] = _CONTENT
        return response

    return answered


class Access:
    """Is Django's middleware; it stands behind sessions and accounts."""

    def __init__(self, get_response: Any) -> None:
        self._get_response = get_response

    def __call__(self, request: Any) -> Any:
        request.now_s = int(settings.BOCAGE.clock())
        request.language = _language(request)
        theme = request.COOKIES.get(THEME_COOKIE, "")
        request.theme = theme if theme in THEMES else ""
        request.person, request.areas = None, frozenset()
        try:
            if request.user.is_authenticated:
                request.person = request.user.get_username()
                request.areas = areas_of(request.person, now_s=request.now_s)
            response = self._led_away(request) or self._get_response(request)
        except database.Error as error:
            response = self.process_exception(request, error)
        if not response.has_header("Cache-Control"):
            add_never_cache_headers(response)
        return response

    def process_exception(self, request: Any, exception: Exception) -> Any:
        """Answers for a warehouse that cannot be read: the world's fault, and not ours."""
        if not isinstance(exception, database.Error):
            return None
        from tools.centre.web.errors import unreadable

        return unreadable(request, exception)

    def _led_away(self, request: Any) -> Any:
        if request.person is None:
            if request.path in OPEN:
                return None
            to = "/login?" + urlencode({"next": request.get_full_path()}) if request.method == "GET" else "/login"
            return _to(request, to)
        # A one-time password opens the page on which it is replaced.
        if request.user.last_login is None and request.path not in _BEFORE_ALL:
            return _to(request, "/password")
        return None


def _to(request: Any, address: str) -> Any:
    """Leads the browser to an address; a part of a page that is asked by htmx takes the whole page along."""
    response = HttpResponseRedirect(address)
    if request.htmx:
        response.status_code = 204
        response["HX-Redirect"] = address
    return response


def _language(request: Any) -> str:
    chosen = request.COOKIES.get(LANGUAGE_COOKIE)
    if chosen in LANGUAGES:
        return str(chosen)
    for part in request.headers.get("Accept-Language", "").split(","):
        language = part.partition(";")[0].strip().lower().partition("-")[0]
        if language in LANGUAGES:
            return str(language)
    return DEFAULT_LANGUAGE


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
