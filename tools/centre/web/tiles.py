"""Serves the tiles of one local PMTiles file (version 3, github.com/protomaps/PMTiles), which maps draw under all else.

They are images: PNG, JPEG, WebP or AVIF. Vector tiles would need a script that draws them, which no package of Python
ships; such a file is refused when the web starts. Who has made the map is said on it, as its licence asks. Tiles are
for who is logged in, whatever their rights: they show no equipment.
"""

import html
import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

from django.conf import settings
from django.http import Http404, HttpResponse
from django.utils.cache import patch_cache_control

from tools.centre.web.limits import TILE_S, ZOOM_MAX

_TAG = re.compile("<[^>]*>")


class Unfit(Exception):
    """Is raised for a file that holds no images of a map; its text is the key of a reason."""


class Tiles(NamedTuple):
    """Holds a file of tiles: how to get one, of which type, for which zooms and bounds, and whose map it is."""

    get: Callable[[int, int, int], bytes | None]
    content_type: str
    zooms: tuple[int, int]
    bounds: tuple[float, float, float, float]  # west, south, east, north
    attribution: str


@lru_cache(maxsize=1)
def opened(path: str) -> Tiles:
    """Opens a file for as long as the process lives; OSError, or Unfit."""
    from pmtiles.reader import MmapSource, Reader
    from pmtiles.tile import Compression, MagicNumberNotFound, SpecVersionUnsupported, TileType

    types = {TileType.PNG: "png", TileType.JPEG: "jpeg", TileType.WEBP: "webp", TileType.AVIF: "avif"}
    with open(path, "rb") as file:
        try:
            reader = Reader(MmapSource(file))
            header, metadata = reader.header(), reader.metadata()
        except (MagicNumberNotFound, SpecVersionUnsupported, ValueError, KeyError, IndexError) as error:
            raise Unfit("not") from error
    if header["tile_type"] == TileType.MVT:
        raise Unfit("vector")
    if header["tile_type"] not in types or header["tile_compression"] not in (Compression.NONE, Compression.UNKNOWN):
        raise Unfit("not")
    bounds = (header[f"{one}_e7"] / 1e7 for one in ("min_lon", "min_lat", "max_lon", "max_lat"))
    west, south, east, north = bounds
    said = html.unescape(_TAG.sub("", str(metadata.get("attribution", "")))).strip()
    zooms = header["min_zoom"], header["max_zoom"]
    return Tiles(reader.get, f"image/{types[header['tile_type']]}", zooms, (west, south, east, north), said)


def of_settings() -> Tiles | None:
    return None if settings.BOCAGE.tiles is None else opened(settings.BOCAGE.tiles)


def tile(request: Any, z: int, x: int, y: int) -> Any:
    """Answers with a tile; 204 where the file has a hole, so that no browser speaks of an error."""
    known = of_settings()
    if known is None or z > ZOOM_MAX or x >= 1 << z or y >= 1 << z:
        raise Http404
    data = known.get(z, x, y)
    answer = HttpResponse(status=204) if data is None else HttpResponse(data, content_type=known.content_type)
    patch_cache_control(answer, private=True, max_age=TILE_S)
    return answer
