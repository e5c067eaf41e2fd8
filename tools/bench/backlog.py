"""A gateway that starts on a long backlog: recovery, memory, the first batch, the drain, and alarms that pass it.

Real parts: journal, uplink and file disk in one process, on records that are encoded as nodes encode them.
Scripted parts: a broker that acknowledges, and a warehouse that holds what it is sent and answers with its
watermark; no network. An earlier process writes the backlog, in four epochs of several segments; this one
recovers it. Only the gateway's own work is timed: recovery, and the calls of the uplink. The first batch
comes with the whole window, for one `poll` makes 12 of 50 records.

The first half of the backlog is drained against a centre that answers at once. The second half goes over a
link that carries one batch in 20 ms of virtual time, first in, first out, while an alarm is appended, made
durable and offered every 100 ms. Its latency is told in batches that the link carried between the alarm's
append and its arrival, itself included: telemetry may have 12 batches under way, four places are the alarms'.

What dominates the drain is wire.senml in Python: encoding the pack takes 70 % of the gateway's time, decoding
the journal's entries 25 %, deflate and reading the journal 2 % each (cProfile, both kinds of record).

    bocage bench backlog --records 200000 --json
"""

import argparse
import json
import multiprocessing
import random
import tempfile
from collections import deque
from collections.abc import Callable
from pathlib import Path
from queue import SimpleQueue
from statistics import median
from time import perf_counter
from typing import Any, NamedTuple

from gateway.core import entry, limits
from gateway.core.journal import Journal, Recovery, Stream
from gateway.core.uplink import Publication, Uplink
from gateway.io.disk import FileDisk
from tools.bench import street
from tools.centre import intake
from wire import event, quantity, record
from wire.record import SYNCED, EventBody, Record, Stamp
from wire.senml import Item
from wire.watermark import Watermark

EPOCHS = 4
CIRCUITS = 12  # of a meter: 24 readings, the most a record may hold, are about 200 bytes
READINGS = {"meter": 2 * CIRCUITS, "lamp": 8}  # of one record
DIFFERENT = 1000  # records drawn; then they repeat, further apart than a batch and its deflate window reach
COMMIT_RECORDS = 500
BATCH_MS = 20
ALARM_EVERY_MS = 100
RECEIVE_MAX = 100
# What may be under way before an alarm, and the alarms' own places.
ALARM_BATCHES_MAX = limits.UPLINK_WINDOW_MAX


def meter(number: int, draw: random.Random) -> Record:
    """A record of a cabinet's meter: energy and power of 12 circuits, 24 readings."""
    readings = {}
    for circuit in range(1, CIRCUITS + 1):
        readings[circuit * quantity.CHANNEL_STEP + quantity.ENERGY] = draw.randrange(1 << 17, 1 << 27)
        readings[circuit * quantity.CHANNEL_STEP + quantity.POWER] = draw.randrange(300, 40_000)
    return Record(3, 9_000 + number, Stamp(SYNCED, street.START_UNIX_S + 60 * number, draw.randint(0, 3)), readings)


def payloads(kind: str) -> list[bytes]:
    """Journal payloads, telemetry of `kind`: "meter" (about 200 bytes) or "lamp" (about 50 bytes)."""
    draw = random.Random(1)
    if kind == "lamp":
        items = street.street(DIFFERENT)
    else:
        nodes = [street.TERRITORY + bytes([3, 0, 0, number]) for number in range(20)]
        items = [Item(nodes[number % 20], meter(number, draw)) for number in range(DIFFERENT)]
    return [entry.encode(entry.Entry(item.node, record.encode(item.record))) for item in items]


def alarm(number: int) -> bytes:
    """Journal payload of an alarm."""
    made = Record(3, number, Stamp(SYNCED, street.START_UNIX_S + number, 1), EventBody(event.LAMP_FAILURE, True, None))
    return entry.encode(entry.Entry(street.GATEWAY, record.encode(made)))


class Durable:
    """A journal on a real folder whose flushes are awaited."""

    def __init__(self, folder: str, epoch: bytes) -> None:
        self._reports: SimpleQueue[tuple[int, str | None]] = SimpleQueue()
        self._disk = FileDisk(Path(folder), lambda ticket, error: self._reports.put((ticket, error)))
        self.journal = Journal(self._disk, epoch=epoch)

    def recover(self) -> Recovery:
        """Once, first."""
        return self.journal.recover()

    def flush(self) -> None:
        """Make durable what was appended."""
        if self.journal.flush() is not None:
            ticket, error = self._reports.get()
            assert error is None, error
            self.journal.on_synced(ticket, error)

    def close(self) -> None:
        """Close files, end the thread."""
        self._disk.close()


