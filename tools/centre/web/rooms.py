"""Lists the rooms of a commune, the coldest first, and shows one: set-point, temperature, why, and the last day.

A room is cold from COLD_CK under its set-point on, unless its node has begun to warm it for hours that are to come.
Set-point and reason are the node's own: what a node decides is explained by nobody else.
"""

from typing import Any

from django.http import Http404

from gateway.language import N_, NC_, NN_, Phrases
from gateway.language.figures import number
from tools.centre.condition.programs import program
from tools.centre.condition.usage import ENERGY, Usages
from tools.centre.register.equipment import following_day
from tools.centre.scope import grants
from tools.centre.web import states
from tools.centre.web.access import Commune, commune, opened
from tools.centre.web.control import has_control
from tools.centre.web.health import alone
from tools.centre.web.history import history
from tools.centre.web.limits import HISTORY_S, TOLD_MAX
from tools.centre.web.month import Month
from tools.centre.web.orders import of_node
from tools.centre.web.page import is_part, listed, picture, shown
from tools.centre.web.panel import PANEL, cabinet_name, fault_notice, said, sentence
from tools.centre.web.plot import of_degrees, plot
from tools.centre.web.search import Asked
from tools.centre.web.spaces import Space
from wire import event, quantity

WORDS = Phrases({
    **PANEL.messages,
    "title": N_("Rooms of {commune}"),
    "search": N_("Room or street"),
    "search.do": NC_("button", "Search"),
    "state": NC_("column", "State"),
    "room": NC_("column", "Room"),
    "heating": NC_("column", "Heating"),
    "temperature": NC_("column", "Temperature"),
    "count": NN_("{count} room", "{count} rooms"),
    "cold": NN_("{count} room is under its set-point.", "{count} rooms are under their set-points."),
    "cold.none": N_("No room is cold."),
    "cold.none.known": NN_("Of {count} room that is sound and heard, none is cold.",
                           "Of {count} rooms that are sound and heard, none is cold."),
    "cold.unknown": N_("No room is sound and heard: whether one is cold is not known."),
    "wanted": NC_("temperature", "for {degrees}"),
    "none": N_("No room of your rights stands here yet. The register brings them: `bocage centre register import`."),
    "none.found": N_("No room answers to that."),
    "none.found.all": N_("Show all rooms"),
    "caption": N_("Rooms, the coldest first"),
    "setpoint": NC_("room", "Set-point"),
    "measured": NC_("room", "Measured"),
    "no_node": N_("This room has no node, and is not measured."),
    "day.measured": NC_("plot", "measured"),
    "day.wanted": NC_("plot", "set-point"),
    "outdoors": N_("Outdoors"),
    "valve": NC_("room", "Valve"),
    "boiler": NC_("room", "Boiler"),
    "boiler.fault": NC_("boiler", "reports a fault"),
    "boiler.flame": NC_("boiler", "flame burns"),
    "boiler.heats": NC_("boiler", "heats, no flame"),
    "boiler.rests": NC_("boiler", "at rest"),
    "window": NC_("room", "Window"),
    "window.open": NC_("window", "open"),
    "window.shut": NC_("window", "shut"),
    "energy": N_("Electricity of this month"),
    "kwh": N_("{kwh} kWh"),
    "order.heat": NC_("button", "Heat at other hours"),
})  # fmt: skip
_OUTDOORS = quantity.key(quantity.TEMPERATURE, 1)
# OpenTherm id 0, the status of the slave.
_FAULT, _HEATS, _FLAME = 1, 2, 8
# What says why a room is heated as it is.
_REASONS = (
    event.SETPOINT_CHANGED, event.WINDOW_OPEN, event.FROST_PROTECTION, event.LOAD_SHED, event.CEILING_APPLIED,
    event.LOCAL_TEST,
)  # fmt: skip


def rooms(request: Any, insee: str) -> Any:
    own = commune(request, insee, grants.HEATING)
    whole = picture(request, own)
    found = [one for one in whole.spaces if one.is_room]
    cold = sum(one.shown == states.COLD for one in found)
    known = sum(one.shown not in (states.FAULT, states.UNKNOWN) for one in found)
    asked = Asked.of(request.GET, states.ROOMS)
    return listed(
        request, own, WORDS, asked, found, "rooms",
        alone=alone(request, own), version=whole.version, has_spaces=True, cold=cold, known=known,
    )  # fmt: skip


def room(request: Any, insee: str, id: str) -> Any:
    own = commune(request, insee, grants.HEATING)
    chosen = next((one for one in picture(request, own).spaces if one.is_room and one.id == id), None)
    if chosen is None:
        raise Http404
    template = "room_panel.html" if is_part(request) else "space.html"
    panel_template = "web/room_panel.html"
    return shown(
        request, template, WORDS, commune=own, tab="rooms", panel=panel_template, chosen=panel(request, own, chosen)
    )


def panel(request: Any, own: Commune, space: Space) -> dict[str, Any]:
    """Returns what the panel of a room shows."""
    state, language = space.state, request.language
    with opened(own.areas) as connection:
        known = history(
            connection, state.node, None, None, quantity.TEMPERATURE, (quantity.SETPOINT,),
            since_s=request.now_s - HISTORY_S, now_s=request.now_s,
        )  # fmt: skip
        cabinet = cabinet_name(connection, state.cabinet, now_s=request.now_s)
        started = program(connection, state.node)
        period = Month.of(request.now_s).begins_s, following_day(request.now_s)  # today's with them
        used = Usages(connection, ENERGY, period, insee=own.insee).of((state.node or b"", 0))
    why = next((one for one in reversed(known.told) if one.body.code in _REASONS), None)
    readings = space.readings
    return {
        "words": WORDS,  # within the map, too
        "space": space,
        "may_order": has_control(),
        "orders": of_node(request, own, state.node),
        "cabinet": cabinet,
        "outdoors_ck": readings.get(_OUTDOORS),
        "valve": readings.get(quantity.VALVE_POSITION),
        "boiler": _boiler(readings.get(quantity.BOILER_STATUS)),
        "window": readings.get(quantity.WINDOW),
        "kwh": number(used.amount / 1000, language, 0) if used.covered_s else None,
        "signal": known.signal_dbm,
        "fault": fault_notice(state.fault, language),
        "why": None if why is None else (why.unix_s, sentence(why, language)),
        "plot": plot(known, of_degrees(known), of_degrees(known)) if known.points else None,
        "said": said(known, lambda ck: f"{number(ck / 100, language)} °C", language),
        "told": [(one.unix_s, sentence(one, language)) for one in reversed(known.told[-TOLD_MAX:])],
        "program": started.version,
        "started_unix_s": started.started_unix_s,
    }


def _boiler(status: int | None) -> str | None:
    """Returns the key of the word for what a boiler says of itself."""
    if status is None:
        return None
    bits = {_FAULT: "fault", _FLAME: "flame", _HEATS: "heats"}
    return "boiler." + next((word for bit, word in bits.items() if status & bit), "rests")
