"""Puts into each request who asks, what this person may see, the language and the time. Pages learn these from here
alone.

    request.person      the account's name, which is the person of `bocage centre access`; None: nobody is logged in
    request.areas       what the scope grants them now (`tools.centre.scope.grants`)
    request.now_s       the one now of this request, in Unix seconds
    request.language    fr or en: chosen by the person, or else by the browser
    request.theme       the theme that the person chose; "" leaves it to the browser

Every address needs a login but those of OPEN. Answers are not kept by browsers: the next person at this screen sees
nothing of the last.
"""

from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpResponseRedirect
from django.utils.cache import add_never_cache_headers

from gateway.language import DEFAULT_LANGUAGE, LANGUAGES
from tools.centre.store import database
from tools.centre.web import access
from tools.centre.web.errors import unreadable
from tools.centre.web.page import LANGUAGE_COOKIE, THEME_COOKIE, THEMES

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
                request.areas = access.areas_of(request.person, now_s=request.now_s)
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
