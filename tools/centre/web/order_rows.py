"""Lists what each equipment has answered to an order: cabinets, feeders, and lights that have a controller."""

from functools import partial
from typing import NamedTuple

from gateway.language import N_, NC_, Phrases
from tools.centre.control import orders as book
from tools.centre.control.progress import (
    APPLIED,
    MEASURED,
    REFUSED,
    UNMEASURED,
    Progress,
    cabinet_text,
    outcome_text,
    reported_s,
)
from tools.centre.moments import moment
from tools.centre.scope import grants
from tools.centre.web import order_kinds
from tools.centre.web.access import opened
from tools.centre.web.history import Told, outcomes
from tools.centre.web.limits import ORDER_LIGHTS_MAX, UNMEASURED_S
from tools.centre.web.order_kind import Asking
from tools.centre.web.order_kinds import kind_of
from tools.centre.web.order_lighting import lights_of
from tools.centre.web.states import LIT, OFF
from wire.command import Command

WORDS = Phrases(order_kinds.sentences().messages | {
    "answer.none": N_("no answer yet"),
    "answer.accepted": NC_("order", "accepted"),
})  # fmt: skip


class Row(NamedTuple):
    """Holds what an equipment was ordered (a state, "" for a cabinet as a whole) and has answered: measured in 0.1 W;
    at_s: when; level_percent: of an order for a level between."""

    name: str
    ordered: str
    answer: str
    is_refused: bool
    power_dw: int | None
    at_s: int | None
    level_percent: int | None = None


def by_cabinet(found: Progress, language: str, *, now_s: int) -> list[Row]:
    """Returns the answers of cabinets, and of each feeder that the order is for."""

    def say(key: str, **values: object) -> str:
        return WORDS.text(key, language, **values)

    ordered, level = _ordered(found.order.command), found.order.command.level
    when = partial(moment, language=language, now_s=now_s)
    rows = []
    answered = set()
    for cabinet in (one for one in found.cabinets if one.is_meant):
        name, said = say("where.cabinet", gateway=cabinet.name), cabinet_text(found, cabinet, language, when)
        rows.append(Row(name, "", said, cabinet.state == REFUSED, None, None))
        for feeder in cabinet.feeders:
            answered.add(feeder.name)
            last = feeder.last
            said = _answer(last, language)
            name = say("where.target", target=feeder.name)
            rows.append(Row(name, ordered, said, last.outcome == REFUSED, last.power_dw, reported_s(last), level))
    silent = [say("where.target", target=name) for name in found.expected if name not in answered]
    return rows + [Row(name, ordered, say("answer.none"), False, None, None, level) for name in silent]


def at_lights(asking: Asking, order: book.Order, *, until_s: int) -> list[Row]:
    """Returns what the controllers of lights have told of an order, where they are not too many to be listed; a light
    that has told nothing is listed while the order holds. until_s: when the order is over in fact."""
    one, request = order.command, asking.request
    is_lighting = kind_of(one).trade == grants.LIGHTING
    lights = lights_of(asking, one.gateway, one.target) if is_lighting else []
    nodes = {light.state.node: light for light in lights if light.state.node is not None}
    if not 0 < len(nodes) <= ORDER_LIGHTS_MAX:
        return []
    with opened(asking.own.areas) as connection:
        told = outcomes(connection, nodes, one.id, since_s=one.not_before_s - 60, now_s=request.now_s)
    rows = []
    for node, light in nodes.items():
        name = " ".join(part for part in (light.state.street, light.number) if part)
        if node in told:
            rows.append(_at_light(name, told[node], one, min(request.now_s, until_s), request.language))
        elif request.now_s < until_s:
            none = WORDS.text("answer.none", request.language)
            rows.append(Row(name, _ordered(one), none, False, None, None, one.level))
    return rows


def _at_light(name: str, told: Told, one: Command, until_s: int, language: str) -> Row:
    _, outcome, why, _, power_dw = told.body.detail
    if outcome == APPLIED and until_s - told.unix_s > UNMEASURED_S:
        outcome, why = UNMEASURED, None
    said = book.ReportedOutcome("", None, outcome, why, power_dw, told.unix_s, told.unix_s)
    is_wrong, at_s = outcome in (REFUSED, UNMEASURED), told.unix_s if outcome == MEASURED else None
    return Row(name, _ordered(one), _answer(said, language), is_wrong, power_dw, at_s, one.level)


def _answer(said: book.ReportedOutcome, language: str) -> str:
    return WORDS.text("answer.accepted", language) if said.outcome == MEASURED else outcome_text(said, language)


def _ordered(one: Command) -> str:
    return OFF if kind_of(one).is_dark else LIT
