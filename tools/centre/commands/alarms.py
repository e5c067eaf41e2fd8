"""Lists what is broken in the territory: since when, where, what follows from it, who has it in hand, what to do.

A fault lasts from the record that begins it to the record that ends it; an equipment may have several, by feeder, zone
or sensor. Faults of one cause are one entry: what a feeder without current puts out stands under it, and so do the
cabinets of a village without mains. The latest comes first; `--round` goes from street to street. With days, all that
lasted on one of them is told, what is over too; with the id of an equipment, all that it ever had.

Then come the alarms of the warehouse itself: who uses an identity that is not his, speaks for nodes of another cabinet,
or states a time that cannot be. These have a number, and stand until somebody closes them.

example:
  bocage centre alarms --db centre.db
  bocage centre alarms --db centre.db --round --commune 49135
  bocage centre alarms 49135-0117 --db centre.db
  bocage centre alarms 49135-0117 --db centre.db --acknowledge "fuse ordered" --as "Léa Durand"
  bocage centre alarms --db centre.db --close 3
"""

import argparse
import json
import textwrap
import time
from collections import Counter
from contextlib import closing
from itertools import groupby
from typing import Any

from gateway.language import N_, NC_, Message, Phrases, translate
from tools.centre import report
from tools.centre.arguments import (
    account,
    add_reading,
    add_scope,
    database_faults,
    local_time,
    note,
    opened_connection,
    parse_period,
)
from tools.centre.commands.bind import opened_warehouse
from tools.centre.condition import faults as book
from tools.centre.condition import words as fault_words
from tools.centre.condition.faults import Faults, StandingFault
from tools.centre.condition.groups import Group, group, lights_behind
from tools.centre.ingest import alarms as kinds
from tools.centre.limits import NOTE_TEXT_MAX
from tools.centre.register import words
from tools.centre.register.equipment import LIGHT, id_from_hex
from tools.centre.register.register import Register
from tools.centre.report import Column
from tools.centre.store import database, schema
from tools.centre.store.archive import Alarm, Archive
from tools.command_line import UsageError

