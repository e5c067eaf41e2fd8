"""What must outlive a restart of what nodes are told, in one small file on the state disk.

One line of JSON a file, `directives-<number>`, the newest that can be read: what was said at this cabinet, and signed
commands that outlast the audit log, whose old files are let go of (a drought order lasts months). `is_safe` says
whether the last write is on the disk: until then whoever brought it keeps it too. World failures are counted and tried
again, never raised.
"""

import json
import re
from collections.abc import Iterable
from typing import Any

from gateway.core import limits
from gateway.core.custody.disk import Disk
from gateway.core.directives.aiming import Told
from wire import command, directive
from wire.line import is_line

_NAME = re.compile("directives-([0-9]{8})")
_FILES_KEPT = 2
# Tickets are told apart by their owners: these lie between the ledger's and the cabinet's (its folder.py).
_TICKETS_FROM = 1 << 60


_Kept = tuple[tuple[bytes, ...], tuple[bytes, ...]]


class Keeping:
    """See the module. `resume` once, then `keep` after every change."""

    def __init__(self, disk: Disk) -> None:
        self._disk = disk
        self._number = 0
        self._safe_number = 0
        self._kept: _Kept | None = ((), ())
        self._retry_ms: int | None = None
        self.counters = {"disk-errors": 0, "damaged-files": 0}

    def resume(self) -> tuple[list[Told], list[bytes]]:
        """(what was said here, signed commands) as the last life kept them."""
        try:
            files = self._files()
            self._number = self._safe_number = max((number for number, _name in files), default=0)
            lines = [self._disk.read(name, 0, limits.DIRECTIVES_FILE_BYTES_MAX) for _number, name in reversed(files)]
        except OSError:
            self.counters["disk-errors"] += 1
            return [], []
        for line in lines:
            try:
                found = _read(line)
            except (ValueError, KeyError, TypeError):
                self.counters["damaged-files"] += 1
                continue
            self._kept = tuple(one.id for one in found[0]), tuple(found[1])
            return found
        return [], []

    def keep(self, local: Iterable[Told], signed: Iterable[bytes], *, now_ms: int) -> None:
        """Write it, if it differs from what stands there."""
        listed, data = tuple(local), tuple(signed)
        # What has an id never changes: the ids say whether anything has.
        kept = tuple(one.id for one in listed), data
        if kept == self._kept or (self._retry_ms is not None and now_ms < self._retry_ms):
            return
        line = _write(listed, data)
        self._number += 1
        try:
            name = f"directives-{self._number:08}"
            self._disk.append(name, line)
            self._disk.sync([name], _TICKETS_FROM + self._number)
        except OSError:
            self.counters["disk-errors"] += 1
            self._retry_ms = now_ms + limits.DIRECTIVES_RETRY_MS
            return
        self._kept, self._retry_ms = kept, None

    def on_synced(self, ticket: int, error: str | None, *, now_ms: int) -> None:
        """The outcome of a sync of the state disk, ours or another's."""
        number = ticket - _TICKETS_FROM
        if not 0 < number <= self._number:
            return
        if error is not None:
            self.counters["disk-errors"] += 1
            if number == self._number:  # what stands there is not known: write it anew
                self._kept, self._retry_ms = None, now_ms + limits.DIRECTIVES_RETRY_MS
            return
        self._safe_number = max(self._safe_number, number)
        try:
            # Only now: until the new one is durable, the old one is what a restart finds.
            for old, name in self._files():
                if old <= self._safe_number - _FILES_KEPT:
                    self._disk.delete(name)
        except OSError:
            self.counters["disk-errors"] += 1

    @property
    def is_safe(self) -> bool:
        """Everything that was given to `keep` is on the disk."""
        return self._safe_number == self._number and self._retry_ms is None

    @property
    def retry_ms(self) -> int | None:
        return self._retry_ms

    def _files(self) -> list[tuple[int, str]]:
        found = [(_NAME.fullmatch(name), name) for name in self._disk.list()]
        return sorted((int(match[1]), name) for match, name in found if match)


def _write(local: Iterable[Told], signed: Iterable[bytes]) -> bytes:
    plain = {
        "local": [
            {
                "id": one.id.hex(),
                "author": one.author,
                "reason": one.reason,
                "scope": one.scope,
                "values": {str(code): value for code, value in sorted(one.values.items())},
                "begins_s": one.begins_s,
                "expires_s": one.expires_s,
            }
            for one in local
        ],
        "signed": [data.hex() for data in signed],
    }
    return json.dumps(plain, separators=(",", ":")).encode() + b"\n"


def _read(line: bytes) -> tuple[list[Told], list[bytes]]:
    """ValueError, KeyError or TypeError when it was torn or damaged."""
    plain = json.loads(line)
    return [told_of(one) for one in plain["local"]], [bytes.fromhex(data) for data in plain["signed"]]


def told_of(plain: Any) -> Told:
    """What somebody says at this cabinet, behind plain data; ValueError, KeyError or TypeError when it is not sound.
    Times are not judged here."""
    scope, begins_s, expires_s = plain["scope"], plain["begins_s"], plain["expires_s"]
    if not isinstance(plain["values"], dict):
        raise TypeError("values")
    values = {int(code): value for code, value in plain["values"].items()}
    name = bytes.fromhex(plain["id"])
    if len(name) != command.ID_BYTES or type(begins_s) is not int or type(expires_s) is not int:
        raise ValueError("id, begins_s, expires_s")
    if not values or not all(directive.is_sound(code, value) for code, value in values.items()):
        raise ValueError("values")
    if scope is not None and not is_line(scope, command.NAME_BYTES_MAX):
        raise ValueError("scope")
    if not is_line(plain["author"], command.AUTHOR_BYTES_MAX) or not is_line(plain["reason"], command.REASON_BYTES_MAX):
        raise ValueError("author, reason")
    if not 0 < expires_s - begins_s <= directive.lasts_s_max(values):
        raise ValueError("expires_s")
    return Told(name, True, plain["author"], plain["reason"], scope, values, begins_s, expires_s)
