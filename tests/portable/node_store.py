"""Custody and time the same on every interpreter: segments of the log, thinning, settings slots, learned rates."""

from binascii import hexlify

from node import checkpoint, log_segment, settings_slots
from node.checkpoint import BUDGETS, LOG, OwnMemory, Wear
from node.outbox import Outbox
from node.record_log import RecordLog
from node.timekeeper import ClockRate, Timekeeper
from wire import event, record
from wire.record import Answer, EventBody, Record, Stamp


class Files:
    """Files in memory, as esp32.log_files shows them."""

    is_full = False

    def __init__(self):
        self.kept = {}

    def names(self):
        return sorted(self.kept)

    def read(self, name, start, count):
        return self.kept.get(name, b"")[start : start + count]

    def append(self, name, pieces):
        self.kept[name] = self.kept.get(name, b"") + b"".join(pieces)
        return True

    def replace(self, name, pieces):
        self.kept[name] = b"".join(pieces)
        return True

    def remove(self, name):
        return self.kept.pop(name, None) is not None


class Story:
    def __init__(self, files, boot):
        self.log = RecordLog(files)
        self.boot = boot
        self.outbox = Outbox(boot=boot, log=self.log)
        self.sequence = 0

    def emit(self, body, now_s, gap=None):
        made = Record(self.boot, self.sequence, Stamp(1, 1795521600 + now_s, 1), body)
        self.outbox.put(record.lane(made), self.sequence, record.encode(made), gap)
        self.sequence += 1

    def silent(self, days):
        for now_s in range(0, days * 86400, 60):
            if now_s % 300 == 0:
                self.emit({1: now_s % 1800, 2: 2301, 3: 780, 4: now_s, 5: 50, 6: 2137, 7: 97, 8: 12000}, now_s)
            if now_s % 25200 == 0:
                self.emit(EventBody(event.LAMP_FAILURE, True, {1: 3, 5: 100}), now_s)
            for _ in range(2):
                gap = self.outbox.next_gap() if self.outbox.may_report_gap() else None
                if gap is not None:
                    detail = [None, gap.boot, gap.first, gap.last, gap.why]
                    self.emit(EventBody(event.GAP, None, detail), now_s, gap)
                self.outbox.poll(now_ms=1000 * now_s)


def kept(files):
    crc = 0
    for name in files.names():
        for kind, start, _, body in log_segment.entries_of(files.kept[name]):
            crc = (crc * 31 + kind + start + len(body) + body[-1]) & 0xFFFFFF
    return len(files.kept), crc


def log():
    files = Files()
    for boot, days in ((1, 9), (2, 1)):
        story = Story(files, boot)
        story.silent(days)
        print("log", boot, kept(files), sorted(story.log.counters.items()), story.log.durable_sequence(1, None))
    sent = 0
    while story.outbox.waiting():
        for lanes in (("alarm", "event"), ("telemetry",)):
            entries = story.outbox.first(lanes, 200, 8) or story.outbox.stored(lanes, 200, 8)
            sent += len(entries)
            story.outbox.acknowledge(entries)
        story.outbox.poll(now_ms=90000000)
    while story.log.is_busy():
        story.outbox.poll(now_ms=90000000)
    print("sent", sent, files.names())


def settings():
    def decode(plain):
        return (plain, ()) if plain.get("kind") == "streetlight" else (None, ("kind",))

    for raw in (b'{"node": "a"}', b"{", b"[" * 2000, None, b'{"kind": "x"}', b'{"kind": "streetlight"}'):
        chosen, changed = settings_slots.choose(raw, (None, None), decode, crashed=False)
        print("settings", chosen.why, chosen.is_trial, changed and hexlify(b"".join(settings_slots.encode(changed))))


def time():
    rate = ClockRate()
    for day in range(9):
        rate.add(1795521600 + 86400 * day, 86400000 * day + 2592 * day, 700)
        print("rate", day, rate.ppm, rate.doubt_ppm, rate.residual_ppm)
    clock = Timekeeper(started_ms=0, drift=(rate.ppm, rate.doubt_ppm))
    clock.carried(1795521600, 3, now_ms=100)
    print(clock.stamp(86400100), clock.learn(Answer(1795521600, 1, None, 0), asked_ms=5000, now_ms=5400))
    asleep = clock.asleep(10000)
    clock = Timekeeper(started_ms=0)
    clock.resume(asleep, 3600000, now_ms=50)
    print(clock.stamp(50), clock.uptime_s(50), clock.chip_fault)
    own = checkpoint.encode_own(OwnMemory(-37, 5, 2900, 310, 1795521600, 2, 123456))
    print(hexlify(own), checkpoint.decode_own(own))


def wear():
    clock = Wear(now_ms=0)
    taken = [clock.spend(LOG, now_ms=10000 * step) for step in range(3000)]
    print("wear", taken.count(True), clock.total, sorted(purpose for purpose, _ in BUDGETS))


log()
settings()
time()
wear()
