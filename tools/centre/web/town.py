"""Shows a commune tonight to who answers for it, lets them light it by their own key, and tells what became of that.

The order is drafted and signed in the browser (`static/web/order.js`); here it is checked as the centre checks its own
and put into the outbox, on the disk, before the answer. Nothing here can sign. What became of it is what cabinets have
reported: sent, received, and measured in watts.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from typing import Any, NamedTuple

from django.conf import settings
from django.http import Http404, HttpResponse
from django.views.decorators.http import require_POST

from gateway.language import N_, NC_, NN_, Phrases
from gateway.language.figures import number
from policy import document
from tools.centre.control import communes, drafts, orders, outbox
from tools.centre.control import file as control_file
from tools.centre.control.order_words import why
from tools.centre.control.progress import KINDS, MEASURED, REFUSED, CabinetProgress, Progress, progress_of
from tools.centre.registry.equipment import day_text
from tools.centre.scope import grants, reader
from tools.centre.store import sqlite_file
from tools.centre.web import night, words
from tools.centre.web.access import Commune, commune
from tools.centre.web.health import alone
from tools.centre.web.limits import NOT_FETCHED_S, ORDERS_SHOWN_MAX, ORDERS_SHOWN_S, POLL_S, POLL_UNDER_WAY_S
from tools.centre.web.page import picture, shown
from tools.centre.web.states import FAULT, UNKNOWN
from wire import command, cose
from wire.command import SIGNED_COMMAND_BYTES_MAX

WORDS = Phrases({
    "title": N_("{commune} tonight"),
    "plan": N_("Tonight"),
    "plan.none": N_("No policy is in force here: the lamps follow the calendar set at their installation, or the sun."),
    "plan.lit": N_("lit {spans}"),
    "plan.dark": N_("dark all night"),
    "plan.always": N_("always powered"),
    "plan.ordered": N_("by order: lit {span}"),
    "plan.ordered.dark": N_("by order: dark {span}"),
    "plan.policy": N_("Policy no. {version}: {authority}, {text}"),
    "well": N_("All is well."),
    "faults": NN_("{count} light has a fault.", "{count} lights have a fault."),
    "unknown": NN_("There is no news of {count} light.", "There is no news of {count} lights."),
    "light": N_("Light the commune"),
    "light.how_long": N_("For how long?"),
    "light.where": N_("Where?"),
    "light.everywhere": N_("The whole commune"),
    "light.why": N_("Why? This is what is signed next."),
    "reason.accident": N_("accident"),
    "reason.search": N_("search for a person"),
    "reason.feast": N_("feast"),
    "reason.other": N_("Another reason"),
    "reason.other.do": NC_("button", "Light for that"),
    "30m": N_("30 min"),
    "1h": N_("1 h"),
    "2h": N_("2 h"),
    "4h": N_("4 h"),
    "sign": NC_("button", "Sign"),
    "back": NC_("button", "Back"),
    "again": NC_("button", "Send again"),
    "sending": N_("Signing and sending…"),
    "say.all": N_("I sign: all of {commune} lit until {until} ({length}). Reason: {reason}. {author}."),
    "say.feeder": N_("I sign: feeder {target} of {commune} lit until {until} ({length}). Reason: {reason}. {author}."),
    "say.end": N_("I sign: end of this light in {commune}, back to the policy. {author}."),
    "say.lost": N_("No answer: no network, or your session is over. The same order can be sent again: it counts once."),
    "end.reason": N_("back to the policy"),
    "end": NC_("button", "Back to the policy"),
    "absent": N_("This browser cannot hold a key of its own: use a recent one, over a secure connection."),
    "prepare": N_("This device has no key yet. One is made here, stays here, and can be used by you alone."),
    "prepare.do": NC_("button", "Prepare this device"),
    "waiting": N_(
        "The key of this device is ready. The commune has still to name it in its policy; open this page again then."
    ),
    "waiting.send": N_("Send this to the holder of a key of the commune:"),
    "waiting.share": NC_("button", "Share or copy"),
    "waiting.shared": N_("Copied"),
    "waiting.read": N_("And read them this fingerprint aloud:"),
    "no_control": N_("Orders are not given from this page: it is served without the control file."),
    "orders": N_("Orders"),
    "orders.none": N_("Nobody has lit anything in the last month."),
    "order.lit": N_("Lit until {until}"),
    "order.dark": N_("Darkened until {until}"),
    "order.end": N_("Back to the policy"),
    "order.by": N_("{author}, {at}: {reason}"),
    "order.target": N_("feeder {target}"),
    "step.signed": NC_("order", "Signed"),
    "step.sent": NC_("order", "Sent"),
    "step.received": NN_("Received by {count} cabinet", "Received by {count} cabinets"),
    "step.measured": N_("Measured at {done} of {count} feeders, {power} kW"),
    "step.ended": NN_("Ended by {count} cabinet", "Ended by {count} cabinets"),
    "order.over": NC_("order", "over"),
    "order.ended": N_("ended before its time"),
    "order.missing": N_("No effect seen yet: {names}"),
    "order.refused": N_("{cabinet} refuses: {why}"),
    "order.not_fetched": N_("The centre has not fetched it yet, so nothing is sent. It goes by itself until {until}."),
    "who": N_("Who has lit"),
    "month": N_("The month on one page"),
})  # fmt: skip
# How long a light may be asked for, in seconds: the last is what the key's right allows at most.
LASTS = ((1800, "30m"), (3600, "1h"), (7200, "2h"), (14400, "4h"))
REASONS = ("accident", "search", "feast")
_LIGHTS = document.LIGHT | document.EMERGENCY
# The orders that light or darken feeders, and their ends.
SHOWN_KINDS = (command.EMERGENCY, command.OVERRIDE, command.END)


@contextmanager
def opened_control(own: Commune) -> Iterator[sqlite_file.Connection]:
    """Opens the control file for who has these areas, to read; 404 where this web has none."""
    if settings.BOCAGE.control is None:
        raise Http404
    connection = reader.of_control(control_file.open_to_read(settings.BOCAGE.control), set(own.areas))
    try:
        yield connection
    finally:
        connection.close()


def _lighting(request: Any, insee: str) -> Commune:
    """Returns the commune, where lighting is granted there; else 404."""
    own = commune(request, insee)
    if (insee, grants.LIGHTING) not in own.areas:
        raise Http404
    return own


# --- the page -----------------------------------------------------------------------------------------------------


def town(request: Any, insee: str) -> Any:
    own = _lighting(request, insee)
    counts = picture(request, own).counts
    values: dict[str, Any] = {"faults": counts[FAULT], "unknown": counts[UNKNOWN], "alone": alone(request, own)}
    if settings.BOCAGE.control is not None:
        with opened_control(own) as control:
            policy = communes.policy_in_force(control, insee, now_s=request.now_s)
            values |= _orders(control, own, request)
        values |= {
            "has_control": True,
            "policy": policy,
            "operators": [] if policy is None else _operators(policy, request.now_s),
            "feeders": [] if policy is None else sorted(one.name for one in policy.lighting.feeders),
            "plans": [] if policy is None else night.plans(policy, _ordered(values["given"]), now_s=request.now_s),
            "until": None if policy is None else day_text(policy.valid_until_s - 1),
        }
    return shown(
        request, "town.html", WORDS, commune=own, tab="town",
        lasts=LASTS,
        reasons=[f"reason.{one}" for one in REASONS],
        **values,
    )  # fmt: skip


def _ordered(some: list["Given"]) -> list[night.Ordered]:
    asked = [(one, one.order.command) for one in reversed(some)]
    return [night.Ordered(own.not_before_s, one.until_s, own.target, one.is_dark) for one, own in asked]


def _operators(policy: document.Policy, now_s: int) -> list[dict[str, str]]:
    """Returns the keys that may light, so that a browser finds its own among them."""
    return [
        {"kid": cose.kid_of(one.key).hex(), "name": one.name}
        for one in policy.operators
        if one.rights & _LIGHTS and not 0 < one.until_s <= now_s
    ]


# --- an order comes --------------------------------------------------------------------------------------------


def time(request: Any, insee: str) -> Any:
    """Answers the Unix second of the centre: a telephone's own clock, or a page left open, may be wrong."""
    _lighting(request, insee)
    return HttpResponse(str(request.now_s), content_type="text/plain")


