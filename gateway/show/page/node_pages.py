"""Serves the screens for a technician beside a pole: which node is this, does its lamp blink, which light is it.

    /node?id=DIGITS            finds a node by the last digits of its label; without digits those heard last
    /node/ID                   one node. The code on its label is this address, so that a phone's camera opens it
    POST /node/ID/identify     its lamp blinks
    /node/ID/place, POST       which light it serves

Every order carries the session's secret and is logged, like those for feeders (`app`).
"""

import re
from collections.abc import Callable
from typing import Protocol

from aiohttp import web

from gateway.core.placement import NodeSight
from gateway.show.page import nodes
from gateway.show.page.html import Safe
from gateway.show.page.lights import Lights
from gateway.show.page.requests import address_of, away, form_of, node_path, to
from gateway.show.page.view import View

_DIGITS = re.compile("[0-9a-f]{1,16}")


class Nodes(Protocol):
    """Defines what the agent knows of nodes, and the orders about them; an order returns None when it was accepted, or
    the word of a refusal."""

    def sight(self, node: bytes) -> NodeSight: ...

    def sights(self) -> list[NodeSight]: ...

    def ending(self, digits: str) -> list[bytes]: ...

    def holder(self, node: bytes, light: str, street: str) -> bytes | None: ...

    def identify(self, node: bytes) -> str | None: ...

    def place(self, node: bytes, light: str, street: str, who: str, *, exchange: bool) -> str | None: ...


class Frame(Protocol):
    """Defines what all screens share: the session's view, and how an answer is made of a screen or a refusal."""

    def view(self, request: web.Request) -> View | None: ...

    def screen(self, request: web.Request, view: View, title: str, body: Safe, *, is_live: bool) -> web.Response: ...

    def refusal(self, view: View, form: dict[str, str]) -> str | None: ...

    def refused(self, request: web.Request, view: View, words: str, back: str) -> web.Response: ...


class NodePages:
    """Handles the requests, in the frame of `pages`."""

    def __init__(self, pages: Frame, agent: Nodes, lights: Lights, log: Callable[..., None]) -> None:
        self._pages, self._agent, self._lights, self._log = pages, agent, lights, log

    def add_to(self, router: web.UrlDispatcher) -> None:
        router.add_get("/node", self._get_nodes)
        router.add_get("/node/{node}", self._get_node)
        router.add_post("/node/{node}/identify", self._post_identify)
        router.add_get("/node/{node}/place", self._get_place)
        router.add_post("/node/{node}/place", self._post_place)

    async def _get_nodes(self, request: web.Request) -> web.Response:
        view = self._pages.view(request)
        if view is None:
            return away(request)
        typed = request.query.get("id", "")[:100]
        digits = "".join(typed.rpartition("/")[2].rpartition(":")[2].split()).casefold()
        sights, is_found = self._agent.sights(), True
        if digits:
            found = self._agent.ending(digits) if _DIGITS.fullmatch(digits) else []
            if path := node_path(digits if not found else found[0].hex() if len(found) == 1 else ""):
                return to(path)
            sights, is_found = [self._agent.sight(node) for node in found], bool(found)
        body = nodes.nodes_screen(view, sights, typed, is_found=is_found)
        return self._pages.screen(request, view, view.text("tab.nodes"), body, is_live=False)

    async def _get_node(self, request: web.Request) -> web.Response:
        view = self._pages.view(request)
        if view is None:
            return away(request)
        sight = self._sight(request)
        title = view.text("node.title", node=sight.node.hex())
        known = self._lights.serving(sight.node.hex(), view.status.name)
        return self._pages.screen(request, view, title, nodes.node_screen(view, sight, known), is_live=True)

    async def _get_place(self, request: web.Request) -> web.Response:
        view = self._pages.view(request)
        if view is None:
            return away(request)
        body = nodes.place_page(view, self._sight(request), self._lights.of_cabinet(view.status.name))
        return self._pages.screen(request, view, view.text("place.title"), body, is_live=False)

    async def _post_identify(self, request: web.Request) -> web.Response:
        view = self._pages.view(request)
        if view is None:
            return away(request)
        form, sight = await form_of(request), self._sight(request)
        word = self._pages.refusal(view, form) or self._agent.identify(sight.node)
        return self._answered(request, view, "identify", sight, word)

    async def _post_place(self, request: web.Request) -> web.Response:
        view = self._pages.view(request)
        if view is None:
            return away(request)
        form, sight = await form_of(request), self._sight(request)
        light, street = (form.get(name, "").strip() for name in ("light", "street"))
        known = [one for one in self._lights.of_cabinet(view.status.name) if one.id == light]
        street = street or (known[0].street if len(known) == 1 else "")
        exchange, who = form.get("exchange") == "yes", view.session.who
        word = self._pages.refusal(view, form)
        word = word or self._agent.place(sight.node, light, street, who, exchange=exchange)
        holder = self._agent.holder(sight.node, light, street) if word == "taken" else None
        if holder is not None:
            body = nodes.exchange_page(view, sight, self._agent.sight(holder), light, street)
            return self._pages.screen(request, view, view.text("place.title"), body, is_live=False)
        return self._answered(request, view, "place", sight, word, light=light[:40], street=street[:40])

    def _sight(self, request: web.Request) -> NodeSight:
        node = request.match_info["node"]
        if node_path(node) is None:
            raise web.HTTPNotFound
        return self._agent.sight(bytes.fromhex(node))

    def _answered(
        self, request: web.Request, view: View, order: str, sight: NodeSight, word: str | None, **values: str
    ) -> web.Response:
        """Logs an order of which `word` is the refusal, and leads back to its node."""
        node, who = sight.node.hex(), view.session.who
        self._log("page-order", order=order, node=node, who=who, address=address_of(request), refused=word, **values)
        back = f"/node/{node}"
        if word is None:
            return to(back)
        return self._pages.refused(request, view, nodes.refusal_words(view, word), back)
