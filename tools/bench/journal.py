"""Measures the gateway's journal and SQLite on the same disk, in turns: rates, flushes, bytes to the device.

Both store 200-byte random payloads, 50 a flush, and wait for each flush, as a caller does that acknowledges before the
next batch. Then both drain: 50 records are read and released, until nothing is left. The peer is SQLite's WAL with
synchronous=FULL, one table (id, prio, ts, body), a checkpoint every 1000 pages; it commits its deletions, while the
journal need not sync its own: a file that reappears after a power cut is freed again.

Bytes written are given per payload byte, by two counters. `process` is write_bytes of /proc/self/io: pages that this
process made dirty, each once until it is written back; it excludes the file system's own journal and the device's
internal writes. `device` is what the block device counted meanwhile (/sys/dev/block), including the file system's
journal and the writes of any other program: give a folder on a partition of its own, as a loop device on a file.
Neither includes the internal writes of an SD card. A folder on a RAM disk has no device: the rates are then not those
of a disk. Linux only.

The second table is a district at its real cadence: 300 nodes, a record a minute, a flush in 500 ms, so two or three
records a flush, each flush awaited, the next one at once; then drained, 50 at a time. A flush costs whole pages, so a
byte of payload costs more than at 50 a flush.

    bocage bench journal --folder DIR --json
"""

import argparse
import json
import os
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from queue import SimpleQueue
from statistics import median
from time import perf_counter, time
from typing import Any, NamedTuple, Protocol

from gateway.core.custody.disk import Ticket
from gateway.core.custody.inventory import Inventory
from gateway.core.custody.journal import Journal, Stream
from gateway.io.disk import FileDisk
from tools.command_line import add_json

PAYLOAD_BYTES = 200
BATCH = 50
# The bytes that the journal may write per payload byte while it stores records: whole pages of 4 kB, one of them twice,
# and once the zeros ahead of them.
PROCESS_BYTES_MAX = 2.75
# A district at its real cadence: records a day, and records a flush.
DAY_RECORDS = 300 * 24 * 60
CADENCE_BATCHES = (2, 3)  # in turns: 5 records a second, a flush in 500 ms
# The inventory is saved every ten seconds while records come: of two flushes a second, with each twentieth.
FLUSHES_A_LIST = 20
_SECTOR_BYTES = 512  # the unit of /sys/dev/block, not the device's own sectors
_SECTORS_WRITTEN = 6  # column, Documentation/block/stat.rst
_FIGURES = {
    "insert_per_s": "insert, records/s",
    "flush_p50_ms": "flush, ms, p50",
    "flush_p99_ms": "flush, ms, p99",
    "insert_process_bytes": "insert, process bytes",
    "insert_device_bytes": "insert, device bytes",
    "drain_per_s": "drain, records/s",
    "all_process_bytes": "with drain, process bytes",
    "all_device_bytes": "with drain, device bytes",
}

Row = dict[str, float | None]


class Store(Protocol):
    """Describes a durable queue under test."""

    def put(self, payloads: list[bytes]) -> float:
        """Stores one batch and waits for its flush; returns the seconds of the flush."""

    def drain(self) -> int:
        """Reads all records in batches and releases each; returns how many there were."""

    def close(self) -> None:
        """Releases files and threads."""


class OurJournal:
    """Stores into the gateway's journal in a real folder."""

    def __init__(self, folder: Path) -> None:
        self._reports: SimpleQueue[tuple[Ticket, str | None]] = SimpleQueue()
        self._disk = FileDisk(folder / "journal", self._note)
        self._state = FileDisk(folder / "state", lambda *report: self._state_reports.put(report))
        self._state_reports: SimpleQueue[tuple[Ticket, str | None]] = SimpleQueue()
        self._flushes = 0
        epoch = os.urandom(8)
        self._stream = Stream(epoch, "telemetry")
        self._journal = Journal(self._disk, epoch=epoch, inventory=Inventory(self._state))
        self._journal.recover()

    def put(self, payloads: list[bytes]) -> float:
        for payload in payloads:
            self._journal.append("telemetry", payload)
        start = perf_counter()
        self._journal.flush()
        ticket, error = self._reports.get()
        assert error is None, error
        self._journal.on_synced(ticket, error)
        took = perf_counter() - start
        self._flushes += 1
        if self._flushes % FLUSHES_A_LIST == 0:
            self._journal.save_inventory()
        self._list()
        return took

    def _note(self, ticket: Ticket, error: str | None) -> None:
        self._reports.put((ticket, error))

    def _list(self) -> None:
        """Passes on what the state folder has synced."""
        while not self._state_reports.empty():
            self._journal.on_state_synced(*self._state_reports.get())

    def drain(self) -> int:
        first = position = self._journal.oldest(self._stream)
        while items := self._journal.read(self._stream, position, count_max=BATCH, bytes_max=64_000):
            position += len(items)
            self._journal.release_through(self._stream, position - 1)
            self._list()
        return position - first

    def close(self) -> None:
        self._disk.close()
        self._state.close()


