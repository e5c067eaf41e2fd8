"""Gives a contractor a ticket for what a fault is about: an account of its own, which sees that light, or its street,
with its faults, until a day, and hands the fault over to it.

The account and its one-time password are shown once. What it may see is a grant as any other: it goes by the outbox to
the roll-up, which checks the giver's rights anew, and ends by itself.
"""

import secrets
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.http import Http404
from django.urls import reverse

from gateway.language import N_, NC_, Phrases
from tools.centre import moments
from tools.centre.condition import notes
from tools.centre.condition import words as fault_words
from tools.centre.condition.faults import Faults, Note, StandingFault
from tools.centre.limits import TICKET_S_MAX, TICKETS_OF_ONE_MAX
from tools.centre.register import equipment
from tools.centre.register.equipment import GREEN_SPACE, LIGHT, METER, ROOM
from tools.centre.scope import grants
from tools.centre.scope.words import trade_text
from tools.centre.web.access import Commune, commune, opened
from tools.centre.web.accounts import reset
from tools.centre.web.limits import PERSON_CHARACTERS_MAX
from tools.centre.web.page import shown

WORDS = Phrases({
    "title": N_("A ticket for a contractor"),
    "lead": N_("A contractor reads these faults and answers them, to the day that you choose, and sees nothing else."),
    "company": N_("Company"),
    "until": N_("To this day included"),
    "what": N_("What it sees"),
    "give": NC_("button", "Give the ticket"),
    "given": N_("The ticket is given, until {day}"),
    "given.once": N_("This is shown once. Hand it over: the company chooses a password at its first login."),
    "given.soon": N_("Its faults are there a minute later."),
    "where": N_("Address"),
    "who": N_("Name"),
    "password": N_("One-time password"),
    "back": N_("Back to the faults"),
    "refused": N_("Give the name of a company, and a day from today on, {count} days from now at most."),
    "full": N_("You have given {count} tickets today; no more is given until tomorrow."),
})  # fmt: skip
_KINDS = (LIGHT, ROOM, GREEN_SPACE, METER)
_DAY_S = 86_400
# Proposed: what a repair usually takes.
_USUAL_S = 14 * _DAY_S
_SIGNS = "abcdefghjkmnpqrstuvwxyz23456789"


def may_give(own: Commune) -> bool:
    """Returns whether a person may let others see: by a trade, and not by a ticket."""
    return (own.insee, grants.ANY) in own.areas


def is_for(fault: StandingFault, insee: str) -> bool:
    """Returns whether there can be a ticket for what a fault is about."""
    key = None if fault.place is None else fault.place.key
    return key is not None and key.insee == insee and key.kind in _KINDS and not fault.names_feeder


def ticket(request: Any, insee: str, cause: str) -> Any:
    """Shows the form; gives the ticket where it is filled in."""
    own = commune(request, insee)
    fault = _fault(request, own, cause)
    choices = _choices(fault)
    if request.method != "POST":
        return _form(request, own, fault, choices)
    company = " ".join(request.POST.get("company", "").split())
    until_s, trade = _until(request), request.POST.get("what", "")
    person = f"{company}, ticket {''.join(secrets.choice(_SIGNS) for _ in range(6))}"
    if not company or not person.isprintable() or len(person) > PERSON_CHARACTERS_MAX or until_s is None:
        return _form(request, own, fault, choices, "refused")
    if trade not in choices:
        raise Http404
    now_s, path = request.now_s, notes.path_of(settings.BOCAGE.data)
    try:
        notes.put_ticket(path, grants.Grant(person, insee, trade, now_s, until_s, request.person, now_s))
        handed = Note(now_s, request.person, person, "")
        notes.put(path, notes.Sent(insee, fault.node, fault.begin, handed), now_s=now_s)
    except notes.Full:
        return _form(request, own, fault, choices, "full")
    address = request.build_absolute_uri("/login?" + urlencode({"next": reverse("faults", args=[insee])}))
    return shown(
        request, "ticket_given.html", WORDS, commune=own, tab="faults", who=person, password=reset(person),
        address=address, until=moments.day(until_s - 1, request.language, now_s=now_s),
    )  # fmt: skip


def _fault(request: Any, own: Commune, cause: str) -> StandingFault:
    """Returns the open fault that a cause's `faults.key` names; 404 where there can be no ticket for it."""
    with opened(own.areas) as connection:
        found = [one for one in Faults(connection).open_in(own.insee) if is_for(one, own.insee)]
    named = [one for one in found if f"{one.node.hex()}-{one.begin[0]}-{one.begin[1]}" == cause]
    if not named or not may_give(own):
        raise Http404
    return named[0]


def _choices(fault: StandingFault) -> list[str]:
    """Returns what a ticket may open: the equipment; of a light, its street too."""
    place = fault.place
    assert place is not None
    found = [grants.of_place(place.key.kind, place.key.id)]
    return [*found, grants.OF_STREET + place.street] if place.key.kind == LIGHT and place.street else found


def _until(request: Any) -> int | None:
    """Returns the end of the day that was chosen; None for one that is over, or too far."""
    try:
        day_s = equipment.parse("valid_from", request.POST.get("until", ""))
    except equipment.CellFault:
        return None
    end_s = equipment.following_day(day_s) if isinstance(day_s, int) else 0
    return end_s if request.now_s < end_s <= request.now_s + TICKET_S_MAX else None


def _form(request: Any, own: Commune, fault: StandingFault, choices: list[str], problem: str = "") -> Any:
    now_s, where = request.now_s, fault_words.where_text(fault, request.language)
    days = {name: equipment.day_text(now_s + later_s)
            for name, later_s in (("today", 0), ("usual", _USUAL_S), ("last", TICKET_S_MAX - _DAY_S))}  # fmt: skip
    counts = {"refused": TICKET_S_MAX // _DAY_S, "full": TICKETS_OF_ONE_MAX}
    return shown(
        request, "ticket.html", WORDS, commune=own, tab="faults", days=days, problem=problem,
        count=counts.get(problem, 0), text_max=PERSON_CHARACTERS_MAX - 24, status=400 if problem else 200,
        where=where, fault=fault_words.sentence(fault, request.language),
        choices=list(zip(choices, (where, *(trade_text(one, request.language) for one in choices[1:])), strict=True)),
    )  # fmt: skip
