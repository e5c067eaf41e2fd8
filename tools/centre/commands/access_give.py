"""Gives a person the right to see a trade of a commune: lighting, heating, watering, or all three; a contractor the
lights of a street, or equipment by name, until a day.

Without such a right a person sees nothing. `--commune all` is the territory. `--trade journal` is the right to read who
read and did what (`bocage centre access journal`), which the trades do not bring. The right is kept with its days and
with who gave it, and ends by itself after `--until`; `bocage centre access withdraw` ends it at once.

example:
  bocage centre access give "Léa Durand" --db centre.db --commune 49135 --trade lighting --until 2027-08-31
  bocage centre access give "Paul Roy" --db centre.db --commune all --trade all
  bocage centre access give "Lumen, ticket 118" --commune 49135 --street "Rue du Port" --until 2026-12-15
  bocage centre access give "Lumen, ticket 119" --commune 49135 --equipment light/00117 --until 2026-12-15
"""

import argparse
import time
from contextlib import closing

from gateway.language import N_, translate
from tools.centre.arguments import (
    account,
    add_person,
    add_warehouse,
    check_insee,
    check_warehouse,
    database_faults,
    first_day,
)
from tools.centre.limits import NOTE_TEXT_MAX
from tools.centre.register import equipment
from tools.centre.scope import grants, journal
from tools.centre.scope.words import grant_text
from tools.centre.store import database, schema
from tools.command_line import UsageError

ALL_WORD = "all"
# A cabinet and its feeders speak for all that hangs on them.
_KINDS = (equipment.LIGHT, equipment.ROOM, equipment.GREEN_SPACE, equipment.METER)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("who", metavar="PERSON", help="the name under which this person will read")
    add_warehouse(parser)
    add_areas(parser, is_needed=True)
    text = N_("by ticket: the lights of a street, with the faults of their nodes; may be repeated")
    parser.add_argument("--street", action="append", default=[], metavar="NAME", help=text)
    text = f"by ticket: one equipment, with the faults of its node ({', '.join(_KINDS)}); may be repeated"
    parser.add_argument("--equipment", action="append", default=[], metavar="KIND/ID", help=text)
    parser.add_argument("--from", dest="since", metavar="DAY", help="from this day on (default: at once)")
    parser.add_argument("--until", metavar="DAY", help="to this day included (default: until it is withdrawn)")
    add_person(parser, N_("who gives it (default: the account that runs this)"))


def add_areas(parser: argparse.ArgumentParser, *, is_needed: bool) -> None:
    text = N_("of this commune, or all; may be repeated")
    parser.add_argument("--commune", required=is_needed, action="append", metavar="INSEE", help=text)
    choices = (ALL_WORD, *(trade for trade in grants.TRADES if trade != grants.ALL))
    parser.add_argument("--trade", action="append", choices=choices, help="may be repeated")


def communes_of(args: argparse.Namespace) -> list[str]:
    for text in args.commune or ():
        if text != ALL_WORD:
            check_insee("--commune", text)
    return [grants.ALL if text == ALL_WORD else text for text in args.commune or ()]


def trades_of(args: argparse.Namespace) -> list[str]:
    return [grants.ALL if trade == ALL_WORD else trade for trade in args.trade or ()]


def _tickets(args: argparse.Namespace) -> list[str]:
    """Returns what stands in the place of a trade for a contractor."""
    if not args.street and not args.equipment:
        if not args.trade:
            raise UsageError(N_("give --trade, or for a contractor --street or --equipment"))
        return []
    if args.until is None or ALL_WORD in args.commune:
        raise UsageError(N_("--street, --equipment: with --until, and the commune in which they stand"))
    for one in args.equipment:
        kind, _, id = one.partition("/")
        if kind not in _KINDS or not id:
            message = N_("--equipment {given}: give KIND/ID, such as light/00117; kinds are {kinds}")
            raise UsageError(message, given=repr(one), kinds=", ".join(_KINDS))
    return [*(grants.OF_STREET + one for one in args.street), *(grants.OF_PLACE + one for one in args.equipment)]


def run(args: argparse.Namespace) -> int:
    now_s = int(time.time())
    if not args.who or len(args.who) > NOTE_TEXT_MAX or not args.who.isprintable():
        raise UsageError(N_("{field}: give one line of text"), field="PERSON")
    from_s = now_s if args.since is None else first_day("--from", args.since, now_s=now_s)
    until_s = None
    if args.until is not None:
        until_s = equipment.following_day(first_day("--until", args.until, now_s=now_s))
        if until_s <= from_s:
            raise UsageError(N_("--from, --until: the first day comes after the last"))
    by, tickets = args.person or account(), _tickets(args)
    given = [
        grants.Grant(args.who, insee, trade, from_s, until_s, by, now_s)
        for insee in communes_of(args)
        for trade in (*trades_of(args), *tickets)
    ]
    check_warehouse(args.db)
    with (
        database_faults(args.db),
        closing(schema.open_to_write(args.db)) as connection,
        database.transaction(connection),
    ):
        for one in given:
            grants.give(connection, one)
            journal.add(connection, journal.of_grant(one, "access give", by, now_s=now_s))
    for one in given:
        print(translate(N_("given: {grant}"), args.lang, grant=grant_text(one, args.lang)))
    return 0
