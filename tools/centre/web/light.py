"""Shows one light: what was ordered, what it says, what it measures, why, its last word, and the last day as a plot.

The same stands alone on a page, and beside the map. Ordered, reported and measured are kept apart to the screen: what
the lamp says of itself is not what its meter says.
"""

from typing import Any

from django.conf import settings
from django.http import Http404

from gateway.language import N_, NC_, NN_, Phrases, events, translate
from gateway.language.figures import duration, number
from policy import lighting
from tools.centre.condition import notes
from tools.centre.condition.faults import StandingFault
from tools.centre.condition.words import deed_text
from tools.centre.registry.register import Register
from tools.centre.store import database
from tools.centre.store.archive import Archive
from tools.centre.web.access import Commune, commune, opened
from tools.centre.web.control import orderable_feeders
from tools.centre.web.history import History, Told, history
from tools.centre.web.limits import HISTORY_S, TOLD_MAX
from tools.centre.web.page import picture, shown
from tools.centre.web.pictures import Light, Picture
from tools.centre.web.plot import plot
from wire import event, quantity

WORDS = Phrases({
    "title": N_("Light {number}"),
    "place": N_("Feeder {feeder} of {cabinet}"),
    "ordered": NC_("light", "Ordered"),
    "reported": NC_("light", "Reported"),
    "measured": NC_("light", "Measured"),
    "heard": NC_("light", "Last word"),
    "nothing": N_("not known"),
    "no_node": N_("This light has no node of its own, and is not measured: its cabinet answers for its feeder."),
    "percent": N_("{percent} %"),
    "why": N_("Why"),
    "why.none": N_("Nothing was told about it yet."),
    "why.policy": N_("rule {rule} of the calendar, step {step}"),
    "why.policy.before": N_("rule {rule} of the calendar, before its first step"),
    "why.policy.day": N_("rule {rule} of the calendar, daylight"),
    "to_do": N_("To do: {remedy}"),
    "taken": N_("In hand of {person}"),
    "free": NC_("fault", "Nobody has it in hand"),
    "day": N_("The last 24 hours"),
    "day.none": N_("No reading within 24 hours."),
    "day.said": N_("From {low} to {high}."),
    "day.gaps": NN_("{count} gap, {time} without a reading.", "{count} gaps, {time} without a reading in all."),
    "day.gap": NC_("plot", "no reading"),
    "day.unpowered": NC_("plot", "no mains, as wanted"),
    "day.level": NC_("plot", "level"),
    "day.watts": NC_("plot", "measured"),
    "told": N_("What was told"),
    "signal": N_("Signal"),
    "signal.dbm": N_("{dbm} dBm"),
    "lamp": N_("Lamp"),
    "node": N_("Node"),
    "on_map": N_("Show on the map"),
})  # fmt: skip


def light(request: Any, insee: str, id: str) -> Any:
    own = commune(request, insee)
    whole = picture(request, own)
    chosen = next((one for one in whole.lights if one.id == id), None)
    if chosen is None:
        raise Http404
    template = "light_panel.html" if request.htmx and not request.htmx.history_restore_request else "light.html"
    return shown(request, template, WORDS, commune=own, tab="lights", chosen=panel(request, own, whole, chosen))


def panel(request: Any, own: Commune, whole: Picture, chosen: Light) -> dict[str, Any]:
    """Returns what the panel of a light shows."""
    since_s = request.now_s - HISTORY_S
    state = chosen.state
    with opened(own.areas) as connection:
        known = history(connection, state.node, state.cabinet, state.feeder, since_s=since_s, now_s=request.now_s)
        readings = {} if state.node is None else Archive(connection).newest_readings(state.node)
        cabinet = _cabinet(connection, state.cabinet, now_s=request.now_s)
    language = request.language
    return {
        "words": WORDS,  # within the map, too
        "may_light": state.feeder in orderable_feeders(own, now_s=request.now_s),
        "light": chosen,
        "n": whole.lights.index(chosen),
        "cabinet": cabinet,
        "reported": readings.get(quantity.LEVEL_REPORTED),
        "signal": known.signal_dbm,
        "fault": None if state.fault is None else _fault(state.fault, language),
        "why": _why(known, language),
        "plot": plot(known, chosen.place.power_dw) if known.points or known.unpowered else None,
        "said": _said(known, language),
        "told": [(one.unix_s, _sentence(one, language)) for one in reversed(known.told[-TOLD_MAX:])],
    }


def _cabinet(connection: database.Connection, cabinet: str | None, *, now_s: int) -> str | None:
    if cabinet is None:
        return None
    insee, _, name = cabinet.partition("-")
    place = Register(connection).of_gateway(insee, name, unix_s=now_s)
    return cabinet if place is None or place.name is None else place.name


def _fault(fault: StandingFault, language: str) -> dict[str, Any]:
    (fault,) = notes.with_sent(notes.path_of(settings.BOCAGE.data), [fault])
    return {
        "taken": fault.taken,
        "notes": [(one.written_unix_s, one.author, deed_text(one, language)) for one in fault.notes],
        "sentence": events.sentence(fault.code, True, fault.detail, language),
        "since_unix_s": fault.since_unix_s,
        "remedy": events.remedy(fault.code, language),
    }


def _why(known: History, language: str) -> tuple[int, str] | None:
    """Returns the latest decision about the light or its feeder: when, and by what rule."""
    decided = (one for one in reversed(known.told) if one.body.code in (event.LEVEL_CHANGED, event.FEEDER_SWITCHED))
    latest = next(decided, None)
    return None if latest is None else (latest.unix_s, _sentence(latest, language))


def _sentence(one: Told, language: str) -> str:
    said = events.sentence(one.body.code, one.body.active, one.body.detail, language)
    if one.body.code in (event.LEVEL_CHANGED, event.FEEDER_SWITCHED) and one.body.detail[2] == "policy":
        reason = one.body.detail[3]
        if isinstance(reason, int):
            said += f" ({_reason(reason, language)})"
    return said


def _reason(reason: int, language: str) -> str:
    rule, step = lighting.reason_parts(reason)
    key = {lighting.NO_STEP: "why.policy.before", lighting.DAYLIGHT: "why.policy.day"}.get(step, "why.policy")
    return translate(WORDS.messages[key], language, rule=rule + 1, step=step)


def _said(known: History, language: str) -> str:
    """Returns the plot in a sentence."""
    powers = [one.power_dw for one in known.points if one.power_dw is not None and one.unix_s >= known.since_s]
    if not powers:
        return WORDS.text("day.none", language)
    low, high = (f"{number(power / 10, language)} W" for power in (min(powers), max(powers)))
    said = WORDS.text("day.said", language, low=low, high=high)
    if known.gaps:
        time = duration(sum(end - begin for begin, end in known.gaps), language)
        said += " " + WORDS.text("day.gaps", language, count=len(known.gaps), time=time)
    return said