class Sqlite:
    """Stores into the peer, SQLite as it is usually used."""

    def __init__(self, folder: Path) -> None:
        self._base = sqlite3.connect(folder / "queue.db", isolation_level=None)
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "wal_autocheckpoint=1000"):
            self._base.execute(f"PRAGMA {pragma}")
        columns = "id INTEGER PRIMARY KEY AUTOINCREMENT, prio INTEGER, ts INTEGER, body BLOB"
        self._base.execute(f"CREATE TABLE queue ({columns})")

    def put(self, payloads: list[bytes]) -> float:
        now_ms = int(time() * 1000)
        self._base.execute("BEGIN")
        rows = [(2, now_ms, payload) for payload in payloads]
        self._base.executemany("INSERT INTO queue (prio, ts, body) VALUES (?, ?, ?)", rows)
        start = perf_counter()
        self._base.execute("COMMIT")
        return perf_counter() - start

    def drain(self) -> int:
        count = 0
        while rows := self._base.execute(f"SELECT id, body FROM queue ORDER BY id LIMIT {BATCH}").fetchall():
            count += len(rows)
            self._base.execute("DELETE FROM queue WHERE id <= ?", (rows[-1][0],))  # commits
        return count

    def close(self) -> None:
        self._base.close()


def bytes_of_process() -> int | None:
    """Returns the bytes that this process has sent to block devices since its start; None where the kernel does not
    report them."""
    try:
        fields = dict(line.split(": ") for line in Path("/proc/self/io").read_text().splitlines())
    except OSError:
        return None
    return int(fields["write_bytes"])


def bytes_of_device(folder: Path) -> int | None:
    """Returns the bytes that the block device under `folder` has written since the system's start; None without a
    device."""
    number = folder.stat().st_dev
    try:
        counters = Path(f"/sys/dev/block/{os.major(number)}:{os.minor(number)}/stat").read_text().split()
    except OSError:
        return None
    return int(counters[_SECTORS_WRITTEN]) * _SECTOR_BYTES


class _Written(NamedTuple):
    process: int | None
    device: int | None

    @classmethod
    def now(cls, folder: Path) -> "_Written":
        os.sync()  # bytes that are still in memory belong to what came before
        return cls(bytes_of_process(), bytes_of_device(folder))

    def since(self, before: "_Written", payload_bytes: int) -> list[float | None]:
        """Returns the bytes written per payload byte, by each counter."""
        pairs = zip(self, before, strict=True)
        return [None if now is None or then is None else (now - then) / payload_bytes for now, then in pairs]


def measure_day(open_store: Callable[[Path], Store], folder: Path, flushes: int) -> Row:
    """Returns the bytes written per payload byte at the real cadence, drain included, in the empty `folder`."""
    store = open_store(folder)
    before, records = _Written.now(folder), 0
    for number in range(flushes):
        count = CADENCE_BATCHES[number % len(CADENCE_BATCHES)]
        store.put([os.urandom(PAYLOAD_BYTES) for _ in range(count)])
        records += count
    os.sync()  # the records are on the disk before they are released, as in an outage
    drained = store.drain()
    assert drained == records, (drained, records)
    process, device = _Written.now(folder).since(before, records * PAYLOAD_BYTES)
    store.close()
    return {"all_process_bytes": process, "all_device_bytes": device}


def mb_a_day(bytes_a_byte: float | None) -> float | None:
    """Returns the megabytes written for DAY_RECORDS, at so many bytes written per payload byte."""
    return None if bytes_a_byte is None else bytes_a_byte * DAY_RECORDS * PAYLOAD_BYTES / 1e6


