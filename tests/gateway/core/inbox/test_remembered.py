"""What came lately: found by identity and body, the oldest forgotten first, in a few bytes a record."""

import tracemalloc
from random import Random

from gateway.core import limits
from gateway.core.inbox.remembered import NEW, Match, Remembered, digest_of
from wire import event
from wire import limits as wire_limits


def test_a_body_is_found_where_it_stands_and_others_under_its_identity_are_counted():
    remembered = Remembered()
    assert remembered.find(1, 2, b"a" * 8) == NEW
    remembered.add(1, 2, b"a" * 8, event.ALARM, 7)
    assert remembered.find(1, 2, b"a" * 8) == Match((event.ALARM, 7), 0)
    assert remembered.find(1, 2, b"b" * 8) == Match(None, 1)
    remembered.add(1, 2, b"b" * 8, event.TELEMETRY, wire_limits.POSITION_MAX)
    assert remembered.find(1, 2, b"b" * 8).place == (event.TELEMETRY, wire_limits.POSITION_MAX)
    assert remembered.find(1, 2, b"c" * 8) == Match(None, 2)


def test_two_neighbours_do_not_look_like_a_third():
    remembered = Remembered()
    remembered.add(1, 0x00000002, b"a" * 8, event.EVENT, 0)
    remembered.add(3, 4, b"b" * 8, event.EVENT, 1)
    assert remembered.find(2, 3, b"a" * 8) == NEW
    remembered.add(2, 3, b"c" * 8, event.EVENT, 2)
    assert remembered.find(2, 3, b"c" * 8) == Match((event.EVENT, 2), 0)


def test_it_agrees_with_a_plain_list(monkeypatch):
    monkeypatch.setattr(limits, "INBOX_REMEMBERED_PER_NODE_MAX", 16)
    random = Random(5)
    remembered, model = Remembered(), []
    for position in range(5000):
        key = random.choice((0, 1, 256, 2**32 - 1)), random.randrange(8), digest_of(bytes([random.randrange(3)]))
        same = [kept for kept in model if kept[:3] == key]
        others = [kept for kept in model if kept[:2] == key[:2]]
        match = remembered.find(*key)
        assert match.place == (same[0][3:] if same else None)
        if not same:
            assert match.others == len(others)
            lane = random.choice(event.LANES)
            remembered.add(*key, lane, position)
            model = [*model, (*key, lane, position)][-16:]


def test_a_district_fits_in_little_memory():
    """500 nodes that have all said their fill: 64,000 records at 24 bytes each, with what the allocator adds."""
    digests = [digest_of(bytes([number])) for number in range(limits.INBOX_REMEMBERED_PER_NODE_MAX)]
    tracemalloc.start()
    try:
        nodes = [Remembered() for _ in range(500)]
        for remembered in nodes:
            for number, digest in enumerate(digests):
                remembered.add(1, number, digest, event.TELEMETRY, number)
        held_bytes = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert held_bytes < 3_000_000
