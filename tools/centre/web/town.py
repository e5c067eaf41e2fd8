"""Shows a commune tonight to who answers for it: the plan, what orders change of it, who has lit; and lets them light
it by their own key (`giving`)."""

from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

from django.conf import settings
from django.http import HttpResponse

from gateway.language import N_, NN_, Phrases
from policy.document import Policy
from tools.centre.condition import notes
from tools.centre.condition import words as fault_words
from tools.centre.condition.faults import Faults
from tools.centre.condition.groups import group
from tools.centre.control import communes
from tools.centre.control import orders as book
from tools.centre.control.drafts import addressed_feeders
from tools.centre.limits import SILENCE_S_MAX
from tools.centre.register.equipment import cabinet_of
from tools.centre.scope import grants
from tools.centre.store import sqlite_file
from tools.centre.web import giving, night, orders, words
from tools.centre.web.access import Commune, commune, opened
from tools.centre.web.control import has_control, opened_control
from tools.centre.web.health import alone
from tools.centre.web.limits import CAUSES_SHOWN_MAX, ORDERS_SHOWN_MAX, ORDERS_SHOWN_S, SWITCHED_S
from tools.centre.web.order_kinds import KINDS, kind_of
from tools.centre.web.order_lighting import lowers
from tools.centre.web.page import picture, shown
from tools.centre.web.pictures import Light
from tools.centre.web.states import FAULT, LIT, OFF, PENDING, UNKNOWN, UNPOWERED

WORDS = Phrases(orders.WORDS.messages | {
    "title": N_("{commune} tonight"),
    "title.morning": N_("{commune}, this night"),
    "plan": N_("Tonight"),
    "plan.none": N_("No policy is in force here: the lamps follow the calendar set at their installation, or the sun."),
    "plan.lit": N_("lit {spans}"),
    "plan.dark": N_("dark all night"),
    "plan.always": N_("by the plan always under power: each light follows the calendar that it was given"),
    "now": NN_("{lit} of {count} light is lit.", "{lit} of {count} lights are lit."),
    "now.known": NN_(
        "Of the lights that are sound and heard, {lit} of {count} is lit.",
        "Of the lights that are sound and heard, {lit} of {count} are lit.",
    ),
    "now.oldest": N_("Measured {ago} at the oldest."),
    "now.lit": N_("Lit as planned, until {until}."),
    "now.extinct": N_("Off as planned: the lighting is cut from {since} to {until}."),
    "now.dark": N_("Off as planned; the lights go on at {until}."),
    "now.planned": N_("As planned."),
    "now.missing": NN_(
        "By the plan {count} light should be lit, and no measurement shows it.",
        "By the plan {count} lights should be lit, and no measurement shows it.",
    ),
    "now.extra": NN_("{count} light burns outside of the plan.", "{count} lights burn outside of the plan."),
    "now.switched": N_("The plan has just switched; what the lights measure arrives within minutes."),
    "now.ordered": N_("An order changes the plan until {until}; what became of it stands below."),
    "plan.ordered": N_("by order: lit {span}"),
    "plan.ordered.dark": N_("by order: dark {span}"),
    "plan.policy": N_("{authority}, {text} (version {version} of the signed policy, which also names who may order)"),
    "by_feeder": N_("These lights have no controller: each is taken for lit while its feeder is under power."),
    "well": N_("All is well."),
    "no_fault": N_("No fault is known."),
    "faults": NN_("{count} light has a fault.", "{count} lights have a fault."),
    "unknown": NN_("There is no news of {count} light.", "There is no news of {count} lights."),
    "light": N_("Light {commune}"),
    "light.day": N_("It is day: lamps that you light now burn in daylight."),
    "elsewhere": N_("Light one place, or darken"),
    "phones": N_("A deputy, a lost telephone"),
    "phones.how": N_(
        "A deputy makes a key of their own, on their own device and account. Of a device that is lost the town hall"
        " takes the key out: what it had lit goes back to the plan."
    ),
    "orders": N_("Orders"),
    "orders.none": N_("Nobody has lit anything in the last month."),
    "who": N_("Who has lit"),
    "month": N_("The month on one page"),
    "taken": N_("In hand of {person}"),
})  # fmt: skip


