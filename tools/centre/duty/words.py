"""Writes what is told to a person on duty: what is so, where, since when, what to do, and the page of the screens.

A message is lines of text, the last one its address. An SMS has the same lines as a mail, cut where it would be long.
"""

from collections.abc import Sequence
from typing import NamedTuple

from gateway.language import LANGUAGES, N_, NN_, Phrases, events
from gateway.language.figures import duration
from tools.centre import moments
from tools.centre.condition import words as fault_words
from tools.centre.condition.groups import Group
from tools.centre.duty.book import Alert
from tools.centre.duty.waking import DEAF, DISK, INGEST, WAREHOUSE, Cause, Silence, Trouble
from tools.centre.limits import MORNING_NAMES_MAX, SMS_CHARACTERS_MAX, SUMMARY_NAMES_MAX
from tools.centre.register import words as registry_words
from tools.centre.scope.grants import ALL

WORDS = Phrases({
    "fault": N_("{where}: {sentence}"),
    "silent": N_("{cabinet}: nothing is received from it any more"),
    "silent.do": N_(
        "see its supply and its link on the spot; unless its power is cut, its streets follow the policy"
    ),
    f"centre.{DEAF}": N_("The centre receives nothing from any of its {count} cabinets"),
    f"centre.{INGEST}": NN_("{count} process that receives records is not at work",
                            "{count} processes that receive records are not at work"),
    f"centre.{DISK}": N_("{count} % of the disk of the centre is left"),
    f"centre.{WAREHOUSE}": N_("The warehouse of the centre cannot be read"),
    "centre.do": N_("see the centre's server and its link; unless their power is cut, the streets follow the policy"),
    "since": N_("Since {when}"),
    "since.received": N_("Received {when}, begun at a time that is not known"),
    "lights": NN_("{count} light on it", "{count} lights on it"),
    "others": NN_("{count} other fault of this cause", "{count} other faults of this cause"),
    "do": N_("To do: {text}"),
    "head.new": N_("Duty: {what}"),
    "head.escalated": N_("Duty: nobody has had it in hand for {age}: {what}"),
    "head.fixed": N_("Mended: {what}"),
    "head.summary": NN_("Duty: {count} fault at once", "Duty: {count} faults at once"),
    "head.mended": NN_("Mended: {count} fault", "Mended: {count} faults"),
    "head.morning": NN_("Morning list: {count} fault is open", "Morning list: {count} faults are open"),
    "head.trial": N_("Duty: a trial, nothing is wrong"),
    "ended": N_("Over since {when}"),
    "more": NN_("and {count} more", "and {count} more"),
    "take": N_("Take it in hand on the screen: otherwise {person} is alerted in {minutes} min."),
    "take.alone": N_("Take it in hand on the screen; nobody stands in for you."),
    "former": N_("{person} was told at {when}."),
    "stale": N_("The rota has nobody for this week: the last one that it names goes on."),
    "quiet": N_("What comes in the next {age} is told together."),
})  # fmt: skip


class Text(NamedTuple):
    """Holds a message before its channel: a subject of one line, what follows it, and an address."""

    subject: str
    lines: tuple[str, ...]
    address: str

    def mail(self) -> tuple[str, str]:
        """Returns subject and body."""
        return self.subject, "\n".join((self.subject, "", *self.lines, "", self.address, ""))

    def sms(self) -> tuple[str, str]:
        """Returns subject and text: `Bocage` says whose it is, where a telephone shows a number alone."""
        text = "\n".join((f"Bocage. {self.subject}", *self.lines))
        left = SMS_CHARACTERS_MAX - len(self.address) - 1
        return self.subject, (text if len(text) <= left else text[: left - 1] + "…") + "\n" + self.address


def sentences(one: Cause) -> dict[str, str]:
    """Returns what a cause is, in a sentence of each language."""
    return {language: _line(_what(one, language)) for language in LANGUAGES}


def key(one: Cause) -> str:
    """Returns where the screen of faults has it: `49135/faults#…`; "" where it is none of a record."""
    if not isinstance(one.about, Group):
        return ""
    first = one.about.first
    return f"{first.commune}/faults#{first.node.hex()}-{first.begin[0]}-{first.begin[1]}"


def address(origin: str, key: str, insee: str) -> str:
    """Returns the page of a cause: on the screen of faults, or else on that of the duty."""
    return f"{origin}/{key or ('' if insee == ALL else f'{insee}/duty')}"


