"""Withdraws what a person may see, at once: everything, or one commune or trade as it was given.

What was given stays known, with its days (`bocage centre access list --ended`). A page that is being read ends as it
began; the next one has nothing.

example:
  bocage centre access withdraw "Léa Durand" --db centre.db
  bocage centre access withdraw "Léa Durand" --db centre.db --commune 49135 --trade heating
"""

import argparse
import time
from contextlib import closing

from gateway.language import N_, translate
from tools.centre.arguments import account, add_person, add_warehouse, check_warehouse, database_faults
from tools.centre.commands.access_give import add_areas, communes_of, trades_of
from tools.centre.scope import grants, journal
from tools.centre.scope.words import grant_text
from tools.centre.store import database, schema
from tools.command_line import Refused


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("who", metavar="PERSON", help="as it was given")
    add_warehouse(parser)
    add_areas(parser, is_needed=False)
    add_person(parser, N_("who withdraws it (default: the account that runs this)"))


def run(args: argparse.Namespace) -> int:
    now_s = int(time.time())
    by = args.person or account()
    communes, trades = communes_of(args), trades_of(args)
    check_warehouse(args.db)
    with (
        database_faults(args.db),
        closing(schema.open_to_write(args.db)) as connection,
        database.transaction(connection),
    ):
        ended = grants.withdraw(connection, args.who, communes, trades, now_s=now_s)
        for one in ended:
            journal.add(connection, journal.of_grant(one, "access withdraw", by, now_s=now_s))
    if not ended:
        raise Refused(N_("{person}: no such right is in force; see `bocage centre access list`"), person=args.who)
    for one in ended:
        print(translate(N_("withdrawn: {grant}"), args.lang, grant=grant_text(one, args.lang)))
    return 0
