"""Describes one directive, decides which nodes it aims at, and keeps directives in a file over a restart.

A scope is all nodes (None), a kind of node (`irrigation`), a group of the configuration, or one node by its id in
hexadecimal. Of several directives with the same code for a node, the narrowest scope wins, then the one that began
last. When that one ends, the one it hid holds again: a day of work in closed holidays leaves them closed.

Weather of a day (`directive.OF_A_DAY`) belongs to the day that is sent with it, or else to the day before it began;
it ends with the day after its own, for a node that does not ask for its date takes it for yesterday's.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from gateway.core import limits
from gateway.core.custody.disk import Disk, Ticket, numbered, parse_json
from policy import civil
from wire import command, directive
from wire.line import is_line

ALL, KIND, GROUP, NODE = range(4)


class Directive(NamedTuple):
    """Holds one directive. `id`: 8 bytes, its permanent name. `author` and `reason` are a person's words.
    `values`: {code of wire.directive: value}. `begins_s`, `expires_s`: Unix seconds; `ends_ms`: its latest end on our
    monotonic clock, None before the first good time."""

    id: bytes
    is_local: bool
    author: str
    reason: str
    scope: str | None
    values: Mapping[int, int]
    begins_s: int
    expires_s: int
    ends_ms: int | None = None

    def is_over(self, *, unix_s: int | None, now_ms: int) -> bool:
        """Return whether it has ended, by UTC or by the monotonic clock, whichever comes first: UTC may be put back."""
        is_past = unix_s is not None and unix_s >= self.expires_s
        return is_past or (self.ends_ms is not None and now_ms >= self.ends_ms)


class AskingNode(NamedTuple):
    """Describes a node that asks. `kind` as the node sends it, None when it does not; `groups`: the node's groups."""

    node: bytes
    kind: str | None
    groups: frozenset[str]


def rank(scope: str | None, asker: AskingNode) -> int | None:
    """Return how narrowly a scope aims at a node; None: not at all."""
    if scope is None:
        return ALL
    if scope == asker.node.hex():
        return NODE
    if scope in asker.groups:
        return GROUP
    return KIND if scope == asker.kind else None


def weather_day(one: Directive) -> int:
    """Return the civil day to which a directive's weather belongs."""
    day = one.values.get(directive.WEATHER_DAY)
    return int(civil.local_from_unix(civil.PARIS, one.begins_s).civil_day - 1 if day is None else day)


def weather_ends_s(one: Directive) -> int:
    """Return when a directive's weather is older than yesterday's."""
    return int(civil.unix_from_local(civil.PARIS, weather_day(one) + 2, 0))


def without_old_weather(one: Directive, unix_s: int) -> Directive:
    """Return the same, without weather whose day ended more than a day ago."""
    if not any(code in one.values for code in directive.OF_A_DAY) or unix_s < weather_ends_s(one):
        return one
    dated = (*directive.OF_A_DAY, directive.WEATHER_DAY)
    return one._replace(values={code: value for code, value in one.values.items() if code not in dated})


def winners(known: Iterable[Directive], asker: AskingNode) -> dict[int, Directive]:
    """Return, by code, the directive that holds for a node, of those that have begun and are not over."""
    found: dict[int, tuple[tuple[int, int], Directive]] = {}
    for one in known:
        place = rank(one.scope, asker)
        if place is None:
            continue
        weight = (place, one.begins_s)
        for code in one.values:
            # Of two that began in the same second, the later in the list wins.
            if code not in found or weight >= found[code][0]:
                found[code] = (weight, one)
    return {code: one for code, (_, one) in found.items()}


def first_hours(known: Iterable[Directive], asker: AskingNode) -> dict[int, Directive]:
    """Return, by code of HOURS, the directive that begins first of those that aim at a node, begun or to come."""
    aimed = [one for one in known if rank(one.scope, asker) is not None]
    found = {}
    for code in directive.HOURS:
        hours = [one for one in aimed if code in one.values]
        if hours:
            found[code] = min(hours, key=lambda one: (one.begins_s, -one.expires_s))
    return found


