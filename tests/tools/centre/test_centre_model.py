"""Random lives of the warehouse against a model: reordering, duplicates, conflicts, jumps, two processes."""

from random import Random

import pytest

from tests.support.centre_world import NODE, NOW, TELEMETRY_TOPIC, answers, batch, reading
from tools.centre.ingest.warehouse import Warehouse
from wire import record


class Model:
    """One stream: what was sent is what should be held."""

    def __init__(self):
        self.rows = {}
        self.conflicts = set()
        self.positions = set()
        self.end = None
        self.seen = 0

    def take(self, first, items, oldest):
        for item in items:
            made = item.record
            key = (item.node, made.boot, made.sequence)
            content = (record.encode_body(made.body), made.stamp)
            self.seen += 1
            if self.rows.setdefault(key, content) != content:
                self.conflicts.add((key, content))
        self.positions.update(range(first, first + len(items)))
        self.end = oldest if self.end is None else max(self.end, oldest)
        while self.end in self.positions:
            self.end += 1
        return self.end


class Sender:
    """A gateway whose journal holds `[oldest, end)`; it may send any part again, in any order."""

    def __init__(self, random):
        self.random = random
        self.journal = []
        self.oldest = 0

    def grow(self):
        for _ in range(self.random.randrange(1, 8)):
            sequence = len(self.journal)
            if self.random.randrange(12) == 0 and self.journal:
                twin = self.random.choice(self.journal).record.sequence
                self.journal.append(reading(twin, {6: self.random.randrange(3)}))
            else:
                self.journal.append(reading(sequence))

    def batch(self):
        self.grow()
        if self.random.randrange(10) == 0:
            self.oldest = self.random.randrange(self.oldest, len(self.journal))
        first = self.random.randrange(self.oldest, len(self.journal) + 1)
        items = self.journal[first : first + self.random.randrange(0, 9)]
        return first, items, self.oldest


@pytest.mark.parametrize("seed", range(12))
def test_warehouse_agrees_with_the_model(tmp_path, seed):
    random = Random(seed)
    path = str(tmp_path / "w.db")
    processes = [Warehouse(path, synchronous="OFF") for _ in range(2)]
    sender, model = Sender(random), Model()
    late = []
    for _ in range(60):
        late.append(sender.batch())
        if random.randrange(3) == 0:
            late.append(random.choice(late))
        random.shuffle(late)
        while len(late) > random.randrange(1, 6):
            sent = late.pop()
            place = random.randrange(2)
            if random.randrange(15) == 0:
                processes[place].close()
                processes[place] = Warehouse(path, synchronous="OFF")
            payload = batch(sent[1], sent[0], oldest=sent[2])
            expected = model.take(*sent)
            (mark,) = answers(processes[place].accept(TELEMETRY_TOPIC, payload, **NOW))
            assert mark.next_position == expected
    warehouse = processes[0]
    assert {key: (body, stamp) for key, stamp, body in warehouse.bodies()} == model.rows
    conflicting = {
        ((held.node, held.boot, held.sequence), (held.body, held.stamp))
        for held in warehouse.held()
        if held.conflicting
    }
    assert conflicting == model.conflicts
    counted = warehouse.counters
    assert counted["records"] == len(model.rows)
    assert counted["conflicts"] == len(model.conflicts)
    assert counted["records"] + counted["conflicts"] + counted["duplicates"] == model.seen
    held = {sequence for _, _, sequence in model.rows}
    assert list(warehouse.missing(NODE, 1)) == sorted(set(range(max(held))) - held)


def test_order_of_arrival_does_not_change_the_digest():
    random = Random(5)
    batches = [batch([reading(n), reading(n + 1)], n, oldest=0) for n in range(0, 40, 2)]
    digests = set()
    for _ in range(4):
        random.shuffle(batches)
        warehouse = Warehouse(":memory:")
        for payload in batches:
            warehouse.accept(TELEMETRY_TOPIC, payload, **NOW)
        digests.add(warehouse.digest())
    assert len(digests) == 1
