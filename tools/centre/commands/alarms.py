"""Lists the alarms in force in the territory: since when, at which equipment, what it is and what to do about it.

An alarm is in force from the record that begins it to the record that ends it, whichever node or gateway sent them; an
equipment may have several of one kind, by feeder, zone or sensor. The latest comes first.

example:
  bocage centre alarms --db centre.db
"""

import argparse
import json
import time
from typing import Any, NamedTuple

from gateway.language import N_, events, translate
from tools.centre.arguments import add_file, local_time, opened_archive
from tools.centre.store.archive import Archive, Held
from tools.command_line import add_json
from wire import event, record

# Fields of a detail that distinguish two alarms of one kind at the same equipment.
_IDENTIFYING = frozenset(("feeder", "zone", "sensor", "meter", "bearer", "flag", "about"))
_NONE = N_("No alarm stands.")
_TO_DO = N_("to do: {text}")
_TIME_UNKNOWN = N_("time unknown")


class StandingAlarm(NamedTuple):
    """Holds an alarm that has begun and not ended. `unix_s`: since when, where that is known."""

    held: Held
    unix_s: int | None
    code: int
    detail: Any


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_file(parser, "the warehouse, an SQLite file")
    add_json(parser, "for programs")


def run(args: argparse.Namespace) -> int:
    with opened_archive(args.db) as archive:
        found = standing_alarms(archive)
    if args.json:
        print(json.dumps([_plain(alarm, args.lang) for alarm in found], ensure_ascii=False, indent=2))
        return 0
    now_s = int(time.time())
    for alarm in found:
        print("\n".join(_lines(alarm, args.lang, now_s)))
    if not found:
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
            unix_s = archive.moment(held.node, held.boot, held.stamp).unix_s
            found[key] = StandingAlarm(held, unix_s, body.code, body.detail)
        elif body.active:
            found[key] = found[key]._replace(detail=body.detail)  # the time of its beginning does not change
        else:
            found.pop(key, None)
    return sorted(found.values(), key=lambda alarm: -(alarm.unix_s or alarm.held.received_unix_s))


def _identity(code: int, detail: Any) -> tuple[Any, ...]:
    entry = event.BY_CODE.get(code)
    fields = entry.detail if entry is not None and entry.detail else ()
    given = detail if isinstance(detail, (list, tuple)) else ()
    return tuple(value for field, value in zip(fields, given, strict=False) if field in _IDENTIFYING)


def _lines(alarm: StandingAlarm, language: str, now_s: int) -> list[str]:
    since = translate(_TIME_UNKNOWN, language) if alarm.unix_s is None else local_time(alarm.unix_s, now_s=now_s)
    place = f"{alarm.held.insee}-{alarm.held.gateway}"
    said = events.sentence(alarm.code, True, alarm.detail, language)
    lines = [f"{since}  {alarm.held.node.hex()}  {place}  {said}"]
    remedy = events.remedy(alarm.code, language)
    return lines if remedy is None else [*lines, f"    → {translate(_TO_DO, language, text=remedy)}"]


def _plain(alarm: StandingAlarm, language: str) -> dict[str, Any]:
    return {
        "node": alarm.held.node.hex(),
        "insee": alarm.held.insee,
        "gateway": alarm.held.gateway,
        "event": event.label(alarm.code),
        "since_unix_s": alarm.unix_s,
        "sentence": events.sentence(alarm.code, True, alarm.detail, language),
        "to_do": events.remedy(alarm.code, language),
    }
