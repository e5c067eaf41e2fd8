"""Makes records of how updates of the gateway's own package, and of the system, ended: root writes the outcome, the
agent tells it.

An outcome counts as told once its records are durable in the journal; what was told is noted in the data folder. A
power cut in between tells it twice. A failed update is an alarm, which a later one that is kept ends.
"""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from gateway.core.custody.disk import parse_json
from gateway.core.gateway import Gateway
from gateway.core.own_records import Placed
from gateway.core.self_update import KEPT
from gateway.io import files
from gateway.shell.self_update import FOLDER, OUTCOME, OUTCOME_BYTES_MAX, SYSTEM_OUTCOME
from wire import event
from wire.record import EventBody


class Subject(NamedTuple):
    """Says of one thing that is updated in which file its outcome is, in which the agent notes that it has told it, and
    the codes of its records."""

    outcome: str
    note: str
    code: int
    failure: int


AGENT = Subject(OUTCOME, "update-told", event.AGENT_UPDATE, event.AGENT_UPDATE_FAILURE)
SYSTEM = Subject(SYSTEM_OUTCOME, "system-update-told", event.SYSTEM_UPDATE, event.SYSTEM_UPDATE_FAILURE)


class UpdateReport:
    """Passes outcomes on. `poll` is called every few seconds; `log` writes a line of the log."""

    def __init__(
        self, subject: Subject, data: Path, core: Gateway, log: Callable[..., None], *, folder: Path = FOLDER
    ) -> None:
        self._outcome, self._note = folder / subject.outcome, data / subject.note
        self._subject, self._core, self._log = subject, core, log
        self._told = files.read_object(self._note, OUTCOME_BYTES_MAX)
        self._seen: tuple[int, int] | None = None  # the file that was told, or that cannot be
        self._waiting: tuple[dict[str, Any], list[tuple[str, int]]] | None = None

    def poll(self, *, now_ms: int) -> None:
        """Makes the records of a new outcome, and notes it once they are durable."""
        if self._waiting is not None:
            self._settle()
            return
        try:
            state = self._outcome.stat()
            if (state.st_mtime_ns, state.st_ino) == self._seen:
                return
            self._seen = state.st_mtime_ns, state.st_ino
            data = self._outcome.read_bytes()[:OUTCOME_BYTES_MAX]
            plain = parse_json(data)
            detail = [plain["version"], plain["before"], plain["outcome"], plain["why"]]
        except FileNotFoundError:
            return
        except (OSError, ValueError, KeyError, TypeError) as error:
            self._log("update-failed", why="unreadable", error=str(error)[:80])
            return
        digest = hashlib.sha256(data).hexdigest()
        if digest == self._told.get("digest"):
            return
        is_failed = plain["outcome"] != KEPT
        bodies = [EventBody(self._subject.code, None, detail)]
        # A failure after a failure begins anew: the centre asks of which campaign it is.
        alarms = [False] * bool(self._told.get("failed")) + [True] * is_failed
        about = [plain["version"], plain["why"]]
        if self._subject is SYSTEM:
            about.append(plain.get("packages"))
        bodies += [EventBody(self._subject.failure, active, about) for active in alarms]
        placed: list[Placed] = [self._core.own.try_report(body, now_ms=now_ms) for body in bodies]
        if None in placed:  # a full journal: again, all of it
            self._seen = None
            return
        self._log("update-failed" if is_failed else "updated", **plain)
        self._waiting = {"digest": digest, "failed": is_failed}, [one for one in placed if one is not None]

    def _settle(self) -> None:
        assert self._waiting is not None
        told, placed = self._waiting
        journal = self._core.journal
        ends = {stream.lane: journal.durable_end(stream) for stream in journal.streams()}  # this epoch's come last
        if all(ends[lane] > position for lane, position in placed):
            self._told, self._waiting = told, None
            try:
                files.write(self._note, json.dumps(told).encode(), gives=False)
            except OSError as error:
                self._log("update-failed", why="unreadable", error=str(error)[:80])
