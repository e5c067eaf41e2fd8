"""What every answer carries and every request must have: headers that forbid, an origin that is ours, an error in
words.

The policy for content allows our own style, script and icon and nothing else: no inline script, no frame, no other
host. A browser that says where a form comes from is believed when it says elsewhere; the order's own secret is
checked besides (`gateway/show/page/app.py`). No answer is kept by the browser: the next person at this phone sees
nothing of the last.
"""

from collections.abc import Callable
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

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


def guard(say: Callable[..., None], failed: Callable[[web.Request, int], web.Response]) -> Middleware:
    """The middleware. `failed(request, status)` makes the page for an error."""

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            if request.method == "POST" and not is_same_origin(request):
                response: web.StreamResponse = failed(request, 403)
            else:
                response = await handler(request)
        except web.HTTPException as error:
            # Redirections are answers; what aiohttp refuses gets our page.
            response = error if error.status < 400 else failed(request, error.status)
        except Exception as error:
            say("page-failed", error=repr(error), path=request.path[:80])
            response = failed(request, 500)
        response.headers.update(_HEADERS)
        response.force_close()
        return response

    return middleware


def is_same_origin(request: web.Request) -> bool:
    """Whether a form comes from our own page, as far as the browser tells."""
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        return False
    origin: Any = request.headers.get("Origin")
    return origin is None or origin == f"{request.scheme}://{request.host}"
