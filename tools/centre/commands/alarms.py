"""Lists the alarms in force in the territory: since when, at which equipment, what it is and what to do about it.

Equipment that the register knows is called as people call it; other nodes by their id and the cabinet that carries
them (`bocage centre register unknown`).

An alarm is in force from the record that begins it to the record that ends it, whichever node or gateway sent them; an
equipment may have several of one kind, by feeder, zone or sensor. The latest comes first. Then come the alarms of the
warehouse itself: who uses an identity that is not his, speaks for nodes of another cabinet, or states a time that
cannot be. These have a number, and stand until somebody closes them.

example:
  bocage centre alarms --db centre.db
  bocage centre alarms --db centre.db --close 3
"""

import argparse
import json
import time
from typing import Any, NamedTuple

from gateway.language import N_, Message, Phrases, events, translate
from tools.centre.arguments import add_file, local_time, opened_archive, opened_register
from tools.centre.commands.bind import opened_warehouse
from tools.centre.ingest import alarms as kinds
from tools.centre.registry import words
from tools.centre.registry.equipment import CABINET
from tools.centre.registry.register import Place, Register
from tools.centre.store.archive import Alarm, Archive, Held
from tools.command_line import UsageError, add_json
from wire import event, record

# Fields of a detail that distinguish two alarms of one kind at the same equipment.
_IDENTIFYING = frozenset(("feeder", "zone", "sensor", "meter", "bearer", "flag", "about"))
_NONE = N_("No alarm stands.")
_TO_DO = N_("to do: {text}")
_TIME_UNKNOWN = N_("time unknown")
_OTHERS = N_("others")
_RAISED = N_("no. {number}  {first} to {last}, {times} times  {sentence}")
# Of the warehouse's own alarms: by kind, of a clone by what it is known by as well.
_SENTENCES = Phrases({
    kinds.IDENTITY: N_("{cabinet}: another gateway uses its name or its id: {subject}"),
    kinds.CROWD: N_("{cabinet}: names more nodes, or says more about others' nodes, than a cabinet has"),
    kinds.FOREIGN: N_("{cabinet}: speaks for nodes of {subject}; its records are kept apart, the last about {detail}"),
    f"{kinds.CLONE}.{kinds.BODY}": N_("{cabinet}: two different records of {subject} have one number"),
    f"{kinds.CLONE}.{kinds.BOOTS}": N_("{cabinet}: two starts of {subject} send records of the same time"),
    f"{kinds.CLONE}.{kinds.EPOCHS}": N_("{cabinet}: two agents of the gateway {subject} run at the same time"),
    kinds.TIME: N_("{cabinet}: {subject} states a time that cannot be, the last one {detail}"),
})  # fmt: skip
_REMEDIES: dict[str, Message] = {
    kinds.IDENTITY: N_("was the gateway exchanged? `bocage centre unbind`; if not, withdraw the other's certificate"),
    kinds.CROWD: N_("it holds its records; look at `bocage centre apart`, and whether the cabinet was opened"),
    kinds.FOREIGN: N_("were the nodes moved? `bocage centre apart` releases; if not, withdraw its certificate"),
    kinds.CLONE: N_("look for a second board or a copied card of this identity, and give one a new id and key"),
    kinds.TIME: N_("compare the clocks of this equipment, of its gateway and of this server; nothing is rewritten"),
}


class StandingAlarm(NamedTuple):
    """Holds an alarm that has begun and not ended. `unix_s`: since when, where that is known."""

    held: Held
    unix_s: int | None
    code: int
    detail: Any


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_file(parser, "the warehouse, an SQLite file")
    parser.add_argument("--close", type=int, metavar="NUMBER", help="an alarm of the warehouse that is settled")
    add_json(parser, "for programs")


def run(args: argparse.Namespace) -> int:
    if args.close is not None:
        with opened_warehouse(args.db) as warehouse:
            if not warehouse.close_alarm(args.close):
                raise UsageError(N_("--close {number}: there is no such alarm"), number=args.close)
        return 0
    now_s = int(time.time())
    with opened_archive(args.db) as archive, opened_register(args.db) as register:
        found = [(alarm, _place(register, alarm)) for alarm in standing_alarms(archive)]
        raised = [(alarm, _sentence(alarm, register, args.lang, now_s)) for alarm in archive.alarms()]
    if args.json:
        document = [_plain(*one, args.lang) for one in found]
        document += [_plain_raised(*one, args.lang) for one in raised]
        print(json.dumps(document, ensure_ascii=False, indent=2))
        return 0
    for alarm, place in found:
        print("\n".join(_lines(alarm, place, args.lang, now_s)))
    for one, sentence in raised:
        print("\n".join(_lines_raised(one, sentence, args.lang, now_s)))
    if not (found or raised):
        print(translate(_NONE, args.lang))
    return 0


