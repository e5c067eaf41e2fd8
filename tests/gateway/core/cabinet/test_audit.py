"""The audit log: a chain over files and power cuts, in which nothing is changed unseen."""

import json
from random import Random

import pytest

from gateway.core import limits
from gateway.core.cabinet.audit import Audit, entries, verify
from gateway.core.custody.disk import SharedFolder
from simulator.world.disk import SimDisk
from tests.support.lit_world import LitWorld
from wire import event


def write(audit, count, start=0):
    for number in range(start, start + count):
        assert audit.write("outcome", unix_s=number, uptime_s=number, feeder="bourg")


@pytest.fixture
def disk():
    return SimDisk(Random(1))


def rewrite(disk, name, change):
    data = change(disk.read(name, 0, 1_000_000))
    disk.delete(name)
    disk.append(name, data)


def test_a_log_goes_on_over_restarts_as_one_chain(disk):
    for start in range(3):
        write(Audit(SharedFolder(disk, "cabinet")), 10, 10 * start)
    head, broken = verify(disk)
    assert (head.entries, broken) == (30, []) and head == Audit(SharedFolder(disk, "cabinet")).head
    assert [entry["unix_s"] for entry in entries(disk)] == list(range(30))


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data.replace(b"bourg", b"place", 1),
        lambda data: b"\n".join(data.split(b"\n")[:4] + data.split(b"\n")[5:]),  # one line taken out
        lambda data: b"\n".join(reversed(data.split(b"\n"))),
        lambda data: data.replace(b'"n":5,', b'"n":5,"x":1,'),
        lambda data: data.replace(b'{"n":5', b'{{"n":5'),  # made to look torn
    ],
)
def test_a_line_that_was_changed_taken_out_or_put_elsewhere_is_found(disk, change):
    write(Audit(SharedFolder(disk, "cabinet")), 10)
    rewrite(disk, "audit-00000001.log", change)
    assert verify(disk)[1]


def test_a_torn_line_is_none_and_the_next_one_follows_the_last_whole_one(disk):
    write(Audit(SharedFolder(disk, "cabinet")), 5)
    disk.append("audit-00000001.log", b'{"n":6,"prev":"ab')
    audit = Audit(SharedFolder(disk, "cabinet"))
    assert audit.head.entries == 5
    write(audit, 5, 5)
    head, broken = verify(disk)
    assert (head.entries, broken) == (10, [])


@pytest.mark.parametrize("seed", range(60))
def test_power_cuts_leave_a_chain_without_a_break(seed):
    random = Random(seed)
    disk = SimDisk(random)
    for start in range(4):
        audit = Audit(SharedFolder(disk, "cabinet"))
        for number in range(random.randrange(1, 9)):
            audit.write("lease", unix_s=None, uptime_s=start, number=number)
            for pending in [one for one in disk.pending if random.randrange(2)]:
                disk.complete(pending.ticket)
        disk.power_cut()
    assert verify(disk)[1] == []
    write(Audit(SharedFolder(disk, "cabinet")), 1)


def test_files_rotate_and_the_oldest_goes(disk):
    audit = Audit(SharedFolder(disk, "cabinet"))
    text = "x" * 4000
    for number in range((limits.AUDIT_FILES_MAX + 3) * limits.AUDIT_FILE_BYTES_MAX // 4000):
        audit.write("command", unix_s=number, uptime_s=number, data=text)
        if number % 500 == 0:
            for pending in list(disk.pending):
                disk.complete(pending.ticket)
    assert len(disk.list()) <= limits.AUDIT_FILES_MAX + 1
    head, broken = verify(disk)
    assert broken == [] and head == audit.head and next(entries(disk))["n"] > 1


def test_a_disk_that_refuses_costs_the_line_and_not_the_chain(disk):
    audit = Audit(SharedFolder(disk, "cabinet"))
    write(audit, 2)
    append = disk.append
    disk.append = lambda *_: (_ for _ in ()).throw(OSError(28, "full"))
    assert not audit.write("lease", unix_s=1, uptime_s=1)
    disk.append = append
    write(audit, 2)
    assert verify(disk) == (audit.head, [])


@pytest.mark.slow
def test_everything_that_was_ordered_stands_in_the_log_and_its_head_goes_up_every_day():
    world = LitWorld()
    world.lease()
    world.send(world.order(lasts_s=60))
    world.cabinet.test(0, 10, "Luc", now_ms=world.now_ms)
    world.live(25 * 3600)
    what = [entry["what"] for entry in entries(world.state_disk)]
    assert what[:5] == ["policy-taken", "policy-in-force", "lease", "command", "outcome"]
    assert {"command", "outcome", "test", "lease"} <= set(what)
    (_, first), (_, told) = world.events(event.AUDIT_HEAD)  # soon after the start, and a day later
    assert first[0] < told[0]
    lines = [json.dumps(entry) for entry in entries(world.state_disk)]
    assert told[0] <= len(lines) and len(told[1]) == 32
    assert verify(world.state_disk)[1] == []
