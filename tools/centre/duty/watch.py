"""Joins what the process of the duty does: it reads the warehouse and the rota, decides, and sends, turn by turn.

It is a process of its own, and not the roll-up: a mail server that hangs must not hold up the hours, and the roll-up
needs neither a network nor a password. It writes its book and nothing else; the warehouse it reads as the roll-up does,
whole, and it tells each person what the scope grants to them.
"""

import fcntl
import os
import shutil
from collections.abc import Callable
from pathlib import Path

from tools.centre.duty import rota, waking
from tools.centre.duty.book import Book
from tools.centre.duty.desk import Desk, Options
from tools.centre.duty.sending import Configuration, send_due
from tools.centre.scope import grants
from tools.centre.store import database, schema, sqlite_file


class Busy(Exception):
    """Is raised when another process sends from this book."""


class Watch:
    """Works on a book, which it locks; call `turn` often. web: the web's own database, beside
    which its rota and notes stand."""

    def __init__(
        self, warehouse: str, path: str, web: str, configured: Configuration, log: Callable[..., None],
        synchronous: str = "FULL",
    ) -> None:
        """Raises Busy, or database.Error."""
        self._warehouse, self._web, self._log = warehouse, web, log
        self._configured = configured
        sqlite_file.make(path + ".lock")
        self._lock = os.open(path + ".lock", os.O_RDWR | os.O_CLOEXEC)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self.book = Book.open(path, synchronous)
        except BaseException as error:
            os.close(self._lock)
            if isinstance(error, BlockingIOError):
                raise Busy from None
            raise
        options = Options(configured.origin, configured.minutes, tuple(configured.channels))
        self.desk = Desk(self.book, options)
        self._rota = rota.EMPTY
        self._unreadable_s: int | None = None
        self._reading = database.HeldOpen(warehouse, schema.open_to_read)

    def close(self) -> None:
        self._reading.close()
        self.book.close()
        os.close(self._lock)

    def turn(self, *, now_s: int) -> int:
        """Looks at what is open, decides and sends; returns how many messages went out."""
        self.decide(now_s=now_s)
        return send_due(self.book, self._rota, self._configured.channels, self._log, now_s=now_s)

    def decide(self, *, now_s: int) -> None:
        """Looks at what is open and decides; without the warehouse the last rota and the last messages go on."""
        try:
            self._rota = rota.read(rota.path_of(self._web))
        except database.Error as error:
            self._log("duty-rota-unreadable", error=str(error))
        try:
            causes, areas = self._open(now_s)
        except database.Error as error:
            self._reading.close()
            if self._unreadable_s is None:
                self._unreadable_s = now_s
                self._log("duty-warehouse-unreadable", error=str(error))
            causes = [waking.unreadable(self._unreadable_s)]
            self.desk.look(causes, self._rota, lambda _: None, now_s=now_s, is_blind=True)
            return
        self._unreadable_s = None
        self.desk.look(causes, self._rota, areas.__getitem__, now_s=now_s)

    def _open(self, now_s: int) -> tuple[list[waking.Cause], dict[str, set[tuple[str, str]]]]:
        """Returns what is open, and what each person of the rota may see."""
        connection = self._reading.connection()
        causes = waking.open_causes(connection, now_s=now_s, web=self._web, disk_free=self._disk_free())
        return causes, {name: grants.areas(connection, name, now_s=now_s) for name in self._rota.people}

    def _disk_free(self) -> float | None:
        if database.is_server(self._warehouse):
            return None
        space = shutil.disk_usage(Path(self._warehouse).resolve().parent)
        return space.free / space.total