def epoch_of(number: int) -> bytes:
    """The epoch of start `number`: any 8 bytes, all different."""
    return bytes([number]) * 8


def fill(folder: str, kind: str, records: int) -> None:
    """Write the backlog as earlier starts would; runs in a process of its own, so that its memory is not ours."""
    drawn = payloads(kind)
    for start in range(EPOCHS):
        durable = Durable(folder, epoch_of(start))
        durable.recover()
        for number in range(start * records // EPOCHS, (start + 1) * records // EPOCHS):
            position = durable.journal.append(event.TELEMETRY, drawn[number % DIFFERENT])
            assert isinstance(position, int), position
            if number % COMMIT_RECORDS == 0:
                durable.flush()
        durable.flush()
        durable.close()


class Memory:
    """Growth of the peak of resident memory, in kB; None where the kernel does not tell."""

    def __init__(self) -> None:
        try:
            Path("/proc/self/clear_refs").write_text("5")  # the peak counts from here (proc(5))
        except OSError:
            self._before = None
        else:
            self._before = self._status("VmRSS")

    @staticmethod
    def _status(name: str) -> int:
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith(name + ":"))

    def growth_kb(self) -> int | None:
        """Peak since the start less what there was."""
        return None if self._before is None else self._status("VmHWM") - self._before


class _Sent(NamedTuple):
    token: int
    envelope: intake.Envelope


