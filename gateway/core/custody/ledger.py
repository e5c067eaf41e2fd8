"""Lists every record that the gateway let go of, by name, where an operator and a program can read it: the loss ledger.

JSON lines in files `losses-<number>.log` of the state folder. A gap record may cover more than is missing; a
line here lists exactly what was let go:

    {"unix_s": 1790000000 | null, "uptime_s": 7, "why": "thinned", "lane": "telemetry", "node": "7c1f…",
     "boot": 3, "sequences": "3,5,7-9,20-40/2", "count": 16, "key": "…"}
    {"unix_s": …, "uptime_s": …, "why": "journal-damaged", "lane": "event", "epoch": "…", "positions": "4-9", …}

`7-9` are three numbers, `20-40/2` every other one. `key` names the release (the file that replaced another):
after a power cut a release is listed again, and of two lines about the same part of one release the first counts.
A listed record was let go here; if it was on its way to the warehouse at that time, the warehouse may hold it.

Files rotate by size and the oldest is deleted. Each begins with the totals by reason of all files before it, so the
totals outlive rotation, and a start continues from the newest. Disk failures are counted, never raised: the ledger
must not keep a record from being stored.
"""

import json
import re
from collections import OrderedDict, deque
from collections.abc import Iterable, Iterator
from contextlib import suppress
from hashlib import sha256
from typing import Any, NamedTuple

from gateway.core import limits
from gateway.core.custody.disk import Disk, Ticket, parse_json

OTHER = "other"  # of the totals, beyond LEDGER_REASONS_MAX
_NAME = re.compile(r"losses-([0-9]{8})\.log")
_NODE = re.compile("[0-9a-f]{16}")
_UNIX_S_LAST = 253_402_300_799  # the last second that a date can show
_RUN = re.compile(r"([0-9]{1,16})(?:-([0-9]{1,16})(?:/([0-9]{1,16}))?)?")


class LossTime(NamedTuple):
    """Holds UTC, or None while the clock is not good, and seconds since the agent's start."""

    unix_s: int | None
    uptime_s: int


def compact(numbers: Iterable[int]) -> list[str]:
    """Return runs like `3`, `7-9`, `20-40/2` that together are exactly these numbers, rising."""
    due = sorted(set(numbers))
    out = []
    at = 0
    while at < len(due):
        end = at + 1
        step = due[end] - due[at] if end < len(due) else 1
        while end < len(due) and due[end] - due[end - 1] == step and end - at < limits.LEDGER_LINE_NUMBERS_MAX:
            end += 1
        if end - at < 3 and step > 1:
            end = at + 1
        run = str(due[at]) if end == at + 1 else f"{due[at]}-{due[end - 1]}"
        out.append(run if step == 1 or end == at + 1 else f"{run}/{step}")
        at = end
    return out


def expand(text: str) -> list[int]:
    """Return the numbers that runs joined by commas stand for. ValueError if `text` has another form."""
    out: list[int] = []
    for run in text.split(","):
        match = _RUN.fullmatch(run)
        if match is None:
            raise ValueError(f"no run of numbers: {run[:40]!r}")
        first, last, step = int(match[1]), int(match[2] or match[1]), int(match[3] or 1)
        if last < first or step < 1 or (last - first) // step > limits.LEDGER_LINE_NUMBERS_MAX:
            raise ValueError(f"no run of numbers: {run[:40]!r}")
        out += range(first, last + 1, step)
    return out


def entries(disk: Disk, *, from_unix_s: int | None = None, until_unix_s: int | None = None) -> Iterator[dict[str, Any]]:
    """Yield the losses between two times, both included, oldest first; torn and foreign lines are skipped.

    Losses from a time without a clock are always listed: they may have happened in that period.
    """
    seen: set[bytes] = set()
    for name in _files(disk):
        for line in _lines(disk, name):
            if "totals" in line or (digest := _digest(line)) in seen:
                continue
            seen.add(digest)
            unix_s = line["unix_s"]
            early = from_unix_s is not None and unix_s is not None and unix_s < from_unix_s
            late = until_unix_s is not None and unix_s is not None and unix_s > until_unix_s
            if not early and not late:
                yield line