@require_POST
def sign(request: Any, insee: str) -> Any:
    """Keeps a signed order. 204: it is on the disk; 400: a sentence says why it is none."""
    own = _lighting(request, insee)
    text = request.POST.get("order", "")
    with opened_control(own) as control:
        try:
            data = bytes.fromhex(text) if len(text) <= 2 * SIGNED_COMMAND_BYTES_MAX else b""
            order = drafts.checked(control, data, now_s=request.now_s)
            if order.command.insee != insee or order.command.kind not in (command.EMERGENCY, command.END):
                raise drafts.NotAllowed("refused.malformed")
        except ValueError:
            return _refusal(drafts.NotAllowed("refused.malformed"), request)
        except drafts.NotAllowed as refused:
            return _refusal(refused, request)
    try:
        outbox.put(outbox.path_of(settings.BOCAGE.data), order, request.person, now_s=request.now_s)
    except orders.Full:
        return _refusal(drafts.NotAllowed("refused.full"), request)
    return HttpResponse(status=204)


def _refusal(refused: drafts.NotAllowed, request: Any) -> Any:
    return HttpResponse(refused.text(request.language), status=400, content_type="text/plain; charset=utf-8")


# --- what became of it ------------------------------------------------------------------------------------------


class Card(NamedTuple):
    """Holds an order as the page shows it. steps: sentences, each of something that has happened."""

    order: orders.Order
    steps: tuple[str, ...]
    is_over: bool
    is_ended: bool
    is_fetched: bool
    is_settled: bool
    missing: tuple[str, ...]
    refusals: tuple[dict[str, str], ...]
    problem: str

    @property
    def id(self) -> str:
        return self.order.command.id.hex()

    @property
    def kid(self) -> str:
        return self.order.kid.hex()

    @property
    def is_end(self) -> bool:
        return bool(self.order.command.kind == command.END)

    @property
    def is_dark(self) -> bool:
        return bool(self.order.command.kind == command.OVERRIDE and self.order.command.level == 0)


