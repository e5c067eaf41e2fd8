"""What a gateway stands on is full, damaged or away for long, and it takes no more than it may.

The docstrings name the faults of known gateways (project#issue) that these stories are about.
"""

import gc
import tracemalloc
from collections import Counter, deque
from random import Random

import pytest

from gateway.core import limits
from gateway.core.custody import entry, ledger, segment
from simulator.world.chance import Prng
from simulator.world.disk import SimDisk
from tests.support.cabinet_world import CabinetWorld
from tools.prove.cabinet import listed

pytestmark = pytest.mark.slow

MINUTE_MS = 60_000


def test_a_full_disk_takes_each_alarm_and_gives_its_space_back():
    """Azure/iotedge#835, #3981, #2431; kura#2008; SQLite cannot free itself at ENOSPC.

    Somebody else fills the partition to its last byte: no crash, each alarm is taken, and the space is back after the
    drain. What is kept of strangers is bounded too.
    """
    capacity = limits.JOURNAL_FREE_MARGIN_BYTES + limits.JOURNAL_BALLAST_BYTES + 200_000
    world = CabinetWorld(
        11, nodes=4, alarmers=3, capacity_bytes=capacity, journal_bytes_max=1 << 30, segment_bytes_max=16_384
    )
    while not world.core.thinner.counters["segments-dropped"]:
        world.run(5_000, making=True)
    world.run(5_000, making=False)
    for _ in range(2):
        world.journal_disk.capacity_bytes = world.journal_disk.bytes_used
        said = len(world.said.alarms())
        for _ in range(40):
            world.alarm()
            world.run(2_000, making=True)
        alarms = world.said.alarms()
        assert len(alarms) - said >= 120 and alarms <= world.acknowledged()
        assert world.core.inbox.counters["journal-refused"] > 0
        world.start()
        world.journal_disk.capacity_bytes = capacity
        world.run(60_000, making=False)
    world.fibre = True
    assert world.drain()
    assert world.acknowledged() - world.stored() <= set(listed(world.state_disk))
    assert world.said.alarms() <= world.stored()
    assert world.journal_disk.bytes_used <= limits.JOURNAL_BALLAST_BYTES + 4 * 16_384
    for number in range(10_000):
        world.core.on_datagram(world.random.randbytes(40), "stranger", now_ms=world.town.now_ms + 1_000 * number)
    disk = world.state_disk
    kept = sum(disk.size(name) for name in disk.list() if name.startswith("refused"))
    assert 100_000 < kept <= 4 * 256 * 1024 >= limits.REFUSED_FILES_MAX * limits.REFUSED_FILE_BYTES_MAX
    assert disk.bytes_used - kept <= limits.LEDGER_FILES_MAX * limits.LEDGER_FILE_BYTES_MAX


def places(world):
    """{name: identities of the nodes' records in it}, read with the format alone."""
    found = {}
    disk = world.journal_disk
    for name in world.segments():
        data, who = disk.read(name, 0, disk.size(name)), segment.parse_name(name)
        voids = segment.decode_header(data)[1] > 0
        contents = segment.scan(lambda at, count, data=data: data[at : at + count], len(data), who.seed, voids=voids)
        items = [entry.decode(content) for _, _, content in contents if isinstance(content, bytes)]
        found[name] = {(item.node, item.record.boot, item.record.sequence) for item in items}
    return found


def damaged(data, random):
    """As cards and power cuts leave a file."""
    at = random.randrange(len(data)) if data else 0
    flipped = bytes((data[at] ^ 1 << random.randrange(8),)) if data else b"?"
    zeros = min(512, len(data) - at)
    return random.choice(
        (
            bytes(len(data)),  # a file of NULs
            b"",
            data[:at],
            data[:at] + flipped + data[at + 1 :],
            data[:at] + bytes(zeros) + data[at + zeros :],
            data + random.randbytes(100),
            random.randbytes(len(data)),
        )
    )