class Ledger:
    """Writes the ledger. `totals` counts lost records by reason; where no record can be named, journal positions."""

    def __init__(self, disk: Disk) -> None:
        self._disk = disk
        self._number = 1
        self._size = 0
        self._is_torn = False  # the newest line may be half a line
        self._seen: OrderedDict[bytes, None] = OrderedDict()
        self._waiting: deque[bytes] = deque()
        self._dirty: set[str] = set()
        self._ticket = Ticket("ledger", 0)
        self._syncs: dict[Ticket, bool] = {}  # ticket -> done
        self.totals: dict[str, int] = {}
        self.counters = {"lines": 0, "repeated": 0, "not-kept": 0, "disk-errors": 0, "sync-errors": 0}
        try:
            self._load()
        except OSError:
            self.counters["disk-errors"] += 1

    def records_lost(
        self, why: str, lane: str, node: bytes, boot: int, sequences: Iterable[int], *, key: str, when: LossTime
    ) -> None:
        """List lost records of one node and boot."""
        about = {"node": node.hex(), "boot": boot}
        for part, (runs, count) in enumerate(_portions(compact(sequences))):
            of = {"part": part} if part else {}
            self._note({**_head(why, lane, when), **about, "sequences": runs, "count": count, "key": key, **of})

    def positions_lost(
        self, why: str, lane: str, epoch: bytes, first: int, last: int, *, key: str, when: LossTime
    ) -> None:
        """List lost journal positions whose records cannot be named."""
        where = {"epoch": epoch.hex(), "positions": f"{first}-{last}" if last > first else str(first)}
        self._note({**_head(why, lane, when), **where, "count": last - first + 1, "key": key})

    def sync(self) -> Ticket:
        """Start making durable what was listed; return the ticket for `is_synced`."""
        self._write_waiting()
        self._ticket = Ticket("ledger", self._ticket.number + 1)
        self._syncs[self._ticket] = not self._dirty
        if self._dirty:
            names = sorted(self._dirty)
            self._dirty.clear()
            self._disk.sync(names, self._ticket)
        return self._ticket

    def on_synced(self, ticket: Ticket, error: str | None) -> None:
        """Process the outcome of a sync of the state disk."""
        if ticket not in self._syncs:
            return
        self._syncs[ticket] = True
        if error is not None:
            self.counters["sync-errors"] += 1
            if self._size:  # its tail may be lost, though later syncs succeed: the next line goes elsewhere
                self._number, self._size = self._number + 1, 0

    def is_synced(self, ticket: Ticket) -> bool:
        """Return True once the sync has ended, with or without error; errors are counted."""
        return self._syncs.get(ticket, True)

    def forget_sync(self, ticket: Ticket) -> None:
        """Forget a ticket that is not waited for any more."""
        self._syncs.pop(ticket, None)

    def catch_up(self) -> None:
        """Write what the disk has refused until now, if anything, without waiting for its sync."""
        if self._waiting:
            self.forget_sync(self.sync())

    # --- inside -------------------------------------------------------------------------------------------------

    def _note(self, line: dict[str, Any]) -> None:
        digest = _digest(line)
        if digest in self._seen:
            self.counters["repeated"] += 1
            return
        self._remember(digest)
        self._count(line)
        self._waiting.append(json.dumps(line, separators=(",", ":")).encode() + b"\n")
        if len(self._waiting) > limits.LEDGER_WAITING_LINES_MAX:
            self._waiting.popleft()
            self.counters["not-kept"] += 1
        self._write_waiting()

    def _write_waiting(self) -> None:
        try:
            while self._waiting:
                self._append(self._waiting[0])
                self._waiting.popleft()
                self.counters["lines"] += 1
        except OSError:
            # How much of the line was written is unknown: the next line starts anew.
            self.counters["disk-errors"] += 1
            self._is_torn = True
            if self._size:  # else its totals are still to be written
                with suppress(OSError):
                    self._size = self._disk.size(_name(self._number))

    def _append(self, line: bytes) -> None:
        if self._size + len(line) > limits.LEDGER_FILE_BYTES_MAX:
            self._number += 1
            self._size = 0
        if self._size == 0:
            self._forget_old()
            # The lines that wait are counted already, and the reader of this file will count them again.
            totals = dict(self.totals)
            for waiting in self._waiting:
                noted = json.loads(waiting)
                totals[self._reason(noted["why"])] -= noted["count"]
            line = json.dumps({"totals": totals}, separators=(",", ":")).encode() + b"\n" + line
        if self._is_torn:
            line = b"\n" + line
        self._disk.append(_name(self._number), line)
        self._dirty.add(_name(self._number))
        self._size += len(line)
        self._is_torn = False

    def _forget_old(self) -> None:
        names = self._names()
        for name in names:
            if _number(name) > self._number - limits.LEDGER_FILES_MAX:
                continue
            try:
                self._disk.delete(name)
            except OSError:
                # A file that cannot be deleted must not end the ledger; nor may the ledger grow without end.
                if len(names) >= 2 * limits.LEDGER_FILES_MAX:
                    raise
                self.counters["disk-errors"] += 1
            else:
                self._dirty.discard(name)

    def _names(self) -> list[str]:
        return _files(self._disk)

    def _load(self) -> None:
        for name in self._names():
            self._number = _number(name)
            self._dirty.add(name)  # an earlier process may have died before its sync
            here: list[bytes] = []
            for line in _lines(self._disk, name):
                if "totals" in line:
                    # A second beginning: the first could not be written whole. The lines between the two follow again.
                    for digest in here:
                        self._seen.pop(digest, None)
                    self.totals = dict(line["totals"])
                elif (digest := _digest(line)) not in self._seen:
                    self._remember(digest)
                    self._count(line)
                    here.append(digest)
            # The file is continued, not replaced: few lines in each of many lives must not push out those of older
            # ones.
            self._size, self._is_torn = self._disk.size(name), True

    def _count(self, line: dict[str, Any]) -> None:
        reason = self._reason(line["why"])
        self.totals[reason] = self.totals.get(reason, 0) + line["count"]

    def _reason(self, why: str) -> str:
        """Return the name under which its total is kept: some reasons are words of the centre, which may be many."""
        return why if why in self.totals or len(self.totals) < limits.LEDGER_REASONS_MAX else OTHER

    def _remember(self, digest: bytes) -> None:
        self._seen[digest] = None
        if len(self._seen) > limits.LEDGER_REMEMBERED_MAX:
            self._seen.popitem(last=False)


