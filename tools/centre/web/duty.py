"""Shows who is on duty for a commune, what was told to whom and whether it arrived, and lets the rota be written.

Who has a trade in the commune sees its rota and what was told of it, and writes its weeks; a line for all communes is
written by who has the trade in all. How somebody is reached each person writes for themselves, and no page shows it to
another. A week may name who has the right and can be reached: else nobody would be told. What no record states, a
silent cabinet or the centre, is taken in hand here; a fault is on its own screen.
"""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any, NamedTuple

from django.conf import settings
from django.http import Http404, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from gateway.language import LANGUAGES, N_, NC_, NN_, Phrases, translate
from tools.centre.condition import notes
from tools.centre.duty import rota
from tools.centre.duty.book import WITHDRAWN, Alert, Book, Message, State, state_of
from tools.centre.duty.rota import Person, Rota, Week
from tools.centre.limits import DUTY_LATE_S
from tools.centre.scope import grants, journal
from tools.centre.scope.words import trade_text
from tools.centre.store import database, web_outbox
from tools.centre.web import words
from tools.centre.web.access import Commune, areas_of, commune
from tools.centre.web.connections import Areas
from tools.centre.web.limits import DUTY_CAUSES_MAX, DUTY_WEEKS
from tools.centre.web.page import shown

WORDS = Phrases({
    "title": N_("On duty in {commune}"),
    "now": N_("On duty now"),
    "now.person": N_("{person}, then {substitute}"),
    "now.alone": N_("{person}, without a substitute"),
    "now.until": N_("until {when}"),
    "now.nobody": N_("Nobody: what breaks wakes nobody."),
    "now.stale": N_("The rota has nobody for this week; the last one that it names goes on."),
    "now.unreached": N_("{names}: no telephone and no mail, or no right here; not told."),
    "told": N_("Who was told of what"),
    "told.none": N_("Nothing was told yet. A fault that wakes a person stands here, with who was told, when and how."),
    "told.held": N_("In hand of {person}"),
    "told.free": NC_("fault", "Nobody has it in hand"),
    "told.over": N_("Over since {when}"),
    "told.open": N_("To the screen of faults"),
    "take": NC_("button", "Take in hand"),
    "give_back": NC_("button", "Give back"),
    "channel.sms": N_("SMS to {person}"),
    "channel.mail": N_("Mail to {person}"),
    "sent": N_("sent {when}"),
    "waiting": N_("not sent yet"),
    "trying": NN_("tried {count} time, again at {when}", "tried {count} times, again at {when}"),
    "given_up": N_("never sent: {error}"),
    WITHDRAWN: N_("not sent: it was over before"),
    "kind.new": NC_("message", "person on duty"),
    "kind.escalated": NC_("message", "substitute"),
    "kind.fixed": NC_("message", "end"),
    "kind.summary": NC_("message", "summary"),
    "weeks": N_("The rota"),
    "weeks.none": N_("The rota has no line for the weeks that come."),
    "week": NC_("column", "week"),
    "week.from": N_("Monday {day}, 08:00"),
    "trade": NC_("column", "trade"),
    "person": NC_("column", "on duty"),
    "substitute": NC_("column", "substitute"),
    "scope": NC_("column", "for"),
    "scope.own": N_("this commune"),
    "scope.all": N_("all communes"),
    "write": N_("Write a week"),
    "nobody": N_("nobody"),
    "keep": NC_("button", "Write"),
    "people.none": N_("Nobody has said yet how they are reached: the choice is of those who have."),
    "own": N_("How you are reached"),
    "own.lead": N_("When you are on duty, and then only. Nobody sees it on the screens. Empty fields: not at all."),
    "own.phone": N_("Telephone"),
    "own.mail": N_("Mail"),
    "own.language": N_("Language of what you are told"),
    "own.keep": NC_("button", "Keep"),
})  # fmt: skip

_NOT_REACHED = N_("The week was not written: choose who can be reached and has the right.")
# Of the sending, for this screen and that of the chain.
_STATE = Phrases({
    "late": N_("Nobody is told of anything: the process of the duty was last at work {when}."),
    "waiting": NN_("{count} message to who is on duty could not be sent yet; it is tried again.",
                   "{count} messages to who is on duty could not be sent yet; they are tried again."),
    "given_up": NN_("{count} message to who is on duty was never sent, in the last day.",
                    "{count} messages to who is on duty were never sent, in the last day."),
    "unaddressed": NN_("{count} fault is told to nobody: nobody is on duty for it, or can be reached.",
                       "{count} faults are told to nobody: nobody is on duty for them, or can be reached."),
})  # fmt: skip


