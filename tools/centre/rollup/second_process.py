"""Computes days in a process of its own, while the worker computes others and writes what both have found.

It reads on a connection of its own and writes nothing. It ends when the worker does, however that ends: then its pipe
is closed.
"""

import gc
import multiprocessing
import signal
from collections.abc import Sequence
from contextlib import closing, suppress
from multiprocessing.connection import Connection

from tools.centre.rollup.node_days import Mark, Rows, computed
from tools.centre.store import database, schema


class Helper:
    """Is the worker's side. It is started when it is first asked, and answers in the order of what it was asked.

    `where`: the warehouse of the worker. database.Error where the process has ended."""

    def __init__(self, where: str) -> None:
        self._where = where
        self._pipe: Connection | None = None

    def ask(self, marked: Sequence[Mark]) -> None:
        if self._pipe is None:
            # A fork would have the worker's connection too.
            spawning = multiprocessing.get_context("spawn")
            self._pipe, its = spawning.Pipe()
            self._process = spawning.Process(target=_serve, args=(self._where, its, gc.get_threshold()), daemon=True)
            self._process.start()
            its.close()
        try:
            self._pipe.send(marked)
        except OSError as error:
            raise database.Error(_ENDED) from error

    def has_answered(self) -> bool:
        return self._pipe is not None and self._pipe.poll()

    def answer(self) -> Rows:
        assert self._pipe is not None
        try:
            return self._pipe.recv()
        except (EOFError, OSError) as error:
            raise database.Error(_ENDED) from error

    def close(self) -> None:
        if self._pipe is not None:
            self._pipe.close()
            self._process.join()
            self._pipe = None


_ENDED = "the helper of the roll-up has ended"


def _serve(where: str, pipe: Connection, garbage: Sequence[int]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C ends the worker, and that the pipe
    gc.set_threshold(*garbage)  # as in the worker
    with closing(schema.open_to_read(where)) as connection, suppress(EOFError, OSError):
        while True:
            pipe.send(computed(connection, pipe.recv()))
