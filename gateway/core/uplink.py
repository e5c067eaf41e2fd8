"""From the journal to the warehouse: batches, send window and watermarks (DESIGN section 5).

The disk is the queue and the window is ours: MQTT clients ignore Receive Maximum and flood on reconnection,
so at most a few batches are ever handed to one. A PUBACK is flow control; only the warehouse's watermark
frees a record.

A connection begins with a question, one empty batch per stream (alarms go at once), and data follows when
the watermark has come (or after a short wait). Batches then go ahead of the watermark as far as the window
allows, alarms first. When nothing has moved for half a minute the warehouse is *silent*: only the oldest
batch is sent again, with a back-off up to a quarter of an hour. The first watermark after that ends the
silence and everything beyond it is sent afresh, for whatever swallowed one batch may have swallowed more.
Sending twice is harmless: the warehouse counts a record once.

Sans-IO: `poll` returns what to publish; the caller reports connections, PUBACKs and messages.
"""

import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from gateway.core import entry, limits
from gateway.core.journal import Hole, Journal, Stream
from wire import event, senml, topic, watermark
from wire.faults import WireFault
from wire.watermark import Rejected, Watermark

# MQTT 5 reason codes that mean "this batch", not "you": section 3.4.2.1.
_BATCH_AT_FAULT = (0x95, 0x99)
_FAILURE_FROM = 0x80
# Nobody is subscribed: no failure, but nobody holds the batch either. The silence timer does the rest.
_NO_SUBSCRIBER = 0x10


class Publication(NamedTuple):
    """One MQTT publication at QoS 1; `token` comes back with its PUBACK."""

    token: int
    topic: str
    payload: bytes
    retain: bool = False


class Quarantined(NamedTuple):
    """A record that the centre refuses: its journal position and bytes."""

    stream: Stream
    position: int
    payload: bytes
    reason: str


class Lost(NamedTuple):
    """Journal positions that hold nothing any more."""

    stream: Stream
    first: int
    last: int


class _Passing(NamedTuple):
    """Positions to let go of once our own record that explains them, at (lane, position), is durable."""

    through: int
    explained_at: tuple[str, int]


@dataclass
class _Batch:
    first: int
    last: int
    token: int
    sent_ms: int


@dataclass
class _Sending:
    """One stream on its way up. `next_position` is the first not sent; `ahead` what is sent and not yet
    held above; what lies before `sent_end` was sent once and need not wait for company again."""

    next_position: int
    records_max: int
    asked_ms: int | None = None
    answered: bool = False
    ahead: list[_Batch] = field(default_factory=list)
    fresh_since_ms: int | None = None
    passing: _Passing | None = None
    hold_until_ms: int = 0
    sent_end: int = 0