class Now(NamedTuple):
    """Compares lights that are sound and heard with tonight's plan. sentence: what follows from that, "" where it
    is not known; missing: should be lit and do not show it; extra: burn, and should not; is_planned: all are as they
    should be; oldest_s: the oldest measurement of those that have their mains, None: there is none."""

    lit: int
    sound: int
    sentence: str = ""
    missing: int = 0
    extra: int = 0
    is_planned: bool = False
    oldest_s: int | None = None


def town(request: Any, insee: str) -> Any:
    own = commune(request, insee, grants.LIGHTING)
    whole = picture(request, own)
    counts, silent = whole.counts, alone(request, own)
    policy: Policy | None = None
    given: list[orders.Given] = []
    values: dict[str, Any] = {"has_control": has_control()}
    if settings.BOCAGE.control is not None:
        with opened_control(own.areas) as control:
            given, cards = _orders(control, own, request)
            mark = orders.seen(request, (cards, given))
            if orders.is_seen(request, mark):
                return HttpResponse(status=204)
            policy = communes.policy_in_force(control, insee, now_s=request.now_s)
            ordered = _ordered(given, request)
            values |= {
                "given": given,
                "cards": cards,
                "seen": mark,
                "poll_s": orders.poll_s(cards),
                "policy": policy,
                "is_day": policy is not None and night.is_day(policy, now_s=request.now_s),
                "plans": [] if policy is None else night.plans(policy, ordered, now_s=request.now_s),
                "form": giving.form_of(request, own, control, KINDS["light"], "", right="light"),
            }
    values |= {
        "now": _now(whole.lights, policy, given, request),
        "faults": counts[FAULT],
        "unknown": counts[UNKNOWN],
        "is_sound": not counts[FAULT] and not counts[UNKNOWN] and not silent,
        "broken": _broken(request, own) if counts[FAULT] else (),
        "is_by_feeder": not any(one.state.node for one in whole.lights),
        "title": WORDS.text("title.morning" if night.is_morning(request.now_s) else "title", request.language,
                            commune=own.name),
        "alone": silent,
    }
    return shown(request, "town.html", WORDS, commune=own, tab="town", **values)


def _broken(request: Any, own: Commune) -> list[tuple[str, str, str | None]]:
    """Returns the first causes of what is broken in a commune's lighting: what, where, and who has it in hand."""
    with opened(own.lighting) as connection:
        faults = Faults(connection).open_in(own.insee)
        causes = [one for one in group(faults) if one.is_of(own.insee)][:CAUSES_SHOWN_MAX]
        firsts = notes.with_sent(notes.path_of(settings.BOCAGE.data), [one.first for one in causes])
    language = request.language
    return [(fault_words.sentence(one, language), fault_words.where_text(one, language), one.holder) for one in firsts]


def _orders(
    control: sqlite_file.Connection, own: Commune, request: Any
) -> tuple[list["orders.Given"], list["orders.Card"]]:
    """Returns the commune's orders of lighting: who has lit or darkened, and cards of all that hold or have just
    ended."""
    known = lighting(control, own.insee, ORDERS_SHOWN_MAX)
    shown_s = request.now_s - ORDERS_SHOWN_S
    standing = [
        one
        for one in orders.waiting(control, own.areas, own.insee)
        if one.command.expires_s > shown_s and book.trade_of(control, one.command) == grants.LIGHTING
    ]
    given = [orders.given(control, one) for one in known]
    recent = [one.order for one in given if one.until_s > shown_s]
    given = [one for one in given if not lowers(one.order.command)]
    return given, orders.cards(control, recent, standing, request)


