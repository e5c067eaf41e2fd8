"""Lists what is broken in a commune by cause, the latest first: since when, where, what follows from it, what to do, in
whose hands it is.

Whoever sees a cause may take it in hand, hand it to another person, comment and give it back: who sees it has the right
of its trade there. What is said is on the disk before the answer (`tools.centre.condition.notes`), in a file of the
web's own; the roll-up brings it into the warehouse.
"""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple
from urllib.parse import urlencode

from django.conf import settings
from django.http import Http404, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from gateway.language import N_, NC_, NN_, Phrases, events
from tools.centre.condition import notes
from tools.centre.condition import words as fault_words
from tools.centre.condition.faults import Faults, Note
from tools.centre.condition.fold import Position
from tools.centre.condition.groups import Group, group, lights_behind
from tools.centre.condition.visits import CLAIMED, is_judged_lit
from tools.centre.limits import NOTE_TEXT_MAX, NOTES_OF_ONE_MAX
from tools.centre.register.equipment import GREEN_SPACE, LIGHT, METER, ROOM
from tools.centre.web import ticket, words
from tools.centre.web.access import Commune, commune, opened
from tools.centre.web.health import alone
from tools.centre.web.history import standing_of
from tools.centre.web.page import Pager, picture, shown
from tools.centre.web.pictures import Picture

WORDS = Phrases({
    "title": N_("Faults in {commune}"),
    "count": NN_("{count} open fault, by its cause", "{count} open faults, by their causes"),
    "none": N_("No fault is open."),
    "none.last": N_("No fault is open. The last one ended {when}."),
    "lights": NN_("{count} light on it", "{count} lights on it"),
    "others": NN_("{count} other fault of this cause", "{count} other faults of this cause"),
    "to_do": N_("To do: {remedy}"),
    "taken": N_("In hand of {person}"),
    "free": NC_("fault", "Nobody has it in hand"),
    "claimed": NC_("visit", "Done, not measured"),
    "off": N_("Its lamp is off: it is judged when it is lit again."),
    "round": NC_("button", "Make the round"),
    "on_map": N_("Show on the map"),
    "take": NC_("button", "Take in hand"),
    "deal": N_("Hand over, comment, give back"),
    "words": N_("What there is to say"),
    "person": N_("To whom"),
    "comment": NC_("button", "Comment"),
    "assign": NC_("button", "Hand over"),
    "return": NC_("button", "Give back"),
    "ticket": N_("A ticket for a contractor"),
    "refused": N_("Give one line of text, of {count} characters at most."),
    "full": N_("You have written {count} notes today; no more is taken until tomorrow."),
    "received": N_("time unknown, received {when}"),
})  # fmt: skip


class _Deed(NamedTuple):
    """Describes what a button says about a cause: in whose hands it then is, by the author and the person named; which
    of the fields, words (0) and person (1), it needs; whether it is repaired."""

    holder: Callable[[str, str], str | None]
    needs: tuple[int, ...] = ()
    is_repaired: bool | None = None


_DEEDS = {
    "take": _Deed(lambda author, named: author),
    "assign": _Deed(lambda author, named: named, needs=(1,)),
    "return": _Deed(lambda author, named: ""),
    "comment": _Deed(lambda author, named: None, needs=(0,)),
    # Who says that it is repaired answers for it until it is measured; nobody else is called for it.
    "done": _Deed(lambda author, named: author, is_repaired=True),
    "failed": _Deed(lambda author, named: None, needs=(0,), is_repaired=False),
}
# What has a mark of its own there.
_ON_MAP = (LIGHT, ROOM, GREEN_SPACE, METER)


def faults(request: Any, insee: str) -> Any:
    return _list(request, commune(request, insee))


def _list(request: Any, own: Commune, refused: str = "") -> Any:
    insee = own.insee
    # All that the person may see: a cause may lie beyond the border.
    with opened(request.areas) as connection:
        known = Faults(connection)
        groups = [one for one in group(known.open()) if one.is_of(insee)]
        ended_s = None if groups else _last_end(known, insee, now_s=request.now_s)
        pager = Pager.of(request.GET.get("page", ""), len(groups))
        some = groups[pager.slice]
        firsts = notes.with_sent(notes.path_of(settings.BOCAGE.data), [one.first for one in some])
        some = [one._replace(first=first) for one, first in zip(some, firsts, strict=True)]
        claimed = [standing_of(connection, first, now_s=request.now_s).state == CLAIMED for first in firsts]
    whole = picture(request, own)
    lights = _lights(whole)
    off = {one.id for one in whole.lights if one.figures.level_percent == 0}
    rows = [
        {
            **_row(one, insee, lights, request.language),
            "is_off": is_judged_lit(one.first) and _light_of(one, insee) in off,
            "is_claimed": is_claimed,
        }
        for one, is_claimed in zip(some, claimed, strict=True)
    ]
    return shown(
        request, "faults.html", WORDS, commune=own, tab="faults", rows=rows, found=len(groups), ended_unix_s=ended_s,
        pager=pager, may_give=ticket.may_give(own), alone=alone(request, own), text_max=NOTE_TEXT_MAX,
        refused=refused, status=400 if refused else 200,
    )  # fmt: skip