def test_it_starts_on_any_damaged_store_and_names_the_loss():
    """mosquitto#2639 (5 to 10 % of 100 Raspberry Pis, a file of NULs), #3160, #3159; kura#2169; telegraf#18528.

    25 starts with damage to files of the journal and of the state: each starts, goes on and drains; nothing is missing
    but what stood in a damaged file, and that is told.
    """
    told = 0
    for number in range(25):
        world = CabinetWorld(12 + number % 5, nodes=2, journal_bytes_max=8_000, alarm_reserve_bytes=2_000)
        for _ in range(3):
            world.run(600, making=True)
            world.run(1_500, making=False)
            world.start()
        for _ in range(30):
            world.core.on_datagram(b"garbage", "stranger", now_ms=world.town.now_ms)
        random, where, let_go = Random(number), places(world), set(listed(world.state_disk))
        assert let_go and world.unaccounted() <= let_go
        spoilt = set()
        for disk in random.choices((world.journal_disk, world.state_disk), k=random.randrange(1, 4)):
            name = random.choice(disk.list())
            disk.put(name, damaged(disk.read(name, 0, disk.size(name)), random))
            spoilt |= where.get(name, set())
        report = world.start()
        before = world.said.acknowledged_count()
        world.run(500, making=True)
        assert world.said.acknowledged_count() > before, "it does not go on"
        world.fibre = True
        assert world.drain()
        missing = world.acknowledged() - world.stored() - let_go - set(listed(world.state_disk))
        assert missing <= spoilt, f"round {number}"
        holes = [line for line in ledger.entries(world.state_disk) if line["why"] == "journal-damaged"]
        assert not missing or report.quarantined or report.damages or holes, f"round {number}"
        told += bool(missing)
    assert told > 3, "the damage must be felt"


def sizes(root):
    """{path: elements} of every container that belongs to the core; containers of one kind are counted together."""
    found, seen, todo = Counter(), set(), [("core", root)]
    while todo:
        path, thing = todo.pop()
        if id(thing) in seen or isinstance(thing, (str, int, SimDisk, Random, Prng, type)):
            continue
        seen.add(id(thing))
        if isinstance(thing, (dict, list, set, frozenset, deque, bytearray, bytes, tuple)):
            found[path] += len(thing)
            inside = [] if isinstance(thing, (bytes, bytearray)) else thing
            todo += [(f"{path}[]", one) for one in (inside.values() if isinstance(thing, dict) else inside)]
        else:
            names = [*getattr(thing, "__dict__", ()), *getattr(type(thing), "__slots__", ())]
            todo += [(f"{path}.{name}", getattr(thing, name, None)) for name in names]
    return found


def traced_bytes():
    gc.collect()
    ours = tracemalloc.take_snapshot().filter_traces([tracemalloc.Filter(True, "*/gateway/core/*")])
    return sum(trace.size for trace in ours.statistics("filename"))


@pytest.mark.parametrize("flapping", [False, True], ids=["offline", "flapping"])
def test_memory_stays_while_it_is_away_or_flaps(flapping, monkeypatch):
    """iotedge#821, #6997, #4545; kura#2555; thingsboard-gateway#877.

    48 hours offline, or with a link that comes for 20 s a quarter of an hour and half the time swallows everything:
    from hour 24 on no container of the core grows and what it has allocated stays, with the journal at its cap.
    """
    world = CabinetWorld(13, nodes=3, journal_bytes_max=30_000, alarm_reserve_bytes=4_000, segment_bytes_max=2_000)
    bytes_at, early, late = {}, Counter(), Counter()
    monkeypatch.setattr(limits, "LEDGER_REMEMBERED_MAX", 100)  # so that this bound is reached within the first day too
    tracemalloc.start(1)
    try:
        for quarter in range(4 * 48):
            world.say(14 * MINUTE_MS)
            if flapping:
                world.fibre, world.wire = True, ("silent", "good")[quarter % 2]
                world.run(20_000, making=False)
                world.cut_fibre()
            hour = quarter / 4
            largest = early if hour < 24 else late
            if quarter % 3 == 0:
                for path, size in sizes(world.core).items():
                    largest[path] = max(largest[path], size)
            if hour in (24, 47):
                bytes_at[hour] = traced_bytes()
    finally:
        tracemalloc.stop()
    grown = {path: (early[path], size) for path, size in late.items() if size > 1.25 * early[path] + 100}
    assert len(early) > 50 and grown == {}
    # One dictionary's step to its next size is no slope; 100 bytes kept for each payload would be 58 kB.
    assert bytes_at[47] - bytes_at[24] < 12_000, bytes_at
    assert world.said.acknowledged_count() > 2_000
    assert world.unaccounted() <= set(listed(world.state_disk))
