"""Shows a commune tonight to who answers for it: the plan, what orders change of it, who has lit; and lets them light
it by their own key (`giving`)."""

from typing import Any

from django.conf import settings
from django.http import HttpResponse

from gateway.language import N_, NN_, Phrases
from tools.centre.condition import notes
from tools.centre.condition import words as fault_words
from tools.centre.condition.faults import Faults
from tools.centre.condition.groups import group
from tools.centre.control import communes
from tools.centre.control import orders as book
from tools.centre.scope import grants
from tools.centre.store import sqlite_file
from tools.centre.web import giving, night, orders
from tools.centre.web.access import Commune, commune, opened
from tools.centre.web.control import has_control, opened_control
from tools.centre.web.health import alone
from tools.centre.web.limits import CAUSES_SHOWN_MAX, ORDERS_SHOWN_MAX, ORDERS_SHOWN_S
from tools.centre.web.order_kinds import KINDS, kind_of
from tools.centre.web.order_lighting import lowers
from tools.centre.web.page import picture, shown
from tools.centre.web.states import FAULT, LIT, UNKNOWN

WORDS = Phrases(orders.WORDS.messages | {
    "title": N_("{commune} tonight"),
    "plan": N_("Tonight"),
    "plan.none": N_("No policy is in force here: the lamps follow the calendar set at their installation, or the sun."),
    "plan.lit": N_("lit {spans}"),
    "plan.dark": N_("dark all night"),
    "plan.always": N_("always powered: each light follows the calendar that it was given"),
    "now": NN_("Now {lit} of {count} light is lit.", "Now {lit} of {count} lights are lit."),
    "now.known": NN_(
        "Of the lights that are sound and heard, {lit} of {count} is lit now.",
        "Of the lights that are sound and heard, {lit} of {count} are lit now.",
    ),
    "plan.ordered": N_("by order: lit {span}"),
    "plan.ordered.dark": N_("by order: dark {span}"),
    "plan.policy": N_("Policy no. {version}: {authority}, {text}"),
    "well": N_("All is well."),
    "faults": NN_("{count} light has a fault.", "{count} lights have a fault."),
    "unknown": NN_("There is no news of {count} light.", "There is no news of {count} lights."),
    "light": N_("Light the commune"),
    "elsewhere": N_("Light one place, or darken"),
    "orders": N_("Orders"),
    "orders.none": N_("Nobody has lit anything in the last month."),
    "who": N_("Who has lit"),
    "month": N_("The month on one page"),
    "taken": N_("In hand of {person}"),
})  # fmt: skip


def town(request: Any, insee: str) -> Any:
    own = commune(request, insee, grants.LIGHTING)
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
                "plans": [] if policy is None else night.plans(policy, ordered, now_s=request.now_s),
                "form": giving.form_of(request, own, control, KINDS["light"], "", right="light"),
            }
    whole = picture(request, own)
    counts = whole.counts
    values |= {
        "lit": counts[LIT],
        "sound": len(whole.lights) - counts[FAULT] - counts[UNKNOWN],
        "faults": counts[FAULT],
        "unknown": counts[UNKNOWN],
        "broken": _broken(request, own) if counts[FAULT] else (),
        "alone": alone(request, own),
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


def _ordered(given: list["orders.Given"], request: Any) -> list[night.Ordered]:
    asked = [(one, one.order.command) for one in reversed(given)]
    return [
        night.Ordered(own.not_before_s, one.until_s, own.target, one.is_dark, kind_of(own).where(own, request))
        for one, own in asked
    ]
