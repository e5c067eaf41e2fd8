"""Serves the page's addresses: checks access, turns a form into an order of the agent, and sets every answer's headers.

    /login /logout                      the only ones without a session, and its end
    / /tonight /faults /health          the screens
    /feeder/N                           one feeder; /feeder/N/test, lock, unlock: the page before an order
    POST /feeder/N/test, stop, lock, unlock      the order, with the session's secret
    /all/test, POST /all/test, stop     the same for every feeder at once, for a round by day
    /node …                             nodes (`node_pages`)
    /static/NAME                        style, script and icon, read once from beside this file

Every order that came from a session is logged: what, for which feeder, by whom, from where, and its outcome. A
refused one changes nothing. After an order one is back on the screen where it was given, which confirms it.
"""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Protocol

from aiohttp import web

from gateway.core.status import FeederStatus, Status
from gateway.language import LANGUAGES
from gateway.show.page import feeders, screens
from gateway.show.page.html import Safe
from gateway.show.page.lights import Lights
from gateway.show.page.node_pages import NodePages, Nodes
from gateway.show.page.requests import COOKIE, address_of, away, form_of, guard, node_path, to
from gateway.show.page.sessions import DONE_MS, LIFE_MS, WAIT, Login, Session, Sessions
from gateway.show.page.tonight import tonight_screen
from gateway.show.page.view import FEEDER, NOW, Done, View, live_part, page

_FORM_BYTES_MAX = 4_096
_LANGUAGE_COOKIE = "bocage-lang"
_SCREENS: dict[str, tuple[str, Callable[[View], Safe]]] = {
    "/": ("tab.now", feeders.now),
    "/tonight": ("tab.tonight", tonight_screen),
    "/faults": ("tab.faults", screens.faults),
    "/health": ("tab.health", screens.health),
}


class Orders(Nodes, Protocol):
    """Defines the orders that a technician at the cabinet may give. `feeder`: its place in the configuration, `who`:
    the name that the technician gave. Each returns None when it was accepted, or the word of a refusal. Zero seconds
    end a test. `test_all` leaves out the feeders that are locked."""

    def test(self, feeder: int, seconds: int, who: str) -> str | None: ...

    def test_all(self, seconds: int, who: str) -> str | None: ...

    def lock(self, feeder: int, who: str) -> str | None: ...

    def unlock(self, feeder: int, who: str) -> str | None: ...