def measure(open_store: Callable[[Path], Store], folder: Path, records: int) -> Row:
    """Fills and drains one store in the empty `folder`; returns its figures."""
    store = open_store(folder)
    payloads = [os.urandom(PAYLOAD_BYTES) for _ in range(records)]
    batches = [payloads[at : at + BATCH] for at in range(0, records, BATCH)]
    before = _Written.now(folder)
    start = perf_counter()
    flushes = sorted(store.put(batch) for batch in batches)
    insert_s = perf_counter() - start
    del payloads, batches
    between = _Written.now(folder)
    start = perf_counter()
    drained = store.drain()
    drain_s = perf_counter() - start
    assert drained == records, (drained, records)
    after = _Written.now(folder)
    store.close()
    insert, whole = (written.since(before, records * PAYLOAD_BYTES) for written in (between, after))
    return {
        "insert_per_s": records / insert_s,
        "flush_p50_ms": median(flushes) * 1000,
        "flush_p99_ms": flushes[len(flushes) * 99 // 100] * 1000,
        "insert_process_bytes": insert[0],
        "insert_device_bytes": insert[1],
        "drain_per_s": records / drain_s,
        "all_process_bytes": whole[0],
        "all_device_bytes": whole[1],
    }


# In the order of the turns.
STORES: dict[str, Callable[[Path], Store]] = {"journal": OurJournal, "sqlite": Sqlite}


def summary(rows: list[Row]) -> dict[str, dict[str, float] | None]:
    """Returns the median, least and most of each figure over the rounds; None where it is not known."""
    found: dict[str, dict[str, float] | None] = {}
    for name in _FIGURES:
        values = [value for row in rows if (value := row[name]) is not None]
        found[name] = {"median": median(values), "min": min(values), "max": max(values)} if values else None
    return found


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--folder", type=Path, help="folder on the disk to measure (default: of temporary files)")
    parser.add_argument("--records", type=int, default=100_000, help="of one round (default %(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="turns of each (default %(default)s)")
    parser.add_argument("--flushes", type=int, default=200, help="at the real cadence (default %(default)s)")
    add_json(parser)


def _days(args: argparse.Namespace, figures: dict[str, dict[str, Any]]) -> dict[str, dict[str, float | None]]:
    """Returns the MB a day of each store: by the rounds' ratio at 50 a flush, and as measured at the real cadence."""
    days = {}
    for name, open_store in STORES.items():
        with tempfile.TemporaryDirectory(prefix="bocage-journal-", dir=args.folder) as folder:
            row = measure_day(open_store, Path(folder), args.flushes)
        at_50 = figures[name]["all_process_bytes"]
        days[name] = {
            "at_50_a_flush_process_mb": mb_a_day(at_50["median"]) if at_50 else None,
            "real_cadence_process_mb": mb_a_day(row["all_process_bytes"]),
            "real_cadence_device_mb": mb_a_day(row["all_device_bytes"]),
            "real_cadence_device_bytes": row["all_device_bytes"],
        }
    return days


def _rounds(args: argparse.Namespace) -> Iterator[tuple[str, Row]]:
    for _ in range(args.rounds):
        for name, open_store in STORES.items():
            with tempfile.TemporaryDirectory(prefix="bocage-journal-", dir=args.folder) as folder:
                yield name, measure(open_store, Path(folder), args.records)


def run(args: argparse.Namespace) -> int:
    """Prints the figures; the exit status is 0 when the journal's bytes are within their bound."""
    rows: dict[str, list[Row]] = {}
    for name, row in _rounds(args):
        rows.setdefault(name, []).append(row)
    figures = {name: summary(of_store) for name, of_store in rows.items()}
    written = figures["journal"]["insert_process_bytes"]
    passed = written is None or written["median"] <= PROCESS_BYTES_MAX
    days = _days(args, figures)
    if args.json:
        head = {"records": args.records, "rounds": args.rounds, "batch": BATCH, "payload_bytes": PAYLOAD_BYTES}
        bound = {"process_bytes_bound": PROCESS_BYTES_MAX, "passed": passed}
        print(json.dumps({**head, "stores": figures, "days": days, **bound}, indent=1))
        return 0 if passed else 1
    print(f"{args.rounds} rounds of {args.records} records of {PAYLOAD_BYTES} bytes, {BATCH} a flush; median (min-max)")
    print("bytes: written for each payload byte " + f"(bound of the journal's insert: {PROCESS_BYTES_MAX})")
    print(f"{'':26}" + "".join(f"{name:>30}" for name in figures))
    for key, title in _FIGURES.items():
        print(f"{title:26}" + "".join(f"{_cell(figures[name][key]):>30}" for name in figures))
    print(f"a day of {DAY_RECORDS} records ({DAY_RECORDS * PAYLOAD_BYTES / 1e6:.1f} MB), drained; see --help")
    for key in days["journal"]:
        cells = (days[name][key] for name in figures)
        print(f"{key:26}" + "".join(f"{'-' if cell is None else format(cell, ',.1f'):>30}" for cell in cells))
    return 0 if passed else 1


def _cell(values: dict[str, float] | None) -> str:
    if values is None:
        return "-"
    digits = 0 if values["median"] >= 1000 else 2
    return "{median:,.{digits}f} ({min:,.{digits}f}-{max:,.{digits}f})".format(digits=digits, **values)
