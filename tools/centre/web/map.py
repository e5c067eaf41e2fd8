"""Shows a commune's lights, rooms and green spaces on a map, beside the list of what is in view.

The map is a drawing of the list: both are made from one picture, and what a person finds on one is on the other. The
browser gets places and states of lights as one compact JSON (`data`), the marks of rooms and green spaces as another
(`spaces`); what changes is pushed (`live`). The address holds the commune, the states and layers that are shown and
what is chosen, and behind `#` the view, so that a colleague opens the same.
"""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from django.conf import settings
from django.http import Http404, HttpResponse, JsonResponse
from django.urls import reverse
from django.utils.cache import get_conditional_response, patch_cache_control

from gateway.language import N_, NC_, NN_, Phrases
from tools.centre.web import greens, rooms, tiles, words
from tools.centre.web.access import Commune, commune
from tools.centre.web.health import alone
from tools.centre.web.light import panel
from tools.centre.web.limits import IN_VIEW_LIGHTS_MAX, IN_VIEW_STREETS_MAX, MAP_STEP, STATIC_S
from tools.centre.web.page import picture, shown
from tools.centre.web.pictures import Light, Picture
from tools.centre.web.spaces import Space
from tools.centre.web.states import FAULT, GRAVE, LETTERS, LIT, SHOWN, UNKNOWN

WORDS = Phrases({
    "title": N_("Map of {commune}"),
    "in_view": N_("In view"),
    "lights.in_view": NN_("{count} light in view", "{count} lights in view"),
    "close": NC_("button", "Close"),
    "streets": NC_("in view", "Streets"),
    "street.none": N_("Without a street"),
    "more.streets": NN_("and {count} more street", "and {count} more streets"),
    "more.lights": NN_("and {count} more", "and {count} more"),
    "none.in_view": N_("No light in view. Zoom out, or move the map."),
    "nowhere": NN_("{count} light has no position: it is in the list only",
                   "{count} lights have no position: they are in the list only"),
    "map": N_("Map; the list beside it says the same"),
    "whole": NC_("button", "See the whole commune"),
    "layer.rooms": NC_("layer", "Rooms"),
    "layer.greens": NC_("layer", "Green spaces"),
    "rooms.in_view": NN_("{count} room in view", "{count} rooms in view"),
    "greens.in_view": NN_("{count} green space in view", "{count} green spaces in view"),
    "lacks": N_("the soil lacks {depth} mm"),
    "more.spaces": NN_("and {count} more", "and {count} more"),
})  # fmt: skip
# What a list beside the map names one by one: what wants an eye.
_NAMED = (FAULT, UNKNOWN)
LAYERS = ("rooms", "greens")


class Box(NamedTuple):
    """Bounds a view, in degrees."""

    west: float
    south: float
    east: float
    north: float

    @classmethod
    def of(cls, text: str) -> "Box | None":
        """Returns what `west,south,east,north` bounds; None where that is none."""
        try:
            west, south, east, north = (float(part) for part in text.split(","))
        except ValueError:
            return None
        return cls(west, south, east, north)

    def holds(self, longitude: float | None, latitude: float | None) -> bool:
        if longitude is None or latitude is None:
            return False
        return self.west <= longitude <= self.east and self.south <= latitude <= self.north


def map(request: Any, insee: str) -> Any:
    own = commune(request, insee)
    whole = picture(request, own)
    chosen = next((one for one in whole.lights if one.id == request.GET.get("light")), None)
    space = next((one for one in whole.spaces if request.GET.get(one.kind) == one.id), None)
    values: dict[str, Any] = {}
    if chosen is not None:
        values = {"chosen": panel(request, own, whole, chosen), "panel": "web/light_panel.html"}
    elif space is not None:
        values = {"chosen": _panel_of(space)(request, own, space), "panel": _template_of(space)}
    return shown(
        request, "map.html", WORDS, commune=own, tab="map",
        picture=whole,
        bounds=_bounds(whole),
        has_ground=_ground(own).is_file(),
        tiles=tiles.of_settings(),
        alone=alone(request, own),
        **values,
        **_in_view(whole, None, request),
    )  # fmt: skip


