"""How far the warehouse holds one stream (gateway, epoch, lane): a prefix, and spans ahead of it.

A prefix is one number, the first position that is not held. What it passes, the gateway frees; so it may
only pass what is held, or what the gateway says it no longer holds:

    no prefix yet                it starts at the batch's `oldest`
    `oldest` beyond it           what lies between will never come: it jumps to `oldest` and tells (`skipped`)
    batch begins at or below it  it moves to the batch's end, and over the spans that it now meets
    batch begins beyond it       the batch is remembered as a span ahead, until the hole before it closes
    batch sent again             nothing moves
    empty batch                  a question: only `oldest` counts

It never goes back. Spans are bounded: the farthest is forgotten first, which costs a resend and loses
nothing.
"""

from typing import NamedTuple


class Extent(NamedTuple):
    """`end` is the first position not held; `spans` are `(first, last)`, ascending, apart, beyond it."""

    end: int
    spans: tuple[tuple[int, int], ...] = ()


class Step(NamedTuple):
    """The new extent, `(first, last)` of every hole jumped over, and how many spans were forgotten."""

    extent: Extent
    skipped: tuple[tuple[int, int], ...]
    forgotten: int


def extend(extent: Extent | None, first: int, last: int, oldest: int, spans_max: int) -> Step:
    """The step for positions `[first, last]` (`last == first - 1`: none) from a gateway holding `oldest`."""
    if extent is None:
        extent = Extent(oldest)
    spans = list(extent.spans)
    if last >= first:
        spans.append((first, last))
    end, spans = _merge(max(extent.end, oldest), sorted(spans))
    forgotten = max(0, len(spans) - spans_max)
    return Step(Extent(end, tuple(spans[:spans_max])), _holes(extent, oldest), forgotten)


def _holes(extent: Extent, oldest: int) -> tuple[tuple[int, int], ...]:
    """What a jump from the old end to `oldest` passes without holding it."""
    holes = []
    position = extent.end
    for first, last in (*extent.spans, (oldest, oldest)):
        if position < min(first, oldest):
            holes.append((position, min(first, oldest) - 1))
        position = max(position, last + 1)
    return tuple(holes)


def _merge(end, spans):
    apart: list[tuple[int, int]] = []
    for first, last in spans:
        if first <= end:
            end = max(end, last + 1)
        elif apart and first <= apart[-1][1] + 1:
            apart[-1] = (apart[-1][0], max(apart[-1][1], last))
        else:
            apart.append((first, last))
    return end, apart
