"""Lists orders, and shows what became of each by equipment: sent, received, refused and why, measured in watts.

That is what cabinets have reported. A new order comes by `giving`, and stands here as soon as it is in the outbox.
"""

from collections.abc import Iterator
from hashlib import sha256
from typing import Any, NamedTuple

from django.conf import settings
from django.http import Http404, HttpResponse

from gateway.language import N_, NC_, NN_, Phrases
from gateway.language.figures import number
from tools.centre.control import communes as control_communes
from tools.centre.control import drafts, outbox
from tools.centre.control import orders as book
from tools.centre.control.order_words import why
from tools.centre.control.progress import (
    APPLIED,
    MEASURED,
    REFUSED,
    CabinetProgress,
    Progress,
    progress_of,
)  # fmt: skip
from tools.centre.store import sqlite_file
from tools.centre.web import order_kinds, order_rows, words
from tools.centre.web.access import Commune, commune, communes
from tools.centre.web.connections import Areas
from tools.centre.web.control import has_control, opened_control
from tools.centre.web.limits import NOT_FETCHED_S, ORDERS_SHOWN_MAX, POLL_S, POLL_UNDER_WAY_S, ROWS_PER_PAGE
from tools.centre.web.order_kind import Asking, Place
from tools.centre.web.order_kinds import kind_of
from tools.centre.web.page import Pager, shown
from wire import command

WORDS = Phrases(order_rows.WORDS.messages | {
    "title": N_("Orders in {commune}"),
    "title.all": N_("Orders"),
    "all": N_("All communes"),
    "count": NN_("{count} order in the last year", "{count} orders in the last year"),
    "none": N_("Nobody has ordered anything yet. An order stands here as soon as it is signed."),
    "no_control": N_("Orders are neither given nor shown here: this page is served without the control file."),
    "what": NC_("column", "Order"),
    "by": NC_("column", "By"),
    "when": NC_("column", "Signed"),
    "until": NC_("column", "Until"),
    "became": NC_("column", "What became of it"),
    "order.by": N_("{author}, {at}: {reason}"),
    "step.signed": NC_("order", "Signed"),
    "step.sent": NC_("order", "Sent"),
    "step.received": NN_("Received by {count} cabinet", "Received by {count} cabinets"),
    "step.measured": NN_(
        "Measured at {done} of {count} feeder, {power} kW", "Measured at {done} of {count} feeders, {power} kW"
    ),
    "step.awaited": NN_("Measurement awaited at {count} feeder", "Measurement awaited at {count} feeders"),
    "step.ended": NN_("Ended by {count} cabinet", "Ended by {count} cabinets"),
    "given.unknown": N_("no cabinet has reported doing it"),
    "order.over": NC_("order", "over"),
    "order.ended": N_("given back to the plan by {author}, {at}"),
    "order.missing": N_("Not measured everywhere: {names}"),
    "order.refused": N_("{cabinet} refuses: {why}"),
    "order.never_sent": N_("The centre did not fetch it before its end: it was never sent."),
    "order.overruled": N_("{names}: {why}"),
    "order.not_fetched": N_("The centre has not fetched it yet, so nothing is sent. It goes by itself until {until}."),
    "end": NC_("button", "Back to the plan"),
    "by_equipment": N_("By equipment"),
    "equipment": NC_("column", "Equipment"),
    "ordered": NC_("column", "Ordered"),
    "answer": NC_("column", "Answer"),
    "measured": NC_("order", "Measured"),
    "touched": N_("Who is touched"),
    "signed_by": N_("Key {kid}"),
    "list": N_("All orders"),
})  # fmt: skip


# --- what there is ------------------------------------------------------------------------------------------------


class Ending(NamedTuple):
    """Holds who has ended an order, when, and what became of that."""

    author: str
    at_s: int
    steps: tuple[str, ...]


