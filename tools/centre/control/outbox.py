"""Hands orders that people signed in a browser from the web to the control daemon (`tools.centre.store.web_outbox`).

An order that comes twice is one, for its id is. The daemon checks each as if it had been drafted at the centre
(`drafts.checked`), and the cabinet checks last.
"""

from collections.abc import Callable
from contextlib import closing

from tools.centre.control import drafts, orders
from tools.centre.control import file as control_file
from tools.centre.limits import COMMANDS_OPEN_MAX, OUTBOX_KEPT_S
from tools.centre.store import database, sqlite_file, web_outbox
from tools.centre.store.web_outbox import path_of as path_of
from wire.command import SIGNED_COMMAND_BYTES_MAX

_WAITS = f"expires_s > :now_s AND length(signed) <= {SIGNED_COMMAND_BYTES_MAX}"


# --- the web's side ---------------------------------------------------------------------------------------------


def put(path: str, order: orders.Order, person: str, *, now_s: int) -> None:
    """Keeps an order on the disk, with its line of the journal: who signed it, and why. The same order again changes
    nothing. orders.Full where as many of its commune stand here as may be under way."""
    command = order.command
    row = (command.id, command.insee, command.expires_s, order.signed, person, now_s)
    with closing(web_outbox.open_to_write(path)) as web, database.transaction(web):
        web.execute("DELETE FROM orders WHERE expires_s < ?", (now_s - OUTBOX_KEPT_S,))
        waiting = web.execute(
            "SELECT count(*) FROM orders WHERE insee = ? AND expires_s > ? AND id <> ?",
            (command.insee, now_s, command.id),
        ).fetchone()[0]
        if waiting >= COMMANDS_OPEN_MAX:
            raise orders.Full
        done = web.execute(
            "INSERT INTO orders (id, insee, expires_s, signed, person, put_unix_s) VALUES (?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (id) DO NOTHING",
            row,
        )
        if done.rowcount:
            web_outbox.add_line(web, (now_s, person, "order", command.insee, command.reason))


def signed_in(path: str, insee: str | None) -> list[orders.Order]:
    """Returns the orders (of a commune) that stand in the outbox, oldest first; none where there is no outbox yet."""
    try:
        connection = web_outbox.open_to_read(path)
    except database.Error:
        return []
    with closing(connection):
        sql = "SELECT signed, put_unix_s FROM orders WHERE ?1 IS NULL OR insee = ?1 ORDER BY number"
        rows = connection.execute(sql, (insee,))
        return [orders.opened(signed, put_unix_s) for signed, put_unix_s in rows]


# --- the daemon's side ------------------------------------------------------------------------------------------


class Outbox:
    """Brings what people signed in the web at `path` into the control file at `control`; call `fetch` often."""

    def __init__(self, path: str, control: str, log: Callable[..., None]) -> None:
        self._reader = web_outbox.Reader(path, "orders", "number, signed, put_unix_s", _WAITS, log)
        self._control = control
        self._log = log

    def close(self) -> None:
        self._reader.close()

    def fetch(self, *, now_s: int) -> None:
        """Keeps each order that is new and sound. sqlite3.Error when the control file refuses."""
        for _, signed, put_unix_s in self._reader.new(now_s=now_s):
            # On a connection of its own: the dispatcher looks for what others have written.
            with closing(control_file.open_to_write(self._control)) as control:
                self._keep(control, bytes(signed), min(put_unix_s, now_s), now_s)

    def _keep(self, control: sqlite_file.Connection, signed: bytes, put_unix_s: int, now_s: int) -> None:
        try:
            with database.transaction(control):
                order = drafts.checked(control, signed, now_s=now_s)
                if orders.get(control, order.command.id) is None:
                    made_unix_s = orders.opened(signed, put_unix_s).made_unix_s
                    orders.add(control, signed, now_s=now_s, made_unix_s=made_unix_s)
                    self._log("order-fetched", command=order.command.id.hex(), insee=order.command.insee)
        except drafts.NotAllowed as refused:
            self._log("order-refused", why=refused.key)
        except orders.Full:
            self._log("order-refused", why="refused.full")
