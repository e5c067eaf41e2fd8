"""Writes the agent's log: one JSON object a line on stderr, for systemd's journal and for people with `jq`.

A flood must not wear the card out: lines are bounded per minute, for each `what` and in all; suppressed lines
are counted, and the count is written when the minute is over. Nothing that looks like a secret passes: PEM text,
long runs of base64, what precedes the @ of a URL, values under names like `password`. `clean` is that
filter, for other data that leaves the process. It must never raise: a line that cannot be written is counted.
"""

import json
import logging
import os
import re
import sys
from collections.abc import Callable, Mapping
from typing import Any, TextIO

from gateway.io import clock

ERROR, WARNING, NOTICE, INFO = "error", "warning", "notice", "info"
# syslog(3) priorities, as sd-daemon(3) expects them in front of the line.
_PRIORITIES = {ERROR: 3, WARNING: 4, NOTICE: 5, INFO: 6}
# Levels of the words of core and shell. A word that is not here is information.
_LEVELS = {
    "crash": ERROR,
    "report-failed": ERROR,
    "heartbeat-late": ERROR,
    "journal-sync-failed": ERROR,
    "record-refused": ERROR,
    "own-record-refused": ERROR,
    "journal-damage": WARNING,
    "card-unusable": ERROR,
    "cannot-lock": WARNING,
    "journal-missed": ERROR,
    "journal-other-version": ERROR,
    "foreign-file": WARNING,
    "journal-hole": WARNING,
    "disconnected": WARNING,
    "bearer-down": WARNING,
    "return-failed": WARNING,
    "attempt-expired": WARNING,
    "library": WARNING,
    "subscription-refused": WARNING,
    "suppressed": WARNING,
    "cannot-serve": WARNING,
    "stop-unfinished": WARNING,
    "page-failed": ERROR,
    "lights-unreadable": WARNING,
    "policy-refused": WARNING,
    "command-refused": WARNING,
    "audit-not-written": WARNING,
    "directive-refused": WARNING,
    "tell-unreadable": WARNING,
    "update-failed": WARNING,
    "updated": NOTICE,
    "directive-told": NOTICE,
    "directive-cleared": NOTICE,
    "directive-expired": NOTICE,
    "node-key-fault": WARNING,
    "certificate-not-renewed": WARNING,
    "concentrator-silent": WARNING,
    "concentrator-foreign": WARNING,
    "concentrator-image-refused": WARNING,
    "node-image-refused": WARNING,
    "concentrator-update-failed": WARNING,
    "concentrator-up": NOTICE,
    "concentrator-reset": NOTICE,
    "concentrator-update-begun": NOTICE,
    "concentrator-update-activated": NOTICE,
    "concentrator-updated": NOTICE,
    "cabinet-alarm": NOTICE,  # shown as a finding of its own
    "policy-taken": NOTICE,
    "page-login-refused": NOTICE,
    "page-order": NOTICE,
    "bearer-changed": NOTICE,
    "bearer-up": NOTICE,
    "subscription-granted": NOTICE,
    "started": NOTICE,
    "stopped": NOTICE,
}

# A lamp a second that misbehaves is one line every other second; 72 cabinets in one log server stay readable.
_LINES_PER_MINUTE_MAX = 30
_LINES_PER_MINUTE_ALL_MAX = 300
# Different words whose suppression is reported separately.
_WHATS_MAX = 50
_LINE_CHARACTERS_MAX = 16_384
_TEXT_CHARACTERS_MAX = 500
_ITEMS_MAX = 200
_DEPTH_MAX = 8

_SECRET_NAME = re.compile(r"pass(word|phrase|wd)?|secrets?|psk|pin|puk|private|credentials?", re.IGNORECASE)
_HIDDEN = "[hidden]"
_PATTERNS = (
    (re.compile(r"-----BEGIN.*?(?:-----END[^-]*-----|\Z)", re.DOTALL), "[hidden: PEM]"),
    (re.compile(r"(?<=://)[^/\s@]+@"), "[hidden]@"),
    # A line of a PEM file is 64 characters; digits and both cases, or it is a hex string or a long word.
    (re.compile(r"(?<![\w+/])(?=[a-z0-9+/]*[A-Z])(?=[A-Z0-9+/]*[a-z])(?=[A-Za-z+/]*[0-9])[\w+/]{40,}=*"), "[hidden]"),
)


