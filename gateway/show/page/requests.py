"""Guards the page's requests and makes its plain answers: who may ask, forms, redirections, the headers of all.

The `Host` of a request must be an address, or `localhost`: a cabinet has no name, and a page of another site that makes
its own name point at us (DNS rebinding) would be of the same origin as ours for a browser.

The content security policy allows our own style, script and icon and nothing else: no inline script, no frame, no other
host. A form that a browser marks as coming from elsewhere is refused; the order's own secret is
checked besides. The browser keeps no answer: the next person at this phone sees nothing of the last.
"""

import ipaddress
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

COOKIE = "bocage"
_NODE = re.compile("[0-9a-f]{16}")


def address_of(request: web.Request) -> str:
    """Returns the address of the peer itself: there is no proxy before us, so headers about it are ignored."""
    return str(request.remote or "?")[:64]


async def form_of(request: web.Request) -> dict[str, str]:
    """Returns the fields of a form as our pages send it; others are refused before they are read (parts go to
    files)."""
    if request.content_type != "application/x-www-form-urlencoded":
        raise web.HTTPUnsupportedMediaType
    try:
        return {name: value for name, value in (await request.post()).items() if isinstance(value, str)}
    except (ValueError, LookupError):  # not UTF-8, or an unknown character set
        raise web.HTTPBadRequest from None


def to(path: str) -> web.Response:
    return web.Response(status=303, headers={"Location": path})


def away(request: web.Request) -> web.Response:
    """Redirects to the login without a session; the script gets a 401 and then loads the whole page."""
    if request.query.get("part"):
        return web.Response(status=401)
    asked = {"why": "over"} if COOKIE in request.cookies else {}
    node = request.match_info.get("node", "")
    if node_path(node) is not None:
        asked["node"] = node
    return to(f"/login?{urlencode(asked)}" if asked else "/login")


def node_path(node: str) -> str | None:
    """Returns the address of a node's screen, as its label has it; None where the text is no id."""
    return f"/node/{node}" if _NODE.fullmatch(node) else None


_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "
    "img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # `no-referrer` would make browsers hide the origin of our own forms as well.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cache-Control": "no-store",
    "Server": "bocage",
}


def guard(log: Callable[..., None], failed: Callable[[web.Request, int], web.Response]) -> Middleware:
    """Returns the middleware. `failed(request, status)` makes the page for an error."""

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            if not is_our_host(request.headers.getall("Host", [])):
                response: web.StreamResponse = failed(request, 421)
            elif request.method == "POST" and not is_same_origin(request):
                response = failed(request, 403)
            else:
                response = await handler(request)
        except web.HTTPException as error:
            # Redirections are answers; refusals of aiohttp get our own page.
            response = error if error.status < 400 else failed(request, error.status)
        except Exception as error:
            log("page-failed", error=repr(error), path=request.path[:80])
            response = failed(request, 500)
        response.headers.update(_HEADERS)
        response.force_close()
        return response

    return middleware


def is_our_host(hosts: list[str]) -> bool:
    """Returns True for one `Host` that is a numeric address or `localhost`, with or without a port (RFC 9112, section
    3.2). Any address will do: a forwarded port has another than ours, and no other site can own one that leads here."""
    if len(hosts) != 1:
        return False
    name = hosts[0].strip().casefold()
    if name.startswith("["):
        name = name.partition("]")[0][1:]
    elif name.count(":") == 1:
        name = name.partition(":")[0]
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return name == "localhost"
    return True


def is_same_origin(request: web.Request) -> bool:
    """Returns True when a form comes from our own page, as far as the browser reports it."""
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        return False
    origin: Any = request.headers.get("Origin")
    return origin is None or origin == f"{request.scheme}://{request.host}"
