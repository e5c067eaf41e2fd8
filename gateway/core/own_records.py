"""Makes the gateway's own records: journaled like any node's, under its own id, boot and sequence.

Most report what happened here (a boot, an anchor, a step of the clock). Some explain what will not come: holes of the
journal, records that cannot be sent. Those make room, so they may use the room reserved for them in a full journal, and
the loss ledger lists what they name as well. It must let go of nothing itself: that is for the caller, once the
explanation is durable.
"""

from collections import deque
from collections.abc import Callable
from typing import Any

from gateway.core import limits
from gateway.core.custody import entry
from gateway.core.custody.journal import Journal, Refused
from gateway.core.custody.ledger import Ledger, LossTime
from gateway.core.uplink.progress import LostPositions, QuarantinedRecord
from gateway.core.wallclock import WallClock
from wire import event, event_table, record
from wire import limits as wire_limits
from wire.faults import WireFault
from wire.record import EventBody, Record, Stamp

# The lane and position of a record; None: the journal refused it.
Placed = tuple[str, int] | None


class OwnRecords:
    """Makes records of the gateway itself. `node` is its own id; `ask_flush(now_ms=…)` is called when a record waits
    for a flush; `keep(why, source, data, now_ms=…)` keeps raw bytes for an operator; `refused` only rises."""

    def __init__(
        self,
        journal: Journal,
        ledger: Ledger,
        clock: WallClock,
        *,
        node: bytes,
        boot: int,
        ask_flush: Callable[..., None],
        keep: Callable[..., None],
        log: Callable[..., None],
    ) -> None:
        self._journal = journal
        self._ledger = ledger
        self._clock = clock
        self._node = node
        self._boot = boot
        self._ask_flush = ask_flush
        self._keep = keep
        self._log = log
        self._sequence = 0
        self._waiting: deque[tuple[EventBody, Stamp]] = deque()  # refused, and reported once only
        self._retry_ms = 0
        self.refused = 0

    # --- what happened ------------------------------------------------------------------------------------------

    def append(
        self, body: EventBody | dict[int, int], *, now_ms: int, reserve: bool = False
    ) -> tuple[str, int] | Refused:
        """Append a record of this event or these readings; return its lane and position, or why the journal refused it.
        A refusal uses no sequence number."""
        return self._append(body, self._clock.stamp(now_ms=now_ms), reserve, now_ms)

    def _append(
        self, body: EventBody | dict[int, int], stamp: Stamp, reserve: bool, now_ms: int
    ) -> tuple[str, int] | Refused:
        made = Record(self._boot, self._sequence, stamp, body)
        lane = record.lane(made)
        payload = entry.encode(entry.Entry(self._node, record.encode(made)))
        position = self._journal.append(lane, payload, reserve=reserve)
        if isinstance(position, Refused):
            self.refused += 1
            return position
        self._sequence += 1
        self._ask_flush(now_ms=now_ms)
        return lane, position

    def try_report(self, body: EventBody, *, now_ms: int) -> Placed:
        """Append a record; a refusal is logged, and the caller may try again later."""
        return self._placed(body, self.append(body, now_ms=now_ms))

    def report(self, body: EventBody, *, now_ms: int) -> bool:
        """Report once what happened to the gateway. A record that is refused waits, with its time, for `poll`.

        Return False, and drop the record, when OWN_WAITING_MAX are waiting.
        """
        stamp = self._clock.stamp(now_ms=now_ms)
        if not self._waiting and self._placed(body, self._append(body, stamp, False, now_ms)) is not None:
            return True
        if len(self._waiting) >= limits.OWN_WAITING_MAX:
            return False
        if not self._waiting:
            self._retry_ms = now_ms + limits.OWN_RETRY_MS
        self._waiting.append((body, stamp))
        return True

    def poll(self, *, now_ms: int) -> None:
        """Try again to append the waiting records, in order."""
        if not self._waiting or now_ms < self._retry_ms:
            return
        self._retry_ms = now_ms + limits.OWN_RETRY_MS
        while self._waiting and not isinstance(self._append(*self._waiting[0], False, now_ms), Refused):
            self._waiting.popleft()

    def deadline_ms(self) -> int | None:
        """Return when `poll` is due; None: nothing waits."""
        return self._retry_ms if self._waiting else None

    # --- what will not come -------------------------------------------------------------------------------------

    def explain(self, body: EventBody, *, now_ms: int) -> Placed:
        """Append a record of what will not come. It makes room, so it may use the room reserved for it in a full
        journal.

        Return None when it is refused all the same: nothing may go unexplained, so the caller tries again later.
        """
        return self._placed(body, self.append(body, now_ms=now_ms, reserve=True))

    def explain_hole(self, lost: LostPositions, *, now_ms: int) -> Placed:
        """Explain journal positions whose records are lost."""
        stream, why = lost.stream, "journal-damaged"
        self._log("journal-hole", lane=stream.lane, first=lost.first, last=lost.last)
        detail = [stream.epoch, stream.lane, lost.first, lost.last, why]
        placed = self.explain(EventBody(event.HOLE, None, detail), now_ms=now_ms)
        if placed is not None:
            key = f"hole-{lost.first}-{lost.last}"
            where = (stream.lane, stream.epoch, lost.first, lost.last)
            self._ledger.positions_lost(why, *where, key=key, when=self.loss_time(now_ms=now_ms))
        return placed

    def explain_quarantined(self, found: QuarantinedRecord, *, now_ms: int) -> Placed:
        """Explain a record that the centre refuses, or that this version cannot read."""
        # The centre's word, cut to the limit of a text in a record, or the explanation would be refused as well.
        why = found.reason.encode()[: wire_limits.TEXT_BYTES_MAX].decode(errors="ignore")
        self._keep(f"quarantined-{found.reason}", found.stream.lane, found.payload, now_ms=now_ms)
        stream = found.stream
        key, lost_as = f"{stream.epoch.hex()}-{found.position}", f"quarantined: {why}"
        try:
            item = entry.decode(found.payload)
        except WireFault:
            payload = found.payload[: limits.RAW_BYTES_MAX]
            placed = self.explain(EventBody(event.RAW, None, [self._node, why, payload]), now_ms=now_ms)
            if placed is not None:
                where = (stream.lane, stream.epoch, found.position, found.position)
                self._ledger.positions_lost(lost_as, *where, key=key, when=self.loss_time(now_ms=now_ms))
            return placed
        made = item.record
        detail: list[Any] = [item.node, made.boot, made.sequence, made.sequence, why]
        placed = self.explain(EventBody(event.GAP, None, detail), now_ms=now_ms)
        if placed is not None:
            who = (stream.lane, item.node, made.boot, [made.sequence])
            self._ledger.records_lost(lost_as, *who, key=key, when=self.loss_time(now_ms=now_ms))
        return placed

    def loss_time(self, *, now_ms: int) -> LossTime:
        """Return the time for a line of the loss ledger."""
        return LossTime(self._clock.unix_s(now_ms=now_ms), self._clock.uptime_s(now_ms=now_ms))

    def _placed(self, body: EventBody, placed: tuple[str, int] | Refused) -> Placed:
        if isinstance(placed, Refused):
            self._log("own-record-refused", event=event_table.label(body.code), why=placed.value)
            return None
        return placed
