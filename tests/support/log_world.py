"""A node's custody through power cuts: an outbox with a log on a bad medium, a gateway that comes and goes, and the
books of what was made, durable, taken and told. Virtual time; chance from a seed."""

from functools import lru_cache

from esp32.log_files import LogFiles
from node import limits
from node.outbox import Outbox
from node.record_log import RecordLog
from simulator.world import flash
from simulator.world.flash import Cut
from tests.portable.node_day import Generator
from wire import event, record
from wire.record import SYNCED, EventBody, Record, Stamp

LANES = (event.ALARM, event.EVENT, event.TELEMETRY)
CODES = {event.ALARM: event.LAMP_FAILURE, event.EVENT: event.LEVEL_CHANGED}
START_S = 1_795_521_600
MINUTE_MS = 60_000


class Medium(flash.Medium):
    """A medium on which a cut leaves a write in quarters."""

    pieces = 4


@lru_cache(1 << 14)
def _told(data):
    """((boot, sequence), the gap that it tells of, if any) of a record: after each cut most come again."""
    taken = record.decode_payload(data)[0]
    gaps = ()
    if isinstance(taken.body, EventBody) and taken.body.code == event.GAP:
        _, boot, first, last, _ = taken.body.detail
        gaps = ((boot, first, 1 << 32 if last is None else last),)
    elif isinstance(taken.body, EventBody) and taken.body.code == event.BOOT and taken.body.detail[0] is not None:
        previous, durable = taken.body.detail[:2]
        gaps = ((previous, 0 if durable is None else durable + 1, 1 << 32),)
    return (taken.boot, taken.sequence), gaps


class Books:
    """What outlives every cut: made {(boot, sequence): bytes}, held by the gateway, the gaps it was told."""

    def __init__(self):
        self.made = {}
        self.lanes = {}
        self.held = {}
        self.gaps = []
        self.promised = {}  # boot: highest durable sequence that was ever written down or said
        self.twice = 0
        self.sent = 0

    def take(self, data):
        name, gaps = _told(data)
        assert self.made[name] == data, "a record came under another identity"
        self.twice += name in self.held
        self.sent += 1
        self.held[name] = data
        self.gaps.extend(gaps)

    def is_covered(self, name):
        return any(boot == name[0] and first <= name[1] <= last for boot, first, last in self.gaps)

    def missing(self):
        return [name for name in self.made if name not in self.held and not self.is_covered(name)]


class LoggedNode:
    """One boot of a node: puts records in its outbox and serves it every minute."""

    def __init__(self, books, medium, boot, *, previous=None, known=None, now_ms=0, seed=1):
        self.books = books
        self.boot = boot
        self.now_ms = now_ms
        self.below = Generator(seed).below
        self.log = RecordLog(LogFiles(open_file=medium.open, files=medium))
        self.outbox = Outbox(boot=boot, log=self.log)
        self.sequence = 0
        self.checkpoint = None
        self.reachable = False
        durable = None if previous is None else self.log.durable_sequence(previous, known)
        self.emit(EventBody(event.BOOT, None, (previous, durable, "power-on", "streetlight", "1")))

    def emit(self, body, gap=None):
        made = Record(self.boot, self.sequence, Stamp(SYNCED, START_S + self.now_ms // 1000, 1), body)
        data = record.encode(made)
        self.books.made[(self.boot, self.sequence)] = data
        self.books.lanes[(self.boot, self.sequence)] = record.lane(made)
        self.sequence += 1
        self.outbox.put(record.lane(made), self.sequence - 1, data, gap)

    def readings(self):
        self.emit({code: 1000 + self.below(1000) for code in range(1, 9)})

    def event(self, lane):
        self.emit(EventBody(CODES[lane], None, [self.below(100), 0, "calendar", 1]))

    def turn(self):
        """What the application does at each turn, with a gateway that takes at most one payload of each channel."""
        gap = self.outbox.next_gap() if self.outbox.may_report_gap() else None
        if gap is not None:
            self.emit(EventBody(event.GAP, None, (None, gap.boot, gap.first, gap.last, gap.why)), gap)
        self.outbox.poll(now_ms=self.now_ms)
        if not self.reachable and self.now_ms % MINUTE_MS:
            return  # it tries once a minute
        for lanes in ((event.ALARM, event.EVENT), (event.TELEMETRY,)):
            entries = self.outbox.first(lanes, limits.PAYLOAD_BYTES_MAX, 8)
            entries = entries or self.outbox.stored(lanes, limits.PAYLOAD_BYTES_MAX, 8)
            if self.reachable:
                for entry in entries:
                    self.books.take(entry.data)
                self.outbox.acknowledge(entries)

    def run(self, minutes, *, telemetry_min=5, alarm_percent=0, event_percent=0):
        for minute in range(minutes):
            if minute % telemetry_min == 0:
                self.readings()
            if self.below(100) < event_percent:
                self.event(event.EVENT)
            if self.below(100) < alarm_percent:
                self.event(event.ALARM)
            for _ in range(4):
                self.turn()
                self.now_ms += 15_000
            if minute % 60 == 59:
                self.checkpoint = (self.boot, self.outbox.durable_sequence(self.sequence))

    def drain(self, turns=20_000):
        """The gateway is there until nothing waits; the number of turns it took."""
        self.reachable = True
        for turn in range(turns):
            self.turn()
            self.now_ms += 2000
            if not self.outbox.waiting() and not self.log.is_busy():
                return turn
        raise AssertionError("what waits never ends")


__all__ = ["LANES", "Books", "Cut", "LoggedNode", "Medium"]
