"""Computes hours and days of the warehouse: energy, water, temperatures, lit and covered time.

It computes what came since the last time, then waits for more, beside the ingest; several may run. With `--once` it
ends when nothing is left. With `--again` it computes everything from records, which gives the same figures. With
`--web` it writes into the warehouse what people said about faults on the screens, which only read it. It also brings
into the register which light a node serves, as technicians stated at its cabinet, where the register knows none
(`bocage centre register placed`).

example:
  bocage centre rollup --db centre.db
  bocage centre rollup --db centre.db --once
  bocage centre rollup --db centre.db --web web.sqlite3
"""

import argparse
import os
import time
from contextlib import AbstractContextManager, closing, nullcontext

from gateway.language import NN_, Phrases
from tools.centre.arguments import add_warehouse, check_warehouse, database_faults
from tools.centre.condition.notes import Fetcher, path_of
from tools.centre.limits import ROLLUP_DAYS, ROLLUP_EVERY_S, ROLLUP_PAUSE_S
from tools.centre.register import placed
from tools.centre.rollup.second_process import Helper
from tools.centre.rollup.worker import Worker
from tools.centre.store import database, runs, schema

_WORDS = Phrases({"days": NN_("{count} day of a node computed", "{count} days of nodes computed")})


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_warehouse(parser)
    parser.add_argument("--web", metavar="FILE", help="the database of `bocage centre web`: fetch its notes on faults")
    parser.add_argument("--once", action="store_true", help="end when nothing is left to compute")
    parser.add_argument("--again", action="store_true", help="first forget all figures: they come from records anew")


def run(args: argparse.Namespace) -> int:
    check_warehouse(args.db)
    with database_faults(args.db):
        connection = schema.open_to_write(args.db)
        # One processor is better left to the worker.
        helper = Helper(args.db) if (os.cpu_count() or 1) > 1 else None
        try:
            worker = Worker(connection, helper)
            if args.again:
                worker.mark_all()
            with _fetching(args, connection) as fetcher:
                _work(worker, connection, fetcher, args)
        except KeyboardInterrupt:  # each step is whole or not at all
            pass
        finally:
            if helper is not None:
                helper.close()
            connection.close()
    return 0


def _fetching(
    args: argparse.Namespace, connection: database.Connection
) -> AbstractContextManager[Fetcher | None]:
    if args.web is None:
        return nullcontext()
    from tools.centre.mqtt import log  # needs paho-mqtt, which figures do not

    return closing(Fetcher(path_of(args.web), args.db, connection, log))


def _work(worker: Worker, connection: database.Connection, fetcher: Fetcher | None, args: argparse.Namespace) -> None:
    while True:
        if fetcher is not None:
            fetcher.fetch(now_s=int(time.time()))
        placed.reconcile(connection)
        worker.fill_calendar(now_s=int(time.time()))
        days = 0
        while count := worker.step(ROLLUP_DAYS):
            days += count
            if not args.once:
                time.sleep(ROLLUP_PAUSE_S)
        runs.note(connection, runs.ROLLUP, int(time.time()))
        if days or args.once:
            print(_WORDS.text("days", args.lang, count=days), flush=True)
        if args.once:
            return
        time.sleep(ROLLUP_EVERY_S)