class Card(NamedTuple):
    """Holds an order as screens show it. steps: sentences, each of something that has happened; until_s: when it was
    over in fact."""

    order: book.Order
    heading: str
    is_dark: bool
    until_s: int
    steps: tuple[str, ...]
    is_over: bool
    is_settled: bool
    is_fetched: bool
    ending: Ending | None
    missing: tuple[str, ...]  # feeders that have not done it, or not with all of their lamps
    refusals: tuple[dict[str, str], ...]
    overruled: tuple[str, ...]
    is_hindered: bool  # by something else than a later order of a person, or lamps that never dim
    problem: str

    @property
    def id(self) -> str:
        return self.order.command.id.hex()

    @property
    def holds(self) -> bool:
        """Returns whether it may still be given back to the policy."""
        return not self.is_over and self.ending is None

    @property
    def mark(self) -> str:
        """Returns the state whose shape stands beside it."""
        is_lacking = self.is_hindered or (self.is_settled and self.missing)
        if self.refusals or self.problem or (self.holds and is_lacking):
            return "fault"
        if not self.holds:
            return "off"
        return "pending" if not self.is_settled or self.overruled else "off" if self.is_dark else "lit"


class Given(NamedTuple):
    """Holds a line of who has lit: from when and until when in fact. is_begun: a cabinet is known to have done it."""

    order: book.Order
    from_s: int
    until_s: int
    is_begun: bool
    is_dark: bool


def given(control: sqlite_file.Connection, one: book.Order) -> Given:
    """Returns the line of an order: from when a cabinet did it to its own end, or to when a person ended it."""
    asked, begun_s = one.command, book.begun_s(control, one.command.id)
    ended_by = book.ended_by(control, asked.id)
    end = None if ended_by is None else book.get(control, ended_by)
    from_s = max(asked.not_before_s, begun_s or 0)
    return Given(one, from_s, _until_s(control, one, end), begun_s is not None, kind_of(asked).is_dark)


def _until_s(control: sqlite_file.Connection, one: book.Order, end: book.Order | None) -> int:
    """Returns when an order was over in fact: cabinets give back to the policy when the end has reached them."""
    if end is None:
        return one.command.expires_s
    return min(one.command.expires_s, book.begun_s(control, end.command.id) or end.made_unix_s)


def waiting(control: sqlite_file.Connection, areas: Areas, insee: str | None) -> list[book.Order]:
    """Returns the orders, ends among them, that the daemon has not fetched yet and that who has these areas may see."""
    found = outbox.signed_in(outbox.path_of(settings.BOCAGE.data), insee)
    return [
        one
        for one in found
        if (one.command.insee, book.trade_of(control, one.command)) in areas
        and book.get(control, one.command.id) is None
    ]


def cards(
    control: sqlite_file.Connection, known: list[book.Order], standing: list[book.Order], request: Any
) -> list[Card]:
    """Returns orders as screens show them: those of the outbox first, then `known`. `standing`: of `waiting`."""
    ends = {one.command.ends: one for one in standing if one.command.kind == command.END}
    signed = [one for one in reversed(standing) if one.command.kind != command.END]
    return [
        _card(control, one, ends.get(one.command.id), request, is_fetched=is_fetched)
        for found, is_fetched in ((signed, False), (known, True))
        for one in found
    ]


