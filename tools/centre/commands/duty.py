"""Sends mail and SMS about serious faults to the person on duty, until a person takes them in hand.

The rota names the person on duty (`bocage centre duty rota`, or the screens); `duty person` says how to reach each. The
person on duty gets the first message. The substitute gets one when no person has taken the fault in hand on the screens
after some minutes. The end is told once; many faults at once are one message. One dead lamp waits for the list of the
morning. --config says by which mail server and which gateway of SMS; its form stands in INSTALLATION.md.

example:
  bocage centre duty --db centre.db --web web.sqlite3 --config duty.toml --book duty.db
  bocage centre duty --db centre.db --web web.sqlite3 --config duty.toml --book duty.db --trial "Alice Martin"
"""

import argparse
import time
from pathlib import Path

from gateway.language import N_, Sentence, translate
from gateway.language.reasons import of_file
from tools.centre.arguments import add_warehouse, check_warehouse, database_faults
from tools.centre.duty.sending import Configuration, Faulty, configuration
from tools.centre.limits import DUTY_EVERY_S
from tools.command_line import Refused, UsageError

_TRIED = N_("{person}: a trial goes out by each channel, within {seconds} s where the process runs")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_warehouse(parser)
    add_web(parser)
    parser.add_argument("--config", required=True, type=Path, metavar="FILE", help="how mail and SMS are sent (TOML)")
    parser.add_argument("--book", required=True, metavar="FILE", help="what was told to whom; made if missing")
    parser.add_argument("--once", action="store_true", help="look once, send, and end")
    parser.add_argument("--trial", metavar="PERSON", help="only tell this person that it is a trial")


def add_web(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--web", required=True, metavar="FILE", help="`--data` of `bocage centre web`: its rota")


def run(args: argparse.Namespace) -> int:
    check_warehouse(args.db)
    configured = _configured(args.config)
    from tools.centre.duty.watch import Busy, Watch
    from tools.centre.mqtt import log  # needs paho-mqtt, which a fault in the arguments does not

    with database_faults(args.book):
        if args.trial is not None:
            return _trial(args, configured)
        try:
            watch = Watch(args.db, args.book, args.web, configured, log)
        except Busy:
            raise Refused(N_("--book {path}: another `bocage centre duty` uses it"), path=args.book) from None
        try:
            while True:
                watch.turn(now_s=int(time.time()))
                if args.once:
                    break
                time.sleep(DUTY_EVERY_S)
        except KeyboardInterrupt:  # what was not sent is in the book
            pass
        finally:
            watch.close()
    return 0


def _configured(path: Path) -> Configuration:
    try:
        return configuration(path)
    except Faulty as fault:
        why = Sentence(fault.message, fault.values)
        raise UsageError(N_("--config {path}: {why}"), path=path, why=why) from fault
    except OSError as error:
        raise UsageError(N_("--config {path}: {why}"), path=error.filename, why=of_file(error)) from error


def _trial(args: argparse.Namespace, configured: Configuration) -> int:
    from tools.centre.duty import rota
    from tools.centre.duty.book import Book
    from tools.centre.duty.desk import Desk, Options

    person = rota.read(rota.path_of(args.web)).people.get(args.trial)
    if person is None:
        raise UsageError(N_("{person}: no telephone and no mail is known; see `duty person`"), person=args.trial)
    book = Book.open(args.book)
    try:
        desk = Desk(book, Options(configured.origin, configured.minutes, tuple(configured.channels)))
        desk.trial(person, now_s=int(time.time()))
    finally:
        book.close()
    print(translate(_TRIED, args.lang, person=person.name, seconds=DUTY_EVERY_S))
    return 0
