"""Simulates a broker and a warehouse that answer at once, around the uplink of one gateway, and the clock they share.

For benchmarks: the gateway's core and its disk are real, the centre holds all that it is sent and answers with its
receipts. It measures the time that the uplink uses, and how alarms overtake other batches; it must decide nothing.
"""

import random
from collections import deque
from collections.abc import Callable
from pathlib import Path
from queue import Empty, SimpleQueue
from time import perf_counter, thread_time
from typing import Any, NamedTuple

from gateway.core.custody import entry
from gateway.core.custody.disk import Ticket
from gateway.core.custody.journal import Journal, Stream
from gateway.core.gateway import Gateway
from gateway.core.uplink.batch import Publication
from gateway.io.disk import FileDisk
from tools.bench import street
from tools.centre.ingest import intake
from wire import event, record
from wire.record import SYNCED, EventBody, Record, Stamp

BATCH_MS = 20
ALARM_EVERY_MS = 100
ALARM_GAP_S = 0.005  # by the wall clock: drawn from 0 to twice this
RECEIVE_MAX = 100


def alarm(number: int) -> bytes:
    """Returns the journal payload of an alarm."""
    made = Record(3, number, Stamp(SYNCED, street.START_UNIX_S + number, 1), EventBody(event.LAMP_FAILURE, True, None))
    return entry.encode(entry.Entry(street.GATEWAY, record.encode(made)))


class Durable:
    """Wraps a disk that queues its reports of flushes."""

    def __init__(self, folder: Path) -> None:
        self._reports: SimpleQueue[tuple[Ticket, str | None]] = SimpleQueue()
        self.disk = FileDisk(folder, lambda ticket, error: self._reports.put((ticket, error)))

    def flush(self, journal: Journal) -> None:
        """Makes durable what was appended, and waits for it."""
        ticket = journal.flush()
        while ticket is not None and self.report(journal, wait=True) != ticket:
            pass

    def report(self, journal: Journal, *, wait: bool = False) -> Ticket | None:
        """Passes the report of one flush that has ended to the journal; returns its ticket, None when none has
        ended."""
        try:
            ticket, error = self._reports.get(wait)
        except Empty:
            return None
        assert error is None, error
        journal.on_synced(ticket, error)
        return ticket


class _Sent(NamedTuple):
    token: int
    envelope: intake.Envelope
    payload: bytes


