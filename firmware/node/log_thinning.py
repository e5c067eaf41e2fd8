"""Plans how a full log makes room (see `node.record_log`): which segments change, which of their records go, and the
gaps that report it.

It reads only through the `records` function of the log, and writes nothing.
"""

from collections import namedtuple

from node import limits, log_segment
from node.log_segment import LEVEL, SIZE, START
from node.outbox import DROPPED, THINNED, Gap
from wire import cbor, event
from wire import limits as wire_limits
from wire.faults import WireFault

# `segments` of `lane` become one of `level`, or none. `removed`: for each segment the starts of the records that go,
# None for all. `why`: "thinned" or "dropped".
Plan = namedtuple("Plan", ("lane", "segments", "removed", "gaps", "level", "why"))


def plan_room(chains, lane, records, *, is_cramped):
    """Returns the plan with the least loss when `lane` needs a segment; None when only more important records are
    there. `is_cramped`: no file can be written before one is removed. `records(segment)`: [(start, body)] of the
    records that wait."""
    plan = None
    if not is_cramped:
        plan = _joined(chains)
        if plan is None and len(chains[event.TELEMETRY]) > 3:
            plan = _thinned(chains[event.TELEMETRY], records)
    if plan is not None:
        return plan
    for victim in reversed(event.LANES):
        if chains[victim]:
            return _dropped(victim, chains[victim][0], records)
        if victim == lane:
            return None


def _joined(chains):
    """Plans to join two neighbours that fit one segment, without loss: a node that starts every dusk leaves such
    segments."""
    for lane in event.LANES:
        chain = chains[lane]
        # Never the newest: its mark holds how far the boot's records were safe, and it may be open.
        for index in range(len(chain) - 2):
            pair = chain[index : index + 2]
            if _live_bytes(pair[0]) + _live_bytes(pair[1]) <= log_segment.SEGMENT_BYTES_MAX:
                return Plan(lane, pair, (set(), set()), [], max(pair[0][LEVEL], pair[1][LEVEL]), THINNED)
    return None


def _live_bytes(segment):
    return segment[SIZE] - segment[START]


def _thinned(chain, records):
    """Plans to thin two neighbours of the older half, the least thinned ones first, then the oldest."""
    order = sorted((chain[index][LEVEL] + chain[index + 1][LEVEL], index) for index in range(max(1, len(chain) // 2)))
    for _, index in order:
        pair = chain[index : index + 2]
        plan = _halved(pair, records)
        if plan is not None:
            return plan
    return None


def _halved(pair, records):
    """Removes every second record of each boot; returns None when the rest would not fit one segment."""
    seen, losses, removed, size = {}, [], (set(), set()), 0
    for segment, gone in zip(pair, removed):
        for start, body in records(segment):
            boot, sequence = log_segment.identity(body) or (0, 0)
            seen[boot] = seen.get(boot, 0) + 1
            if seen[boot] % 2:
                size += log_segment.OVERHEAD_BYTES + len(body)
            else:
                gone.add(start)
                _note(losses, boot, sequence, sequence)
    if size > log_segment.SEGMENT_BYTES_MAX:
        return None
    level = min(log_segment.LEVEL_MAX, max(pair[0][LEVEL], pair[1][LEVEL]) + 1)
    return Plan(event.TELEMETRY, pair, removed, _gaps(losses, THINNED), level, THINNED)


def _dropped(lane, segment, records):
    """Plans to drop the whole segment. The losses that its gap records and boot reports declare must be reported
    again."""
    losses = []
    for _, body in records(segment):
        boot, sequence = log_segment.identity(body) or (0, 0)
        _note(losses, boot, sequence, sequence)
        if lane == event.EVENT:
            _note_told(losses, body)
    return Plan(lane, [segment], (None,), _gaps(losses[-limits.LOG_GAPS_MAX :], DROPPED), 0, DROPPED)


def _note_told(losses, body):
    # Its checksum shows that it is our own record: a node need not load the check of foreign ones
    # (`wire.record.check`).
    try:
        event_item = cbor.decode(body)[4]
    except WireFault:
        return
    if not isinstance(event_item, list) or len(event_item) < 3 or not isinstance(event_item[2], list):
        return
    code, detail = event_item[0], event_item[2]
    if code == event.GAP and detail[0] is None:
        last = wire_limits.SEQUENCE_MAX if detail[3] is None else detail[3]
        _note(losses, detail[1], detail[2], last)
    elif code == event.BOOT and detail[0] is not None:
        _note(losses, detail[0], 0 if detail[1] is None else detail[1] + 1, wire_limits.SEQUENCE_MAX)


def _note(losses, boot, first, last):
    """Adds a range that lost records. A wider range is still true: a record that arrives overrides a gap that covers
    it."""
    for loss in losses:
        if loss[0] == boot:
            loss[1] = min(loss[1], first)
            loss[2] = max(loss[2], last)
            return
    losses.append([boot, first, last])


def _gaps(losses, why):
    end = wire_limits.SEQUENCE_MAX
    return [Gap(first, None if last == end else last, why, boot) for boot, first, last in losses]
