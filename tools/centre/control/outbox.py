"""Hands orders that people signed in a browser from the web to the control daemon, by a file of the web's own.

    web      put, commit ──▶ orders ──▶ control    check again, keep in the control file

The web writes this file and no other that equipment obeys; the daemon reads it and writes only its own. An order is
on the disk before the person reads that it is signed, so it goes whatever becomes of the web's process. An order that
comes twice is one, for its id is. The daemon believes nothing of what stands here: each order is checked as if it had
been drafted at the centre (`drafts.checked`), and the cabinet checks last. A file that cannot be read delays nothing
else.
"""

import os
from collections.abc import Callable
from contextlib import closing

from gateway.language import N_
from tools.centre.control import drafts, orders
from tools.centre.control import file as control_file
from tools.centre.limits import COMMANDS_OPEN_MAX, ORDERS_FETCHED_MAX, OUTBOX_KEPT_S, OUTBOX_TRY_S
from tools.centre.store import database, sqlite_file
from wire.command import SIGNED_COMMAND_BYTES_MAX

# From 200 on: neither a warehouse nor a control file.
VERSION = 200
_TABLES = """
-- person: whose account gave it; the key that signed it is in the order. Times are Unix seconds.
CREATE TABLE orders (
    number INTEGER PRIMARY KEY AUTOINCREMENT, id BLOB NOT NULL UNIQUE, insee TEXT NOT NULL, expires_s INTEGER NOT NULL,
    signed BLOB NOT NULL, person TEXT NOT NULL, put_unix_s INTEGER NOT NULL
);
"""
SCHEMA = database.Schema(N_("an outbox of orders"), VERSION, _TABLES)
_WAITING = f"""SELECT number, signed FROM orders WHERE number > ? AND expires_s > ?
    AND length(signed) <= {SIGNED_COMMAND_BYTES_MAX} ORDER BY number LIMIT {ORDERS_FETCHED_MAX}"""


def path_of(data: str) -> str:
    """Returns the path of the outbox of the web whose own database this is."""
    return data + ".orders"


# --- the web's side ---------------------------------------------------------------------------------------------


def put(path: str, order: orders.Order, person: str, *, now_s: int) -> None:
    """Keeps an order on the disk. The same order again changes nothing. orders.Full where as many of its commune stand
    here as may be under way."""
    command = order.command
    row = (command.id, command.insee, command.expires_s, order.signed, person, now_s)
    with closing(database.made(SCHEMA, sqlite_file.open_to_write(path))) as web, database.transaction(web):
        web.execute("DELETE FROM orders WHERE expires_s < ?", (now_s - OUTBOX_KEPT_S,))
        waiting = web.execute(
            "SELECT count(*) FROM orders WHERE insee = ? AND expires_s > ? AND id <> ?",
            (command.insee, now_s, command.id),
        ).fetchone()[0]
        if waiting >= COMMANDS_OPEN_MAX:
            raise orders.Full
        web.execute(
            "INSERT INTO orders (id, insee, expires_s, signed, person, put_unix_s) VALUES (?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (id) DO NOTHING",
            row,
        )


def of_commune(path: str, insee: str) -> list[orders.Order]:
    """Returns the orders of a commune that stand in the outbox, oldest first; none where there is no outbox yet."""
    try:
        connection = database.checked(SCHEMA, sqlite_file.open_to_read(path))
    except database.Error:
        return []
    with closing(connection):
        rows = connection.execute("SELECT signed, put_unix_s FROM orders WHERE insee = ? ORDER BY number", (insee,))
        return [orders.opened(signed, put_unix_s) for signed, put_unix_s in rows]


# --- the daemon's side ------------------------------------------------------------------------------------------


class Outbox:
    """Brings what people signed in the web at `path` into the control file at `control`; call `fetch` often."""

    def __init__(self, path: str, control: str, log: Callable[..., None]) -> None:
        self._path = path
        self._control = control
        self._log = log
        self._web: sqlite_file.Connection | None = None
        self._file: tuple[int, int] | None = None
        self._version = -1
        self._last = 0
        self._try_s = 0

    def fetch(self, *, now_s: int) -> None:
        """Keeps each order that is new and sound. sqlite3.Error when the control file refuses."""
        if now_s < self._try_s:
            return
        try:
            found = self._new(now_s)
        except database.Error as error:
            self._try_s = now_s + OUTBOX_TRY_S
            self.close()
            self._log("outbox-unreadable", path=self._path, error=str(error))
            return
        if not found:
            return
        # On a connection of its own: the dispatcher looks for what others have written.
        with closing(control_file.open_to_write(self._control)) as control:
            for number, signed in found:
                self._keep(control, bytes(signed), now_s)
                self._last = number

    def close(self) -> None:
        if self._web is not None:
            self._web.close()
        self._web = None
        self._version = -1
        self._last = 0

    def _new(self, now_s: int) -> list[tuple[int, bytes]]:
        try:
            status = os.stat(self._path)
        except OSError:  # no order was ever signed there
            self.close()
            return []
        if self._web is None or self._file != (status.st_dev, status.st_ino):
            self.close()
            self._file = (status.st_dev, status.st_ino)
            self._web = sqlite_file.open_to_read(self._path)
            self._web.execute("PRAGMA trusted_schema = OFF")
            database.checked(SCHEMA, self._web)
        version = self._web.changes_by_others()
        if version == self._version:
            return []
        found = self._web.execute(_WAITING, (self._last, now_s)).fetchall()
        self._version = version if len(found) < ORDERS_FETCHED_MAX else -1
        return found

    def _keep(self, control: sqlite_file.Connection, signed: bytes, now_s: int) -> None:
        try:
            with database.transaction(control):
                order = drafts.checked(control, signed, now_s=now_s)
                if orders.get(control, order.command.id) is None:
                    orders.add(control, signed, now_s=now_s)
                    self._log("order-fetched", command=order.command.id.hex(), insee=order.command.insee)
        except drafts.NotAllowed as refused:
            self._log("order-refused", why=refused.key)
        except orders.Full:
            self._log("order-refused", why="refused.full")
