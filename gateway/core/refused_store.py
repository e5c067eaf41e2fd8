"""Keeps the raw bytes of refused messages, where an operator finds them, within a bound.

One JSON line each in files `refused-<number>.log` of the state folder: when, from where, why, and the bytes
in hex. Files rotate and the oldest is deleted; lines are limited per minute, for a flood of garbage must not wear
the card out; everything beyond is counted. Nothing here is in custody: what authenticates is journaled, this
store holds the rest.
"""

import json
import re

from gateway.core import limits
from gateway.core.custody.disk import Disk

_PREFIX, _SUFFIX = "refused-", ".log"


class RefusedStore:
    """Appends lines to a disk. Disk failures are counted, never raised: the store is only a help."""

    def __init__(self, disk: Disk) -> None:
        self._disk = disk
        self._number = 0
        self._size = 0
        self._is_torn = False  # the last line of an earlier start may be half a line
        self._minute = 0
        self._this_minute = 0
        self.counters = {"kept": 0, "not-kept": 0, "disk-errors": 0}
        try:
            numbers = [_number(name) for name in disk.list()]
            self._number = max((number for number in numbers if number is not None), default=1)
            # Continue the newest file: a start that keeps one line must not push a whole file out.
            self._size = disk.size(self._name()) if self._number in numbers else 0
            self._is_torn = self._size > 0
        except OSError:
            self.counters["disk-errors"] += 1

    def append(self, why: str, source: str, data: bytes, *, unix_s: int | None, now_ms: int) -> None:
        """Keep what was refused; at most REFUSED_PER_MINUTE_MAX lines a minute."""
        minute = now_ms // 60_000
        if minute != self._minute:
            self._minute, self._this_minute = minute, 0
        self._this_minute += 1
        if self._this_minute > limits.REFUSED_PER_MINUTE_MAX:
            self.counters["not-kept"] += 1
            return
        shown = data[: limits.REFUSED_BYTES_MAX].hex()
        source = source[: limits.REFUSED_SOURCE_MAX]
        line = json.dumps({"unix_s": unix_s, "from": source, "why": why, "bytes": len(data), "hex": shown})
        try:
            self._append(line.encode() + b"\n")
            self.counters["kept"] += 1
        except OSError:
            self.counters["disk-errors"] += 1

    def _append(self, line: bytes) -> None:
        if self._size + len(line) > limits.REFUSED_FILE_BYTES_MAX:
            self._number += 1
            self._size = 0
        if self._size == 0:
            self._forget_old()
        if self._is_torn:
            line, self._is_torn = b"\n" + line, False
        # Counted before: a write that fails may have written all the same.
        self._size += len(line)
        self._disk.append(self._name(), line)

    def _name(self) -> str:
        return f"{_PREFIX}{self._number:08}{_SUFFIX}"

    def _forget_old(self) -> None:
        for name in self._disk.list():
            number = _number(name)
            if number is not None and number <= self._number - limits.REFUSED_FILES_MAX:
                self._disk.delete(name)


def _number(name: str) -> int | None:
    digits = name.removeprefix(_PREFIX).removesuffix(_SUFFIX)
    return int(digits) if name == f"{_PREFIX}{digits}{_SUFFIX}" and re.fullmatch("[0-9]+", digits) else None
