"""Style, script and icon, read once from beside this file: nothing is fetched elsewhere, nothing else is served."""

from functools import cache
from pathlib import Path

from aiohttp import web

_FOLDER = Path(__file__).parent / "static"
_KINDS = {"page.css": "text/css", "page.js": "text/javascript", "icon.svg": "image/svg+xml"}


async def serve(request: web.Request) -> web.Response:
    name = request.match_info["name"]
    if name not in _KINDS:
        raise web.HTTPNotFound
    return web.Response(body=_read(name), content_type=_KINDS[name], charset="utf-8")


@cache
def _read(name: str) -> bytes:
    return (_FOLDER / name).read_bytes()
