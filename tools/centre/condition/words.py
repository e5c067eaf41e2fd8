"""Writes faults and their groups in words."""

from typing import Any

from gateway.language import N_, NN_, events, translate
from policy import civil
from tools.centre.condition.faults import Note, StandingFault
from tools.centre.condition.groups import Group
from tools.centre.condition.states import WORDS
from tools.centre.register import words
from tools.centre.register.equipment import day_text
from wire import event_table

_UNKNOWN_TIME = N_("time unknown")
_OVER = N_("over since {at}")
_REPLACED = N_("over since {at}, when its node was replaced")
_LIGHTS = NN_("{count} light on it", "{count} lights on it")
_OTHERS = NN_("{count} other fault of this cause: {names}", "{count} other faults of this cause: {names}")
_TO_DO = N_("to do: {text}")
_AND_MORE = N_("{names} and {count} more")
_NOTE = N_("{author}, {at}: {text}")
_TAKEN = N_("takes it in hand")
_HANDED = N_("hands it to {person}")
_SAYING = N_("{deed}: {words}")
_GIVEN_BACK = N_("gives it back")
_REPAIRED = {True: N_("says that it is repaired"), False: N_("could not repair it")}
# Names of what follows from a cause that are told; beyond, their number.
_NAMES_SHOWN = 6


def time_text(unix_s: int | None, language: str) -> str:
    """Returns `2026-11-29 17:02` in the civil time of France."""
    if unix_s is None:
        return translate(_UNKNOWN_TIME, language)
    local = civil.local_from_unix(civil.PARIS, unix_s)
    return f"{day_text(unix_s)} {local.second // 3600:02}:{local.second // 60 % 60:02}"


def optional_time_text(unix_s: int | None, language: str) -> str:
    """Returns the time, or nothing where there is none."""
    return "" if unix_s is None else time_text(unix_s, language)


def where_text(fault: StandingFault, language: str) -> str:
    """Returns where it is, by the register, or else by the node and the cabinet that carries it."""
    if fault.place is not None:
        return words.place_text(fault.place, language)
    return f"{fault.subject.hex()}  {fault.insee}-{fault.gateway}"


def short_text(fault: StandingFault, language: str) -> str:
    """Returns what it is about, in a few words: `point lumineux 0117`."""
    place = fault.place
    return fault.subject.hex() if place is None else place.name or words.key_text(place.key, language)


def sentence(fault: StandingFault, language: str) -> str:
    return events.sentence(fault.code, True, fault.detail, language)


def note_text(note: Note, language: str) -> str:
    at = time_text(note.written_unix_s, language)
    return translate(_NOTE, language, author=note.author, at=at, text=deed_text(note, language))


def deed_text(note: Note, language: str) -> str:
    """Returns what a person did and said about a fault: `takes it in hand: fuse ordered`."""
    if note.is_repaired is not None:
        deed = _REPAIRED[note.is_repaired]
    elif note.holder is None:
        return note.words
    else:
        deed = _GIVEN_BACK if not note.holder else _TAKEN if note.holder == note.author else _HANDED
    said = translate(deed, language, person=note.holder)
    return translate(_SAYING, language, deed=said, words=note.words) if note.words else said


def group_lines(one: Group, lights: int, language: str) -> list[str]:
    """Returns a group for people: when and where, then what, who has it in hand, and what to do."""
    first = one.first
    lines = [f"{time_text(first.since_unix_s, language)}  {where_text(first, language)}", sentence(first, language)]
    if first.is_over:
        over = _REPLACED if first.is_replaced else _OVER
        lines.append(translate(over, language, at=time_text(first.end_unix_s, language)))
    if lights:
        lines.append(translate(_LIGHTS, language, count=lights))
    if one.others:
        names = _names(one, language)
        lines.append(translate(_OTHERS, language, count=len(one.others), names=names))
    lines += [note_text(note, language) for note in first.notes]
    remedy = events.remedy(first.code, language)
    return lines if remedy is None or first.is_over else [*lines, f"→ {translate(_TO_DO, language, text=remedy)}"]


def _names(one: Group, language: str) -> str:
    counted = sorted({short_text(fault, language) for fault in one.others})
    shown = ", ".join(counted[:_NAMES_SHOWN])
    more = len(counted) - _NAMES_SHOWN
    return translate(_AND_MORE, language, names=shown, count=more) if more > 0 else shown


def state_text(state: str, language: str) -> str:
    return translate(WORDS[state], language)


def fault_text(label: str | None, language: str) -> str:
    """Returns the name of a fault by its label on the wire."""
    code = None if label is None else event_table.code_from_label(label)
    return "" if code is None else events.name(code, language)


def plain(fault: StandingFault, language: str) -> dict[str, Any]:
    """Returns a fault for a program."""
    return {
        "node": fault.node.hex(),
        "insee": fault.insee,
        "gateway": fault.gateway,
        "place": words.place_plain(fault.place, language),
        "event": event_table.label(fault.code),
        "since_unix_s": fault.since_unix_s,
        "is_over": fault.is_over,
        "end_unix_s": fault.end_unix_s,
        "is_replaced": fault.is_replaced,
        "sentence": sentence(fault, language),
        "to_do": events.remedy(fault.code, language),
        "in_hand_of": fault.holder,
        "notes": [note._asdict() for note in fault.notes],
    }