class Centre:
    """Simulates broker, warehouse and clock, around the uplink that is measured; `busy_s` is the uplink's own time."""

    def __init__(self, core: Gateway, durable: Durable, epoch: bytes) -> None:
        self._durable = durable
        self._journal = core.journal
        self.uplink = core.uplink
        self.now_ms = 0
        self.busy_s = 0.0
        self.link: deque[_Sent] = deque()
        self.arrived = 0  # batches, questions included
        self._alarms = Stream(epoch, event.ALARM)
        self._appended: deque[int] = deque()  # `arrived` at the append of each alarm that is under way
        self._held: dict[Stream, int] = {}
        self.alarms = 0
        self.alarm_batches: list[int] = []
        self.flush_ms: list[float] = []  # while nothing else is done
        self._timed_from = 0  # position of the first alarm that is timed by the wall clock
        self._due_s: list[float] = []  # when each alarm from then on was due
        self.durable_ms: list[float] = []
        self.published_ms: list[float] = []
        self.held_ms: list[float] = []

    def timed(self, call: Callable[..., Any], *words: Any) -> Any:
        """Calls and returns the result; the time counts as the gateway's own."""
        start = thread_time()
        result = call(*words, now_ms=self.now_ms)
        self.busy_s += thread_time() - start
        return result

    def poll(self) -> None:
        """Asks the uplink what to publish, and puts it on the link."""
        found: list[Publication] = self.timed(self.uplink.poll)
        for publication in found:
            envelope = intake.peek(publication.payload)
            assert envelope is not None
            self.link.append(_Sent(publication.token, envelope, publication.payload))
            if envelope.lane == event.ALARM:
                self._note(self.published_ms, envelope.last + 1)

    def arrive(self) -> intake.Envelope:
        """Delivers the oldest batch on the link, acknowledges it and answers with a receipt."""
        token, envelope, payload = self.link.popleft()
        self.arrived += 1
        self.timed(self.uplink.acknowledged, token, 0)
        stream = Stream(envelope.epoch, envelope.lane)
        self._held[stream] = max(self._held.get(stream, 0), envelope.last + 1)
        self.timed(self.uplink.receive, envelope.receipt(self._held[stream], payload))
        if stream == self._alarms:
            self._note(self.held_ms, self._held[stream])
            for _ in range(envelope.first, envelope.last + 1):
                if self._appended:
                    self.alarm_batches.append(self.arrived - self._appended.popleft())
        return envelope

    def _note(self, latencies_ms: list[float], end: int) -> None:
        """Notes the time that alarms up to position `end`, timed by the wall clock, have needed so far."""
        now_s = perf_counter()
        for due_s in self._due_s[len(latencies_ms) : max(0, end - self._timed_from)]:
            latencies_ms.append(1000 * (now_s - due_s))

    def append_alarm(self) -> None:
        """Appends an alarm to the journal."""
        position = self._journal.append(event.ALARM, alarm(self.alarms))
        assert position == self.alarms, position
        self.alarms += 1

    def raise_alarm(self) -> None:
        """Appends an alarm and makes it durable."""
        self.append_alarm()
        self._appended.append(self.arrived)
        start = perf_counter()
        self._durable.flush(self._journal)
        self.flush_ms.append(1000 * (perf_counter() - start))

    def first_batch_s(self) -> float:
        """Connects, asks and receives the answers; returns the gateway's own time until the first batch with data."""
        self.timed(self.uplink.connected, RECEIVE_MAX)
        self.poll()
        while self.uplink.counters["batches"] == 0:
            self.arrive()
            self.poll()
        return self.busy_s

    def waiting(self) -> int:
        """Returns the number of durable records that the warehouse does not hold."""
        return sum(self._journal.waiting(stream) for stream in self._journal.streams())

    def has_backlog(self) -> bool:
        """Returns True while records of earlier starts are left."""
        return any(stream.epoch != self._alarms.epoch for stream in self._journal.streams())

    def drain_to(self, left: int) -> None:
        """Delivers everything under way at once, again and again, until so many records are left."""
        while self.waiting() > left:
            self.poll_or_wait()
            while self.link:
                self.arrive()

    def drain_by_the_clock(self) -> None:
        """Delivers one message a turn, with alarms at random moments, until the backlog is gone."""
        draw = random.Random(1)
        self._timed_from = self.alarms
        started_s, started_ms = perf_counter(), self.now_ms
        due_s = started_s
        while self.has_backlog() or len(self.held_ms) < len(self._due_s):
            now_s = perf_counter()
            self.now_ms = started_ms + int(1000 * (now_s - started_s))
            if now_s >= due_s and self.has_backlog():
                self._due_s.append(due_s)
                due_s = now_s + draw.uniform(0, 2 * ALARM_GAP_S)
                self.append_alarm()
                self._journal.flush()
            if self._durable.report(self._journal) is not None:
                self._note(self.durable_ms, self._journal.durable_end(self._alarms))
            self.poll()
            if self.link:
                self.arrive()

    def drain_with_alarms(self, left: int) -> None:
        """Delivers one batch in BATCH_MS, with an alarm every ALARM_EVERY_MS, until so many records are left."""
        self.now_ms = -(-self.now_ms // ALARM_EVERY_MS) * ALARM_EVERY_MS
        self.poll()  # so that the first alarm finds the link full
        while self.waiting() > left:
            if self.now_ms % ALARM_EVERY_MS == 0:
                self.raise_alarm()
            self.poll_or_wait()
            self.arrive()
            self.now_ms += BATCH_MS

    def poll_or_wait(self) -> None:
        """Publishes what is due; with nothing under way, lets time pass until something is: the tail of an epoch waits
        for more records."""
        self.poll()
        while not self.link:
            deadline_ms = self.uplink.deadline_ms()
            assert deadline_ms is not None and deadline_ms > self.now_ms, "the uplink has stopped"
            self.now_ms = -(-deadline_ms // BATCH_MS) * BATCH_MS
            self.poll()
