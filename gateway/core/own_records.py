"""The gateway's own records: journaled like any node's, under its own id, boot and sequence.

Most say what happened here (a boot, an anchor, a step of the clock). Some explain what will not come: holes of the
journal, records that cannot go up. Those make room, so they may use what a full journal keeps for them, and what
they name stands in the loss ledger as well. Must let go of nothing itself: that is for whoever asked, once the
explanation is durable.
"""

from collections import deque
from collections.abc import Callable

from gateway.core import limits
from gateway.core.custody import entry
from gateway.core.custody.journal import Journal, Refused
from gateway.core.custody.ledger import Ledger, LossTime
from gateway.core.uplink.progress import Lost, Quarantined
from gateway.core.wallclock import WallClock
from wire import event, record
from wire import limits as wire_limits
from wire.faults import WireFault
from wire.record import EventBody, Record, Stamp

# The lane and position of a record; None: the journal refused it.
Placed = tuple[str, int] | None


class OwnRecords:
    """See the module. `node` is the gateway's own id; `time_ms` tells the time of the turn; `written` is called when a
    record waits for a flush; `keep(why, source, data)` keeps raw bytes for an operator; `refused` only rises."""

    def __init__(
        self,
        journal: Journal,
        ledger: Ledger,
        clock: WallClock,
        *,
        node: bytes,
        boot: int,
        time_ms: Callable[[], int],
        written: Callable[[], None],
        keep: Callable[[str, str, bytes], None],
        log: Callable[..., None],
    ) -> None:
        self._journal = journal
        self._ledger = ledger
        self._clock = clock
        self._node = node
        self._boot = boot
        self._time_ms = time_ms
        self._written = written
        self._keep = keep
        self._log = log
        self._sequence = 0
        self._waiting: deque[tuple[EventBody, Stamp]] = deque()  # refused, and nobody would say it again
        self._retry_ms = 0
        self.refused = 0

    # --- what happened ------------------------------------------------------------------------------------------

    def write(self, body: EventBody | dict[int, int], *, reserve: bool = False) -> tuple[str, int] | Refused:
        """Lane and position of a record of this event or these readings, or why the journal refused it; that costs no
        sequence."""
        return self._write(body, self._clock.stamp(now_ms=self._time_ms()), reserve)

    def _write(self, body: EventBody | dict[int, int], stamp: Stamp, reserve: bool) -> tuple[str, int] | Refused:
        made = Record(self._boot, self._sequence, stamp, body)
        lane = record.lane(made)
        payload = entry.encode(entry.Entry(self._node, record.encode(made)))
        position = self._journal.append(lane, payload, reserve=reserve)
        if isinstance(position, Refused):
            self.refused += 1
            return position
        self._sequence += 1
        self._written()
        return lane, position

    def say(self, body: EventBody) -> Placed:
        """As above; a refusal is logged."""
        return self._placed(body, self.write(body))

    def state(self, body: EventBody) -> bool:
        """What happened to ourselves, once: refused, it waits, with its time, and is tried again by `poll`.

        False, and it is not said, when OWN_WAITING_MAX are waiting.
        """
        stamp = self._clock.stamp(now_ms=self._time_ms())
        if not self._waiting and self._placed(body, self._write(body, stamp, False)) is not None:
            return True
        if len(self._waiting) >= limits.OWN_WAITING_MAX:
            return False
        if not self._waiting:
            self._retry_ms = self._time_ms() + limits.OWN_RETRY_MS
        self._waiting.append((body, stamp))
        return True

    def poll(self, *, now_ms: int) -> None:
        """Try again what waits, in its order."""
        if not self._waiting or now_ms < self._retry_ms:
            return
        self._retry_ms = now_ms + limits.OWN_RETRY_MS
        while self._waiting and not isinstance(self._write(*self._waiting[0], False), Refused):
            self._waiting.popleft()

    def deadline_ms(self) -> int | None:
        """When `poll` is due; None: nothing waits."""
        return self._retry_ms if self._waiting else None

    # --- what will not come -------------------------------------------------------------------------------------

    def explain(self, body: EventBody) -> Placed:
        """A record that says what will not come. It makes room, so a full journal must not refuse it.

        None when refused all the same: nothing may be let go unexplained, so the caller tries again later.
        """
        return self._placed(body, self.write(body, reserve=True))

    def explain_hole(self, lost: Lost) -> Placed:
        """Positions of the journal that hold nothing any more."""
        stream, why = lost.stream, "journal-damaged"
        self._log("journal-hole", lane=stream.lane, first=lost.first, last=lost.last)
        placed = self.explain(EventBody(event.HOLE, None, [stream.epoch, stream.lane, lost.first, lost.last, why]))
        if placed is not None:
            key = f"hole-{lost.first}-{lost.last}"
            where = (stream.lane, stream.epoch, lost.first, lost.last)
            self._ledger.positions_lost(why, *where, key=key, when=self.when())
        return placed

    def explain_quarantined(self, found: Quarantined) -> Placed:
        """A record that the centre refuses, or that this version cannot read."""
        # The centre's word: bounded as any text in a record, or it would refuse the explanation as well.
        why = found.reason.encode()[: wire_limits.TEXT_BYTES_MAX].decode(errors="ignore")
        self._keep(f"quarantined-{found.reason}", found.stream.lane, found.payload)
        stream = found.stream
        key, lost_as = f"{stream.epoch.hex()}-{found.position}", f"quarantined: {why}"
        try:
            item = entry.decode(found.payload)
        except WireFault:
            payload = found.payload[: limits.RAW_BYTES_MAX]
            placed = self.explain(EventBody(event.RAW, None, [self._node, why, payload]))
            if placed is not None:
                where = (stream.lane, stream.epoch, found.position, found.position)
                self._ledger.positions_lost(lost_as, *where, key=key, when=self.when())
            return placed
        made = item.record
        placed = self.explain(EventBody(event.GAP, None, [item.node, made.boot, made.sequence, made.sequence, why]))
        if placed is not None:
            who = (stream.lane, item.node, made.boot, [made.sequence])
            self._ledger.records_lost(lost_as, *who, key=key, when=self.when())
        return placed

    def when(self) -> LossTime:
        """Now, for a line of the ledger."""
        now_ms = self._time_ms()
        return LossTime(self._clock.unix_s(now_ms=now_ms), self._clock.uptime_s(now_ms=now_ms))

    def _placed(self, body: EventBody, placed: tuple[str, int] | Refused) -> Placed:
        if isinstance(placed, Refused):
            self._log("own-record-refused", event=event.label(body.code), why=placed.value)
            return None
        return placed