class OnDuty(NamedTuple):
    """Says who is on duty for a trade now; texts, "" where there is nothing to say."""

    trade: str
    said: str
    until: str
    problem: str


class Row(NamedTuple):
    """Holds a cause that was told. address: of its fault; "" where it is taken in hand here, by `number`."""

    told: Alert
    sentence: str
    address: str
    messages: list[tuple[str, str, str, str]]


def problems(request: Any) -> list[str]:
    """Returns what ails the sending, in sentences; nothing where all is well or nobody sends."""
    if settings.BOCAGE.duty is None:
        return []
    state = state_of(settings.BOCAGE.duty, now_s=request.now_s) or State(None, 0, 0, 0)
    said = []
    if state.looked_unix_s is None or request.now_s - state.looked_unix_s > DUTY_LATE_S:
        when = words.moment(state.looked_unix_s, request.language, now_s=request.now_s)
        said.append(_STATE.text("late", request.language, when=when))
    counted = {"waiting": state.waiting, "given_up": state.given_up, "unaddressed": state.unaddressed}
    return said + [_STATE.text(key, request.language, count=count) for key, count in counted.items() if count]


def duty(request: Any, insee: str) -> Any:
    return _page(request, commune(request, insee))


def _page(request: Any, own: Commune, refused: str = "") -> Any:
    if settings.BOCAGE.duty is None:
        raise Http404
    language, now_s = request.language, request.now_s
    known = rota.read(_path())
    trades = _trades(own.areas, own.insee)
    people = _people(known, own.insee, trades, now_s=now_s)
    ahead = rota.weeks_from(now_s, DUTY_WEEKS)
    weeks = [_week_row(one, language, now_s) for one in known.weeks
             if one.week in ahead and one.insee in (own.insee, grants.ALL) and _covers(one.trade, trades)]  # fmt: skip
    return shown(
        request, "duty.html", WORDS, commune=own, tab="duty", refused=refused, status=400 if refused else 200,
        problems=problems(request),
        now=[_on_duty(known, own.insee, trade, people[trade], language, now_s) for trade in trades],
        rows=_rows(request, own, trades),
        weeks=weeks,
        ahead=[(week, _day(week, language, now_s)) for week in ahead],
        trades=[(trade, trade_text(trade, language)) for trade in trades],
        people=sorted({name for some in people.values() for name in some}),
        is_everywhere=bool(_trades(request.areas, grants.ALL)),
        own=known.people.get(request.person, Person(request.person, "", "", language)),
        tongues=[(one, words.text(WORDS, f"language.{one}", language)) for one in LANGUAGES],
    )  # fmt: skip


@require_POST
def week(request: Any, insee: str) -> Any:
    """Writes who is on duty in a week."""
    own = commune(request, insee)
    given = {name: request.POST.get(name, "") for name in ("where", "trade", "week", "person", "substitute")}
    where = grants.ALL if given["where"] == grants.ALL else own.insee
    if given["trade"] not in _trades(request.areas, where):
        raise Http404
    people = _people(rota.read(_path()), where, [given["trade"]], now_s=request.now_s)[given["trade"]]
    names = {given["person"], given["substitute"]} - {""}
    line = Week(where, given["trade"], given["week"], given["person"], given["substitute"])
    try:
        if not names <= set(people) or (line.substitute and not line.person):
            raise rota.Faulty(_NOT_REACHED)
        rota.set_weeks(_path(), [line], now_s=request.now_s)
    except rota.Faulty as fault:
        return _page(request, own, translate(fault.message, request.language, **fault.values))
    about = f"{line.week} {line.trade}: {line.person}, {line.substitute}"
    said = journal.Line(request.now_s, request.person, "duty rota", "" if where == grants.ALL else where, about)
    notes.put_line(web_outbox.path_of(settings.BOCAGE.data), said)
    return _back(own, "weeks")


@require_POST
def person(request: Any, insee: str) -> Any:
    """Writes how the person who asks is reached."""
    own = commune(request, insee)
    phone, mail, language = (request.POST.get(name, "").strip() for name in ("phone", "mail", "language"))
    try:
        rota.set_person(_path(), Person(request.person, rota.phone_of(phone), mail, language))
    except rota.Faulty as fault:
        return _page(request, own, translate(fault.message, request.language, **fault.values))
    return _back(own, "own")


@require_POST
def take(request: Any, insee: str) -> Any:
    """Takes in hand, or gives back, what no record states."""
    own = commune(request, insee)
    number = request.POST.get("cause", "")
    with opened_book() as book:
        seen = () if book is None else book.open_of(_pairs(request, own, _trades(own.areas, own.insee)))
        found = next((members for told, members in seen if str(told.number) == number and not told.key), None)
    if found is None:
        raise Http404
    holder = "" if request.POST.get("deed") == "return" else request.person
    rota.hold(_path(), found, holder, now_s=request.now_s)
    return _back(own, "told")