def _card(
    control: sqlite_file.Connection, order: book.Order, end: book.Order | None, request: Any, *, is_fetched: bool
) -> Card:
    now_s, language = request.now_s, request.language
    found = progress_of(control, order, now_s=now_s)
    late = [one for one, is_new in ((order, not is_fetched), (end, True)) if one and is_new and _is_late(one, now_s)]
    if found.ended_by is not None:
        end = book.get(control, found.ended_by)
    elif end in late:
        end = None  # it has ended nothing
    meant = [cabinet for cabinet in found.cabinets if cabinet.is_meant]
    kind, is_over = kind_of(order.command), now_s >= order.command.expires_s
    is_heard = any(cabinet.outcomes for cabinet in meant)
    feeders = [feeder for cabinet in meant for feeder in cabinet.feeders]
    refused = {one.name: one.last.why for one in feeders if one.last.outcome == REFUSED}
    until_s = _until_s(control, order, end)
    # What was ended before it began keeps the hours that it was for.
    lasted = order.command if until_s <= order.command.not_before_s else order.command._replace(expires_s=until_s)
    return Card(
        order=order,
        heading=kind.heading(lasted, request),
        is_dark=kind.is_dark,
        until_s=until_s,
        steps=tuple(_steps(found, meant, language, holds=end is None and not is_over)),
        is_over=is_over,
        is_settled=is_fetched and bool(meant) and found.is_settled,
        is_fetched=is_fetched,
        ending=None if end is None else _ending(control, end, request),
        missing=tuple(name for name in found.missing if name not in refused) if is_heard and end is None else (),
        refusals=tuple({"cabinet": one.name, "why": why(one.why, language)} for one in meant if one.state == REFUSED),
        overruled=tuple(_overruled(refused, language)),
        is_hindered=any(reason not in ("later", "no-dimming") for reason in refused.values()),
        problem=_problem(control, late[0], request) if late else "",
    )


def _is_late(one: book.Order, now_s: int) -> bool:
    """Returns whether an order of the outbox has waited for longer than a daemon that runs takes."""
    return now_s - one.made_unix_s > NOT_FETCHED_S


def _overruled(refused: dict[str, str | None], language: str) -> Iterator[str]:
    """Yields for each reason the feeders that do not follow for it."""
    for reason in dict.fromkeys(refused.values()):
        names = ", ".join(name for name, own in refused.items() if own == reason)
        yield words.text(WORDS, "order.overruled", language, names=names, why=why(reason, language))


def _ending(control: sqlite_file.Connection, end: book.Order, request: Any) -> Ending:
    found = progress_of(control, end, now_s=request.now_s)
    steps = _steps(found, list(found.cabinets), request.language, holds=False)
    return Ending(end.command.author, end.made_unix_s, tuple(steps))


def _problem(control: sqlite_file.Connection, order: book.Order, request: Any) -> str:
    """Returns why the daemon has not fetched an order: it is refused by now, or no daemon runs."""
    if request.now_s >= order.command.expires_s:
        return words.text(WORDS, "order.never_sent", request.language)
    try:
        drafts.checked(control, order.signed, now_s=request.now_s)
    except drafts.NotAllowed as refused:
        return refused.text(request.language)
    until = words.clock(order.command.expires_s)
    return words.text(WORDS, "order.not_fetched", request.language, until=until)


def _steps(found: Progress, meant: list[CabinetProgress], language: str, *, holds: bool) -> Iterator[str]:
    """Yields what has happened to an order so far, in words, and what is waited for while it holds."""

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
        yield say("step.ended", count=sum(one.state == APPLIED for one in heard))
        return
    yield say("step.received", count=len(heard))
    feeders = [feeder for cabinet in heard for feeder in cabinet.feeders]
    measured = [feeder.last.power_dw or 0 for feeder in feeders if feeder.last.outcome == MEASURED]
    if measured:
        count = max(len(feeders), len(found.expected))
        yield say("step.measured", done=len(measured), count=count, power=number(sum(measured) / 10_000, language, 1))
    awaited = sum(feeder.last.outcome == APPLIED for feeder in feeders)
    if awaited and holds:
        yield say("step.awaited", count=awaited)


# --- the screens --------------------------------------------------------------------------------------------------


