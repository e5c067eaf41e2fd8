"""A segment written anew with void runs in place of some of its records (gateway/core/custody/segment.py, version 2).

Bytes in, bytes out: opens no file and decides nothing. What stays is copied as it was, at its own position; a
hole of the old segment stays a hole.
"""

from collections.abc import Iterable, Iterator

from gateway.core import limits
from gateway.core.custody.segment import Content, VoidRun, encode_header, encode_record, encode_voids
from gateway.core.custody.shelf import Segment


def written(new: Segment, old: Segment, void: bytearray, contents: Iterable[tuple[int, Content]]) -> Iterator[bytes]:
    """Yield the bytes of `new` piece by piece, THINNING_STEP_RECORDS_MAX records each, and note them in it.

    `contents` are the (index, content) of `old`; `void` has a 1 at each of its indices where nothing is to
    stand. Where `new` begins before `old`, all of both is void. Errors raised by `contents` pass through.
    """
    ahead = old.first - new.first
    data = encode_header(new.identity, new.level)
    if ahead:
        contents = []
        data += _put(new, 0, VoidRun(ahead + len(void)))
        void = bytearray()
    due = 0
    for number, (index, content) in enumerate(contents, 1):
        if number % limits.THINNING_STEP_RECORDS_MAX == 0:
            yield data
            data = b""
        if isinstance(content, VoidRun) or void[index]:
            continue
        for start, count in _runs(void, due, index):
            data += _put(new, start, VoidRun(count))
        data += _put(new, index, content)
        due = index + 1
    for start, count in _runs(void, due, len(void)):
        data += _put(new, start, VoidRun(count))
    yield data + _put(new, old.end - new.first, VoidRun(0))


def _put(new: Segment, index: int, content: Content) -> bytes:
    new.note(index, new.size, content)
    if isinstance(content, VoidRun):
        return encode_voids(new.seed, index, content.positions)
    return encode_record(new.seed, index, content)


def _runs(void: bytearray, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield (index, count) of the runs of ones."""
    at = void.find(1, start, end)
    while at >= 0:
        stop = void.find(0, at, end)
        stop = end if stop < 0 else stop
        yield at, stop - at
        at = void.find(1, stop, end)
