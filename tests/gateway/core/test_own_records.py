"""Records of the gateway itself that a full journal refuses: what happened once is said later, with its time."""

from random import Random

import pytest

from gateway.core import limits
from gateway.core.custody import entry
from gateway.core.custody.journal import Journal, Refused, Stream
from gateway.core.custody.ledger import Ledger
from gateway.core.deadlines import NEVER
from gateway.core.own_records import OwnRecords
from gateway.core.wallclock import WallClock
from simulator.world.disk import SimDisk
from tests.support.gateway_world import EPOCH, GATEWAY, NODE, GatewayWorld, alarm
from wire import event, record
from wire.record import EventBody, Stamp

SMALL = {"journal_bytes_max": 40_000, "alarm_reserve_bytes": 8000, "segment_bytes_max": 4000}


class Bench:
    """A journal that refuses when told, and the records of the gateway itself."""

    def __init__(self):
        disk = SimDisk(Random(1))
        self.journal = Journal(disk, epoch=EPOCH)
        self.journal.recover()
        self.append, self.now_ms, self.written, self.logs = self.journal.append, 0, 0, []
        self.own = OwnRecords(
            self.journal,
            Ledger(SimDisk(Random(2))),
            WallClock(started_ms=0),
            node=GATEWAY,
            boot=7,
            ask_flush=self.note,
            keep=lambda *_, **__: None,
            log=lambda *what, **_: self.logs.append(what),
        )

    def note(self, *, now_ms):
        self.written += 1

    def refuse(self, why):
        self.journal.append = self.append if why is None else lambda *_, **__: why

    def said(self):
        """[(sequence, seconds of the stamp, cause)] of what is in the journal."""
        if (ticket := self.journal.flush()) is not None:
            self.journal.on_synced(ticket, None)
        found = self.journal.read(Stream(EPOCH, "event"), 0, count_max=100, bytes_max=1 << 20)
        made = [entry.decode(data).record for data in found]
        return [(one.sequence, one.stamp.seconds, one.body.detail[2]) for one in made]


def boot(cause):
    return EventBody(event.BOOT, None, [None, None, cause, "gateway", "0"])


@pytest.mark.parametrize("why", [Refused.FULL, Refused.PENDING, Refused.DISK])
def test_what_is_refused_is_said_later_in_its_order_with_its_time_and_the_next_sequences(why):
    bench = Bench()
    assert bench.own.report(boot("first"), now_ms=bench.now_ms) and bench.own.deadline_ms() is None
    bench.refuse(why)
    for at_s in (3, 4):
        bench.now_ms = 1000 * at_s
        assert bench.own.report(boot(f"at {at_s}"), now_ms=bench.now_ms)
    assert bench.own.deadline_ms() == 3000 + limits.OWN_RETRY_MS and bench.written == 1
    bench.now_ms = bench.own.deadline_ms()
    bench.own.poll(now_ms=bench.now_ms)
    assert bench.own.deadline_ms() == bench.now_ms + limits.OWN_RETRY_MS, "no spinning"
    bench.refuse(None)
    assert bench.own.report(boot("last"), now_ms=bench.now_ms), "behind those that wait"
    bench.own.poll(now_ms=bench.now_ms)
    assert len(bench.said()) == 1, "not before its time"
    bench.now_ms = bench.own.deadline_ms()
    bench.own.poll(now_ms=bench.now_ms)
    assert bench.own.deadline_ms() is None
    assert bench.said() == [(0, 0, "first"), (1, 3, "at 3"), (2, 4, "at 4"), (3, 5, "last")]


def test_what_waits_is_bounded_and_the_first_stay():
    bench = Bench()
    bench.refuse(Refused.FULL)
    numbers = range(limits.OWN_WAITING_MAX + 2)
    assert [bench.own.report(boot(str(number)), now_ms=bench.now_ms) for number in numbers] == [
        *[True] * limits.OWN_WAITING_MAX,
        False,
        False,
    ]
    bench.refuse(None)
    bench.own.poll(now_ms=60_000)
    assert [cause for _, _, cause in bench.said()] == [str(number) for number in range(limits.OWN_WAITING_MAX)]


def events(world, code):
    return [item.record for item in world.held()[event.EVENT] if item.record.body.code == code]


def test_a_start_on_a_full_journal_reports_its_boot_when_there_is_room():
    world = GatewayWorld(auto_sync=True, **SMALL)
    journal = world.core.journal
    made = entry.encode(entry.Entry(NODE, record.encode(alarm(1))))
    sequence = 0
    while isinstance(journal.append(event.ALARM, made), int):  # alarms alone: nothing that may be let go first
        sequence += 1
        if sequence % 100 == 0:
            world.core._ask_flush(0, now_ms=world.now_ms)
            world.wait(1)
    world.core._ask_flush(0, now_ms=world.now_ms)
    world.wait(1)
    first = world.core._start.epoch
    world.start()
    assert [made.boot for made in events(world, event.BOOT)] == [1]
    assert world.core.deadline_ms(now_ms=world.now_ms) < NEVER
    started_ms = world.now_ms
    world.core.journal.release_through(Stream(first, event.ALARM), 10**6)
    world.wait(60_000)
    (made,) = [made for made in events(world, event.BOOT) if made.boot == 2]
    assert made.stamp == Stamp(0, 0, 0) and world.now_ms > started_ms


def test_a_step_of_the_clock_in_a_full_journal_is_said_later():
    world = GatewayWorld(auto_sync=True)
    world.core.on_clock(1_790_000_000_000, 1, now_ms=world.now_ms)
    world.wait(10)
    append = world.core.journal.append
    world.core.journal.append = lambda *_, **__: Refused.FULL
    world.core.on_clock(1_790_009_000_000, 1, now_ms=world.now_ms)
    world.wait(10)
    assert events(world, event.CLOCK_STEPPED) == []
    world.core.journal.append = append
    world.wait(2 * limits.OWN_RETRY_MS)
    (step,) = events(world, event.CLOCK_STEPPED)
    assert step.body.detail[1] - step.body.detail[0] == 9000
    anchors = [made.body.detail for made in events(world, event.ANCHOR) if made.body.detail[0] is None]
    assert len(anchors) == 2 and anchors[1][3] - anchors[0][3] >= 8999, "our own anchor is corrected as well"