class Given(NamedTuple):
    """Holds a line of who has lit: from when until when in fact."""

    order: orders.Order
    until_s: int
    is_dark: bool


def town_orders(request: Any, insee: str) -> Any:
    """Answers the parts of the page that an order changes."""
    own = _lighting(request, insee)
    with opened_control(own) as control:
        found = _orders(control, own, request)
    if request.GET.get("seen") == found["seen"]:
        return HttpResponse(status=204)  # htmx leaves what stands, and nothing is read aloud again
    return shown(request, "town_orders.html", WORDS, commune=own, is_part=True, **found)


def _orders(control: sqlite_file.Connection, own: Commune, request: Any) -> dict[str, Any]:
    now_s = request.now_s
    known = [one for one in orders.latest(control, ORDERS_SHOWN_MAX, own.insee) if one.command.kind in SHOWN_KINDS]
    ids = {one.command.id for one in known}
    waiting = [
        one
        for one in outbox.of_commune(outbox.path_of(settings.BOCAGE.data), own.insee)
        if one.command.id not in ids and one.command.expires_s + ORDERS_SHOWN_S > now_s
    ]
    recent = [one for one in known if _is_recent(control, one, now_s)]
    cards = [_card(control, one, request, is_fetched=True) for one in recent]
    cards += [_card(control, one, request, is_fetched=False) for one in waiting]
    cards.sort(key=lambda one: one.order.made_unix_s, reverse=True)
    is_under_way = any(not one.is_settled and not one.is_over for one in cards)
    return {
        "cards": cards,
        "seen": sha256(repr((request.language, cards)).encode()).hexdigest()[:16],
        "given": [given(control, one) for one in reversed(known) if one.command.kind != command.END],
        "poll_s": POLL_UNDER_WAY_S if is_under_way else POLL_S,
    }


def _is_recent(control: sqlite_file.Connection, one: orders.Order, now_s: int) -> bool:
    """Returns whether an order holds, or has come to its end just now."""
    end_s = one.command.expires_s
    if one.command.kind == command.END:
        end_s = one.made_unix_s
    elif orders.ended_by(control, one.command.id) is not None:
        end_s = given(control, one).until_s
    return end_s + ORDERS_SHOWN_S > now_s


def given(control: sqlite_file.Connection, one: orders.Order) -> Given:
    """Returns the line of an order: to its own end, or to when a person ended it."""
    ended_by = orders.ended_by(control, one.command.id)
    end = None if ended_by is None else orders.get(control, ended_by)
    until_s = one.command.expires_s if end is None else end.made_unix_s
    return Given(one, until_s, KINDS[one.command.kind] == "override" and one.command.level == 0)


def _card(control: sqlite_file.Connection, order: orders.Order, request: Any, *, is_fetched: bool) -> Card:
    now_s, language = request.now_s, request.language
    found = progress_of(control, order, now_s=now_s)
    meant = [cabinet for cabinet in found.cabinets if cabinet.is_meant]
    is_late = not is_fetched and now_s < order.command.expires_s and now_s - order.made_unix_s > NOT_FETCHED_S
    return Card(
        order=order,
        steps=tuple(_steps(found, meant, language)),
        is_over=now_s >= order.command.expires_s,
        is_ended=found.ended_by is not None,
        is_fetched=is_fetched,
        is_settled=is_fetched and bool(meant) and found.is_settled,
        missing=found.missing if any(cabinet.outcomes for cabinet in meant) else (),
        refusals=tuple({"cabinet": one.name, "why": why(one.why, language)} for one in meant if one.state == REFUSED),
        problem=_problem(control, order, request) if is_late else "",
    )


def _problem(control: sqlite_file.Connection, order: orders.Order, request: Any) -> str:
    """Returns why the daemon has not fetched an order: it is refused by now, or no daemon runs."""
    try:
        drafts.checked(control, order.signed, now_s=request.now_s)
    except drafts.NotAllowed as refused:
        return refused.text(request.language)
    until = words.clock(order.command.expires_s)
    return words.text(WORDS, "order.not_fetched", request.language, until=until)


def _steps(found: Progress, meant: list[CabinetProgress], language: str) -> Iterator[str]:
    def say(key: str, **values: object) -> str:
        return words.text(WORDS, key, language, **values)

    yield say("step.signed")
    heard = [one for one in meant if one.outcomes or one.feeders]
    if not heard and not any(one.sending is not None and one.sending.problem is None for one in meant):
        return
    yield say("step.sent")
    if not heard:
        return
    if found.order.command.kind == command.END:
        yield say("step.ended", count=len(heard))
        return
    yield say("step.received", count=len(heard))
    feeders = [feeder for cabinet in heard for feeder in cabinet.feeders]
    measured = [feeder.last.power_dw or 0 for feeder in feeders if feeder.last.outcome == MEASURED]
    if measured:
        count = max(len(feeders), len(found.expected))
        yield say("step.measured", done=len(measured), count=count, power=number(sum(measured) / 10_000, language, 1))