_FILES_KEPT = 2
_OWNER = "directives"

_Kept = tuple[tuple[bytes, ...], tuple[bytes, ...]]


class DirectiveFile:
    """Keeps what must survive a restart in one small file: directives given at this cabinet, and signed commands that
    outlast the audit log, whose old files are dropped (a drought order lasts months).

    Each file `directives-<number>` is one line of JSON; the newest readable one counts. Call `restore` once, then
    `save` after every change. `is_safe` shows whether the last write is durable: until then the sender keeps it too.
    Disk failures are counted and retried, never raised.
    """

    def __init__(self, disk: Disk) -> None:
        self._disk = disk
        self._number = 0
        self._safe_number = 0
        self._kept: _Kept | None = ((), ())
        self._retry_ms: int | None = None
        self.counters = {"disk-errors": 0, "damaged-files": 0}

    def restore(self) -> tuple[list[Directive], list[bytes]]:
        """Return (directives given here, signed commands) as an earlier start kept them."""
        try:
            files = numbered(self._disk, _OWNER)
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

    def save(self, local: Iterable[Directive], signed: Iterable[bytes], *, now_ms: int) -> None:
        """Write the file, if its content differs from the last one."""
        listed, data = tuple(local), tuple(signed)
        # What has an id never changes, so comparing the ids is enough.
        kept = tuple(one.id for one in listed), data
        if kept == self._kept or (self._retry_ms is not None and now_ms < self._retry_ms):
            return
        line = _write(listed, data)
        self._number += 1
        try:
            name = f"directives-{self._number:08}"
            self._disk.append(name, line)
            self._disk.sync([name], Ticket(_OWNER, self._number))
        except OSError:
            self.counters["disk-errors"] += 1
            self._retry_ms = now_ms + limits.DIRECTIVES_RETRY_MS
            return
        self._kept, self._retry_ms = kept, None

    def on_synced(self, ticket: Ticket, error: str | None, *, now_ms: int) -> None:
        """Process the outcome of a sync of the state disk, ours or another part's."""
        if ticket.owner != _OWNER:
            return
        number = ticket.number
        if error is not None:
            self.counters["disk-errors"] += 1
            if number == self._number:  # the file's content is not known: write it anew
                self._kept, self._retry_ms = None, now_ms + limits.DIRECTIVES_RETRY_MS
            return
        self._safe_number = max(self._safe_number, number)
        try:
            # Not before: until the new file is durable, a restart finds the old one.
            for old, name in numbered(self._disk, _OWNER):
                if old <= self._safe_number - _FILES_KEPT:
                    self._disk.delete(name)
        except OSError:
            self.counters["disk-errors"] += 1

    @property
    def is_safe(self) -> bool:
        """Returns True when everything that was given to `save` is durable."""
        return self._safe_number == self._number and self._retry_ms is None

    @property
    def retry_ms(self) -> int | None:
        return self._retry_ms


def _write(local: Iterable[Directive], signed: Iterable[bytes]) -> bytes:
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


def _read(line: bytes) -> tuple[list[Directive], list[bytes]]:
    """Parse a line of the file; ValueError, KeyError or TypeError when it was torn or damaged."""
    plain = parse_json(line)
    return [parse_directive(one) for one in plain["local"]], [bytes.fromhex(data) for data in plain["signed"]]


def parse_directive(plain: Any) -> Directive:
    """Parse a technician's directive from plain data; ValueError, KeyError or TypeError when it is not
    sound. Its times are not compared with the clock here."""
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
    if not 0 < expires_s - begins_s <= command.directive_s_max(values):
        raise ValueError("expires_s")
    return Directive(name, True, plain["author"], plain["reason"], scope, values, begins_s, expires_s)