class Log:
    """Writes lines: call it with a stable word and plain values. There is one in a process."""

    def __init__(
        self,
        stream: TextIO | None = None,
        *,
        environment: Mapping[str, str] = os.environ,
        now_ms: Callable[[], int] = clock.monotonic_ms,
    ) -> None:
        self._stream = sys.stderr if stream is None else stream
        self._now_ms = now_ms
        self._to_journald = _is_journal(self._stream, environment.get("JOURNAL_STREAM", ""))
        self._minute = -1
        self._lines: dict[str, int] = {}
        self._lines_all = 0
        self._suppressed: dict[str, int] = {}
        self.counters = {"lines": 0, "suppressed": 0, "not-written": 0}

    def __call__(self, what: str, **values: Any) -> None:
        self.settle()
        if not self._may(what):
            self.counters["suppressed"] += 1
            of = what if what in self._suppressed or len(self._suppressed) < _WHATS_MAX else "others"
            self._suppressed[of] = self._suppressed.get(of, 0) + 1
            return
        self._write(what, values)

    def settle(self) -> None:
        """Writes how many lines were suppressed, once a minute is over. The shell calls this now and then."""
        minute = self._now_ms() // 60_000
        if minute == self._minute:
            return
        suppressed, self._suppressed = self._suppressed, {}
        self._minute, self._lines, self._lines_all = minute, {}, 0
        for what, count in suppressed.items():
            self._write("suppressed", {"of": what, "lines": count})

    def adopt(self, logger: logging.Logger) -> None:
        """Takes over warnings of libraries (asyncio, paho), to bound and filter them like ours. Some come from
        other threads: a race may cost a count, never a line in two pieces."""
        logger.addHandler(_Adopted(self))

    def _may(self, what: str) -> bool:
        written = self._lines.get(what, 0)
        if written >= _LINES_PER_MINUTE_MAX or self._lines_all >= _LINES_PER_MINUTE_ALL_MAX:
            return False
        self._lines[what] = written + 1
        self._lines_all += 1
        return True

    def _write(self, what: str, values: dict[str, Any]) -> None:
        level = level_of(what)
        line = json.dumps({"what": what, "level": level, **clean(values)})
        if len(line) > _LINE_CHARACTERS_MAX:
            line = json.dumps({"what": what, "level": level, "too_long": len(line)})
        prefix = f"<{_PRIORITIES[level]}>" if self._to_journald else ""
        try:
            self._stream.write(f"{prefix}{line}\n")
            self._stream.flush()
            self.counters["lines"] += 1
        except (OSError, ValueError):  # a full disk behind it, or no reader at the other end
            self.counters["not-written"] += 1


class _Adopted(logging.Handler):
    def __init__(self, log: Log) -> None:
        super().__init__(logging.WARNING)
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._log("library", name=record.name, message=record.getMessage())
        except Exception:  # a library's faulty format string must not end the loop
            self._log("library", name=record.name, message="(cannot be formatted)")


def level_of(what: str) -> str:
    """Returns the level of an event, by its word."""
    return _LEVELS.get(what, INFO)


def clean(value: Any, depth: int = 0) -> Any:
    """Returns the value as plain JSON data, bounded, without anything that looks like a secret."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, bytes | bytearray):
        return f"[{len(value)} bytes]"
    if depth >= _DEPTH_MAX:
        return "[too deep]"
    if isinstance(value, Mapping):
        return {
            clean(str(name)): _HIDDEN if _is_secret(str(name)) else clean(item, depth + 1)
            for name, item in list(value.items())[:_ITEMS_MAX]
        }
    if isinstance(value, list | tuple | set | frozenset):
        return [clean(item, depth + 1) for item in list(value)[:_ITEMS_MAX]]
    text = str(value)
    for pattern, instead in _PATTERNS:
        text = pattern.sub(instead, text)
    return text if len(text) <= _TEXT_CHARACTERS_MAX else f"{text[:_TEXT_CHARACTERS_MAX]}…"


def _is_secret(name: str) -> bool:
    return any(_SECRET_NAME.fullmatch(part) for part in re.split("[^A-Za-z]+", name))


def _is_journal(stream: TextIO, journal_stream: str) -> bool:
    """Returns whether this very stream goes to systemd's journal: the variable remains set after a redirection."""
    try:
        found = os.fstat(stream.fileno())
    except (OSError, ValueError):
        return False
    return journal_stream == f"{found.st_dev}:{found.st_ino}"
