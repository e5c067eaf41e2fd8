"""One stream on its way up: where it stands, what is under way, what waits for an explanation; and what the next
batch takes from the journal.

Knows positions, never the window, the clock of the warehouse's silence or MQTT. The journal may let go of
positions at any time (a watermark, or room for what is younger): `follow` comes before anything else.
"""

from dataclasses import dataclass, field, replace
from typing import NamedTuple

from gateway.core import limits
from gateway.core.custody.journal import Journal
from gateway.core.custody.stream import Hole, Stream, Void
from gateway.core.uplink.pack import Packer
from wire.faults import WireFault

# Of thinned telemetry one batch in so many goes.
THIN_STEP = 4


class Unreadable(NamedTuple):
    """A record that this version cannot read."""

    position: int
    payload: bytes
    reason: str


class Gathered(NamedTuple):
    """Positions `first` to `last` as they stand in a pack, void ones included, and what comes next if it cannot
    go up. `last` is `first - 1` where nothing can; with `stop` None it is the disk that has a passing error."""

    first: int
    last: int
    items: list[bytes]
    entries: int
    stop: Hole | Unreadable | None


class Passing(NamedTuple):
    """Positions to let go of once our own record that explains them, at (lane, position), is durable."""

    through: int
    explained_at: tuple[str, int]


@dataclass
class Batch:
    """Sent and not yet held above. `records` is 0 where all its positions are void."""

    first: int
    last: int
    token: int
    records: int
    is_acknowledged: bool = False


@dataclass
class Sending:
    """`next_position` is the first not sent, nor left for later; `ahead` what is sent and not yet held above, in
    the order of positions; what lies before `sent_end` was due once and need not wait for company again."""

    next_position: int
    records_max: int
    asked_ms: int | None = None
    answered: bool = False
    question: int | None = None
    ahead: list[Batch] = field(default_factory=list)
    fresh_since_ms: int | None = None
    passing: Passing | None = None
    hold_until_ms: int = 0
    sent_end: int = 0
    turn: int = 0

    def follow(self, oldest: int) -> bool:
        """The journal holds nothing before `oldest` any more; True when a batch was among that."""
        if self.passing is not None and self.passing.through < oldest:
            self.passing = None
        self.next_position = max(self.next_position, oldest)
        under_way = [batch for batch in self.ahead if batch.last >= oldest]
        moved = len(under_way) < len(self.ahead)
        self.ahead = under_way
        return moved

    def sent(self, batch: Batch) -> None:
        """A batch has gone."""
        self.ahead.append(batch)
        self._pass_by(batch.last + 1)

    def leave(self, positions: int) -> None:
        """A batch of so many positions is left for a cheaper bearer."""
        self._pass_by(self.next_position + positions)

    def _pass_by(self, position: int) -> None:
        self.next_position = position
        self.sent_end = max(self.sent_end, position)
        self.fresh_since_ms = None
        self.turn = (self.turn + 1) % THIN_STEP

    def forget_ahead(self) -> None:
        """What was sent may not have arrived, or will never be held: it does not count as under way."""
        self.ahead.clear()

    def rewind(self, oldest: int) -> None:
        """All that is not held above is to be sent again."""
        self.ahead.clear()
        self.next_position = oldest

    def resumed(self, *, keep_place: bool, oldest: int, records_max: int) -> "Sending":
        """The state for a new connection: what was explained stays so, and with `keep_place` what went before."""
        if keep_place:
            return replace(
                self, asked_ms=None, answered=False, question=None, ahead=[], hold_until_ms=0, fresh_since_ms=None
            )
        return Sending(oldest, records_max, passing=self.passing)

    def batch_with(self, token: int) -> Batch | None:
        """The batch under way with this token."""
        return next((batch for batch in self.ahead if batch.token == token), None)

    def batch_over(self, first: int, last: int) -> Batch | None:
        """The batch under way over exactly these positions."""
        return next((batch for batch in self.ahead if (batch.first, batch.last) == (first, last)), None)


def gather(journal: Journal, stream: Stream, packer: Packer, first: int, records_max: int) -> Gathered:
    """What one batch takes from `first` on: `records_max` records at most, and the void positions among and after
    them, however many. Where only one record may go it goes alone, so that a refusal tells which."""
    alone = records_max == 1
    items: list[bytes] = []
    entries, position, used, has_void = 0, first, 0, True
    while has_void and len(items) < records_max and used < limits.UPLINK_BATCH_BYTES_MAX:
        # Voids count as items: where there are some, more must be read for as many records.
        count_max = records_max if position == first else 2 * (records_max - len(items)) + 1
        found = journal.read(stream, position, count_max=count_max, bytes_max=limits.UPLINK_BATCH_BYTES_MAX - used)
        has_void = False
        for item in found:
            if isinstance(item, bytes):
                is_full = len(items) == records_max or used + len(item) > limits.UPLINK_BATCH_BYTES_MAX
                if (items and is_full) or (alone and position > first):
                    return Gathered(first, position - 1, items, entries, None)
                try:
                    piece, count = packer.convert(item)
                except WireFault as fault:
                    return Gathered(first, position - 1, items, entries, Unreadable(position, item, fault.reason))
                items.append(piece)
                entries += count
                used += len(item)
                position += 1
            elif isinstance(item, Void):
                if alone and items:
                    return Gathered(first, position - 1, items, entries, None)
                has_void = True
                position = item.last + 1
            else:
                return Gathered(first, position - 1, items, entries, item)
        if position >= journal.durable_end(stream):
            break
    return Gathered(first, position - 1, items, entries, None)
