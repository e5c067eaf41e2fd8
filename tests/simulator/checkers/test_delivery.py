"""The delivery checker at the size of a long proof."""

import tracemalloc

from simulator.checkers.delivery import DeliveryChecker
from wire import quantity, record


def test_a_record_costs_the_checker_a_few_bytes():
    def say(delivery, sequences):
        for sequence in sequences:
            stamp = record.Stamp(record.SYNCED, 1_800_000_000 + sequence, 1)
            data = record.encode(record.Record(1, sequence, stamp, {quantity.POWER: sequence}))
            delivery.made(bytes(8), 1, sequence, data, now_ms=sequence)
            delivery.acknowledged(bytes(8), 1, sequence)

    delivery = DeliveryChecker()
    say(delivery, range(10))
    tracemalloc.start()
    say(delivery, range(10, 5010))
    grown, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert delivery.acknowledged_count() == 5010
    assert grown < 5000 * 32, "half a million records must fit beside everything else"
    assert delivery.missing([(bytes(8), 1, 7)] * 2) == [(bytes(8), 1, n) for n in range(5010) if n != 7]
