"""The prefix of a stream: where it starts, what moves it, what it never passes."""

from random import Random

from tools.centre.ingest.prefix import Extent, extend


def test_first_batch_starts_at_oldest_and_what_lies_before_is_named():
    """A new warehouse, or one of a backup from before this stream, has never received it."""
    assert extend(None, 7, 9, 7, 8) == (Extent(10), ((0, 6),), 0)
    assert extend(None, 7, 9, 5, 8) == (Extent(5, ((7, 9),)), ((0, 4),), 0)
    assert extend(None, 0, 9, 0, 8) == (Extent(10), (), 0)


def test_batch_beginning_at_or_below_the_end_extends_it():
    assert extend(Extent(5), 5, 6, 0, 8).extent == Extent(7)
    assert extend(Extent(5), 3, 6, 0, 8).extent == Extent(7)


def test_batch_sent_again_moves_nothing():
    assert extend(Extent(5), 0, 4, 0, 8) == (Extent(5), (), 0)


def test_batch_ahead_waits_until_the_hole_before_it_closes():
    ahead = extend(Extent(5), 8, 9, 0, 8).extent
    assert ahead == Extent(5, ((8, 9),))
    assert extend(ahead, 5, 7, 0, 8).extent == Extent(10)


def test_neighbouring_spans_ahead_become_one():
    extent = Extent(0)
    for first, last in ((10, 12), (20, 22), (13, 19)):
        extent = extend(extent, first, last, 0, 8).extent
    assert extent == Extent(0, ((10, 22),))


def test_jump_to_oldest_tells_only_what_is_not_held():
    step = extend(Extent(2, ((5, 6), (8, 8))), 12, 12, 10, 8)
    assert step == (Extent(10, ((12, 12),)), ((2, 4), (7, 7), (9, 9)), 0)


def test_jump_into_a_span_goes_on_to_its_end():
    assert extend(Extent(2, ((4, 9),)), 6, 5, 6, 8) == (Extent(10), ((2, 3),), 0)


def test_empty_batch_only_asks():
    assert extend(Extent(5), 9, 8, 3, 8) == (Extent(5), (), 0)


def test_too_many_spans_forget_the_farthest():
    extent = Extent(0)
    for first in (4, 8, 6, 2):
        step = extend(extent, first, first, 0, 3)
        extent = step.extent
    assert step == (Extent(0, ((2, 2), (4, 4), (6, 6))), (), 1)


def test_random_batches_agree_with_a_set_of_positions():
    for seed in range(200):
        random = Random(seed)
        extent, held, end, oldest = None, set(), 0, 0
        for _ in range(40):
            oldest += random.choice((0, 0, 0, 2))
            first = oldest + random.randrange(12)
            last = first + random.randrange(-1, 5)
            skipped_before = {p for p in range(end, oldest) if p not in held}
            step = extend(extent, first, last, oldest, 1000)
            held.update(range(first, last + 1))
            end = max(end, oldest)
            while end in held:
                end += 1
            assert step.extent.end == end
            spans = [p for a, b in step.extent.spans for p in range(a, b + 1)]
            assert spans == sorted(p for p in held if p > end)
            assert {p for a, b in step.skipped for p in range(a, b + 1)} == skipped_before
            extent = step.extent