def _panel_of(space: Space) -> Callable[[Any, Commune, Space], dict[str, Any]]:
    return rooms.panel if space.is_room else greens.panel


def _template_of(space: Space) -> str:
    return f"web/{'room' if space.is_room else 'green'}_panel.html"


def in_view(request: Any, insee: str) -> Any:
    own = commune(request, insee)
    box = Box.of(request.GET.get("box", ""))
    view = _in_view(picture(request, own), box, request)
    return shown(request, "map_in_view.html", WORDS, commune=own, alone=alone(request, own), **view)


def spaces(request: Any, insee: str) -> Any:
    """Answers with the marks of the rooms and green spaces of a commune that have a position, the gravest first."""
    own = commune(request, insee)
    whole = picture(request, own)
    answer = get_conditional_response(request, etag=f'"{whole.version}"')
    if answer is None:
        answer = JsonResponse({"spaces": [_mark(one, own, request.language) for one in _placed(whole)]})
        answer["ETag"] = f'"{whole.version}"'
    patch_cache_control(answer, private=True, no_cache=True)
    return answer


def _placed(whole: Picture) -> list[Space]:
    """Returns those with a position: what wants an eye before the others, of which any kind may be first."""
    known = [one for one in whole.spaces if one.longitude is not None and one.latitude is not None]
    return sorted(known, key=lambda one: one.shown not in GRAVE)


def _mark(one: Space, own: Commune, language: str) -> dict[str, Any]:
    return {
        "id": f"{one.kind}/{one.id}",
        "layer": _layer(one),
        "shown": one.shown,
        "at": [one.latitude, one.longitude],
        "mark": one.gauge,
        "title": f"{one.name} : {words.state(one.shown, language)}",
        "address": reverse(one.page, args=(own.insee, one.id)),
    }


def _layer(one: Space) -> str:
    return "rooms" if one.is_room else "greens"


def ground(request: Any, insee: str) -> Any:
    """Answers with the GeoJSON of what lies under the lights; a browser keeps it for a while."""
    path = _ground(commune(request, insee))
    if not path.is_file():
        raise Http404
    answer = HttpResponse(path.read_bytes(), content_type="application/geo+json")
    patch_cache_control(answer, private=True, max_age=STATIC_S)
    return answer


def _ground(own: Commune) -> Path:
    """Returns the file of a commune that a person may see: its code is of the register, and no path."""
    return Path(settings.BOCAGE.ground or "/nonexistent") / f"{own.insee}.geojson"


def data(request: Any, insee: str) -> Any:
    """Answers with all lights of a commune, some four bytes each once compressed. `steps`: from one light to the next,
    east and north; `codes`: two signs a light, its state and its level in tenths."""
    whole = picture(request, commune(request, insee))
    if "n" in request.GET or "id" in request.GET:
        return _named(whole, request.GET)
    answer = get_conditional_response(request, etag=f'"{whole.version}"')
    if answer is None:
        answer = JsonResponse(_plain(whole), json_dumps_params={"separators": (",", ":")})
        answer["ETag"] = f'"{whole.version}"'
    patch_cache_control(answer, private=True, no_cache=True)
    return answer


def _named(whole: Picture, query: Any) -> Any:
    """Answers with the id and the place of one light: by its id, or by its place in those of the browser."""
    text = query.get("n", "")
    is_place = query.get("places") == whole.places and text.isascii() and text.isdigit() and len(text) < 7
    n = int(text) if is_place else next((n for n, one in enumerate(whole.lights) if one.id == query.get("id")), -1)
    if not 0 <= n < len(whole.lights):
        raise Http404
    return JsonResponse({"n": n, "id": whole.lights[n].id})


