"""Keeps how far each stream has been sent: what is under way, what waits for an explanation, how long the warehouse
has been silent.

It knows positions, but not the send window and not MQTT. The journal may let go of positions at any time (a receipt,
or room for younger records): call `release_before` before anything else.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from gateway.core import limits
from gateway.core.custody.journal import Journal
from gateway.core.custody.stream import Hole, Stream
from wire.receipt import Batch

# Of thinned telemetry, one batch in THIN_STEP is sent.
THIN_STEP = 4


class ExplainedPositions(NamedTuple):
    """Names positions to release once our own record that explains them, at (lane, position), is durable."""

    through: int
    explained_at: tuple[str, int]


@dataclass
class SentBatch:
    """Describes a batch that was sent and is not yet covered by a receipt. `records` is 0 if all its positions are
    void; `digest` is that of its payload."""

    first: int
    last: int
    token: int
    records: int
    digest: bytes
    is_acknowledged: bool = False


@dataclass
class StreamProgress:
    """Holds the state of one stream. `next_position` is the first neither sent nor left for later; `ahead` are the
    batches sent and not yet covered by a receipt, by position; positions before `sent_end` were due once and go again
    without delay. `digests` are those of the payloads sent last, with their positions and what was freed before they
    were sent (None: the warehouse has judged it): only a receipt that states one of them counts. `received` are the
    positions of such receipts, ascending and disjoint. `explained_end`: the position after the last that was released
    because a record explains it: it is never given again. `seen_oldest` and `seen_end`: what the
    journal held at the last poll.
    """

    next_position: int
    records_max: int
    asked_ms: int | None = None
    answered: bool = False
    question: int | None = None
    ahead: list[SentBatch] = field(default_factory=list)
    fresh_since_ms: int | None = None
    passing: ExplainedPositions | None = None
    hold_until_ms: int = 0
    sent_end: int = 0
    turn: int = 0
    digests: dict[bytes, tuple[int, int, int] | None] = field(default_factory=dict)
    received: list[tuple[int, int]] = field(default_factory=list)
    explained_end: int = 0
    seen_oldest: int = 0
    seen_end: int = 0

    def rests(self) -> bool:
        """Return whether only a new record can make something due: no answer is waited for, and nothing is held or set
        aside."""
        return (self.asked_ms is None or self.answered) and not self.hold_until_ms and self.passing is None

    def fills(self, end: int) -> bool:
        """Return whether a batch has begun to fill, and is not full with all before `end`."""
        return self.fresh_since_ms is not None and end - self.next_position < self.records_max

    def release_before(self, oldest: int) -> bool:
        """Forget positions before `oldest`, which the journal no longer holds; return True if a batch was among
        them."""
        if self.passing is not None and self.passing.through < oldest:
            self.passing = None
        if self.next_position < oldest:
            self.next_position = oldest
        if not self.ahead and not self.received:
            return False  # a quiet stream, at each poll
        self.received = [span for span in self.received if span[1] >= oldest]
        under_way = [batch for batch in self.ahead if batch.last >= oldest]
        moved = len(under_way) < len(self.ahead)
        self.ahead = under_way
        return moved

    def sent(self, batch: SentBatch, oldest: int) -> None:
        """Note that a batch has been sent, when all before `oldest` was freed."""
        self.ahead.append(batch)
        self.digests.pop(batch.digest, None)  # sent again, it is the newest again
        self.digests[batch.digest] = (batch.first, batch.last, oldest)
        if len(self.digests) > limits.UPLINK_DIGESTS_MAX:
            del self.digests[next(iter(self.digests))]
        self._pass_by(batch.last + 1)

    def settle(self, batch: Batch) -> int | None:
        """Note that the warehouse has judged a batch; return the first position that was not freed when it was sent,
        None where these very bytes were not sent, not long ago, or where it was noted before."""
        sent = self.digests.get(batch.digest)
        if sent is None or sent[:2] != (batch.first, batch.last):
            return None
        self.digests[batch.digest] = None
        return sent[2]

    def is_altered(self, batch: Batch) -> bool:
        """Return whether the batch under way over these positions was sent with other bytes."""
        return batch.digest not in self.digests and self.batch_over(batch.first, batch.last) is not None

    def confirm(self, batches: Iterable[Batch]) -> int | None:
        """Note which batches the warehouse has received; return how far all was freed when the last of them was sent,
        None where this settles none."""
        settled = [(batch, freed) for batch in batches if (freed := self.settle(batch)) is not None]
        spans: list[tuple[int, int]] = []
        for first, last in sorted((*self.received, *(batch[:2] for batch, _ in settled))):
            if spans and first <= spans[-1][1] + 1:
                spans[-1] = (spans[-1][0], max(spans[-1][1], last))
            else:
                spans.append((first, last))
        self.received = spans[: limits.UPLINK_SPANS_MAX]
        return max((freed for _, freed in settled), default=None)

    def received_end(self, oldest: int) -> int:
        """Return the first position from `oldest` on that no receipt covers."""
        return max((last + 1 for first, last in self.received if first <= oldest <= last), default=oldest)

    def leave(self, positions: int) -> None:
        """Leave a batch of so many positions for a cheaper bearer."""
        self._pass_by(self.next_position + positions)

    def _pass_by(self, position: int) -> None:
        self.next_position = position
        self.sent_end = max(self.sent_end, position)
        self.fresh_since_ms = None
        self.turn = (self.turn + 1) % THIN_STEP

    def forget_ahead(self) -> None:
        """Treat no batch as under way: what was sent may not have arrived, or will never be acknowledged."""
        self.ahead.clear()

    def rewind(self, oldest: int) -> None:
        """Go back to `oldest`, so that everything that no receipt has freed is sent again."""
        self.ahead.clear()
        self.next_position = oldest

    def forget_receipts(self) -> None:
        """Let no receipt count for what was sent so far: the warehouse that signed it has gone back since."""
        self.digests = dict.fromkeys(self.digests)
        self.received.clear()

    def resumed(self, *, keep_place: bool, oldest: int, records_max: int) -> "StreamProgress":
        """Return the state for a new connection: explanations stay, and with `keep_place` the place in the stream."""
        if keep_place:
            return replace(
                self, asked_ms=None, answered=False, question=None, ahead=[], hold_until_ms=0, fresh_since_ms=None
            )
        return StreamProgress(
            oldest,
            records_max,
            passing=self.passing,
            digests=self.digests,
            received=self.received,
            explained_end=self.explained_end,
        )

    def batch_with(self, token: int) -> SentBatch | None:
        """Return the batch under way with this token."""
        return next((batch for batch in self.ahead if batch.token == token), None)

    def batch_over(self, first: int, last: int) -> SentBatch | None:
        """Return the batch under way over exactly these positions."""
        return next((batch for batch in self.ahead if (batch.first, batch.last) == (first, last)), None)


class WarehouseSilence:
    """Measures how long no receipt has freed anything; `is_silent` from the first deadline without a move to the next
    move.

    When nothing has moved for UPLINK_SILENCE_FIRST_MS the warehouse is *silent*, until something moves; meanwhile each
    deadline doubles the wait for the next one, up to UPLINK_SILENCE_LAST_MS.
    """

    def __init__(self) -> None:
        self.is_silent = False
        self._since_ms = 0
        self._wait_ms = limits.UPLINK_SILENCE_FIRST_MS

    def watch(self, now_ms: int) -> None:
        """Start the wait: a batch is under way now, where none was before."""
        self._since_ms = now_ms

    def end(self, now_ms: int) -> bool:
        """End the silence: something has moved, or a new connection begins. Return True if it was silent."""
        was_silent, self.is_silent = self.is_silent, False
        self._since_ms = now_ms
        self._wait_ms = limits.UPLINK_SILENCE_FIRST_MS
        return was_silent

    def deadline_ms(self) -> int:
        """Return when the wait ends, if a batch is under way."""
        return self._since_ms + self._wait_ms

    def doubt(self, now_ms: int) -> bool:
        """Note that the wait has ended without a move; return True if the silence begins here."""
        begins, self.is_silent = not self.is_silent, True
        self._since_ms = now_ms
        self._wait_ms = min(2 * self._wait_ms, limits.UPLINK_SILENCE_LAST_MS)
        return begins


# Lane and position of the record that explains; None: it was refused, ask again later.
Explained = tuple[str, int] | None


class QuarantinedRecord(NamedTuple):
    """Describes a record that the centre refuses, or that this version cannot read: its journal position and bytes."""

    stream: Stream
    position: int
    payload: bytes
    reason: str


class LostPositions(NamedTuple):
    """Names journal positions whose records are lost."""

    stream: Stream
    first: int
    last: int


class Quarantine:
    """Reports what cannot be sent in a record of the gateway, and releases it when that record is durable: holes of the
    journal, records that this version cannot read, records that the centre refuses.

    Only the first position of a stream may be set aside: receipts cover what lies before it, the explanation
    covers the rest. `epoch` is the journal's current one, in which explanations are written.
    """

    def __init__(
        self,
        journal: Journal,
        epoch: bytes,
        on_lost: Callable[..., Explained],
        on_quarantined: Callable[..., Explained],
    ) -> None:
        self._journal = journal
        self._epoch = epoch
        self._on_lost = on_lost
        self._on_quarantined = on_quarantined
        self.counters = {"quarantined": 0, "holes": 0}

    def pass_hole(self, stream: Stream, progress: StreamProgress, hole: Hole, now_ms: int) -> None:
        """Explain positions whose records are lost."""
        self._explain("holes", progress, hole.last, self._on_lost(LostPositions(stream, *hole), now_ms=now_ms), now_ms)

    def pass_record(self, progress: StreamProgress, found: QuarantinedRecord, now_ms: int) -> None:
        """Explain a record that cannot be sent."""
        self._explain("quarantined", progress, found.position, self._on_quarantined(found, now_ms=now_ms), now_ms)

    def _explain(self, name: str, progress: StreamProgress, through: int, explained_at: Explained, now_ms: int) -> None:
        if explained_at is None:
            progress.hold_until_ms = now_ms + limits.UPLINK_HOLD_MS
            return
        self.counters[name] += 1
        progress.passing = ExplainedPositions(through, explained_at)

    def is_waiting(self, stream: Stream, progress: StreamProgress) -> bool:
        """Release what was set aside once its explanation is durable; return True while it is not."""
        if progress.passing is None:
            return False
        through, (lane, position) = progress.passing
        if self._journal.durable_end(Stream(self._epoch, lane)) <= position:
            return True
        progress.passing, progress.explained_end = None, through + 1
        self._journal.release_through(stream, through)
        return False