def alarm(one: Cause, alert: Alert, language: str, *, kind: str, origin: str, minutes: int, other: str, is_stale: bool,
          now_s: int) -> Text:  # fmt: skip
    """Returns what the person on duty is told of one cause. other: who else is, or was, told."""
    age_s = 60 * minutes if alert.told_unix_s is None else now_s - alert.told_unix_s
    head = {"what": alert.text(language), "age": duration(age_s - age_s % 60, language)}
    lines = list(_about(one, language, now_s=now_s))
    if kind == "new":
        lines.append(WORDS.text("take" if other else "take.alone", language, person=other, minutes=minutes))
    elif other and alert.told_unix_s is not None:
        when = moments.clock(alert.told_unix_s)
        lines.append(WORDS.text("former", language, person=other, when=when))
    if is_stale:
        lines.append(WORDS.text("stale", language))
    subject = _line(WORDS.text(f"head.{kind}", language, **head))
    return Text(subject, tuple(map(_line, lines)), address(origin, key(one), one.insee))


def fixed(alert: Alert, language: str, *, origin: str, now_s: int) -> Text:
    when = moments.moment(alert.over_unix_s, language, now_s=now_s)
    subject = WORDS.text("head.fixed", language, what=alert.text(language))
    return Text(subject, (WORDS.text("ended", language, when=when),), address(origin, alert.key, alert.insee))


def summary(new: Sequence[Alert], ended: Sequence[Alert], language: str, *, origin: str, quiet_s: int) -> Text:
    """Returns one message for many causes that begin, and many that have ended."""
    heads = [WORDS.text(f"head.{word}", language, count=len(some))
             for word, some in (("summary", new), ("mended", ended)) if some]  # fmt: skip
    quiet = WORDS.text("quiet", language, age=duration(quiet_s, language))
    lines = [*_names(new or ended, language, SUMMARY_NAMES_MAX), quiet]
    return Text(". ".join(heads), tuple(lines), f"{origin}/")


def morning(causes: Sequence[Cause], language: str, *, origin: str, now_s: int) -> Text:
    """Returns the list of what is open, of a person's communes and trades."""
    some = causes[:MORNING_NAMES_MAX]
    lines = [_line(f"{_what(one, language)}. {_since(one, language, now_s=now_s)}") for one in some]
    if len(causes) > MORNING_NAMES_MAX:
        lines.append(WORDS.text("more", language, count=len(causes) - MORNING_NAMES_MAX))
    return Text(WORDS.text("head.morning", language, count=len(causes)), tuple(lines), f"{origin}/")


def trial(language: str, *, origin: str) -> Text:
    return Text(WORDS.text("head.trial", language), (), f"{origin}/")


def _names(some: Sequence[Alert], language: str, most: int) -> list[str]:
    more = len(some) - most
    rest = [WORDS.text("more", language, count=more)] if more > 0 else []
    return [*(one.text(language) for one in some[:most]), *rest]


def _what(one: Cause, language: str) -> str:
    about = one.about
    if isinstance(about, Silence):
        key, place = about.key, about.place
        cabinet = registry_words.place_text(place, language) if place else registry_words.address_text(key, language)
        return WORDS.text("silent", language, cabinet=cabinet)
    if isinstance(about, Trouble):
        return WORDS.text(f"centre.{about.kind}", language, count=about.figure)
    where, sentence = fault_words.where_text(about.first, language), fault_words.sentence(about.first, language)
    return WORDS.text("fault", language, where=where, sentence=sentence)


def _since(one: Cause, language: str, *, now_s: int) -> str:
    about = one.about
    if isinstance(about, Silence):
        at_s: int | None = about.heard_unix_s
    elif isinstance(about, Trouble):
        at_s = about.since_unix_s
    else:
        at_s = about.first.since_unix_s
        if at_s is None:
            when = moments.moment(about.first.received_unix_s, language, now_s=now_s)
            return WORDS.text("since.received", language, when=when)
    return WORDS.text("since", language, when=moments.moment(at_s, language, now_s=now_s))


def _about(one: Cause, language: str, *, now_s: int) -> Sequence[str]:
    """Returns since when, what follows from it, and what to do."""
    lines = [_since(one, language, now_s=now_s)]
    if isinstance(one.about, Silence):
        return [*lines, WORDS.text("do", language, text=WORDS.text("silent.do", language))]
    if isinstance(one.about, Trouble):
        return [*lines, WORDS.text("do", language, text=WORDS.text("centre.do", language))]
    if one.lights:
        lines.append(WORDS.text("lights", language, count=one.lights))
    if one.about.others:
        lines.append(WORDS.text("others", language, count=len(one.about.others)))
    remedy = events.remedy(one.about.first.code, language)
    return lines if remedy is None else [*lines, WORDS.text("do", language, text=remedy)]


def _line(text: str) -> str:
    """Returns a text as one line that shows nothing but itself: names come from registers, and from strangers."""
    return "".join(sign for sign in " ".join(text.split()) if sign.isprintable())
