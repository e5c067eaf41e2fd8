"""Says what the centre knows of a thing that was broken, from what its screens read, and so in their words: faults by
their cause, states on the map, cabinets that are alone, and what who is on duty would have been sent.

It reads as the operator does, who may see everything: what the centre knows does not depend on whose screen is open.
"""

from collections import Counter
from collections.abc import Container, Iterator
from contextlib import closing
from typing import Any, NamedTuple

from django.conf import settings

from gateway.language import N_, translate
from tools.centre.condition import words as fault_words
from tools.centre.condition.faults import Faults, StandingFault
from tools.centre.condition.groups import Group, group
from tools.centre.duty.book import Book, Message
from tools.centre.duty.desk import SMS
from tools.centre.limits import SILENCE_S_MAX
from tools.centre.store import database
from tools.centre.web.access import Commune, areas_of, opened, within
from tools.centre.web.connections import Areas
from tools.centre.web.health import Alone, alone_in
from tools.centre.web.page import picture
from tools.centre.web.pictures import Light
from tools.centre.web.spaces import Space
from tools.centre.web.states import GRAVE, Shown
from tools.centre.web.words import clock
from tools.demo import people
from tools.demo.faults import Target

_ELSEWHERE = N_("{where}: {sentence}")
_SILENT = N_("{cabinet}: nothing had come from it since {clock}")
_HEARD = """SELECT max(received_unix_s) FROM records WHERE received_unix_s < ?
    AND gateway IN (SELECT gateway FROM gateways WHERE insee || '-' || name = ?)"""
# Causes that are shown of one thing; of the others their number.
_CAUSES_SHOWN = 4


class Seen(NamedTuple):
    """Says what the screen of faults has, and when the centre received it."""

    received_unix_s: int
    text: str


class Known(NamedTuple):
    """Holds what the centre knows of a thing that is, or was, broken. `more`: causes beyond those of `seen`;
    `lights`, `spaces`: how many lights, and rooms and green spaces, of the cabinets in question the map shows in each
    grave state, but for faults that are older."""

    seen: list[Seen]
    more: int
    lights: list[tuple[Shown, int]]
    spaces: list[tuple[Shown, int]]
    alone: list[Alone]

    @property
    def is_nothing(self) -> bool:
        return not (self.seen or self.lights or self.spaces or self.alone)


def known(
    request: Any, target: Target, since_s: int, until_s: int | None, apart: Container[bytes | None] = ()
) -> Known:
    """Returns what is known of a thing that was broken from `since_s` on; `until_s`: it is mended since then, and what
    is so now says nothing of it. `apart`: who reports of other things that were broken, of which it is not told here.
    """
    areas = areas_of(people.ROLES[people.OPERATOR].person, now_s=request.now_s)
    with opened(areas) as connection:
        begun = Faults(connection).between(since_s, request.now_s + 1)
        standing = [one for one in begun if one.subject not in apart]
        silent = alone_in(connection, now_s=request.now_s) if until_s is None else {}
        were_silent = [] if until_s is None else list(_silences(connection, target, until_s, request.language))
    seen = sorted([*_seen(group(standing), target, since_s, until_s, request.language), *were_silent])
    labels = {(one.insee, one.name): one.label for one in target.cabinets}  # with the commune: cabinets share names
    alone = [
        one._replace(cabinet=labels[insee, one.cabinet])
        for insee, some in silent.items()
        for one in some
        if (insee, one.cabinet) in labels
    ]
    lights, spaces = _states(request, areas, target, since_s, apart) if until_s is None else ([], [])
    return Known(seen[:_CAUSES_SHOWN], max(0, len(seen) - _CAUSES_SHOWN), lights, spaces, alone)


def sent(since_s: int) -> list[Message]:
    """Returns the SMS that who is on duty would have got since then, the latest first."""
    with closing(Book.open_to_read(settings.BOCAGE.duty)) as book:
        return book.of_channel(SMS, since_s=since_s)


def _seen(causes: list[Group], target: Target, since_s: int, until_s: int | None, language: str) -> Iterator[Seen]:
    """Yields the causes that began at this thing, or on what hangs on this cabinet, while it was broken."""
    addresses = {one.address for one in target.cabinets}
    for cause in causes:
        for fault in cause.all:
            is_of = fault.cabinet in addresses if addresses else fault.subject == target.subject
            was_broken = since_s <= fault.from_unix_s and (until_s is None or fault.from_unix_s <= until_s)
            if target.subject is not None and is_of and was_broken:
                yield Seen(fault.received_unix_s, _text(fault, target, language))
                break


def _silences(connection: database.Connection, target: Target, until_s: int, language: str) -> Iterator[Seen]:
    """Yields the cabinets that were alone when a thing was mended, each at the instant from which screens said so."""
    for one in target.cabinets:
        heard_s = connection.execute(_HEARD, (until_s, one.address)).fetchone()[0]
        if heard_s is not None and until_s - heard_s > SILENCE_S_MAX:
            said = translate(_SILENT, language, cabinet=one.label, clock=clock(heard_s))
            yield Seen(heard_s + SILENCE_S_MAX, said)


def _text(fault: StandingFault, target: Target, language: str) -> str:
    said = fault_words.sentence(fault, language)
    if fault.subject == target.subject:
        return said
    return translate(_ELSEWHERE, language, where=fault_words.short_text(fault, language), sentence=said)


def _states(
    request: Any, areas: Areas, target: Target, since_s: int, apart: Container[bytes | None]
) -> Iterator[list[tuple[Shown, int]]]:
    """Yields how many lights, then rooms and green spaces, of these cabinets are in each grave state, by the picture
    that map and lists are made of."""
    addresses, lights, spaces = {one.address for one in target.cabinets}, Counter[Shown](), Counter[Shown]()

    def counts(one: Light | Space) -> bool:
        fault = one.state.fault
        is_own = fault is None or (fault.from_unix_s >= since_s and fault.subject not in apart)
        return one.state.cabinet in addresses and is_own

    for insee in sorted({one.insee for one in target.cabinets}):
        whole = picture(request, Commune(insee, insee, within(areas, insee)))
        lights.update(one.shown for one in whole.lights if counts(one))
        spaces.update(one.shown for one in whole.spaces if counts(one))
    for counted in (lights, spaces):
        yield [(one, counted[one]) for one in GRAVE if counted[one]]
