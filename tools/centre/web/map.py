"""Shows a commune's lights on a map, beside the list of what is in view.

The map is a drawing of the list: both are made from one picture, and what a person finds on one is on the other. The
browser gets places and states as one compact JSON (`data`); what changes is pushed (`live`). The address holds the
commune, the states that are shown and the chosen light, and behind `#` the view, so that a colleague opens the same.
"""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from django.conf import settings
from django.http import Http404, HttpResponse, JsonResponse
from django.utils.cache import get_conditional_response, patch_cache_control

from gateway.language import N_, NC_, NN_, Phrases
from tools.centre.web import tiles
from tools.centre.web.access import Commune, commune
from tools.centre.web.health import alone
from tools.centre.web.light import panel
from tools.centre.web.limits import IN_VIEW_LIGHTS_MAX, IN_VIEW_STREETS_MAX, MAP_STEP, STATIC_S
from tools.centre.web.page import picture, shown
from tools.centre.web.pictures import Light, Picture
from tools.centre.web.states import FAULT, LETTERS, LIT, SHOWN, UNKNOWN

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
    "map": N_("Map of the lights; the list beside it says the same"),
    "whole": NC_("button", "Whole commune"),
})  # fmt: skip
# What a list beside the map names one by one: what wants an eye.
_NAMED = (FAULT, UNKNOWN)


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

    def holds(self, light: Light) -> bool:
        if light.place.longitude is None or light.place.latitude is None:
            return False
        return self.west <= light.place.longitude <= self.east and self.south <= light.place.latitude <= self.north


def map(request: Any, insee: str) -> Any:
    own = commune(request, insee)
    whole = picture(request, own)
    chosen = next((one for one in whole.lights if one.id == request.GET.get("light")), None)
    return shown(
        request, "map.html", WORDS, commune=own, tab="map",
        picture=whole,
        bounds=_bounds(whole.lights),
        has_ground=_ground(own).is_file(),
        tiles=tiles.of_settings(),
        chosen=None if chosen is None else panel(request, own, whole, chosen),
        alone=alone(request, own),
        **_in_view(whole, None, _states(request)),
    )  # fmt: skip


def in_view(request: Any, insee: str) -> Any:
    own = commune(request, insee)
    box = Box.of(request.GET.get("box", ""))
    view = _in_view(picture(request, own), box, _states(request))
    return shown(request, "map_in_view.html", WORDS, commune=own, alone=alone(request, own), **view)


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
    west, south, _, _ = _bounds(whole.lights) or (0, 0, 0, 0)
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


def _bounds(lights: Iterable[Light]) -> Box | None:
    known = [one.place for one in lights]
    places = [(one.longitude, one.latitude) for one in known if one.longitude is not None and one.latitude is not None]
    if not places:
        return None
    east, north = ([place[n] for place in places] for n in (0, 1))
    return Box(min(east), min(north), max(east), max(north))


def _states(request: Any) -> tuple[str, ...]:
    return tuple(one for one in SHOWN if one in request.GET.getlist("state"))


def _in_view(whole: Picture, box: Box | None, states: tuple[str, ...]) -> dict[str, Any]:
    within = [one for one in whole.lights if box is None or box.holds(one)]
    counts = Counter(one.shown for one in within)
    wanted = [one for one in within if not states or one.shown in states]
    named = [one for one in wanted if one.shown in (states or _NAMED)]
    streets = list(Counter(one.state.street for one in wanted).items())
    return {
        "found": len(wanted),
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
    }