def standing_alarms(archive: Archive) -> list[StandingAlarm]:
    """Returns the alarms that have begun and not ended, the latest first."""
    found: dict[tuple[Any, ...], StandingAlarm] = {}
    for held in archive.held(lane=event.ALARM):
        body = record.decode_body(held.body)
        if held.conflicting or isinstance(body, dict) or body.active is None:
            continue
        key = (held.node, body.code, *_identity(body.code, body.detail))
        if body.active and key not in found:
            unix_s = archive.moment_of(held).unix_s
            found[key] = StandingAlarm(held, unix_s, body.code, body.detail)
        elif body.active:
            found[key] = found[key]._replace(detail=body.detail)  # the time of its beginning does not change
        else:
            found.pop(key, None)
    return sorted(found.values(), key=lambda alarm: -(alarm.unix_s or alarm.held.received_unix_s))


def _identity(code: int, detail: Any) -> tuple[Any, ...]:
    return tuple(value for field, value in _fields(code, detail).items() if field in _IDENTIFYING)


def _fields(code: int, detail: Any) -> dict[str, Any]:
    """Returns the fields of a detail by name."""
    entry = event.BY_CODE.get(code)
    fields = entry.detail if entry is not None and entry.detail else ()
    given = detail if isinstance(detail, (list, tuple)) else ()
    return dict(zip(fields, given, strict=False))


def _place(register: Register, alarm: StandingAlarm) -> Place | None:
    """Returns where it is: the equipment of its node, its zone, or the feeder that a cabinet names."""
    fields = _fields(alarm.code, alarm.detail)
    at_s = alarm.held.received_unix_s if alarm.unix_s is None else alarm.unix_s
    place = register.of_node(alarm.held.node, unix_s=at_s, zone=fields.get("zone"))
    feeder = fields.get("feeder")
    if place is None or place.key.kind != CABINET or not isinstance(feeder, str):
        return place
    return register.of_feeder(place, feeder, unix_s=at_s)


def _lines(alarm: StandingAlarm, place: Place | None, language: str, now_s: int) -> list[str]:
    since = translate(_TIME_UNKNOWN, language) if alarm.unix_s is None else local_time(alarm.unix_s, now_s=now_s)
    unknown = f"{alarm.held.node.hex()}  {alarm.held.insee}-{alarm.held.gateway}"
    where = unknown if place is None else words.place_text(place, language)
    said = events.sentence(alarm.code, True, alarm.detail, language)
    lines = [f"{since}  {where}  {said}"]
    remedy = events.remedy(alarm.code, language)
    return lines if remedy is None else [*lines, f"    → {translate(_TO_DO, language, text=remedy)}"]


def _plain(alarm: StandingAlarm, place: Place | None, language: str) -> dict[str, Any]:
    return {
        "node": alarm.held.node.hex(),
        "insee": alarm.held.insee,
        "gateway": alarm.held.gateway,
        "place": words.place_plain(place, language),
        "event": event.label(alarm.code),
        "since_unix_s": alarm.unix_s,
        "sentence": events.sentence(alarm.code, True, alarm.detail, language),
        "to_do": events.remedy(alarm.code, language),
    }


def _sentence(alarm: Alarm, register: Register, language: str, now_s: int) -> str:
    key = f"{alarm.kind}.{alarm.detail}" if alarm.kind == kinds.CLONE else alarm.kind
    subject, detail = (
        words.id_text(register, text, language, unix_s=alarm.last_unix_s) for text in (alarm.subject, alarm.detail)
    )
    if alarm.kind == kinds.TIME:
        detail = local_time(int(alarm.detail), now_s=now_s)
    subject = subject or translate(_OTHERS, language)
    return _SENTENCES.text(key, language, cabinet=alarm.cabinet or "*", subject=subject, detail=detail)


def _lines_raised(alarm: Alarm, said: str, language: str, now_s: int) -> list[str]:
    first, last = (local_time(at_s, now_s=now_s) for at_s in (alarm.first_unix_s, alarm.last_unix_s))
    remedy = translate(_REMEDIES[alarm.kind], language)
    line = translate(
        _RAISED, language, number=alarm.number, first=first, last=last, times=alarm.times, sentence=said
    )
    return [line, f"    → {translate(_TO_DO, language, text=remedy)}"]


def _plain_raised(alarm: Alarm, said: str, language: str) -> dict[str, Any]:
    return {**alarm._asdict(), "sentence": said, "to_do": translate(_REMEDIES[alarm.kind], language)}