@require_POST
def note(request: Any, insee: str) -> Any:
    """Keeps what a person says about a cause, then leads back to it; 400: a sentence says why it is none."""
    own = commune(request, insee)
    node, position = _record(request.POST.get("cause", ""))
    with opened(request.areas) as connection:
        if not notes.is_stated(connection, node, position):
            raise Http404
    if refused := keep(request, own, [(node, position)]):
        return _list(request, own, refused)
    page = urlencode({"page": request.POST.get("page", "")[:6]})
    return led_to(f"{reverse('faults', args=[insee])}?{page}#{key(node, position)}")


def keep(request: Any, own: Commune, causes: Sequence[tuple[bytes, Position]]) -> str:
    """Keeps what the form of a request says about causes that its person may see; returns why it is refused, or ""."""
    text, person = (_line(request.POST.get(name, "")) for name in ("words", "person"))
    deed = _DEEDS.get(request.POST.get("deed", ""))
    if deed is None or not all((text, person)[n] for n in deed.needs) or not all(map(notes.is_line, (text, person))):
        return words.text(WORDS, "refused", request.language, count=NOTE_TEXT_MAX)
    said = Note(request.now_s, request.person, deed.holder(request.person, person), text, deed.is_repaired)
    try:
        for node, position in causes:
            sent = notes.Sent(own.insee, node, position, said)
            notes.put(notes.path_of(settings.BOCAGE.data), sent, now_s=request.now_s)
    except notes.Full:
        return words.text(WORDS, "full", request.language, count=NOTES_OF_ONE_MAX)
    return ""


def led_to(address: str) -> Any:
    answer = HttpResponseRedirect(address)
    answer.status_code = 303  # the page is fetched by GET, with htmx and without (RFC 9110, 15.4.4)
    return answer


def key(node: bytes, position: Position) -> str:
    """Returns what names a fault in a form: its node and the record that begins it."""
    return f"{node.hex()}-{position[0]}-{position[1]}"


def _record(cause: str) -> tuple[bytes, Position]:
    """Returns the record that a cause's `key` names; 404 for what is none."""
    found = re.fullmatch(r"([0-9a-f]{2,64})-([0-9]{1,18})-([0-9]{1,18})", cause, re.ASCII)
    if found is None or len(found[1]) % 2:
        raise Http404
    return bytes.fromhex(found[1]), (int(found[2]), int(found[3]))


def _line(text: str) -> str:
    """Returns what was typed as one line: spaces of any kind are spaces, joiners and marks that show nothing go."""
    return "".join(one for one in " ".join(text.split()) if one.isprintable())


def _lights(whole: Picture) -> Counter[tuple[str | None, str | None]]:
    counted: Counter[tuple[str | None, str | None]] = Counter()
    for one in whole.lights:
        counted[one.state.cabinet, one.state.feeder] += 1
        if one.state.feeder is not None:
            counted[one.state.cabinet, None] += 1
    return counted


def _last_end(known: Faults, insee: str, *, now_s: int) -> int | None:
    """Returns when the last fault of the commune ended, of this week's."""
    week = known.ended(now_s - 7 * 86_400)
    return max((one.end_unix_s for one in week if one.commune == insee and one.end_unix_s is not None), default=None)


def _light_of(one: Group, insee: str) -> str | None:
    place = one.first.place
    return place.key.id if place is not None and place.key[:2] == (insee, LIGHT) else None


def _row(one: Group, insee: str, lights: Counter[tuple[str | None, str | None]], language: str) -> dict[str, Any]:
    first = one.first
    place = first.place
    is_one = place is not None and place.key.insee == insee and place.key.kind in _ON_MAP and not first.names_feeder
    return {
        "key": key(first.node, first.begin),
        "since_unix_s": first.since_unix_s,
        "received_unix_s": first.received_unix_s,
        "where": fault_words.where_text(first, language),
        "sentence": fault_words.sentence(first, language),
        "lights": lights_behind(one, lights),
        "others": [fault_words.short_text(other, language) for other in one.others],
        "remedy": events.remedy(first.code, language),
        "holder": first.holder,
        "taken_unix_s": None if first.taken is None else first.taken.written_unix_s,
        "notes": [(one.written_unix_s, one.author, fault_words.deed_text(one, language)) for one in first.notes],
        "has_ticket": ticket.is_for(first, insee),
        "on_map": urlencode({place.key.kind: place.key.id}) if place is not None and is_one else None,
    }
