"""Keeps the monthly byte budget of a metered bearer: what was used, and what may still be sent over it.

Its input is what the kernel counts on the interface, so handshakes, keep-alives and retransmissions are included. The
month is the civil month in Paris; while the clock is unknown, the persisted month continues. Use is persisted ahead, in
blocks, like sequence numbers: a power cut can only count too much. Each file `budget-<bearer>-<number>` is one line;
the highest readable one holds, and an unreadable one counts for a block. Alarms within their nodes' fair use are not
subject to the budget: they always pass.
"""

import json
import re
from binascii import crc32
from typing import Any, NamedTuple

from gateway.core import limits
from gateway.core.custody.disk import Disk, Ticket
from gateway.core.status import BudgetStatus
from policy import civil

ALL, THIN, HOLD = "all", "thin", "hold"
_DAY_MS = 86_400_000


class _Line(NamedTuple):
    """Is the line that is persisted. Months are 12 × year + month - 1. `counter`: the interface's, when this was
    written."""

    month: int | None
    reserved: int
    used: int
    before_month: int | None  # the month before the last change, in case the clock was wrong
    before: int
    interface: str
    counter: int


class Budget:
    """Counts the use of one bearer. `limit_bytes` 0 or None: nothing is ever held back, use is counted all the same."""

    def __init__(self, disk: Disk, bearer: str, limit_bytes: int | None, *, now_ms: int) -> None:
        self._disk = disk
        self._prefix = f"budget-{bearer}-"
        self._limit = limit_bytes or 0
        share = self._limit // limits.BUDGET_BLOCK_SHARE or limits.BUDGET_BLOCK_BYTES_MAX
        self._block = min(max(share, limits.BUDGET_BLOCK_BYTES_MIN), limits.BUDGET_BLOCK_BYTES_MAX)
        self._day = now_ms // _DAY_MS
        self._writes_today = 0
        self._number = 0
        self._month: int | None = None
        self._used = 0
        self._reserved = 0
        self._assumed = 0
        self._before_month: int | None = None
        self._before = 0
        self._interface: str | None = None
        self._counter = 0
        self._persisted: _Line | None = None  # until the first count after the start
        self._is_loaded = False
        self._elapsed: tuple[int, int] | None = None  # seconds of this month gone, and its length
        self._word = ALL
        self.counters = {"written": 0, "disk-errors": 0, "damaged-files": 0, "interfaces": 0, "months": 0}
        self.counters["not-written"] = 0
        self._load()

    # --- events -------------------------------------------------------------------------------------------------

    def count(self, counter: int, *, interface: str, unix_s: int | None, now_ms: int) -> None:
        """Accepts the interface's bytes, received and sent, since it was made; and UTC, None while unknown.

        `interface` identifies one life of the interface (the kernel's boot id and its index): a new one counts from 0
        again. Must be called every few seconds: a block has to be reserved before it is used.
        """
        if not self._is_loaded:
            self._load()
        grown = counter - self._counter
        if self._interface is None:
            # The first count, and nothing persisted: the bytes before our start are not ours to count.
            grown = 0
        elif interface != self._interface or grown < 0:
            self.counters["interfaces"] += 1
            grown = counter
        elif self._persisted is not None:
            # The kernel continued to count while we were away: the count is exact, nothing needs to be assumed.
            self._used += self._persisted.used - self._assumed
        self._persisted = None
        self._interface, self._counter = interface, counter
        is_new_month = self._observe_month(unix_s)
        self._used += grown
        if is_new_month or self._used + self._block // 2 > self._reserved:
            self._reserve(now_ms)

    def close(self) -> None:
        """Persists the exact use, so that an orderly stop costs no block."""
        if self._is_loaded:
            self._reserved = self._used
            self._write()

    # --- queries ------------------------------------------------------------------------------------------------

    def policy(self) -> str:
        """Returns how much telemetry may use this bearer: all, thin or hold. Events and alarms always pass."""
        self._word = self._decide()
        return self._word

    def has_slack(self) -> bool:
        """Returns whether the month would leave bytes over: then what nodes send beyond their fair use may use some."""
        projected = self._projected()
        is_far = projected is not None and 1000 * projected < limits.BUDGET_PACE_SURPLUS_PERMILLE * self._limit
        return not self._limit or (is_far and self.policy() == ALL)

    def status(self) -> BudgetStatus:
        """Returns what was used of the budget; `projected` is None while the clock is unknown."""
        return BudgetStatus(
            used=self._used,
            limit=self._limit or None,
            share_permille=self._permille(self._used),
            projected=self._projected(),
            month=None if self._month is None else f"{self._month // 12:04}-{self._month % 12 + 1:02}",
            policy=self.policy(),
        )

    def health(self) -> dict[str, Any]:
        """Returns the same and the counters, in plain values."""
        return {**self.status()._asdict(), **self.counters}

    # --- inside -------------------------------------------------------------------------------------------------

    def _decide(self) -> str:
        share = self._permille(self._used)
        if share is None:
            return ALL
        if share >= limits.BUDGET_HOLD_PERMILLE:
            return HOLD
        if share >= limits.BUDGET_THIN_PERMILLE:
            return THIN
        projected = self._projected()
        if projected is None:
            is_thin = self._word == THIN or share >= limits.BUDGET_THIN_BLIND_PERMILLE
            return THIN if is_thin and share >= limits.BUDGET_FREE_PERMILLE else ALL
        is_thin = self._word != ALL
        pace_max = limits.BUDGET_PACE_ALL_PERMILLE if is_thin else limits.BUDGET_PACE_THIN_PERMILLE
        too_fast = 1000 * projected >= pace_max * self._limit
        return THIN if share >= limits.BUDGET_FREE_PERMILLE and too_fast else ALL

    def _permille(self, used: int) -> int | None:
        return 1000 * used // self._limit if self._limit else None

    def _projected(self) -> int | None:
        """Returns the use at the end of the month at the present pace."""
        if self._elapsed is None:
            return None
        gone_s, length_s = self._elapsed
        gone_s = max(gone_s, min(limits.BUDGET_PACE_MIN_S, length_s))
        return self._used * length_s // gone_s

    def _observe_month(self, unix_s: int | None) -> bool:
        """Changes the month if it is over; returns True when it has changed."""
        if unix_s is None:
            self._elapsed = None
            return False
        month, gone_s, length_s = _month(unix_s)
        self._elapsed = (gone_s, length_s)
        if month == self._month:
            return False
        if self._month is None:
            self._month = month  # bytes used without a clock count for this month
        elif month > self._month:
            self.counters["months"] += 1
            self._before_month, self._before = self._month, self._used
            self._month, self._used = month, 0
        else:
            # The clock had run ahead: the use stored for the month before is this month's after all.
            if month == self._before_month:
                self._used += self._before
            self._month, self._before_month, self._before = month, None, 0
        return True

    def _reserve(self, now_ms: int) -> None:
        day = now_ms // _DAY_MS
        if day != self._day:
            self._day, self._writes_today = day, 0
        beyond = max(0, self._writes_today - limits.BUDGET_WRITES_PER_DAY)
        self._reserved = self._used + (self._block << min(beyond, limits.BUDGET_DOUBLINGS_MAX))
        self._write()

    def _write(self) -> None:
        self._writes_today += 1
        if not self._is_loaded or self._writes_today > limits.BUDGET_WRITES_PER_DAY_MAX:
            self.counters["not-written"] += 1
            return
        self._number += 1
        line = _Line(
            self._month,
            self._reserved,
            self._used,
            self._before_month,
            self._before,
            self._interface or "",
            self._counter,
        )
        name = f"{self._prefix}{self._number:010}"
        try:
            self._disk.append(name, _encode(line))
            # No code waits for this sync: half a block is left to use meanwhile.
            self._disk.sync([name], Ticket("budget", self._number))
            self.counters["written"] += 1
            for number, old in self._files():
                if number <= self._number - limits.BUDGET_FILES_KEPT:
                    self._disk.delete(old)
        except OSError:
            self.counters["disk-errors"] += 1

    def _load(self) -> None:
        """Continues from the newest readable line. Tried again later when the folder cannot be listed."""
        try:
            files = sorted(self._files(), reverse=True)
        except OSError:
            self.counters["disk-errors"] += 1
            return
        self._is_loaded = True
        if not files:
            return
        self._number = files[0][0]
        for torn, (_number, name) in enumerate(files):
            line = self._read(name)
            if line is not None:
                self._restore(line, torn)
                return
        unknown = self._limit * limits.BUDGET_UNKNOWN_PERMILLE // 1000
        if self._number <= limits.BUDGET_WRITES_PER_DAY:
            # A young budget has used no more than its few blocks. A power cut in the first minute must not cost the
            # month.
            unknown = min(unknown, self._number * self._block)
        self._used += unknown

    def _restore(self, line: _Line, torn: int) -> None:
        """Continues from a line; each newer line that cannot be read had reserved one more block."""
        if self._month is None:
            self._month, self._before_month, self._before = line.month, line.before_month, line.before
        self._assumed = line.reserved + torn * self._block
        self._used += self._assumed
        if self._interface is None:
            self._persisted = line
            self._interface, self._counter = line.interface, line.counter

    def _read(self, name: str) -> _Line | None:
        try:
            if self._disk.size(name) <= limits.BUDGET_FILE_BYTES_MAX:
                line = _decode(self._disk.read(name, 0, limits.BUDGET_FILE_BYTES_MAX))
                if line is not None:
                    return line
        except OSError:
            self.counters["disk-errors"] += 1
        self.counters["damaged-files"] += 1
        return None

    def _files(self) -> list[tuple[int, str]]:
        pattern = re.compile(re.escape(self._prefix) + "([0-9]{10,15})")
        found = [(pattern.fullmatch(name), name) for name in self._disk.list()]
        return [(int(match[1]), name) for match, name in found if match]