class Pages:
    """Handles the requests. `is_secure`: the connection is TLS, so the cookie is for TLS only."""

    def __init__(
        self,
        status: Callable[[], Status],
        orders: Orders,
        login: Login,
        sessions: Sessions,
        log: Callable[..., None],
        *,
        language: str,
        is_secure: bool,
        lights: Lights,
        now_ms: Callable[[], int],
    ) -> None:
        self._status, self._orders, self._log = status, orders, log
        self._login, self._sessions = login, sessions
        self._lights = lights
        self._language, self._is_secure, self._now_ms = language, is_secure, now_ms

    def app(self) -> web.Application:
        app = web.Application(client_max_size=_FORM_BYTES_MAX, middlewares=[guard(self._log, self._failed)])
        app.router.add_get("/login", self._get_login)
        app.router.add_post("/login", self._post_login)
        app.router.add_post("/logout", self._post_logout)
        for path in _SCREENS:
            app.router.add_get(path, self._get_screen)
        app.router.add_get("/feeder/{place}", self._get_feeder)
        app.router.add_get("/feeder/{place}/{order}", self._get_order)
        app.router.add_post("/feeder/{place}/{order}", self._post_order)
        app.router.add_get("/all/test", self._get_all)
        app.router.add_post("/all/{order}", self._post_all)
        NodePages(self, self._orders, self._lights, self._log).add_to(app.router)
        app.router.add_get("/static/{name}", _serve_asset)
        return app

    # --- entering -----------------------------------------------------------------------------------------------

    async def _get_login(self, request: web.Request) -> web.Response:
        why, node = (request.query.get(name, "") for name in ("why", "node"))
        return self.shown(request, screens.login_page(self._language_of(request), why=why, node=node))

    async def _post_login(self, request: web.Request) -> web.Response:
        form = await form_of(request)
        who, typed, node = (form.get(name, "") for name in ("who", "password", "node"))
        answer = await self._login.enter(who, typed, address_of(request))
        if answer.token is None:
            shown = screens.login_page(
                self._language_of(request), why=answer.why or "", wait_s=answer.wait_s, who=who[:40], node=node
            )
            response = self.shown(request, shown, status=429 if answer.why == WAIT else 403)
            if answer.why == WAIT:
                response.headers["Retry-After"] = str(answer.wait_s)
            return response
        response = to(node_path(node) or "/")
        self._set_cookie(response, COOKIE, answer.token)
        return response

    async def _post_logout(self, request: web.Request) -> web.Response:
        session = self._session(request)
        form = await form_of(request)
        if session is None:
            return away(request)
        if not session.may_order(form.get("csrf", "")):
            return self._failed(request, 403)
        self._sessions.close(request.cookies.get(COOKIE))
        self._log("page-logout", who=session.who, address=address_of(request))
        response = to("/login?why=left")
        response.del_cookie(COOKIE, path="/")
        return response

    # --- screens ------------------------------------------------------------------------------------------------

    async def _get_screen(self, request: web.Request) -> web.Response:
        title, screen = _SCREENS[request.path]
        view = self.view(request)
        if view is None:
            return away(request)
        return self.screen(request, view, view.text(title), screen(view), is_live=True)

    async def _get_feeder(self, request: web.Request) -> web.Response:
        view = self.view(request)
        if view is None:
            return away(request)
        found = self._feeder(view, request)
        title = view.text("feeder.title", name=found.name)
        return self.screen(request, view, title, feeders.feeder_screen(view, found), is_live=True)

    async def _get_order(self, request: web.Request) -> web.Response:
        view, order = self.view(request), request.match_info["order"]
        if view is None:
            return away(request)
        found = self._feeder(view, request)
        if order not in feeders.PAGES:
            raise web.HTTPNotFound
        title = view.text(f"{order}.title", name=found.name)
        return self.screen(request, view, title, feeders.order_page(view, found, order), is_live=False)

    # --- orders -------------------------------------------------------------------------------------------------

    async def _get_all(self, request: web.Request) -> web.Response:
        view = self.view(request)
        if view is None:
            return away(request)
        return self.screen(request, view, view.text("all.title"), feeders.all_page(view), is_live=False)

    async def _post_order(self, request: web.Request) -> web.Response:
        view, order = self.view(request), request.match_info["order"]
        if view is None:
            return away(request)
        form = await form_of(request)
        if order not in feeders.ORDERS:
            raise web.HTTPNotFound
        found = self._feeder(view, request)
        word = None if order != "lock" or form.get("read") == "yes" else "read"
        word = self.refusal(view, form) or word or self._give(order, found, view.session.who)
        back = feeders.back_to(found.place, form.get("from", ""))
        return self._answered(request, view, order, found, word, back)

    async def _post_all(self, request: web.Request) -> web.Response:
        view, order = self.view(request), request.match_info["order"]
        if view is None:
            return away(request)
        form = await form_of(request)
        if order not in ("test", "stop") or view.cabinet is None:
            raise web.HTTPNotFound
        seconds = feeders.ROUND_S if order == "test" else 0
        word = self.refusal(view, form) or self._orders.test_all(seconds, view.session.who)
        return self._answered(request, view, order, None, word, "/")

    def refusal(self, view: View, form: dict[str, str]) -> str | None:
        return None if view.session.may_order(form.get("csrf", "")) else "form"

    def _answered(
        self, request: web.Request, view: View, order: str, found: FeederStatus | None, word: str | None, back: str
    ) -> web.Response:
        """Logs an order of which `word` is the refusal, and leads back to where it was given, which confirms it."""
        who, address = view.session.who, address_of(request)
        name = "*" if found is None else found.name
        self._log("page-order", order=order, feeder=name, who=who, address=address, refused=word)
        if word is None:
            place = None if found is None else found.place
            view.session.done = (order, place, self._now_ms())
            return to(back)
        return self.refused(request, view, feeders.refusal_words(view, found, word), back)

    def _give(self, order: str, found: FeederStatus, who: str) -> str | None:
        if order == "lock":
            return self._orders.lock(found.place, who)
        if order == "unlock":
            return self._orders.unlock(found.place, who)
        return self._orders.test(found.place, feeders.TEST_S if order == "test" else 0, who)

    # --- inside -------------------------------------------------------------------------------------------------

    def _session(self, request: web.Request) -> Session | None:
        is_person = "auto" not in request.query
        return self._sessions.find(request.cookies.get(COOKIE), is_person=is_person, now_ms=self._now_ms())

    def view(self, request: web.Request) -> View | None:
        session = self._session(request)
        if session is None:
            return None
        is_feeder = request.query.get("from") == FEEDER or "order" not in request.match_info
        origin = FEEDER if is_feeder and "place" in request.match_info else NOW
        view = View(self._status(), self._language_of(request), session, request.path, origin)
        return view._replace(done=self._done(view))

    def _done(self, view: View) -> Done | None:
        """Returns the confirmation of this session's last order, for as long as it is news."""
        order, place, at_ms = view.session.done or ("", None, -DONE_MS)
        if self._now_ms() - at_ms >= DONE_MS:
            return None
        if place is None:
            return Done(None, view.text("done.all" if order == "test" else "done.none"))
        found = feeders.at_place(view.cabinet, str(place))
        return None if found is None else Done(place, view.text(f"done.{order}", name=found.name))

    def _feeder(self, view: View, request: web.Request) -> FeederStatus:
        found = feeders.at_place(view.cabinet, request.match_info["place"])
        if found is None:
            raise web.HTTPNotFound
        return found

    def _language_of(self, request: web.Request) -> str:
        for asked in (request.query.get("lang"), request.cookies.get(_LANGUAGE_COOKIE)):
            if asked in LANGUAGES:
                return str(asked)
        return self._language

    def screen(self, request: web.Request, view: View, title: str, body: Safe, *, is_live: bool) -> web.Response:
        if request.query.get("part") == "live":
            return self.shown(request, live_part(view, body))
        return self.shown(request, page(view, title, body, is_live=is_live))

    def refused(self, request: web.Request, view: View, words: str, back: str) -> web.Response:
        body = screens.refusal(view, words, back)
        return self.shown(request, page(view, view.text("refused.title"), body, is_live=False), status=409)

    def shown(self, request: web.Request, content: Safe, status: int = 200) -> web.Response:
        response = web.Response(text=content, content_type="text/html", charset="utf-8", status=status)
        if request.query.get("lang") in LANGUAGES:
            self._set_cookie(response, _LANGUAGE_COOKIE, request.query["lang"])
        return response

    def _set_cookie(self, response: web.Response, name: str, value: str) -> None:
        response.set_cookie(
            name, value, max_age=LIFE_MS // 1000, path="/", httponly=True, samesite="Strict", secure=self._is_secure
        )

    def _failed(self, request: web.Request, status: int) -> web.Response:
        return self.shown(request, screens.error_page(self._language_of(request), status), status=status)


_FOLDER = Path(__file__).parent / "static"
_KINDS = {"page.css": "text/css", "page.js": "text/javascript", "icon.svg": "image/svg+xml"}


async def _serve_asset(request: web.Request) -> web.Response:
    name = request.match_info["name"]
    if name not in _KINDS:
        raise web.HTTPNotFound
    return web.Response(body=_asset(name), content_type=_KINDS[name], charset="utf-8")


@cache
def _asset(name: str) -> bytes:
    return (_FOLDER / name).read_bytes()
