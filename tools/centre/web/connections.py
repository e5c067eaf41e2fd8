"""Keeps connections to a warehouse on a server from one request to the next, each with the rights that it began with.

A login costs the server 6 ms, writing down the rights to a commune of 2,000 lights 30 ms, and the first questions of a
session 80 ms more than the next. A session is never given other rights: it is lent to a person with exactly the same
areas, so nothing has to be taken back from it. It ends CONNECTION_KEPT_S after it began, since the nodes of a commune
are written down with the rights. A request that finds CONNECTIONS_MAX in use waits for one. A warehouse that is a file
is opened for each question but the first of a request, what is granted to its person: opening it and reading its tables
for that was a sixth of a page.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from threading import BoundedSemaphore, Lock
from typing import NamedTuple

from gateway.language import N_
from tools.centre.scope import grants, reader
from tools.centre.store import database, schema, sqlite_file
from tools.centre.web.limits import CONNECTION_KEPT_S, CONNECTION_WAIT_S, CONNECTIONS_KEPT_MAX, CONNECTIONS_MAX

# What is granted: pairs of a commune and a trade.
Areas = frozenset[tuple[str, str]]


class _Session(NamedTuple):
    warehouse: str
    areas: Areas | None  # None: of the web's own role, which reads grants only
    begun_s: float
    connection: database.Connection


_BUSY = N_("the server of PostgreSQL is busy: {count} questions wait for it")
_IN_USE = BoundedSemaphore(CONNECTIONS_MAX)
_LOCK = Lock()
_KEPT: list[_Session] = []  # not lent, in the order in which they came back


class _OnFile:
    """Asks a warehouse that is a file what is granted, on a connection that stays. Each request has a thread of its
    own, so one asks at a time; a grant is seen with the question after its commit."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._warehouse = ""
        self._held = database.HeldOpen(self._warehouse, _open_for_threads)

    def areas(self, warehouse: str, person: str, *, now_s: int) -> Areas:
        with self._lock:
            if warehouse != self._warehouse:
                self._held.close()
                self._warehouse, self._held = warehouse, database.HeldOpen(warehouse, _open_for_threads)
            try:
                return frozenset(grants.areas(self._held.connection(), person, now_s=now_s))
            except database.Error:
                self._held.close()
                raise

    def close(self) -> None:
        with self._lock:
            self._held.close()


def _open_for_threads(path: str) -> database.Connection:
    return database.checked(schema.SCHEMA, sqlite_file.open_to_read(path, threads=True))


_ON_FILE = _OnFile()


def close() -> None:
    """Closes what is kept, at the end of the process."""
    _ON_FILE.close()
    with _LOCK:
        over, _KEPT[:] = list(_KEPT), []
    for one in over:
        one.connection.close()


@contextmanager
def opened(warehouse: str, areas: Areas) -> Iterator[database.Connection]:
    """Lends a connection that sees what these areas open, and nothing else."""
    with _lent(warehouse, areas, lambda: reader.open_to_read(warehouse, set(areas))) as connection:
        yield connection


def areas_of(warehouse: str, person: str, *, now_s: int) -> Areas:
    """Returns what is granted to a person now."""
    if not database.is_server(warehouse):
        return _ON_FILE.areas(warehouse, person, now_s=now_s)
    with _lent(warehouse, None, lambda: schema.open_to_read(warehouse)) as connection:
        return frozenset(grants.areas(connection, person, now_s=now_s))


@contextmanager
def _lent(
    warehouse: str, areas: Areas | None, begin: Callable[[], database.Connection]
) -> Iterator[database.Connection]:
    if not database.is_server(warehouse):
        with closing(begin()) as connection:
            yield connection
        return
    if not _IN_USE.acquire(timeout=CONNECTION_WAIT_S):
        raise database.Unusable(_BUSY, count=CONNECTIONS_MAX)
    try:
        with _session(warehouse, areas, begin) as connection:
            yield connection
    finally:
        _IN_USE.release()


@contextmanager
def _session(
    warehouse: str, areas: Areas | None, begin: Callable[[], database.Connection]
) -> Iterator[database.Connection]:
    now_s = time.monotonic()
    session = _taken(warehouse, areas, now_s=now_s) or _Session(warehouse, areas, now_s, begin())
    try:
        yield session.connection
    except BaseException:
        session.connection.close()  # a question may be under way on it
        raise
    if session.connection.in_transaction:
        session.connection.close()
    else:
        _keep(session)


def _taken(warehouse: str, areas: Areas | None, *, now_s: float) -> _Session | None:
    """Returns a session that is kept for these areas, and answers; ends those that are over."""
    with _LOCK:
        over = [one for one in _KEPT if now_s - one.begun_s >= CONNECTION_KEPT_S]
        mine = [one for one in _KEPT if one not in over and (one.warehouse, one.areas) == (warehouse, areas)]
        _KEPT[:] = [one for one in _KEPT if one not in over and one not in mine[-1:]]
    for one in over:
        one.connection.close()
    for one in mine[-1:]:
        with suppress(database.Error):
            one.connection.execute("SELECT 1")
            return one
        one.connection.close()  # the server was restarted
    return None


def _keep(session: _Session) -> None:
    with _LOCK:
        _KEPT.append(session)
        over = [_KEPT.pop(0)] if len(_KEPT) > CONNECTIONS_KEPT_MAX else []
    for one in over:
        one.connection.close()