def _back(own: Commune, anchor: str) -> Any:
    answer = HttpResponseRedirect(f"{reverse('duty', args=[own.insee])}#{anchor}")
    answer.status_code = 303  # RFC 9110, 15.4.4
    return answer


def _path() -> str:
    return rota.path_of(settings.BOCAGE.data)


@contextmanager
def opened_book() -> Iterator[Book | None]:
    """Opens the book of the process that tells; None where there is none yet."""
    try:
        book = Book.open_to_read(settings.BOCAGE.duty or "")
    except database.Error:
        yield None
        return
    with closing(book):
        yield book


def _trades(areas: Areas, insee: str) -> list[str]:
    """Returns the trades that somebody has in a commune, or in all."""
    own = {trade for where, trade in areas if where in (insee, grants.ALL)}
    return [one for one in (grants.LIGHTING, grants.HEATING, grants.WATERING) if one in own]


def _covers(trade: str, trades: list[str]) -> bool:
    return trade == grants.ALL or trade in trades


def _people(known: Rota, insee: str, trades: list[str], *, now_s: int) -> dict[str, list[str]]:
    """Returns who can be told of each trade of a commune: who is reached, and has the right."""
    areas = {name: areas_of(name, now_s=now_s) for name in known.people}
    return {trade: sorted(name for name in known.people if trade in _trades(areas[name], insee)) for trade in trades}


def _on_duty(known: Rota, insee: str, trade: str, people: list[str], language: str, now_s: int) -> OnDuty:
    name, found = trade_text(trade, language), known.on_duty(insee, trade, now_s=now_s)
    if found is None:
        return OnDuty(name, "", "", WORDS.text("now.nobody", language))
    said = WORDS.text("now.person" if found.substitute else "now.alone", language, **found._asdict())
    lacking = [one for one in (found.person, found.substitute) if one and one not in people]
    problem = WORDS.text("now.unreached", language, names=", ".join(lacking)) if lacking else ""
    if found.is_stale:
        return OnDuty(name, said, "", " ".join(filter(None, (WORDS.text("now.stale", language), problem))))
    _, following = rota.weeks_from(now_s, 2)
    return OnDuty(name, said, WORDS.text("now.until", language, when=_day(following, language, now_s)), problem)


def _week_row(one: Week, language: str, now_s: int) -> tuple[str, str, str, str, str]:
    scope = WORDS.text("scope.all" if one.insee == grants.ALL else "scope.own", language)
    return _day(one.week, language, now_s), trade_text(one.trade, language), one.person, one.substitute, scope


def _day(week: str, language: str, now_s: int) -> str:
    """Returns the day with which a week begins: `30 nov.`."""
    return words.day(rota.begins_s(week), language, now_s=now_s)


def _pairs(request: Any, own: Commune, trades: list[str]) -> list[tuple[str, str]]:
    """Returns whose causes are shown: of the person's trades here, and of the centre to who sees all."""
    of_centre = [(grants.ALL, grants.ALL)] if (grants.ALL, grants.EVERY) in request.areas else []
    return [*((own.insee, trade) for trade in trades), *of_centre]


def _rows(request: Any, own: Commune, trades: list[str]) -> list[Row]:
    with opened_book() as book:
        found = [] if book is None else book.log(_pairs(request, own, trades), most=DUTY_CAUSES_MAX)
    return [_row(request, told, messages) for told, messages in found]


def _row(request: Any, told: Alert, messages: list[Message]) -> Row:
    language = request.language
    lines = [
        (words.moment(one.made_unix_s, language, now_s=request.now_s),
         WORDS.text(f"channel.{one.channel}", language, person=one.person),
         WORDS.text(f"kind.{one.kind}", language), _became(one, language, request.now_s))
        for one in messages
    ]  # fmt: skip
    return Row(told, told.text(language), told.key and f"/{told.key}", lines)


def _became(one: Message, language: str, now_s: int) -> str:
    if one.sent_unix_s is not None:
        return WORDS.text("sent", language, when=words.moment(one.sent_unix_s, language, now_s=now_s))
    if one.is_over:
        withdrawn = one.error == WITHDRAWN
        return WORDS.text(WITHDRAWN if withdrawn else "given_up", language, error=one.error)
    if not one.tries:
        return WORDS.text("waiting", language)
    return WORDS.text("trying", language, count=one.tries, when=words.clock(one.next_unix_s))