def _head(why: str, lane: str, when: LossTime) -> dict[str, Any]:
    return {"unix_s": when.unix_s, "uptime_s": when.uptime_s, "why": why, "lane": lane}


def _portions(runs: list[str]) -> Iterator[tuple[str, int]]:
    """Yield the runs joined up to the length limit of a line, each with how many numbers it holds."""
    start = size = count = 0
    for at, run in enumerate(runs):
        numbers = len(expand(run))
        if at > start and (
            size + len(run) > limits.LEDGER_LINE_BYTES_MAX or count + numbers > limits.LEDGER_LINE_NUMBERS_MAX
        ):
            yield ",".join(runs[start:at]), count
            start, size, count = at, 0, 0
        size += len(run) + 1
        count += numbers
    if runs:
        yield ",".join(runs[start:]), count


def _digest(line: dict[str, Any]) -> bytes:
    """Return a digest of what a line is about, without its sequences: after a cut the old file may have lost a tail
    that was never durable."""
    said = [line.get(name) for name in ("why", "lane", "node", "boot", "epoch", "positions", "key", "part")]
    return sha256(json.dumps(said).encode()).digest()[:8]


def _lines(disk: Disk, name: str) -> Iterator[dict[str, Any]]:
    try:
        data = disk.read(name, 0, limits.LEDGER_FILE_BYTES_MAX + limits.LEDGER_LINE_BYTES_MAX)
    except OSError:
        return
    for raw in data.split(b"\n"):
        try:
            line = parse_json(raw)
        except ValueError:
            continue
        if isinstance(line, dict) and (_is_totals(line) or _is_loss(line)):
            yield line


def _is_totals(line: dict[str, Any]) -> bool:
    totals = line.get("totals")
    return isinstance(totals, dict) and all(type(count) is int for count in totals.values())


def _is_loss(line: dict[str, Any]) -> bool:
    if "totals" in line or type(line.get("count")) is not int or "unix_s" not in line:
        return False
    if not (line["unix_s"] is None or (type(line["unix_s"]) is int and 0 <= line["unix_s"] <= _UNIX_S_LAST)):
        return False
    if not all(isinstance(line.get(name), str) for name in ("why", "lane")):
        return False
    if "node" in line and not (_is_node(line["node"]) and type(line.get("boot")) is int and "sequences" in line):
        return False
    numbers = line.get("sequences", line.get("positions"))
    try:
        return isinstance(numbers, str) and bool("positions" in line or len(expand(numbers)) == line["count"])
    except ValueError:
        return False


def _is_node(text: Any) -> bool:
    return isinstance(text, str) and _NODE.fullmatch(text) is not None


def _files(disk: Disk) -> list[str]:
    return [name for name in disk.list() if _NAME.fullmatch(name)]


def _name(number: int) -> str:
    return f"losses-{number:08}.log"


def _number(name: str) -> int:
    return int(name[len("losses-") : -len(".log")])