def _month(unix_s: int) -> tuple[int, int, int]:
    """Returns (12 × year + month - 1, its seconds gone, its length in seconds), by the civil calendar in Paris."""
    local = civil.local_from_unix(civil.PARIS, unix_s)
    year, month, day = civil.civil_from_days(local.civil_day)
    first = local.civil_day - day + 1
    length = civil.days_from_civil(year + month // 12, month % 12 + 1, 1) - first
    gone_s = (day - 1) * civil.day_s + local.second
    return 12 * year + month - 1, gone_s, length * civil.day_s


def _encode(line: _Line) -> bytes:
    data = json.dumps(line, separators=(",", ":")).encode()
    return data + b" %08x\n" % crc32(data)


def _decode(data: bytes) -> _Line | None:
    """Returns the line in `data`; None for anything that `_encode` did not write."""
    body, _, tail = data.rpartition(b" ")
    if tail != b"%08x\n" % crc32(body):
        return None
    try:
        fields = json.loads(body)
    except ValueError:
        return None
    if not isinstance(fields, list) or len(fields) != len(_Line._fields):
        return None
    line = _Line(*fields)
    months = all(value is None or type(value) is int for value in (line.month, line.before_month))
    amounts = (line.reserved, line.used, line.before, line.counter)
    natural = all(type(value) is int and value >= 0 for value in amounts)
    return line if months and natural and isinstance(line.interface, str) else None
