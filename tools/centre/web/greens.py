"""Lists the green spaces and the meters of water of a commune, leaks first, and shows one: deficit, litres, and why.

What a zone received is what its node measured in its runs; a meter has the litres of its days. A node tells no
programme, so the next decision, to water or not, is expected at the hour of the last one; what it usually takes is the
median of its runs, as the node itself judges a flow (`watering.flow`).
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from statistics import median
from typing import Any, NamedTuple

from django.http import Http404

from gateway.language import N_, NC_, NN_, Phrases, directives, translate
from gateway.language.figures import number
from policy import civil
from tools.centre.condition.programs import program
from tools.centre.condition.usage import WATER, Usages
from tools.centre.register.equipment import GREEN_SPACE, METER, following_day
from tools.centre.rollup import hours
from tools.centre.scope import grants
from tools.centre.store import database
from tools.centre.web import states
from tools.centre.web.access import Commune, commune, opened
from tools.centre.web.control import has_control
from tools.centre.web.health import alone
from tools.centre.web.history import Told
from tools.centre.web.limits import RUNS_MIN, TOLD_MAX, WATER_DAYS
from tools.centre.web.month import Month
from tools.centre.web.orders import of_node
from tools.centre.web.page import is_part, listed, picture, shown
from tools.centre.web.panel import PANEL, cabinet_name, fault_notice, sentence
from tools.centre.web.plot import bars
from tools.centre.web.search import Asked
from tools.centre.web.spaces import Space
from tools.centre.web.watered import Run, Watered, told_of, watered, zone_of
from wire import directive, event

WORDS = Phrases({
    **PANEL.messages,
    "title": N_("Green spaces of {commune}"),
    "search": N_("Green space, meter or street"),
    "search.do": NC_("button", "Search"),
    "state": NC_("column", "State"),
    "space": NC_("column", "Green space"),
    "next": NC_("column", "Next decision"),
    "deficit": NC_("column", "Deficit"),
    "last": NC_("column", "Last watering"),
    "count": NN_("{count} zone or meter", "{count} zones and meters"),
    "leaks": NN_("Water is lost at {count} place.", "Water is lost at {count} places."),
    "leaks.none": N_("No water is lost, as far as is known."),
    "drought": N_("Drought: {level}"),
    "drought.level": NC_("water", "Drought"),
    "drought.unknown": N_("Drought: no level is known"),
    "used": N_("This month: {litres} L"),
    "used.before": N_("the same days a year ago: {litres} L"),
    "covered": N_("{percent} % of this time is measured"),
    "none": N_(
        "No green space of your rights stands here yet. The register brings them: `bocage centre register import`."
    ),
    "none.found": N_("No green space answers to that."),
    "none.found.all": N_("Show all green spaces"),
    "caption": N_("Green spaces and meters, leaks first, then by what the soil lacks"),
    "millimetres": N_("{depth} mm"),
    "litres": N_("{litres} L"),
    "at_about": N_("at about {clock}"),
    "as_before": N_("as the day before"),
    "next.none": N_("not known"),
    "last.none": N_("no watering is known"),
    "no_node": N_("It has no node, and is not measured."),
    "flow": NC_("water", "Flow now"),
    "litres_a_minute": N_("{flow} L/min"),
    "usual": N_("Flow of the last run"),
    "usual.said": N_("{flow} L/min, usually {usual} L/min"),
    "days": N_("Water by day"),
    "days.said": NN_("{litres} L in {count} day.", "{litres} L in {count} days."),
    "days.silent": NN_("Nothing was heard on {count} of them.", "Nothing was heard on {count} of them."),
    "meter": N_("Its meter, this month"),
    "order.dry": NC_("button", "Skip the watering"),
})  # fmt: skip
# A day, and the litres of it; None: nothing was heard of the node.
Day = tuple[int, float | None]


class Row(NamedTuple):
    space: Space
    watered: Watered
    last: Run | None


def greens(request: Any, insee: str) -> Any:
    own = commune(request, insee, grants.WATERING)
    whole = picture(request, own)
    found = [one for one in whole.spaces if not one.is_room]
    asked, alone_now = Asked.of(request.GET, states.GREENS), alone(request, own)
    with opened(own.areas) as connection:
        told: dict[bytes | None, list[Told]] = {}

        def row(space: Space) -> Row:
            node = space.state.node
            if node not in told:
                told[node] = told_of(connection, node, now_s=request.now_s)
            known = watered(told[node], space, now_s=request.now_s)
            return Row(space, known, known.runs[-1] if known.runs else None)

        return listed(
            request, own, WORDS, asked, found, "greens", row,
            alone=alone_now, version=whole.version, has_spaces=True,
            leaks=sum(one.shown == states.LEAK for one in found),
            drought=lambda: _drought(told.values(), request.language),
            used=_used(connection, own, {one.state.node for one in found}, request),
        )  # fmt: skip


def green(request: Any, insee: str, id: str) -> Any:
    return _one(request, insee, GREEN_SPACE, id)


def meter(request: Any, insee: str, id: str) -> Any:
    return _one(request, insee, METER, id)


def _one(request: Any, insee: str, kind: str, id: str) -> Any:
    own = commune(request, insee, grants.WATERING)
    chosen = next((one for one in picture(request, own).spaces if (one.kind, one.id) == (kind, id)), None)
    if chosen is None:
        raise Http404
    template = "green_panel.html" if is_part(request) else "space.html"
    return shown(
        request, template, WORDS, commune=own, tab="greens", panel="web/green_panel.html",
        chosen=panel(request, own, chosen),
    )  # fmt: skip


def panel(request: Any, own: Commune, space: Space) -> dict[str, Any]:
    """Returns what the panel of a zone or of a meter shows."""
    state, language = space.state, request.language
    with opened(own.areas) as connection:
        told = told_of(connection, state.node, now_s=request.now_s)
        days = _days(connection, space, told, now_s=request.now_s)
        cabinet = cabinet_name(connection, state.cabinet, now_s=request.now_s)
        started = program(connection, state.node)
        used = _used(connection, own, {state.node}, request)
    known = watered(told, space, now_s=request.now_s)
    mine = [one for one in told if zone_of(one) in (None, 0, space.zone or 0)]
    return {
        "words": WORDS,  # within the map, too
        "space": space,
        "may_order": has_control() and space.kind != METER,
        "orders": of_node(request, own, state.node),
        "is_meter": space.kind == METER,
        "cabinet": cabinet,
        "drought": _drought([told], language),
        "watered": known,
        "last": known.runs[-1] if known.runs else None,
        "flows": _flows(known.runs, language),
        "used": used,
        "fault": fault_notice(state.fault, language),
        "why": None if known.why is None else (known.why.unix_s, sentence(known.why, language)),
        "plot": bars(days),
        "said": _said(days, language),
        "told": [(one.unix_s, sentence(one, language)) for one in reversed(mine[-TOLD_MAX:])],
        "program": started.version,
        "started_unix_s": started.started_unix_s,
    }


def _drought(told: Iterable[Sequence[Told]], language: str) -> str | None:
    """Returns the strictest level that one of the nodes follows, in words; None: none has told of one."""
    followed = []
    for heard in told:
        levels = [
            one.body.detail[1]
            for one in heard
            if one.body.code == event.DIRECTIVE_TAKEN and one.body.detail[0] == directive.DROUGHT_LEVEL
        ]
        followed += levels[-1:]
    known = [level for level in followed if isinstance(level, int)]
    if not known:
        return None
    words = directives.FORMS[directive.DROUGHT_LEVEL].words
    return translate(words[max(known)], language) if max(known) < len(words) else str(max(known))


def _flows(runs: Sequence[Run], language: str) -> str | None:
    """Returns the flow of the last run beside what is usual, in words."""
    flows = [one.flow_ml_min for one in runs if one.flow_ml_min is not None]
    if not flows:
        return None
    last = number(flows[-1] / 1000, language)
    if len(flows) <= RUNS_MIN:
        return WORDS.text("litres_a_minute", language, flow=last)
    return WORDS.text("usual.said", language, flow=last, usual=number(median(flows[:-1]) / 1000, language))


def _used(
    connection: database.Connection, own: Commune, nodes: set[bytes | None], request: Any
) -> dict[str, Any] | None:
    """Returns the litres of this month by the meters of these nodes, today's with them, and those of the same days a
    year ago."""
    this, language = Month.of(request.now_s), request.language
    year_s = this.begins_s - this.moved(-12).begins_s
    end_s = following_day(request.now_s)
    meters = [(node, 0) for node in nodes if node is not None]
    now, before = (
        Usages(connection, WATER, period, insee=own.insee).of_all(meters)
        for period in ((this.begins_s, end_s), (this.begins_s - year_s, end_s - year_s))
    )
    if not now.covered_s:
        return None
    return {
        "litres": number(now.amount, language, 0),
        "percent": number(min(100.0, now.coverage(request.now_s - this.begins_s)), language, 0),
        "before": number(before.amount, language, 0) if before.covered_s else None,
    }


def _days(connection: database.Connection, space: Space, told: Sequence[Told], *, now_s: int) -> list[Day]:
    """Returns the days that are drawn with the litres of each; None: nothing was heard of the node. Of a zone they are
    those of its runs, of a meter those of its register."""
    today = hours.day_of(now_s)
    days = range(today - WATER_DAYS + 1, today + 1)
    rows = connection.execute(
        "SELECT day_local, water_l FROM days WHERE node = ? AND channel = 0 AND day_local >= ?",
        (space.state.node or b"", hours.day_text(days[0])),
    )
    counted = dict(rows.fetchall())
    given: dict[int, float] = defaultdict(float)
    for run in watered(told, space, now_s=now_s).runs:
        given[civil.local_from_unix(civil.PARIS, run.end_unix_s).civil_day] += (run.volume_ml or 0) / 1000
    found = []
    for day in days:
        text = hours.day_text(day)
        litres = counted.get(text) if space.kind == METER else given[day]
        is_heard = text in counted or given[day] > 0
        found.append((day, litres if is_heard else None))
    return found


def _said(days: Sequence[Day], language: str) -> str:
    litres = number(sum(amount or 0 for _, amount in days), language, 0)
    text = WORDS.text("days.said", language, litres=litres, count=len(days))
    silent = sum(amount is None for _, amount in days)
    return f"{text} {WORDS.text('days.silent', language, count=silent)}" if silent else text
