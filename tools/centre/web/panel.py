"""Holds what the panels of one light, one room and one green space share: their words, and what is said of a fault, of
what was told and of a plot.
"""

from collections.abc import Callable
from typing import Any

from django.conf import settings

from gateway.language import N_, NC_, NN_, Phrases, events
from gateway.language.figures import duration
from tools.centre.condition import notes
from tools.centre.condition.faults import StandingFault
from tools.centre.condition.words import deed_text
from tools.centre.register.register import Register
from tools.centre.store import database
from tools.centre.web.history import History, Told

PANEL = Phrases({
    "heard": NC_("light", "Last word"),
    "nothing": N_("not known"),
    "why": N_("Why"),
    "why.none": N_("Nothing was told about it yet."),
    "to_do": N_("To do: {remedy}"),
    "taken": N_("In hand of {person}"),
    "free": NC_("fault", "Nobody has it in hand"),
    "day": N_("The last 24 hours"),
    "day.none": N_("No reading within 24 hours."),
    "day.said": N_("From {low} to {high}."),
    "day.gaps": NN_("{count} gap, {time} without a reading.", "{count} gaps, {time} without a reading in all."),
    "day.gap": NC_("plot", "no reading"),
    "told": N_("What was told"),
    "signal": N_("Signal"),
    "signal.dbm": N_("{dbm} dBm"),
    "node": N_("Node"),
    "program": NC_("column", "Program"),
    "percent": N_("{percent} %"),
    "on_map": N_("Show on the map"),
})  # fmt: skip


def cabinet_name(connection: database.Connection, cabinet: str | None, *, now_s: int) -> str | None:
    """Returns what the register calls a cabinet, or its address."""
    if cabinet is None:
        return None
    insee, _, name = cabinet.partition("-")
    place = Register(connection).of_gateway(insee, name, unix_s=now_s)
    return cabinet if place is None or place.name is None else place.name


def fault_notice(fault: StandingFault | None, language: str) -> dict[str, Any] | None:
    if fault is None:
        return None
    (fault,) = notes.with_sent(notes.path_of(settings.BOCAGE.data), [fault])
    return {
        "taken": fault.taken,
        "notes": [(one.written_unix_s, one.author, deed_text(one, language)) for one in fault.notes],
        "sentence": events.sentence(fault.code, True, fault.detail, language),
        "since_unix_s": fault.since_unix_s,
        "remedy": events.remedy(fault.code, language),
    }


def sentence(one: Told, language: str) -> str:
    return events.sentence(one.body.code, one.body.active, one.body.detail, language)


def said(known: History, text: Callable[[int], str], language: str) -> str:
    """Returns the plot in a sentence. text: writes what was measured, with its unit."""
    values = [one.measured for one in known.points if one.measured is not None and one.unix_s >= known.since_s]
    if not values:
        return PANEL.text("day.none", language)
    low, high = text(min(values)), text(max(values))
    whole = PANEL.text("day.said", language, low=low, high=high)
    if known.gaps:
        time = duration(sum(end - begin for begin, end in known.gaps), language)
        whole += " " + PANEL.text("day.gaps", language, count=len(known.gaps), time=time)
    return whole