def lighting(control: sqlite_file.Connection, insee: str, count: int) -> list[book.Order]:
    """Returns the last orders that light or darken a commune, the last first."""
    known = book.given(control, insee, count)
    return [one for one in known if kind_of(one.command).trade == grants.LIGHTING]


def _now(lights: Sequence[Light], policy: Policy | None, given: Sequence["orders.Given"], request: Any) -> Now:
    now_s = request.now_s
    sound = [one for one in lights if one.shown not in (FAULT, UNKNOWN)]
    plan = {} if policy is None else night.wanted(policy, now_s=now_s)
    held = [] if policy is None else [
        (one, None if own.gateway is None else cabinet_of(own.insee, own.gateway),
         {feeder.name for feeder in addressed_feeders(policy, own.target)})
        for one in given
        if (own := one.order.command).not_before_s <= now_s < one.until_s + SWITCHED_S
    ]  # fmt: skip
    counts: Counter[str] = Counter()
    planned: set[night.Wanted] = set()
    until_s = None
    for one in sound:
        cabinet, feeder = one.state.cabinet, one.state.feeder
        wanted = plan.get(feeder or "")
        order = next((own for own, where, feeders in held if where in (None, cabinet) and feeder in feeders), None)
        found = "unknown" if wanted is None else _judged(one, wanted, order, now_s=now_s)
        if wanted is not None and found == "planned":
            planned.add(wanted)
            continue
        counts[found] += 1
        if order is not None and found == "ordered":
            until_s = max(until_s or 0, order.until_s)
    return Now(
        sum(one.shown == LIT for one in sound), len(sound), _sentence(counts, planned, until_s, request.language),
        counts["missing"], counts["extra"], bool(planned) and not counts,
        min((_measured_s(one) for one in sound if one.shown != UNPOWERED), default=None),
    )  # fmt: skip


def _measured_s(light: Light) -> int:
    return light.figures.measured_unix_s or light.state.heard_unix_s or 0


def _judged(light: Light, wanted: night.Wanted, order: "orders.Given | None", *, now_s: int) -> str:
    """Returns what is known of a light beside the plan: planned, missing, extra, switched (just now), ordered, or
    unknown."""
    is_lit, heard_s, since_s = light.shown == LIT, light.state.heard_unix_s or 0, wanted.since_s or 0
    if order is not None and now_s < order.until_s:
        return "ordered"
    if light.shown != UNPOWERED and heard_s < now_s - SILENCE_S_MAX:
        return "unknown"  # its cabinet is alone: what is shown is from before
    if light.shown != PENDING and is_lit == wanted.is_lit:
        return "planned"
    if order is not None or now_s < since_s + SWITCHED_S:
        return "switched"
    if wanted.is_lit:  # one that its own calendar dims to nothing is not missing
        return "unknown" if light.shown == OFF and light.figures.level_percent == 0 else "missing"
    return "extra" if is_lit and heard_s >= since_s else "unknown"


def _sentence(counts: Counter[str], planned: set[night.Wanted], ordered_until_s: int | None, language: str) -> str:
    if ordered_until_s is not None:
        return WORDS.text("now.ordered", language, until=words.clock(ordered_until_s))
    if counts["switched"]:
        return WORDS.text("now.switched", language)
    if counts or not planned:
        return ""
    (wanted, *others) = planned
    if others or wanted.until_s is None:
        return WORDS.text("now.planned", language)
    key = "now.lit" if wanted.is_lit else "now.extinct" if wanted.is_extinction else "now.dark"
    return WORDS.text(key, language, since=words.clock(wanted.since_s or 0), until=words.clock(wanted.until_s))


def _ordered(given: list["orders.Given"], request: Any) -> list[night.Ordered]:
    asked = [(one, one.order.command) for one in reversed(given)]
    return [
        night.Ordered(one.from_s, one.until_s, own.target, one.is_dark, kind_of(own).where(own, request))
        for one, own in asked
    ]