def orders(request: Any, insee: str) -> Any:
    """Lists the orders of a commune, or with `?all` of all that the person may see, the last first."""
    own = commune(request, insee)
    if not has_control():
        return shown(request, "orders.html", WORDS, commune=own, tab="orders", has_control=False)
    names = {one.insee: one.name for one in communes(request)}
    is_all = "all" in request.GET and len(names) > 1
    areas, where = (request.areas, None) if is_all else (own.areas, insee)
    with opened_control(areas) as control:
        count = book.count_given(control, where)
        pager = Pager.of(request.GET.get("page", ""), count)
        known = book.given(control, where, ROWS_PER_PAGE, offset=pager.slice.start)
        standing = waiting(control, areas, where)
        if pager.page > 1:
            standing = [one for one in standing if one.command.kind == command.END]
        found = cards(control, known, standing, request)
    mark = seen(request, (count, found))
    if is_seen(request, mark):
        return HttpResponse(status=204)
    return shown(
        request, "orders.html", WORDS, commune=own, tab="orders", has_control=True,
        rows=[(one, names.get(one.order.command.insee, "")) for one in found],
        kinds=order_kinds.givable(request, own),
        count=count,
        pager=pager,
        query="all" if is_all else "",
        is_all=is_all,
        has_others=len(names) > 1,
        poll_s=poll_s(found),
        seen=mark,
    )  # fmt: skip


def of_node(request: Any, own: Commune, node: bytes | None) -> list[Card]:
    """Returns the orders for one node that hold or are to come."""
    if node is None or not has_control():
        return []
    with opened_control(own.areas) as control:
        known = book.given(control, own.insee, ORDERS_SHOWN_MAX)
        standing = waiting(control, own.areas, own.insee)
        ends = [one for one in standing if one.command.kind == command.END]
        known, standing = ([one for one in some if one.command.target == node.hex()] for some in (known, standing))
        return [one for one in cards(control, known, standing + ends, request) if one.holds]


def poll_s(found: list[Card]) -> int:
    return POLL_UNDER_WAY_S if any(one.holds and not one.is_settled for one in found) else POLL_S


def seen(request: Any, found: object) -> str:
    """Returns the mark of what is shown."""
    return sha256(repr((request.language, found)).encode()).hexdigest()[:16]


def is_seen(request: Any, mark: str) -> bool:
    """Returns whether htmx asks for a part that shows this already: it is answered nothing (204), htmx leaves what
    stands, and nothing is read aloud again."""
    return bool(request.htmx) and request.GET.get("seen") == mark


def order(request: Any, insee: str, order: str) -> Any:
    """Shows one order with what each equipment has answered; the part that changes is asked for again by htmx."""
    own = commune(request, insee)
    with opened_control(own.areas) as control:
        standing = waiting(control, own.areas, insee)
        signed = [one for one in standing if one.command.id.hex() == order and one.command.kind != command.END]
        kept = _kept(control, own, order)
        ends = [one for one in standing if one.command.kind == command.END]
        found = cards(control, kept, ends + signed, request)
        if len(found) != 1:
            raise Http404
        card = found[0]
        values = _detail(request, own, control, card)
    mark = seen(request, (card, values["rows"], values["outcome"]))
    if is_seen(request, mark):
        return HttpResponse(status=204)
    return shown(
        request, "order.html", WORDS, commune=own, tab="orders", card=card, poll_s=poll_s(found), seen=mark, **values
    )


def _kept(control: sqlite_file.Connection, own: Commune, id: str) -> list[book.Order]:
    """Returns the order of the control file with this id, in a list; an end leads to none."""
    try:
        found = book.get(control, bytes.fromhex(id))
    except ValueError:
        found = None
    is_here = found is not None and found.command.insee == own.insee and found.command.kind != command.END
    return [found] if found is not None and is_here else []


def _detail(request: Any, own: Commune, control: sqlite_file.Connection, card: Card) -> dict[str, Any]:
    one = card.order.command
    found = progress_of(control, card.order, now_s=request.now_s)
    policy = control_communes.policy_in_force(control, own.insee, now_s=request.now_s)
    place: Place | None = None
    outcome: tuple[str, ...] = ()
    lights: list[order_rows.Row] = []
    if policy is not None:
        asking = Asking(request, own, control, policy)
        place = kind_of(one).place(asking, one.gateway, one.target)
        outcome = kind_of(one).outcome(asking, card.order)
        lights = order_rows.at_lights(asking, card.order, until_s=card.until_s)
    return {
        "rows": order_rows.by_cabinet(found, request.language, now_s=request.now_s) + lights,
        "place": place,
        "outcome": outcome,
        "key": card.order.kid.hex(),
    }