_NONE = N_("No alarm stands.")
_NONE_OF_IT = N_("{what}: no alarm is known of it.")
_TO_DO = N_("to do: {text}")
_OTHERS = N_("others")
_NO_STREET = N_("without a street")
_RAISED = N_("no. {number}  {first} to {last}, {times} times  {sentence}")
# Of the warehouse's own alarms: by kind, of a clone by what it is known by as well.
_SENTENCES = Phrases({
    kinds.IDENTITY: N_("{cabinet}: another gateway uses its name or its id: {subject} {detail}"),
    kinds.CROWD: N_("{cabinet}: names more nodes, or says more about others' nodes, than a cabinet has"),
    kinds.QUOTA: N_("{cabinet}: brings more in a day than a cabinet may ({subject})"),
    kinds.FOREIGN: N_("{cabinet}: speaks for nodes of {subject}; its records are kept apart, the last about {detail}"),
    f"{kinds.CLONE}.{kinds.BODY}": N_("{cabinet}: two different records of {subject} have one number"),
    f"{kinds.CLONE}.{kinds.BOOTS}": N_("{cabinet}: two starts of {subject} send records of the same time"),
    f"{kinds.CLONE}.{kinds.EPOCHS}": N_("{cabinet}: two agents of the gateway {subject} run at the same time"),
    kinds.TIME: N_("{cabinet}: {subject} states a time that cannot be, the last one {detail}"),
})  # fmt: skip
_REMEDIES: dict[str, Message] = {
    kinds.IDENTITY: N_("was the gateway exchanged? `bocage centre unbind`; if not, withdraw the other's certificate"),
    kinds.CROWD: N_("it holds its records; look at `bocage centre apart`, and whether the cabinet was opened"),
    kinds.QUOTA: N_("it holds the rest and sends it from midnight (UTC) on; look whether the cabinet was opened"),
    kinds.FOREIGN: N_("were the nodes moved? `bocage centre apart` releases; if not, withdraw its certificate"),
    kinds.CLONE: N_("look for a second board or a copied card of this identity, and give one a new id and key"),
    kinds.TIME: N_("compare the clocks of this equipment, of its gateway and of this server; nothing is rewritten"),
}
_COLUMNS = (
    Column("since_unix_s", NC_("column", "since"), fault_words.time_text),
    Column("end_unix_s", NC_("column", "over"), fault_words.optional_time_text),
    Column("commune", NC_("column", "commune")),
    Column("street", NC_("column", "street")),
    Column("id", NC_("column", "id")),
    Column("name", NC_("column", "name")),
    Column("cabinet", NC_("column", "cabinet")),
    Column("feeder", NC_("column", "feeder")),
    Column("fault", NC_("column", "fault")),
    Column("others", NC_("column", "other faults")),
    Column("lights", NC_("column", "lights")),
    Column("taken_by", NC_("column", "in hand of")),
    Column("to_do", NC_("column", "to do")),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", nargs="?", metavar="ID", help="of one equipment: 49135-0117, a cabinet, a node")
    add_reading(parser)
    add_scope(parser)
    parser.add_argument("--round", action="store_true", help="by street, as a technician drives")
    parser.add_argument("--acknowledge", metavar="WORDS", help="takes the open faults of ID in hand")
    parser.add_argument("--comment", metavar="WORDS", help="says something about them")
    parser.add_argument("--close", type=int, metavar="NUMBER", help="an alarm of the warehouse that is settled")
    report.add_forms(parser)


def run(args: argparse.Namespace) -> int:
    now_s = int(time.time())
    if args.close is not None:
        return _close(args)
    if args.acknowledge is not None or args.comment is not None:
        return _note(args, now_s)
    period = parse_period(args, now_s=now_s)
    with opened_connection(args) as connection:
        register = Register(connection)
        groups = _groups(args, Faults(connection), register, period)
        lights = _lights(register, now_s)
        raised = [] if args.what or period or args.commune else Archive(connection).alarms()
        told = [(alarm, _sentence(alarm, register, args.lang, now_s)) for alarm in raised]
    _print(args, groups, lights, told, now_s)
    return 0


def _groups(args, faults: Faults, register: Register, period: tuple[int, int] | None) -> list[Group]:
    """Returns the groups that were asked for."""
    if args.what and period is None:
        history = faults.of_nodes(_nodes(args.what, register))
        groups = [Group(fault, ()) for fault in history if _is_of(fault, args.what)]
    else:
        groups = group(faults.open() if period is None else faults.between(*period))
        if args.what:
            groups = [one for one in groups if any(_is_of(fault, args.what) for fault in one.all)]
    if args.commune:
        groups = [one for one in groups if one.is_of(args.commune)]
    return sorted(groups, key=_street) if args.round else groups


def _print(args, groups, lights, told, now_s):
    if args.json:
        document = [
            {"group": number, "is_cause": fault is one.first, **fault_words.plain(fault, args.lang)}
            for number, one in enumerate(groups)
            for fault in one.all
        ]
        document += [_plain_raised(alarm, said, args.lang) for alarm, said in told]
        print(json.dumps(document, ensure_ascii=False, indent=2))
    elif args.csv:
        report.show(args, _COLUMNS, [_row(one, lights, args.lang) for one in groups], _NONE)
    elif groups or told:
        _print_text(args, groups, lights, told, now_s)
    elif args.what:
        print(translate(_NONE_OF_IT, args.lang, what=args.what))
    else:
        print(translate(_NONE, args.lang))


def _print_text(args, groups, lights, told, now_s):
    for street, some in groupby(groups, key=lambda one: _street_text(one, args.lang) if args.round else None):
        if street is not None:
            print(street)
        for one in some:
            first, *rest = fault_words.group_lines(one, lights_behind(one, lights), args.lang)
            print(_wrapped(first, "  " if args.round else ""))
            print("\n".join(_wrapped(line, "    ") for line in rest))
    for alarm, said in told:
        first, *rest = _lines_raised(alarm, said, args.lang, now_s)
        print(_wrapped(first, ""))
        print("\n".join(_wrapped(line, "    ") for line in rest))


def _wrapped(line: str, indent: str) -> str:
    return textwrap.fill(
        line, report.width(), initial_indent=indent, subsequent_indent=indent + "  ", break_on_hyphens=False
    )


def _close(args) -> int:
    with opened_connection(args) as connection:
        is_known = args.close in {alarm.number for alarm in Archive(connection).alarms()}
    if not is_known:
        raise UsageError(N_("--close {number}: there is no such alarm"), number=args.close)
    with opened_warehouse(args, "alarms --close", str(args.close), "") as warehouse:
        warehouse.close_alarm(args.close)
    return 0


def _note(args, now_s: int) -> int:
    """Writes what a person says about the open faults of an equipment."""
    said = args.comment if args.acknowledge is None else args.acknowledge
    by = args.person or account()
    for field, text in (("ID", args.what), ("--as", by), ("--acknowledge, --comment", said)):
        if not text or len(text) > NOTE_TEXT_MAX or not text.isprintable():
            raise UsageError(N_("{field}: give one line of text"), field=field)
    with opened_connection(args) as connection:
        found = [fault for fault in Faults(connection).open() if _is_of(fault, args.what)]
    if not found:
        raise UsageError(N_("{what}: no alarm stands of it; see `bocage centre alarms`"), what=args.what)
    with database_faults(args.db), closing(schema.open_to_write(args.db)) as connection:
        written = book.Note(now_s, by, None if args.acknowledge is None else by, said)
        with database.transaction(connection):
            book.note(connection, [(fault.node, fault.begin) for fault in found], written)
        deed = "alarms --comment" if args.acknowledge is None else "alarms --acknowledge"
        note(args, deed, args.what, found[0].commune)
    for fault in found:
        print(fault_words.where_text(fault, args.lang))
        print(_wrapped(fault_words.sentence(fault, args.lang), "    "))
    return 0


def _is_of(fault: StandingFault, what: str) -> bool:
    """Returns whether a fault is of what a person names: an id with or without commune, a node, or a feeder."""
    place = fault.place
    names = {fault.subject.hex()} if place is None else {fault.subject.hex(), place.key.address, place.key.id}
    if fault.names_feeder:
        names = {f"{fault.cabinet}/{fault.feeder}", f"{fault.cabinet.partition('-')[2]}/{fault.feeder}", fault.cabinet}
    return what in names


def _nodes(what: str, register: Register) -> set[bytes]:
    """Returns the nodes that served, on any day, what a person names, and the gateways of the cabinet in that name;
    UsageError where nothing is called so."""
    found = register.find(what)
    nodes = {one.equipment.node for one in found if one.equipment.node is not None}
    if (node := id_from_hex(what)) is not None:
        nodes.add(node)
    nodes.update(register.gateway_ids(what.partition("/")[0]))
    if not found and not nodes:
        raise UsageError(N_("{what}: the register has no such id, post or node"), what=what)
    return nodes


def _lights(register: Register, now_s: int) -> Counter[tuple[str | None, str | None]]:
    """Counts the lights of each feeder, and of each cabinet (None)."""
    counted: Counter[tuple[str | None, str | None]] = Counter()
    for version in register.versions(kind=LIGHT, at_unix_s=now_s):
        equipment = version.equipment
        counted[equipment.cabinet, equipment.feeder] += 1
        if equipment.feeder is not None:
            counted[equipment.cabinet, None] += 1
    return counted


def _street(one: Group) -> tuple[str, str, str, str]:
    place = one.first.place
    if place is None:
        return one.first.commune, "", one.first.cabinet, one.first.node.hex()
    return one.first.commune, place.street or "", place.cabinet or "", place.key.id


def _street_text(one: Group, language: str) -> str:
    place = one.first.place
    commune = (None if place is None else place.commune) or one.first.commune
    return f"{commune}, {(None if place is None else place.street) or translate(_NO_STREET, language)}"


def _row(one: Group, lights, language: str) -> dict[str, Any]:
    first, place = one.first, one.first.place
    plain = fault_words.plain(first, language)
    return {
        "since_unix_s": first.since_unix_s,
        "end_unix_s": first.end_unix_s,
        "commune": (None if place is None else place.commune) or first.commune,
        "street": None if place is None else place.street,
        "id": first.subject.hex() if place is None else place.key.address,
        "name": None if place is None else place.name,
        "cabinet": first.cabinet,
        "feeder": first.feeder,
        "fault": plain["sentence"],
        "others": len(one.others),
        "lights": lights_behind(one, lights),
        "taken_by": first.holder,
        "to_do": plain["to_do"],
    }


# --- the warehouse's own -----------------------------------------------------------------------------------------


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
    line = translate(_RAISED, language, number=alarm.number, first=first, last=last, times=alarm.times, sentence=said)
    return [line, f"→ {translate(_TO_DO, language, text=remedy)}"]


def _plain_raised(alarm: Alarm, said: str, language: str) -> dict[str, Any]:
    return {**alarm._asdict(), "sentence": said, "to_do": translate(_REMEDIES[alarm.kind], language)}
