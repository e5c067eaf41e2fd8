"""Writes the hash-chained log of authority: policies, commands, outcomes, leases, what was done at the cabinet by hand.

Lines of JSON in files `audit-<number>.log` of the state folder. Each holds `n`, which counts from 1, and `prev`, the
SHA-256 of the line before it (without its newline), across files: a line that was changed, removed or
inserted breaks the chain, and the head is reported to the centre once a day. A line torn by a power cut does not count;
the next one follows the last whole line. Signed commands are kept whole, so that a restart knows them. Disk failures
are counted, never raised: a street is lit by a command even if its line could not be written, and the failure is
reported.
"""

import json
import re
from collections.abc import Iterator
from hashlib import sha256
from typing import Any, NamedTuple

from gateway.core import limits
from gateway.core.custody.disk import Disk, SharedFolder, parse_json

_NAME = re.compile("audit-([0-9]{8})[.]log")
_START = "0" * 64
_LINE_BYTES_MAX = 8_192


class Head(NamedTuple):
    """Counts the lines there have been, and holds the hash of the last."""

    entries: int
    hash: str


class Broken(NamedTuple):
    """Names a place where the chain breaks: file, line (from 1), why."""

    name: str
    line: int
    why: str


class Audit:
    """Appends to the log, continuing from the lines on the disk."""

    def __init__(self, folder: SharedFolder) -> None:
        self._folder = folder
        self.counters = {"written": 0, "disk-errors": 0}
        self._is_unsure = False
        self._load()

    def _load(self) -> None:
        """Find the head and the end of the log on the disk."""
        self._number, self._size, self._is_torn, self.head = 1, 0, False, Head(0, _START)
        try:
            for name, _line, text in _lines(self._folder.disk):
                self._number, self._size = _number(name), self._folder.disk.size(name)
                entry = _entry(text)
                self._is_torn = entry is None
                if entry is not None:
                    self.head = Head(entry["n"], _hash(text))
        except OSError:
            self.counters["disk-errors"] += 1
            self._is_unsure = True

    def write(self, what: str, *, unix_s: int | None, uptime_s: int, **values: Any) -> bool:
        """Append one line; return False if the disk refused it: the next call then reads the log again before it
        writes."""
        if self._is_unsure:
            self._is_unsure = False
            self._load()
            if self._is_unsure:
                return False
        plain = {
            "n": self.head.entries + 1,
            "prev": self.head.hash,
            "unix_s": unix_s,
            "uptime_s": uptime_s,
            "what": what,
        }
        text = json.dumps({**plain, **values}, separators=(",", ":"), ensure_ascii=True).encode()
        assert len(text) <= _LINE_BYTES_MAX
        try:
            if self._size + len(text) > limits.AUDIT_FILE_BYTES_MAX:
                self._number, self._size, self._is_torn = self._number + 1, 0, False
                self._forget_old()
            name = _name(self._number)
            # After a torn line comes a newline first. Sizes are counted before: a write that fails may have written all
            # the same.
            data = (b"\n" if self._is_torn else b"") + text + b"\n"
            self._size, self._is_torn = self._size + len(data), True
            self._folder.save(name, data)
        except OSError:
            self.counters["disk-errors"] += 1
            self._is_unsure = True
            return False
        self._is_torn = False
        self.head = Head(self.head.entries + 1, _hash(text))
        self.counters["written"] += 1
        return True

    def _forget_old(self) -> None:
        for name in self._folder.disk.list():
            if _NAME.fullmatch(name) and _number(name) <= self._number - limits.AUDIT_FILES_MAX:
                self._folder.disk.delete(name)


def entries(disk: Disk) -> Iterator[dict[str, Any]]:
    """Yield every whole line, oldest first. OSError as the disk raises it."""
    for _name, _line, text in _lines(disk):
        entry = _entry(text)
        if entry is not None:
            yield entry


def verify(disk: Disk) -> tuple[Head, list[Broken]]:
    """Return the head, and where the chain breaks; the oldest line may follow one that was deleted by rotation."""
    head, broken = Head(0, _START), []
    is_first = True
    for name, line, text in _lines(disk):
        entry = _entry(text)
        if entry is None:
            continue  # torn by a power cut: it was never a line
        if not is_first and (entry["n"] != head.entries + 1 or entry["prev"] != head.hash):
            broken.append(Broken(name, line, "does not follow the line before it"))
        if is_first and entry["n"] == 1 and entry["prev"] != _START:
            broken.append(Broken(name, line, "is not the first line it says it is"))
        is_first = False
        head = Head(entry["n"], _hash(text))
    return head, broken


def _lines(disk: Disk) -> Iterator[tuple[str, int, bytes]]:
    for name in sorted(name for name in disk.list() if _NAME.fullmatch(name)):
        data = disk.read(name, 0, limits.AUDIT_FILE_BYTES_MAX + _LINE_BYTES_MAX)
        for line, text in enumerate(data.split(b"\n"), 1):
            if text:
                yield name, line, text


def _entry(text: bytes) -> dict[str, Any] | None:
    try:
        entry = parse_json(text)
    except ValueError:
        return None
    good = isinstance(entry, dict) and type(entry.get("n")) is int and isinstance(entry.get("prev"), str)
    return entry if good and isinstance(entry.get("what"), str) else None


def _hash(text: bytes) -> str:
    return sha256(text).hexdigest()


def _number(name: str) -> int:
    return int(name[6:14])


def _name(number: int) -> str:
    return f"audit-{number:08}.log"