class Centre:
    """Broker, warehouse and clock, around the uplink that is measured; `busy_s` is the uplink's own time."""

    def __init__(self, durable: Durable, epoch: bytes) -> None:
        self._durable = durable
        self._journal = durable.journal
        self.uplink = Uplink(
            self._journal,
            gateway=street.GATEWAY,
            insee="49007",
            name="cab-12",
            batch_age_ms=60_000,
            epoch=epoch,
            on_lost=_never,
            on_quarantined=_never,
        )
        self.now_ms = 0
        self.busy_s = 0.0
        self.link: deque[_Sent] = deque()
        self.arrived = 0  # batches, questions included
        self._alarms = Stream(epoch, event.ALARM)
        self._appended: deque[int] = deque()  # for each alarm not arrived: what `arrived` was
        self._held: dict[Stream, int] = {}
        self.alarm_batches: list[int] = []

    def timed(self, call: Callable[..., Any], *words: Any) -> Any:
        """The call's result, its time counted as the gateway's."""
        start = perf_counter()
        result = call(*words, now_ms=self.now_ms)
        self.busy_s += perf_counter() - start
        return result

    def poll(self) -> None:
        """Ask the uplink what to publish, and put it on the link."""
        found: list[Publication] = self.timed(self.uplink.poll)
        for publication in found:
            envelope = intake.peek(publication.payload)
            assert envelope is not None
            self.link.append(_Sent(publication.token, envelope))

    def arrive(self) -> intake.Envelope:
        """The oldest on the link arrives, is acknowledged and answered with the watermark."""
        token, envelope = self.link.popleft()
        self.arrived += 1
        self.timed(self.uplink.acknowledged, token, 0)
        stream = Stream(envelope.epoch, envelope.lane)
        self._held[stream] = max(self._held.get(stream, 0), envelope.last + 1)
        self.timed(self.uplink.heard, Watermark(envelope.epoch, envelope.lane, self._held[stream]))
        if stream == self._alarms:
            for _ in range(envelope.first, envelope.last + 1):
                self.alarm_batches.append(self.arrived - self._appended.popleft())
        return envelope

    def raise_alarm(self) -> None:
        """Append an alarm and make it durable."""
        position = self._journal.append(event.ALARM, alarm(len(self.alarm_batches) + len(self._appended)))
        assert isinstance(position, int), position
        self._appended.append(self.arrived)
        self._durable.flush()

    def first_batch_s(self) -> float:
        """Connect, ask, hear the answers; the gateway's own time until the first batch with data."""
        self.timed(self.uplink.connected, RECEIVE_MAX)
        self.poll()
        while self.uplink.counters["batches"] == 0:
            self.arrive()
            self.poll()
        return self.busy_s

    def waiting(self) -> int:
        """Durable records that the warehouse does not hold."""
        return sum(self._journal.waiting(stream) for stream in self._journal.streams())

    def has_backlog(self) -> bool:
        """Whether records of earlier starts are left."""
        return any(stream.epoch != self._alarms.epoch for stream in self._journal.streams())

    def drain_to(self, left: int) -> None:
        """All that is under way arrives at once, again and again."""
        while self.waiting() > left:
            self.poll_or_wait()
            while self.link:
                self.arrive()

    def drain_with_alarms(self) -> None:
        """One batch in BATCH_MS, an alarm every ALARM_EVERY_MS, until the backlog is gone."""
        self.poll()  # the first alarm finds the link full
        while self.waiting() > 0:
            if self.now_ms % ALARM_EVERY_MS == 0 and self.has_backlog():
                self.raise_alarm()
            self.poll_or_wait()
            self.arrive()
            self.now_ms += BATCH_MS

    def poll_or_wait(self) -> None:
        """Publish; with nothing under way, let the time pass until there is: an epoch's tail waits for company."""
        self.poll()
        while not self.link:
            deadline_ms = self.uplink.deadline_ms()
            assert deadline_ms is not None and deadline_ms > self.now_ms, "the uplink has stopped"
            self.now_ms = -(-deadline_ms // BATCH_MS) * BATCH_MS
            self.poll()


def _never(_what: Any) -> None:
    raise AssertionError("the backlog is sound and the warehouse takes all")


def measure(folder: str, kind: str, records: int) -> dict[str, Any]:
    """Recover and drain what `fill` wrote; all figures."""
    durable = Durable(folder, epoch_of(EPOCHS))
    segments = len(list(Path(folder).iterdir()))
    memory, start = Memory(), perf_counter()
    report = durable.recover()
    recovery_s, recovery_kb = perf_counter() - start, memory.growth_kb()
    assert report.records == records, report
    centre = Centre(durable, epoch_of(EPOCHS))
    memory = Memory()
    found = {
        "segments": segments,
        "recovery_s": recovery_s,
        "recovery_peak_kb": recovery_kb,
        "first_batch_ms": centre.first_batch_s() * 1000,
        "drain_per_s": _rate(centre, lambda: centre.drain_to(records // 2)),
        "bytes_per_reading": _bytes_per_reading(centre, kind),
        "drain_with_alarms_per_s": _rate(centre, centre.drain_with_alarms),
        "drain_peak_kb": memory.growth_kb(),
        "alarms": len(centre.alarm_batches),
        "alarm_batches_p50": median(centre.alarm_batches),
        "alarm_batches_max": max(centre.alarm_batches),
        "resent": centre.uplink.counters["resent"],
    }
    durable.close()
    return found


def _rate(centre: Centre, drain: Callable[[], None]) -> float:
    """Records that the uplink sent for each second of its own time."""
    records, busy_s = centre.uplink.counters["records"], centre.busy_s
    drain()
    return (centre.uplink.counters["records"] - records) / (centre.busy_s - busy_s)


def _bytes_per_reading(centre: Centre, kind: str) -> float:
    """Deflated bytes for each reading sent so far."""
    return centre.uplink.counters["bytes"] / centre.uplink.counters["records"] / READINGS[kind]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of this benchmark."""
    parser.add_argument("--folder", type=Path, help="folder on the disk to use (default: of temporary files)")
    parser.add_argument("--records", type=int, default=200_000, help="that wait (default %(default)s)")
    parser.add_argument("--kind", choices=READINGS, default="meter", help="of records (default %(default)s)")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of a table")


def run(args: argparse.Namespace) -> int:
    """Print the figures; 0 when no alarm waited for more than what may be under way before it."""
    with tempfile.TemporaryDirectory(prefix="bocage-backlog-", dir=args.folder) as folder:
        # Spawned, not forked: the writer's memory must not count as ours.
        writer = multiprocessing.get_context("spawn").Process(target=fill, args=(folder, args.kind, args.records))
        writer.start()
        writer.join()
        assert writer.exitcode == 0, "the backlog was not written"
        found = measure(folder, args.kind, args.records)
    passed = found["alarm_batches_max"] <= ALARM_BATCHES_MAX
    bytes_of_entry = round(sum(map(len, payloads(args.kind))) / DIFFERENT)
    head = {"records": args.records, "kind": args.kind, "epochs": EPOCHS, "entry_bytes": bytes_of_entry}
    if args.json:
        bound = {"alarm_batches_bound": ALARM_BATCHES_MAX, "passed": passed}
        print(json.dumps({**head, **found, **bound}, indent=1))
        return 0 if passed else 1
    for name, value in {**head, **found}.items():
        print(f"{name:24} {value:,.2f}" if isinstance(value, float) else f"{name:24} {value}")
    print(f"an alarm may wait for {ALARM_BATCHES_MAX} batches: {'holds' if passed else 'DOES NOT HOLD'}")
    return 0 if passed else 1