def _plain(whole: Picture) -> dict[str, Any]:
    west, south, _, _ = _bounds(whole) or (0, 0, 0, 0)
    steps: list[int] = []
    nowhere: list[int] = []
    x = y = 0
    for n, one in enumerate(whole.lights):
        if one.place.longitude is None or one.place.latitude is None:
            nowhere.append(n)
            steps += (0, 0)
            continue
        east, north = round((one.place.longitude - west) / MAP_STEP), round((one.place.latitude - south) / MAP_STEP)
        steps += (east - x, north - y)
        x, y = east, north
    return {
        "version": whole.version,
        "places": whole.places,
        "origin": [west, south],
        "step": MAP_STEP,
        "steps": steps,
        "nowhere": nowhere,
        "streets": list(Counter(one.state.street for one in whole.lights).values()),
        "codes": "".join(code(one) for one in whole.lights),
    }


def code(light: Light) -> str:
    """Returns the two signs of a light on the map: `l7` is lit at 70 %; a lit light of unknown level is at 100 %."""
    level = 100 if light.figures.level_percent is None else light.figures.level_percent
    return LETTERS[light.shown] + (str(min(9, level // 10)) if light.shown == LIT else "0")


def _bounds(whole: Picture) -> Box | None:
    found = [(one.place.longitude, one.place.latitude) for one in whole.lights]
    found += [(one.longitude, one.latitude) for one in whole.spaces]
    places = [(longitude, latitude) for longitude, latitude in found if longitude is not None and latitude is not None]
    if not places:
        return None
    east, north = ([place[n] for place in places] for n in (0, 1))
    return Box(min(east), min(north), max(east), max(north))


def _in_view(whole: Picture, box: Box | None, request: Any) -> dict[str, Any]:
    states = tuple(one for one in SHOWN if one in request.GET.getlist("state"))
    asked = request.GET.getlist("layer")  # none named: all; a word that is no layer: none
    layers = tuple(one for one in LAYERS if not asked or one in asked)
    within = [one for one in whole.lights if box is None or box.holds(one.place.longitude, one.place.latitude)]
    counts = Counter(one.shown for one in within)
    wanted = [one for one in within if not states or one.shown in states]
    named = [one for one in wanted if one.shown in (states or _NAMED)]
    streets = list(Counter(one.state.street for one in wanted).items())
    others = [one for one in whole.spaces if box is None or box.holds(one.longitude, one.latitude)]
    return {
        "found": len(wanted),
        "has_lights": bool(whole.lights),
        "filters": [
            {"state": one, "count": counts[one], "is_on": one in states}
            for one in SHOWN
            if whole.counts[one] or one in states
        ],
        "named": sorted(named, key=lambda one: _NAMED.index(one.shown) if one.shown in _NAMED else len(_NAMED))[
            :IN_VIEW_LIGHTS_MAX
        ],
        "more_named": max(0, len(named) - IN_VIEW_LIGHTS_MAX),
        "streets": streets[:IN_VIEW_STREETS_MAX],
        "more_streets": max(0, len(streets) - IN_VIEW_STREETS_MAX),
        "nowhere": sum(one.place.longitude is None for one in wanted) if box is None else 0,
        "layers": [
            _of_layer(layer, [one for one in others if _layer(one) == layer], is_on=layer in layers)
            for layer in LAYERS
            if any(_layer(one) == layer for one in whole.spaces)
        ],
    }


def _of_layer(layer: str, found: list[Space], *, is_on: bool) -> dict[str, Any]:
    """Returns what the list beside the map says of rooms or of green spaces in view: all, what wants an eye first."""
    return {
        "layer": layer,
        "is_on": is_on,
        "count": len(found),
        "named": found[:IN_VIEW_LIGHTS_MAX] if is_on else [],
        "more": max(0, len(found) - IN_VIEW_LIGHTS_MAX) if is_on else 0,
    }
