"""Shows one light: what was ordered, what it says, what it measures, why, its last word, and the last day as a plot.

The same stands alone on a page, and beside the map. Ordered, reported and measured are kept apart to the screen: what
the lamp says of itself is not what its meter says.
"""

from typing import Any

from django.http import Http404

from gateway.language import N_, NC_, Phrases, translate
from gateway.language.figures import number
from policy import lighting
from tools.centre.condition.programs import program
from tools.centre.store.archive import Archive
from tools.centre.web.access import Commune, commune, opened
from tools.centre.web.control import orderable_feeders
from tools.centre.web.history import History, Told, history
from tools.centre.web.limits import HISTORY_S, TOLD_MAX
from tools.centre.web.page import is_part, picture, shown
from tools.centre.web.panel import PANEL, cabinet_name, fault_notice, said, sentence
from tools.centre.web.pictures import Light, Picture
from tools.centre.web.plot import PERCENT, of_watts, plot
from wire import event, quantity

WORDS = Phrases({
    **PANEL.messages,
    "title": N_("Light {number}"),
    "place": N_("Feeder {feeder} of {cabinet}"),
    "ordered": NC_("light", "Ordered"),
    "reported": NC_("light", "Reported"),
    "measured": NC_("light", "Measured"),
    "order.of_feeder": N_("An order is for its whole feeder:"),
    "no_node": N_("This light has no node of its own, and is not measured: its cabinet answers for its feeder."),
    "why.policy": N_("rule {rule} of the calendar, step {step}"),
    "why.policy.before": N_("rule {rule} of the calendar, before its first step"),
    "why.policy.day": N_("rule {rule} of the calendar, daylight"),
    "day.unpowered": NC_("plot", "no mains, as wanted"),
    "day.wanted": NC_("plot", "level"),
    "day.measured": NC_("plot", "measured"),
    "lamp": N_("Lamp"),
})  # fmt: skip


def light(request: Any, insee: str, id: str) -> Any:
    own = commune(request, insee)
    whole = picture(request, own)
    chosen = next((one for one in whole.lights if one.id == id), None)
    if chosen is None:
        raise Http404
    template = "light_panel.html" if is_part(request) else "light.html"
    return shown(request, template, WORDS, commune=own, tab="lights", chosen=panel(request, own, whole, chosen))


def panel(request: Any, own: Commune, whole: Picture, chosen: Light) -> dict[str, Any]:
    """Returns what the panel of a light shows."""
    since_s = request.now_s - HISTORY_S
    state = chosen.state
    wanted = quantity.LEVEL_REPORTED, quantity.LEVEL_ORDERED
    with opened(own.areas) as connection:
        known = history(
            connection, state.node, state.cabinet, state.feeder, quantity.POWER, wanted,
            since_s=since_s, now_s=request.now_s,
        )  # fmt: skip
        readings = {} if state.node is None else Archive(connection).newest_readings(state.node)
        cabinet = cabinet_name(connection, state.cabinet, now_s=request.now_s)
        started = program(connection, state.node)
    language = request.language
    drawn = plot(known, of_watts(known, chosen.place.power_dw), PERCENT) if known.points or known.unpowered else None
    return {
        "words": WORDS,  # within the map, too
        "may_light": state.feeder in orderable_feeders(own, now_s=request.now_s),
        "light": chosen,
        "n": whole.lights.index(chosen),
        "cabinet": cabinet,
        "ordered": chosen.figures.level_percent,
        "reported": readings.get(quantity.LEVEL_REPORTED),
        "signal": known.signal_dbm,
        "program": started.version,
        "fault": fault_notice(state.fault, language),
        "why": _why(known, language),
        "plot": drawn,
        "said": said(known, lambda power_dw: f"{number(power_dw / 10, language)} W", language),
        "told": [(one.unix_s, _sentence(one, language)) for one in reversed(known.told[-TOLD_MAX:])],
    }


def _why(known: History, language: str) -> tuple[int, str] | None:
    """Returns the latest decision about the light or its feeder: when, and by what rule."""
    decided = (one for one in reversed(known.told) if one.body.code in (event.LEVEL_CHANGED, event.FEEDER_SWITCHED))
    latest = next(decided, None)
    return None if latest is None else (latest.unix_s, _sentence(latest, language))


def _sentence(one: Told, language: str) -> str:
    text = sentence(one, language)
    if one.body.code in (event.LEVEL_CHANGED, event.FEEDER_SWITCHED) and one.body.detail[2] == "policy":
        reason = one.body.detail[3]
        if isinstance(reason, int):
            text += f" ({_reason(reason, language)})"
    return text


def _reason(reason: int, language: str) -> str:
    rule, step = lighting.reason_parts(reason)
    key = {lighting.NO_STEP: "why.policy.before", lighting.DAYLIGHT: "why.policy.day"}.get(step, "why.policy")
    return translate(WORDS.messages[key], language, rule=rule + 1, step=step)
