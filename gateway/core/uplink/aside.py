"""What cannot go up: a record of the gateway explains it, and when that is durable the journal lets go.

Holes of the journal, records that this version cannot read, records that the centre refuses. Only what stands
first in its stream may be set aside: the watermark passes what lies before, and the explanation the rest.
"""

from collections.abc import Callable
from typing import NamedTuple

from gateway.core import limits
from gateway.core.custody.journal import Journal
from gateway.core.custody.stream import Hole, Stream
from gateway.core.uplink.sending import Passing, Sending

# The lane and position of the record that explains; None: it was refused, ask again later.
Explained = tuple[str, int] | None


class Quarantined(NamedTuple):
    """A record that the centre refuses, or that this version cannot read: its journal position and bytes."""

    stream: Stream
    position: int
    payload: bytes
    reason: str


class Lost(NamedTuple):
    """Journal positions that hold nothing any more."""

    stream: Stream
    first: int
    last: int


class Aside:
    """See the module. `epoch` is the journal's current one, in which explanations are written."""

    def __init__(
        self,
        journal: Journal,
        epoch: bytes,
        on_lost: Callable[[Lost], Explained],
        on_quarantined: Callable[[Quarantined], Explained],
    ) -> None:
        self._journal = journal
        self._epoch = epoch
        self._on_lost = on_lost
        self._on_quarantined = on_quarantined
        self.counters = {"quarantined": 0, "holes": 0}

    def pass_hole(self, stream: Stream, sending: Sending, hole: Hole, now_ms: int) -> None:
        """Positions that hold nothing."""
        self._explain("holes", sending, hole.last, self._on_lost(Lost(stream, *hole)), now_ms)

    def pass_record(self, sending: Sending, found: Quarantined, now_ms: int) -> None:
        """A record that cannot go up."""
        self._explain("quarantined", sending, found.position, self._on_quarantined(found), now_ms)

    def _explain(self, name: str, sending: Sending, through: int, explained_at: Explained, now_ms: int) -> None:
        if explained_at is None:
            sending.hold_until_ms = now_ms + limits.UPLINK_HOLD_MS
            return
        self.counters[name] += 1
        sending.passing = Passing(through, explained_at)

    def is_waiting(self, stream: Stream, sending: Sending) -> bool:
        """Let go of what was set aside once its explanation is durable; True while it is not."""
        if sending.passing is None:
            return False
        through, (lane, position) = sending.passing
        if self._journal.durable_end(Stream(self._epoch, lane)) <= position:
            return True
        sending.passing = None
        self._journal.release_through(stream, through)
        return False