class Uplink:
    """See the module. `gateway` is the 8-byte id in the envelope, `epoch` the journal's current one.

    `on_lost` and `on_quarantined` make a record of the gateway that explains what will not come, and return
    its lane and position: only when that is durable does the journal let go. None: refused, ask again later.
    """

    def __init__(
        self,
        journal: Journal,
        *,
        gateway: bytes,
        insee: str,
        name: str,
        batch_age_ms: int,
        batch_records_max: int = limits.UPLINK_BATCH_RECORDS_MAX,
        window_max: int = limits.UPLINK_WINDOW_MAX,
        epoch: bytes,
        on_lost: Callable[[Lost], tuple[str, int] | None],
        on_quarantined: Callable[[Quarantined], tuple[str, int] | None],
    ) -> None:
        self._journal = journal
        self._gateway = gateway
        self._insee = insee
        self._name = name
        self._batch_age_ms = batch_age_ms
        self._batch_records_max = batch_records_max
        self._window_max = window_max
        self._epoch = epoch
        self._on_lost = on_lost
        self._on_quarantined = on_quarantined
        self._sendings: dict[Stream, _Sending] = {}
        self._connected = False
        self._receive_max = 0
        self._unacked: set[int] = set()
        self._token = 0
        self._moved_ms = 0
        self._silence_ms = limits.UPLINK_SILENCE_FIRST_MS
        self._silent = False
        self.counters = {
            "batches": 0,
            "records": 0,
            "bytes": 0,
            "resent": 0,
            "queries": 0,
            "watermarks": 0,
            "silences": 0,
            "puback-refused": 0,
            "puback-no-subscriber": 0,
            "rejected": 0,
            "rejected-held": 0,
            "quarantined": 0,
            "holes": 0,
        }

    # --- events -------------------------------------------------------------------------------------------------

    def connected(self, receive_max: int, *, now_ms: int) -> None:
        """A new connection: everything that is not under a watermark is to be sent again, after the
        question."""
        self._connected = True
        self._receive_max = receive_max
        self._unacked.clear()
        self._sendings.clear()
        self._moved_ms = now_ms
        self._silent = False
        self._silence_ms = limits.UPLINK_SILENCE_FIRST_MS

    def disconnected(self) -> None:
        self._connected = False

    def acknowledged(self, token: int, reason_code: int, *, now_ms: int) -> None:
        """A PUBACK: room in the window, nothing more. A refusal rests the lane or splits the batch."""
        self._unacked.discard(token)
        if reason_code == _NO_SUBSCRIBER:
            self.counters["puback-no-subscriber"] += 1
        if reason_code < _FAILURE_FROM:
            return
        self.counters["puback-refused"] += 1
        for stream, sending in self._sendings.items():
            for batch in sending.ahead:
                if batch.token == token:
                    if reason_code in _BATCH_AT_FAULT:
                        self._refused(stream, batch.first, batch.last, f"puback-{reason_code}", now_ms=now_ms)
                    else:
                        self._hold(stream, sending, now_ms)
                    return

    def heard(self, message: Watermark | Rejected, *, now_ms: int) -> None:
        """A message of class `a`."""
        stream = Stream(message.epoch, message.lane)
        if isinstance(message, Rejected):
            self._rejected(stream, message, now_ms)
            return
        self.counters["watermarks"] += 1
        sending = self._sendings.get(stream)
        before = self._journal.oldest(stream) if stream in self._journal.streams() else 0
        if message.next_position > 0:
            self._journal.free_through(stream, message.next_position - 1)
        if sending is None or stream not in self._journal.streams():
            self._sendings.pop(stream, None)
            self._note_move(now_ms)
            return
        sending.answered = True
        oldest = self._journal.oldest(stream)
        held = [batch for batch in sending.ahead if batch.last < oldest]
        if held:
            sending.ahead = sending.ahead[len(held) :]
            sending.records_max = min(sending.records_max * 2, self._batch_records_max)
        if oldest > before:
            self._note_move(now_ms)
        sending.next_position = max(sending.next_position, oldest)

    def poll(self, *, now_ms: int) -> list[Publication]:
        """What to publish now."""
        if not self._connected:
            return []
        out: list[Publication] = []
        # Alarms of every epoch first, oldest epoch first within a lane.
        streams = sorted(self._journal.streams(), key=lambda stream: event.LANES.index(stream.lane))
        self._check_silence(now_ms)
        for stream in streams:
            sending = self._sendings.get(stream)
            if sending is None:
                sending = self._sendings[stream] = _Sending(self._journal.oldest(stream), self._batch_records_max)
            out += self._advance(stream, sending, now_ms)
        return out

    def deadline_ms(self) -> int | None:
        """When `poll` may have something to do without any event; None while disconnected or idle."""
        if not self._connected:
            return None
        deadlines = []
        for stream, sending in self._sendings.items():
            if sending.asked_ms is not None and not sending.answered:
                deadlines.append(sending.asked_ms + limits.UPLINK_QUERY_WAIT_MS)
            elif sending.hold_until_ms:
                deadlines.append(sending.hold_until_ms)
            elif sending.fresh_since_ms is not None and sending.passing is None and not self._is_blocked(stream):
                deadlines.append(sending.fresh_since_ms + self._age_ms(stream))
        if self._any_ahead() or self._unacked:
            deadlines.append(self._moved_ms + self._silence_ms)
        return min(deadlines, default=None)

    def ahead(self) -> int:
        """Batches sent and not yet under a watermark: never above the window."""
        return sum(len(sending.ahead) for sending in self._sendings.values())

    # --- inside -------------------------------------------------------------------------------------------------

    def _advance(self, stream: Stream, sending: _Sending, now_ms: int) -> list[Publication]:
        if now_ms >= sending.hold_until_ms:
            sending.hold_until_ms = 0
        if sending.asked_ms is None and stream.lane == event.ALARM:
            # An alarm does not wait for an answer: sending one twice is cheaper than sending it late.
            sending.asked_ms, sending.answered = now_ms, True
        if sending.asked_ms is None:
            waiting = self._journal.durable_end(stream) - sending.next_position
            if waiting <= 0 or len(self._unacked) >= min(self._window_max, self._receive_max):
                return []
            sending.asked_ms = now_ms
            self.counters["queries"] += 1
            return [self._publish(stream, sending.next_position, [], now_ms, None)]
        if not sending.answered:
            if now_ms < sending.asked_ms + limits.UPLINK_QUERY_WAIT_MS:
                return []
            sending.answered = True
        if sending.hold_until_ms or self._pass(stream, sending):
            return []
        out = []
        while self._may_send(stream, sending, now_ms):
            publication = self._next_batch(stream, sending, now_ms)
            if publication is None:
                break
            out.append(publication)
        return out

    def _may_send(self, stream: Stream, sending: _Sending, now_ms: int) -> bool:
        waiting = self._journal.durable_end(stream) - sending.next_position
        if waiting <= 0:
            sending.fresh_since_ms = None
            return False
        if self._is_blocked(stream):
            return False
        if waiting >= sending.records_max or sending.next_position < sending.sent_end or not self._age_ms(stream):
            return True
        if sending.fresh_since_ms is None:
            sending.fresh_since_ms = now_ms
        return now_ms - sending.fresh_since_ms >= self._age_ms(stream)

    def _is_blocked(self, stream: Stream) -> bool:
        """Nothing may be sent until an event makes room: the window is full, or the warehouse is silent."""
        if self._silent and self._any_ahead():
            return True
        window = self._window_max - (0 if stream.lane == event.ALARM else limits.UPLINK_ALARM_WINDOW)
        return self.ahead() >= window or len(self._unacked) >= min(window, self._receive_max)

    def _age_ms(self, stream: Stream) -> int:
        """How long a record may wait for company: alarms not at all, events a second, telemetry as
        configured. To an earlier epoch no company will come."""
        if stream.lane == event.ALARM or stream.epoch != self._epoch:
            return 0
        return min(1000, self._batch_age_ms) if stream.lane == event.EVENT else self._batch_age_ms

    def _next_batch(self, stream: Stream, sending: _Sending, now_ms: int) -> Publication | None:
        first = sending.next_position
        items = self._journal.read(
            stream, first, count_max=sending.records_max, bytes_max=limits.UPLINK_BATCH_BYTES_MAX
        )
        if not items:
            # A passing read error, counted by the journal: the lane rests and asks again.
            sending.hold_until_ms = now_ms + limits.UPLINK_RECONNECT_FIRST_MS
            return None
        if isinstance(items[0], Hole):
            self._pass_hole(stream, sending, items[0], now_ms)
            return None
        readable = []
        for item in items:
            if isinstance(item, Hole):
                break
            try:
                readable.append(entry.decode(item))
            except WireFault as fault:
                if not readable:
                    self._pass_unreadable(stream, sending, Quarantined(stream, first, item, fault.reason), now_ms)
                    return None
                break
        sending.next_position = first + len(readable)
        sending.sent_end = max(sending.sent_end, sending.next_position)
        sending.fresh_since_ms = None
        if not self._any_ahead():
            self._moved_ms = now_ms
        return self._publish(stream, first, readable, now_ms, sending)

    def _pass_hole(self, stream: Stream, sending: _Sending, hole: Hole, now_ms: int) -> None:
        """Positions that hold nothing: once all before them is held above, we say so, and the journal lets
        go."""
        if not self._is_next_to_free(stream, sending):
            return
        self._set_aside(sending, hole.last, self._on_lost(Lost(stream, hole.first, hole.last)), "holes", now_ms)

    def _pass_unreadable(self, stream: Stream, sending: _Sending, found: Quarantined, now_ms: int) -> None:
        """A record that this version cannot read, or that the centre refuses: set aside likewise."""
        if not self._is_next_to_free(stream, sending):
            return
        self._set_aside(sending, found.position, self._on_quarantined(found), "quarantined", now_ms)

    def _set_aside(
        self, sending: _Sending, through: int, explained_at: tuple[str, int] | None, name: str, now_ms: int
    ) -> None:
        if explained_at is None:
            sending.hold_until_ms = now_ms + limits.UPLINK_HOLD_MS
            return
        self.counters[name] += 1
        sending.passing = _Passing(through, explained_at)

    def _is_next_to_free(self, stream: Stream, sending: _Sending) -> bool:
        # Until then only an event brings us further: no deadline may remain.
        sending.fresh_since_ms = None
        return sending.passing is None and sending.next_position == self._journal.oldest(stream)

    def _pass(self, stream: Stream, sending: _Sending) -> bool:
        """Let go of positions set aside, once the record that explains them is durable. True while one
        waits."""
        if sending.passing is None:
            return False
        through, (lane, position) = sending.passing
        if self._journal.durable_end(Stream(self._epoch, lane)) <= position:
            return True
        sending.passing = None
        self._journal.free_through(stream, through)
        if stream not in self._journal.streams():
            del self._sendings[stream]
            return True
        sending.next_position = self._journal.oldest(stream)
        return False

    def _publish(
        self, stream: Stream, first: int, items: list[senml.Item], now_ms: int, sending: _Sending | None
    ) -> Publication:
        batch = senml.Batch(
            self._gateway,
            stream.epoch,
            stream.lane,
            first,
            first + len(items) - 1,
            self._journal.oldest(stream),
            items,
        )
        body = _deflate(senml.encode_pack(batch))
        if not self._any_ahead() and not self._unacked:
            self._moved_ms = now_ms
        self._token += 1
        self._unacked.add(self._token)
        if sending is not None:
            sending.ahead.append(_Batch(batch.first, batch.last, self._token, now_ms))
            self.counters["batches"] += 1
            self.counters["records"] += len(items)
            self.counters["bytes"] += len(body)
        kind = topic.TELEMETRY if stream.lane == event.TELEMETRY else topic.EVENT
        return Publication(self._token, topic.build(kind, self._insee, self._name), body)

    def _rejected(self, stream: Stream, message: Rejected, now_ms: int) -> None:
        self.counters["rejected"] += 1
        if message.reason not in watermark.HOLD_REASONS:
            self._refused(stream, message.first, message.last, message.reason, now_ms=now_ms)
            return
        # The centre's configuration is wrong, not the record: bisecting would quarantine them all.
        sending = self._sendings.get(stream)
        if sending is not None and self._is_held(stream, message.last):
            self.counters["rejected-held"] += 1
            self._hold(stream, sending, now_ms)

    def _is_held(self, stream: Stream, position: int) -> bool:
        return self._journal.oldest(stream) <= position < self._journal.durable_end(stream)

    def _hold(self, stream: Stream, sending: _Sending, now_ms: int) -> None:
        self._rewind(stream, sending)
        sending.hold_until_ms = now_ms + limits.UPLINK_HOLD_MS

    def _refused(self, stream: Stream, first: int, last: int, reason: str, *, now_ms: int) -> None:
        """The centre cannot take these positions: halve until one record stands alone, and set it aside."""
        sending = self._sendings.get(stream)
        if sending is None or not self._is_held(stream, last):
            return
        if first == last == self._journal.oldest(stream):
            items = self._journal.read(stream, first, count_max=1, bytes_max=limits.UPLINK_BATCH_BYTES_MAX)
            if items and isinstance(items[0], bytes):
                sending.next_position = first
                self._pass_unreadable(stream, sending, Quarantined(stream, first, items[0], reason), now_ms)
        sending.records_max = max(1, min(sending.records_max, last - first + 1) // 2)
        if stream in self._journal.streams():
            self._rewind(stream, sending)

    def _rewind(self, stream: Stream, sending: _Sending) -> None:
        sending.ahead = []
        sending.next_position = self._journal.oldest(stream)

    def _any_ahead(self) -> bool:
        return any(sending.ahead for sending in self._sendings.values())

    def _note_move(self, now_ms: int) -> None:
        """The warehouse answers. If it was silent, what it did not hold is sent afresh."""
        self._moved_ms = now_ms
        self._silence_ms = limits.UPLINK_SILENCE_FIRST_MS
        if self._silent:
            self._silent = False
            for stream, sending in self._sendings.items():
                if stream in self._journal.streams():
                    self._rewind(stream, sending)

    def _check_silence(self, now_ms: int) -> None:
        if now_ms < self._moved_ms + self._silence_ms:
            return
        if not self._any_ahead():
            # PUBACKs that never came: their places are needed.
            self._unacked.clear()
            return
        if not self._silent:
            self.counters["silences"] += 1
        self._silent = True
        self._moved_ms = now_ms
        self._silence_ms = min(2 * self._silence_ms, limits.UPLINK_SILENCE_LAST_MS)
        # Only the oldest batch of the most urgent lane goes again: forget that the others were sent.
        self._unacked.clear()
        self.counters["resent"] += 1
        for stream, sending in self._sendings.items():
            if stream in self._journal.streams():
                self._rewind(stream, sending)


def _deflate(pack: bytes) -> bytes:
    """Raw deflate (RFC 1951): standard library at both ends, no header to pay for."""
    compressor = zlib.compressobj(6, zlib.DEFLATED, -15)
    return compressor.compress(pack) + compressor.flush()
