"""Shows a running agent to the outside: its log, its status on a socket, its notices to systemd.

Joins the modules that each do one of these, so that the agent calls one object. It decides nothing about
records, and must not stop the keeping of records: what cannot be served is logged once and omitted.
"""

import logging
import traceback
from collections.abc import Callable
from typing import Any, TypeVar

from gateway.config.config import Config
from gateway.core.gateway import Gateway, Log
from gateway.core.heartbeats import Heartbeats
from gateway.core.status import RUNNING, STOPPING, Status
from gateway.io import clock, log
from gateway.io.notify import Notifier
from gateway.io.status_socket import StatusServer
from gateway.shell.facts import Facts
from gateway.show import report
from gateway.show.words import word

Result = TypeVar("Result")

_HEALTH_EVERY_MS = 60_000
_WATCH_EVERY_MS = 10_000
# The thread of an open connection checks its deadlines twice a second.
_BROKER_ALLOWED_MS = 60_000
# The modem's thread waits up to a minute before it opens its port again, and a driver may take another minute.
_MODEM_ALLOWED_MS = 180_000
# The cabinet's thread observes every second; if a driver hangs for half a minute, control of the contactors is lost.
_CABINET_ALLOWED_MS = 30_000
# A modem's thread that is late is reported but is no reason to restart: records are kept without it, and its port would
# hang again.
_MODEM = "modem"
# Recovery of a full journal takes a minute on a slow card. Meanwhile systemd is asked to wait, but not for ever.
_STARTING_EXTEND_MS = 30_000
_STARTING_MS_MAX = 900_000


class Operation:
    """Serves one process; used in the loop's thread."""

    def __init__(self, config: Config, heartbeats: Heartbeats) -> None:
        self._config = config
        self._heartbeats = heartbeats
        self._started_ms = clock.monotonic_ms()
        self._health_at_ms = self._started_ms + _HEALTH_EVERY_MS
        self._headline = ""
        self.notify = Notifier()
        self.facts = Facts(config, now_ms=self._started_ms)
        self._log = log.Log()
        self._socket: StatusServer | None = None

    def open(self) -> None:
        """Serve before the recovery begins, so that a long start can be explained."""
        self._log.adopt(logging.getLogger())
        try:
            self._socket = StatusServer(self._config.status_socket, self.status)
        except OSError as error:
            self.log("cannot-serve", error=f"{type(error).__name__}: {error}")

    def log(self, what: str, **values: Any) -> None:
        """Writes a line to the log, and remembers it for the status."""
        self.facts.note(Log(what, values), now_ms=clock.monotonic_ms())
        self._log(what, **values)

    def status(self) -> Status:
        """Returns the agent's status; an empty one after an error of ours, which is logged."""
        return self._safely(self._status_now) or Status()

    def starting(self) -> None:
        """Asks systemd for patience while the start continues."""
        if clock.monotonic_ms() - self._started_ms < _STARTING_MS_MAX:
            self.notify.extend(_STARTING_EXTEND_MS)

    def running(
        self, core: Gateway, boot: int, link: tuple[str, int] | None, shell: Callable[[], dict[str, Any]] = dict
    ) -> None:
        """Notes that the core has recovered and the link, if there is one, is bound; `shell` returns the shell's own
        counters by part.
        """
        self.facts.shell = shell
        self.facts.core, self.facts.boot, self.facts.link = core, boot, link
        self.facts.phase = RUNNING

    def ready(self) -> None:
        """Reports to systemd that the first turn is over: the agent serves."""
        self._headline = self._safely(self._current_headline) or ""
        self.notify.ready(self._headline)

    def stopping(self) -> None:
        self.facts.phase = STOPPING
        self.notify.stopping(word("stopping", "fr"))

    def close(self) -> None:
        """Closes the socket."""
        if self._socket is not None:
            self._socket.close()
        self.log("stopped")

    def housekeep(self, core: Gateway, *, now_ms: int) -> None:
        """Samples and logs; must be called every ten seconds or so."""
        unix_s = core.clock.unix_s(now_ms=now_ms)
        self._safely(lambda: self.facts.sample(unix_s=unix_s, now_ms=now_ms))
        self._log.settle()
        if now_ms >= self._health_at_ms:
            self._health_at_ms = now_ms + _HEALTH_EVERY_MS
            self.log("health", **self.facts.health(now_ms=now_ms))

    def watch(self, *, broker: int | None, modems: dict[str, int | None], cabinet: int | None = None) -> int:
        """Feeds systemd's watchdog while no thread is late; returns in how many milliseconds the next call is due.

        The arguments are the last signs of life (monotonic ms) of the threads of the broker's connection, of each
        bearer's modem and of those that control contactors; None where there is none.
        """
        now_ms = clock.monotonic_ms()
        self._heard("broker", _BROKER_ALLOWED_MS, broker)
        for bearer, heard_ms in modems.items():
            self._heard(f"{_MODEM} {bearer}", _MODEM_ALLOWED_MS, heard_ms)
        self._heard("cabinet", _CABINET_ALLOWED_MS, cabinet)
        late = self._heartbeats.late(now_ms=now_ms)
        known = {one.name for one in self.facts.late}
        self.facts.late = late
        for one in late:
            if one.name not in known:
                self.log("heartbeat-late", **one._asdict())
        if all(one.name.startswith(f"{_MODEM} ") for one in late):
            self.notify.alive()
        headline = self._safely(self._current_headline)
        if headline is not None and headline != self._headline:
            self._headline = headline
            self.notify.status(headline)
        return min(_WATCH_EVERY_MS, (self.notify.watchdog_ms or 3 * _WATCH_EVERY_MS) // 3)

    def _heard(self, name: str, allowed_ms: int, heard_ms: int | None) -> None:
        if heard_ms is None:
            self._heartbeats.forget(name)
        else:
            self._heartbeats.expect(name, allowed_ms, now_ms=heard_ms)

    def _current_headline(self) -> str:
        return report.headline(self._status_now(), "fr")

    def _safely(self, tell: Callable[[], Result]) -> Result | None:
        """Calls `tell`, which only reports: an error of ours there must not end the keeping of records. It is
        logged."""
        try:
            return tell()
        except Exception as error:
            self.log("report-failed", error=repr(error), trace=traceback.format_exception(error)[-3:])
            return None

    def _status_now(self) -> Status:
        return self.facts.status(now_ms=clock.monotonic_ms())
