"""Decides who is told what and when. It is given what is open and the time, and writes messages; it sends nothing.

    a cause wakes ──▶ the person on duty ──▶ nobody has it in hand for N minutes ──▶ the substitute
                             │                                                          │
                             └──────────── over for FIXED_AFTER_S: told once ───────────┘

A cause is known again by its faults: what joins it, or comes back within FIXED_AFTER_S, is no new one. Taking it in
hand on a screen ends the telling until it is given back. Who is told has, at that instant, a right to that commune and
trade; who has none, or neither telephone nor mail, is passed over for the next. Where the rota has no line, its last
one goes on. More than FLOOD_MAX messages to a person within FLOOD_S become one that counts and names the first, and the
next comes after FLOOD_S: so what wakes is told at the latest FLOOD_S after its time.

All of one look is one transaction, messages included. In the morning what wakes nobody is one mail.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from policy import civil
from tools.centre.duty import words
from tools.centre.duty.book import ESCALATED, FIXED, MORNING, NEW, SUMMARY, TRIAL, Alert, Book
from tools.centre.duty.rota import Duty, Person, Rota
from tools.centre.duty.waking import DEAF_MEMBER, Cause, Silence
from tools.centre.limits import FIXED_AFTER_S, FLOOD_MAX, FLOOD_S
from tools.centre.scope.grants import ALL
from tools.centre.store import database

MAIL, SMS = "mail", "sms"
# What a person may see now (`tools.centre.scope.grants.areas`); None: it cannot be known, for the warehouse is gone.
AreasOf = Callable[[str], set[tuple[str, str]] | None]
# When the list of the morning goes, in the civil time of France: before the first round, or later by a process that
# began later; in the afternoon it is none.
_MORNING_S, _NOON_S = 7 * 3600, 12 * 3600


class Options(NamedTuple):
    """origin: of the screens; minutes: after which the substitute is told; channels: those that can send."""

    origin: str
    minutes: int
    channels: tuple[str, ...]


class _Notice(NamedTuple):
    """Wants a person to be told of a cause. cause None: of its end. other: who else was or will be told."""

    alert: Alert
    cause: Cause | None
    kind: str
    other: str
    is_stale: bool


class Desk:
    """Works on a book; call `look` often, and send what the book then holds (`tools.centre.duty.sending`)."""

    def __init__(self, book: Book, options: Options) -> None:
        self._book = book
        self._options = options

    def look(
        self, causes: Sequence[Cause], rota: Rota, areas_of: AreasOf, *, now_s: int, is_blind: bool = False
    ) -> None:
        """Decides by what is open. is_blind: the warehouse cannot be read, so nothing that is missing is over."""
        book = self._book
        with database.transaction(book.connection):
            wanted: dict[str, list[_Notice]] = defaultdict(list)
            unaddressed = 0
            for alert, cause in self._matched(causes, rota, now_s, is_blind):
                for name, notice in self._next(alert, cause, rota, areas_of, now_s):
                    if name:
                        wanted[name].append(notice)
                    else:
                        unaddressed += 1
            for name, alert in book.owed():
                wanted[name].append(_Notice(alert, None, FIXED, "", False))
            for name, notices in wanted.items():
                self._notify(rota.people.get(name), notices, now_s)
            if not is_blind:
                self._morning(causes, rota, areas_of, now_s)
            book.set("unaddressed", unaddressed)
            book.set("looked", now_s)
            book.purge(now_s=now_s)

    def trial(self, person: Person, *, now_s: int) -> bool:
        """Tells a person that nothing is wrong, by each channel; returns whether there is one."""
        with database.transaction(self._book.connection):
            text = words.trial(person.language, origin=self._options.origin)
            return self._send(person, TRIAL, text, (), now_s)

    # --- which cause is which ---

    def _matched(
        self, causes: Iterable[Cause], rota: Rota, now_s: int, is_blind: bool
    ) -> list[tuple[Alert, Cause]]:
        """Returns each cause that is told or to be told, as the book has it; ends those that are over for good."""
        book = self._book
        known, members = {one.number: one for one in book.open_causes()}, book.members()
        found: dict[int, Cause] = {}
        for cause in causes:
            if cause.wakes_unix_s is None:
                continue  # a lamp that stays dead once its feeder is back does not keep the feeder's fault open
            numbers = sorted({members[one] for one in cause.members if one in members} & known.keys())
            if numbers:
                number = numbers[0]
            elif isinstance(cause.about, Silence) and DEAF_MEMBER in members:
                continue  # the centre hears again, or is about to: the cabinets come back one after the other
            elif now_s >= cause.wakes_unix_s and not cause.holder:
                alert = book.begin(cause.insee, cause.trade, words.sentences(cause), words.key(cause), now_s=now_s)
                known[alert.number], number = alert, alert.number
            else:
                continue
            # What was told apart has one cause: it goes on as the first, and the others end without a word.
            for other in numbers[1:]:
                book.join([one for one, of in members.items() if of == other], number, now_s=now_s)
                book.put(known.pop(other)._replace(closed_unix_s=now_s))
                found.pop(other, None)
            book.join(cause.members, number, now_s=now_s)
            members |= dict.fromkeys(cause.members, number)
            found.setdefault(number, cause)  # what has come apart is still told as one
        for number, alert in known.items():
            after = _held(alert, found[number], rota) if number in found else alert
            if number not in found and not is_blind:
                over_s = now_s if alert.over_unix_s is None else alert.over_unix_s
                after = alert._replace(over_unix_s=over_s)
                if now_s >= over_s + FIXED_AFTER_S:
                    book.end(after, now_s=now_s)
                    continue
            if after != alert:
                book.put(after)
            known[number] = after
        if not is_blind:
            book.part(before_s=now_s - FIXED_AFTER_S)
        return [(known[number], cause) for number, cause in found.items()]

    # --- who is next ---

    def _next(
        self, alert: Alert, cause: Cause, rota: Rota, areas_of: AreasOf, now_s: int
    ) -> Iterator[tuple[str, _Notice]]:
        """Yields who is to be told now, "" where nobody can be; nothing where nobody has to be."""
        is_late = alert.told_unix_s is not None and now_s >= alert.told_unix_s + 60 * self._options.minutes
        if alert.holder or not (alert.steps == 0 or (alert.steps == 1 and is_late)):
            return
        duty = rota.on_duty(cause.insee, cause.trade, now_s=now_s) or Duty("", "", True)
        reachable = [name for name in self._candidates(duty, rota) if _may(areas_of(name), cause)]
        if alert.steps == 0:
            first, other = [*reachable, "", ""][:2]
            yield first, _Notice(alert, cause, NEW, other, duty.is_stale)
            return
        former = self._book.alerted(alert.number, alert.told_unix_s)
        for name in reachable:
            if name not in former:
                yield name, _Notice(alert, cause, ESCALATED, "".join(former[:1]), duty.is_stale)
                return

    def _candidates(self, duty: Duty, rota: Rota) -> list[str]:
        names = dict.fromkeys((duty.person, duty.substitute))
        return [name for name in names if name in rota.people and self._addresses(rota.people[name])]

    def _addresses(self, person: Person) -> list[str]:
        """Returns the channels by which a person is reached."""
        addresses = {MAIL: person.mail, SMS: person.phone}
        return [channel for channel in self._options.channels if addresses[channel]]

    # --- telling ---

    def _notify(self, person: Person | None, notices: Sequence[_Notice], now_s: int) -> None:
        """Tells a person one by one, or all together where it would be a flood, or later where it was one just now."""
        if person is None:  # of an end, to a person who is no longer reached
            for one in notices:
                self._mark(one, "", now_s)
            return
        recent = self._book.recent(person.name, now_s - FLOOD_S)
        if any(kind == SUMMARY for kind, _ in recent):
            return
        language, origin = person.language, self._options.origin
        if len(recent) + len(notices) > FLOOD_MAX:
            new = [one.alert for one in notices if one.kind != FIXED]
            ended = [one.alert for one in notices if one.kind == FIXED]
            text = words.summary(new, ended, language, origin=origin, quiet_s=FLOOD_S)
            self._send(person, SUMMARY, text, [one.alert.number for one in notices], now_s)
        else:
            for one in notices:
                self._send(person, one.kind, self._text(one, language, now_s), (one.alert.number,), now_s)
        for one in notices:
            self._mark(one, person.name, now_s)

    def _text(self, one: _Notice, language: str, now_s: int) -> words.Text:
        if one.cause is None:
            return words.fixed(one.alert, language, origin=self._options.origin, now_s=now_s)
        return words.alarm(
            one.cause, one.alert, language, kind=one.kind, origin=self._options.origin,
            minutes=self._options.minutes, other=one.other, is_stale=one.is_stale, now_s=now_s,
        )  # fmt: skip

    def _mark(self, one: _Notice, name: str, now_s: int) -> None:
        if one.kind == FIXED:
            self._book.pay(one.alert.number, name)
        else:
            step = 1 if one.kind == NEW else 2
            self._book.put(one.alert._replace(steps=step, told_unix_s=now_s))

    def _send(self, person: Person, kind: str, text: words.Text, causes: Iterable[int], now_s: int) -> bool:
        channels = [one for one in self._addresses(person) if kind != MORNING or one == MAIL]
        for channel in channels:
            written = text.mail() if channel == MAIL else text.sms()
            self._book.add(person.name, channel, kind, written, causes, now_s=now_s)
        return bool(channels)

    # --- the morning ---

    def _morning(self, causes: Sequence[Cause], rota: Rota, areas_of: AreasOf, now_s: int) -> None:
        """Once a day, sends to each person on duty what is open of theirs."""
        local = civil.local_from_unix(civil.PARIS, now_s)
        if not _MORNING_S <= local.second < _NOON_S or self._book.get("morning", 0) == local.civil_day:
            return
        self._book.set("morning", local.civil_day)
        lists: dict[str, list[Cause]] = defaultdict(list)
        for cause in causes:
            duty = rota.on_duty(cause.insee, cause.trade, now_s=now_s)
            if duty is not None and duty.person in rota.people and _may(areas_of(duty.person), cause):
                lists[duty.person].append(cause)
        for name, some in lists.items():
            person = rota.people[name]
            text = words.morning(some, person.language, origin=self._options.origin, now_s=now_s)
            self._send(person, MORNING, text, (), now_s)


def _held(alert: Alert, cause: Cause, rota: Rota) -> Alert:
    """Returns a cause that lasts, with who has it in hand; one that was given back is told anew."""
    in_hand = (rota.in_hand[one] for one in sorted(cause.members) if one in rota.in_hand)
    said = next((one.person for one in in_hand if one.taken_unix_s >= alert.begun_unix_s), None)
    holder = next((one for one in (cause.holder, said) if one is not None), alert.holder)
    is_back = bool(alert.holder) and not holder
    return alert._replace(over_unix_s=None, holder=holder, steps=0 if is_back else alert.steps)


def _may(areas: set[tuple[str, str]] | None, cause: Cause) -> bool:
    """Returns whether a person may know of a cause; of the centre, who has any right."""
    if areas is None or cause.insee == ALL:
        return areas is None or bool(areas)
    return any((insee, cause.trade) in areas for insee in (cause.insee, ALL))
