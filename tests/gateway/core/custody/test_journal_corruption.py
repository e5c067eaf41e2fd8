"""Damage of every kind: the journal starts, reads every undamaged record and reports exactly the holes."""

from collections import defaultdict
from random import Random

import pytest

from gateway.core.custody import recovery, segment
from gateway.core.custody.journal import Journal, Stream
from gateway.core.custody.segment import HEADER_SIZE, RECORD_OVERHEAD
from simulator.world.disk import SimDisk
from tests.support.journal_world import SMALL, World, read_all

ROUNDS = 300


def build() -> World:
    """Two epochs of three lanes, about twenty files, all durable, nothing freed."""
    world = World(7)
    for _ in range(2):
        for turn in range(60):
            world.append(("telemetry", "event", "telemetry", "alarm", "telemetry")[turn % 5])
        world.flush()
        world.start()
    return world


def layout(world: World) -> dict[str, list[tuple[Stream, int, int, int]]]:
    """Return where records lie, {file: [(stream, position, from, to)]}, from the model and sizes alone."""
    files = {}
    due = defaultdict(int)
    for name in world.disk.list():
        _, _, lane, epoch, _ = name.split("-")
        stream, offset, records = Stream(bytes.fromhex(epoch), lane), HEADER_SIZE, []
        while any(world.disk.read(name, offset, world.disk.size(name))):  # zeros follow the last record
            end = offset + RECORD_OVERHEAD + len(world.accepted[stream][due[stream]])
            records.append((stream, due[stream], offset, end))
            due[stream] += 1
            offset = end
        files[name] = records
    return files


def corrupt(random: Random, data: bytes) -> bytes:
    at = random.randrange(len(data))
    kind = random.randrange(5)
    if kind == 0:
        return data[:at]
    if kind == 1:
        return data[:at] + bytes([data[at] ^ 1 << random.randrange(8)]) + data[at + 1 :]
    if kind == 2:
        end = min(len(data), at + random.randrange(1, 200))
        return data[:at] + bytes(end - at) + data[end:]
    if kind == 3:
        return random.choice([b"", bytes(len(data))])
    return data + random.randbytes(random.randrange(1, 300))


def run_round(seed: int, world: World, files: dict[str, list[tuple[Stream, int, int, int]]]) -> int:
    """Damage a copy of the folder, recover it and compare; return how many positions were in holes."""
    random = Random(seed)
    disk = SimDisk(random)
    good = defaultdict(set)
    for name, records in files.items():
        before = world.disk.read(name, 0, world.disk.size(name))
        after = corrupt(random, before) if random.randrange(6) == 0 else before
        disk.put(name, after)
        for stream, position, start, end in records:
            if after[start:end] == before[start:end]:
                good[stream].add(position)
    for number in range(random.randrange(3)):
        disk.put(f"stray-{number}", random.randbytes(random.randrange(2000)))

    journal = Journal(disk, epoch=b"a-new-1!", **SMALL)
    report = journal.recover()

    assert {found.stream for found in report.streams} == {stream for stream in good if good[stream]}
    reported = defaultdict(set)
    for stream, hole, _ in report.holes:
        reported[stream].update(range(hole.first, hole.last + 1))
    for stream in good:
        if not good[stream]:
            continue
        end = max(good[stream]) + 1
        records, lost = read_all(journal, stream)
        assert records == {position: world.accepted[stream][position] for position in good[stream]}
        assert lost == set(range(end)) - good[stream] == reported[stream]
    assert report.records == sum(len(positions) for positions in good.values())

    assert journal.append("alarm", b"after") == 0
    journal.on_synced(journal.flush(), None)
    again = Journal(disk, epoch=b"a-new-2!", **SMALL)
    second = again.recover()
    assert second.records == report.records + 1
    assert not second.quarantined, "the second start finds nothing new to set aside"
    return sum(len(positions) for positions in reported.values())


def test_undamaged_records_are_all_read_and_the_holes_are_exact():
    world = build()
    files = layout(world)
    assert len(files) > 15
    lost = [run_round(seed, world, files) for seed in range(ROUNDS)]
    assert sum(1 for count in lost if count) > ROUNDS // 3, "the damage must be felt"


_honest_scan = segment.scan


def stops_at_damage(fetch, size, seed, **where):
    """Planted: a reader that takes the first damage for the end of the log."""
    due, expected = where.get("offset", HEADER_SIZE), where.get("index", 0)
    for index, offset, payload in _honest_scan(fetch, size, seed, **where):
        if index != expected or offset != due:
            return
        yield index, offset, payload
        due, expected = offset + RECORD_OVERHEAD + len(payload), index + 1


def trusts_every_byte(fetch, size, seed, *, offset=HEADER_SIZE, index=0, voids=False):
    """Planted: a reader without the checksum."""
    data = fetch(0, size)
    while offset + RECORD_OVERHEAD <= len(data):
        length = int.from_bytes(data[offset + 6 : offset + 8], "big")
        yield index, offset, data[offset + RECORD_OVERHEAD : offset + RECORD_OVERHEAD + length]
        index, offset = index + 1, offset + RECORD_OVERHEAD + length


@pytest.mark.parametrize("planted", [stops_at_damage, trusts_every_byte])
def test_the_comparison_sees_a_planted_bug(planted, monkeypatch):
    world = build()
    files = layout(world)
    monkeypatch.setattr(recovery, "scan", planted)
    monkeypatch.setattr(segment, "scan", planted)
    with pytest.raises(AssertionError):
        for seed in range(30):
            run_round(seed, world, files)
