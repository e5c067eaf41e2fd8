"""Brings records from the journal to the warehouse by batches, a send window and receipts (ARCHITECTURE, section 5).

The journal on disk is the queue, and the window is kept here: MQTT clients ignore Receive Maximum and flood on
reconnection, so at most a few batches are ever handed to one. A PUBACK is flow control; only the warehouse's signed
receipt frees a record, and only where it states the digest of the very bytes that were sent from here. So a process
that has just started frees nothing by the receipts of its predecessor: it sends what it still holds again.

A connection begins with a question, one empty batch per stream (alarms are sent at once): the receipts that the broker
still has for this gateway come before its answer, and data follows then (or after a short wait). Batches then run
ahead of the receipts as far as the window allows, alarms first; while receipts are slow, because all cabinets drain at
once, few of telemetry, for more would only wait at the centre. When nothing was freed for half a minute the warehouse
is *silent*: only the oldest batch is sent again, with a back-off up to a quarter of an hour. The first receipt after
that ends the silence and everything beyond it is sent again, for where one batch was lost, more may have been.
Sending twice is harmless: the warehouse counts a record once.

What nodes sent beyond their fair use, the lane `surplus`, goes last, and waits while bytes are short (`allow`).

On a bearer that costs (`allow`) telemetry is *spared*: one batch in four is sent (`thin`) or none (`hold`), and the
place in the stream moves on over the batches left out. The warehouse's prefix cannot pass these, so there a PUBACK
completes a batch, nothing is sent twice, and a failed batch is left out like the others. Back at `all`
the stream begins again where it was freed last; the warehouse has kept what came ahead of that.

A warehouse that was restored to an older backup asks by its receipts: of a batch that it has just received it says that
it holds less than was freed here before that batch was sent. A batch states as `oldest` the first position that the
open segment could still give, so a warehouse waits for these and counts what lies before as gone. All streams are then
held again as far as that, at most once an hour and a few times a process, and sent in bytes that no receipt of before
is about: a stranger who replays receipts makes nothing be sent for ever and nothing be freed.

The journal may let go of positions by itself when it is full. Then they can no longer be sent, and messages about them
have no effect.

Sans-IO: `poll` returns what to publish; the caller reports connections, PUBACKs and messages, and polls after
each. The state of one stream is in `progress`.

Long because window, silence, refusals and lane policy change the same few fields of a stream.
"""

from collections.abc import Callable

from gateway.core import limits
from gateway.core.bearers.budget import ALL, HOLD, THIN
from gateway.core.custody.journal import Hole, Journal, Stream
from gateway.core.uplink.batch import GatheredBatch, Packer, Publication, Publisher, gather
from gateway.core.uplink.progress import (
    Explained,
    Quarantine,
    QuarantinedRecord,
    SentBatch,
    StreamProgress,
    WarehouseSilence,
)
from wire import event, receipt
from wire.receipt import Receipt, Rejected

# MQTT 5 reason codes that blame the batch, not the client: section 3.4.2.1.
_BATCH_AT_FAULT = (0x95, 0x99)
_FAILURE_FROM = 0x80
# No client is subscribed: this is no failure, but the warehouse has no copy either. The silence timer handles it.
_NO_SUBSCRIBER = 0x10
# The deadline after an event; `poll` sets the one that time alone brings.
_AT_ONCE = 0


class Uplink:
    """Decides what to publish and when. `gateway` is the 8-byte id in the envelope, `epoch` the journal's current one.

    `on_lost` and `on_quarantined` make a record of the gateway that explains what will not come, and return its lane
    and position: only when that is durable does the journal release it. None: refused, ask again later. Both take
    `now_ms`.
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
        on_lost: Callable[..., Explained],
        on_quarantined: Callable[..., Explained],
    ) -> None:
        self._journal = journal
        self._packer = Packer()
        self._publisher = Publisher(gateway, insee, name)
        self._batch_age_ms = batch_age_ms
        self._batch_records_max = batch_records_max
        self._window_max = window_max
        self._epoch = epoch
        self._quarantine = Quarantine(journal, epoch, on_lost, on_quarantined)
        self._progress: dict[Stream, StreamProgress] = {}
        self._policies = dict.fromkeys(event.BATCH_LANES, ALL)
        self._allowed = ALL, True  # policy and surplus, as they were last set
        self._connected = False
        self._silence = WarehouseSilence()
        self._due_ms: int | None = None
        self._moves_seen = 0  # of the journal, by the last poll
        self._given_again_ms: int | None = None  # when what was freed was last held again
        self._counters = {
            "batches": 0,
            "records": 0,
            "bytes": 0,
            "resent": 0,
            "left": 0,
            "queries": 0,
            "receipts": 0,
            "silences": 0,
            "given-again": 0,
            "puback-refused": 0,
            "puback-no-subscriber": 0,
            "rejected": 0,
            "rejected-held": 0,
        }

    @property
    def counters(self) -> dict[str, int]:
        """Returns the counts since the start; they only rise."""
        return {**self._counters, **self._quarantine.counters}

    # --- events -------------------------------------------------------------------------------------------------

    def connected(self, receive_max: int, *, now_ms: int) -> None:
        """Begin a new connection: all that is not freed is sent again after the question; spared telemetry
        continues."""
        self._connected = True
        self._due_ms = _AT_ONCE
        self._publisher.connected(receive_max)
        self._progress = {
            stream: progress.resumed(
                keep_place=self._is_spared(stream), oldest=oldest, records_max=self._batch_records_max
            )
            for stream, progress in self._progress.items()
            if (oldest := self._oldest(stream)) is not None
        }
        self._silence.end(now_ms)

    def disconnected(self) -> None:
        self._connected = False

    def allow(self, policy: str, *, surplus: bool = True) -> None:
        """Set which telemetry the current bearer may carry (see the module docstring), and whether it may carry what is
        beyond fair use. Poll afterwards."""
        if (policy, surplus) == self._allowed:
            return
        assert policy in (ALL, THIN, HOLD), policy
        self._allowed = policy, surplus
        for lane, allowed in ((event.TELEMETRY, policy), (event.SURPLUS, ALL if surplus else HOLD)):
            if allowed != self._policies[lane]:
                self._allow(lane, allowed)

    def _allow(self, lane: str, policy: str) -> None:
        self._policies[lane] = policy
        self._due_ms = _AT_ONCE
        for stream, progress in self._progress.items():
            oldest = self._oldest(stream)
            if stream.lane != lane or oldest is None:
                continue
            progress.fresh_since_ms = None
            if policy == ALL:
                progress.rewind(oldest)
            elif policy == THIN:
                progress.ahead = [batch for batch in progress.ahead if not batch.is_acknowledged]
            else:
                progress.forget_ahead()

    def acknowledged(self, token: int, reason_code: int, *, now_ms: int) -> None:
        """Process a PUBACK: it only makes room in the window. A refusal pauses the lane or splits the batch."""
        self._due_ms = _AT_ONCE
        self._publisher.acknowledged(token)
        if reason_code == _NO_SUBSCRIBER:
            self._counters["puback-no-subscriber"] += 1
        elif reason_code >= _FAILURE_FROM:
            self._counters["puback-refused"] += 1
        for stream, progress in self._progress.items():
            batch = progress.batch_with(token)
            if batch is None and progress.question != token:
                continue
            if reason_code >= _FAILURE_FROM:
                if batch is not None and reason_code in _BATCH_AT_FAULT:
                    self._refused(stream, progress, batch, f"puback-{reason_code}", now_ms=now_ms)
                else:
                    self._hold(stream, progress, now_ms)
            elif batch is not None and reason_code != _NO_SUBSCRIBER:
                self._accepted(stream, progress, batch, now_ms)
            return

    def receive(self, message: Receipt | Rejected, *, now_ms: int) -> int:
        """Receive what the warehouse has signed for this gateway: a message of topic class `a`.

        Return how many batches that are under way have reached the warehouse otherwise than they were sent."""
        self._due_ms = _AT_ONCE
        stream = Stream(message.epoch, message.lane)
        progress, before = self._progress.get(stream), self._oldest(stream)
        if isinstance(message, Rejected):
            self._counters["rejected"] += 1
            held = progress if self._is_held(stream, message.batch.last) else None
            if held is not None and held.settle(message.batch) is not None:
                self._rejected(stream, held, message, now_ms)
            return 0
        if progress is None or before is None:
            return 0  # about what an earlier process sent, or what the journal has let go
        progress.answered = True
        altered = sum(progress.is_altered(batch) for batch in message.batches)
        # A replayed receipt confirms nothing, so it does not hide that the warehouse is silent.
        freed = progress.confirm(message.batches)
        self._counters["receipts"] += freed is not None
        # Compared with what was freed when the batch was sent: receipts of several ingests may pass each other.
        if freed is not None and message.next_position < freed and self._may_give_again(now_ms):
            self._give_again(now_ms)
            return altered
        end = min(message.next_position, progress.received_end(before))
        if end > before:
            self._release_before(stream, progress, end, now_ms)
        return altered

    def _release_before(self, stream: Stream, progress: StreamProgress, end: int, now_ms: int) -> None:
        self._journal.release_through(stream, end - 1)
        oldest = self._oldest(stream)
        if oldest is None:
            del self._progress[stream]
        elif progress.release_before(oldest):
            progress.records_max = min(progress.records_max * 2, self._batch_records_max)
        self._note_move(now_ms)

    def _may_give_again(self, now_ms: int) -> bool:
        if self._counters["given-again"] >= limits.UPLINK_GIVE_AGAIN_MAX:
            return False
        return self._given_again_ms is None or now_ms - self._given_again_ms >= limits.UPLINK_GIVE_AGAIN_PERIOD_MS

    def _give_again(self, now_ms: int) -> None:
        """Hold and send again all that was freed and is still on the card: the warehouse has gone back."""
        self._counters["given-again"] += 1
        self._given_again_ms = now_ms
        for stream, progress in self._progress.items():
            self._journal.hold_again(stream, self._first_to_give(stream, progress))
            progress.forget_receipts()
            self._send_again(stream, progress)
        self._note_move(now_ms)

    def _first_to_give(self, stream: Stream, progress: StreamProgress) -> int:
        """Return the first position that can be given, freed or not."""
        return min(max(self._journal.held_from(stream), progress.explained_end), self._journal.oldest(stream))

    def poll(self, *, now_ms: int) -> list[Publication]:
        """Return the messages to publish now."""
        is_due = self._due_ms is not None and now_ms >= self._due_ms
        if not self._connected or not (is_due or self._journal.moves != self._moves_seen):
            return []
        self._moves_seen = self._journal.moves
        if not is_due and self._only_fills():
            return []
        self._release_before_oldest()
        self._check_silence(now_ms)
        out: list[Publication] = []
        # Alarms of every epoch first, oldest epoch first within a lane.
        for stream in sorted(self._journal.streams(), key=lambda stream: event.BATCH_LANES.index(stream.lane)):
            oldest = self._oldest(stream)  # an earlier stream may have made the journal let go
            if oldest is None:
                continue
            progress = self._progress.get(stream)
            if progress is None:
                progress = self._progress[stream] = StreamProgress(oldest, self._batch_records_max)
            progress.seen_oldest, progress.seen_end = oldest, self._journal.durable_end(stream)
            if progress.rests() and progress.next_position == progress.seen_end:
                progress.fresh_since_ms = None  # nothing new: at most polls, most streams
                continue
            progress.release_before(oldest)
            out += self._advance(stream, progress, now_ms)
        self._due_ms = self._next_ms()
        return out

    def deadline_ms(self) -> int | None:
        """Return when `poll` may have something to do without any event; None while disconnected or idle."""
        return self._due_ms if self._connected else None

    def ahead(self) -> int:
        """Return how many batches are sent and not yet covered by a receipt: never more than the window."""
        return sum([len(progress.ahead) for progress in self._progress.values()])

    # --- inside ---------------------------------------------------------------------------------------------------

    def _only_fills(self) -> bool:
        """Return whether all that has moved since the last poll are new records of a batch that waits for more, as most
        flushes bring: its time is known, and nothing else waits for records to be durable."""
        streams = self._journal.streams()
        for stream in streams:
            progress = self._progress.get(stream)
            if progress is None or progress.passing is not None or self._journal.oldest(stream) != progress.seen_oldest:
                return False
            end = self._journal.durable_end(stream)
            if end != progress.seen_end and not progress.fills(end):
                return False
        return len(streams) == len(self._progress)

    def _next_ms(self) -> int | None:
        """Return when time alone makes the next poll due."""
        deadlines = []
        for stream, progress in self._progress.items():
            if self._is_kept_back(stream):
                continue
            if progress.asked_ms is not None and not progress.answered:
                deadlines.append(progress.asked_ms + limits.UPLINK_QUERY_WAIT_MS)
            elif progress.hold_until_ms:
                deadlines.append(progress.hold_until_ms)
            elif progress.fresh_since_ms is not None and progress.passing is None and not self._is_blocked(stream):
                deadlines.append(progress.fresh_since_ms + self._age_ms(stream))
        if self._any_ahead() or not self._publisher.is_idle():
            deadlines.append(self._silence.deadline_ms())
        return min(deadlines, default=None)

    # --- one stream's turn --------------------------------------------------------------------------------------

    def _advance(self, stream: Stream, progress: StreamProgress, now_ms: int) -> list[Publication]:
        if now_ms >= progress.hold_until_ms:
            progress.hold_until_ms = 0
        if self._is_kept_back(stream):
            progress.fresh_since_ms = None
            return []
        if progress.asked_ms is None and stream.lane == event.ALARM:
            # An alarm does not wait for an answer: sending one twice is cheaper than sending it late.
            progress.asked_ms, progress.answered = now_ms, True
        if progress.asked_ms is None:
            return self._ask(stream, progress, now_ms)
        if not progress.answered:
            if now_ms < progress.asked_ms + limits.UPLINK_QUERY_WAIT_MS:
                return []
            progress.answered = True
        if progress.hold_until_ms or self._quarantine.is_waiting(stream, progress):
            return []
        oldest = self._oldest(stream)
        if oldest is None:  # the position set aside was the last of the stream
            del self._progress[stream]
            return []
        progress.release_before(oldest)
        out = []
        while self._may_send(stream, progress, now_ms):
            place = progress.next_position
            publication = self._next_batch(stream, progress, now_ms)
            if publication is not None:
                out.append(publication)
            elif progress.next_position == place:
                break
        return out

    def _ask(self, stream: Stream, progress: StreamProgress, now_ms: int) -> list[Publication]:
        waiting = self._journal.durable_end(stream) - progress.next_position
        if progress.hold_until_ms or waiting <= 0 or not self._publisher.has_room(self._window_max):
            return []
        self._counters["queries"] += 1
        first = progress.next_position
        publication = self._publish(stream, progress, GatheredBatch(first, first - 1, [], 0, None), now_ms)
        progress.asked_ms, progress.question = now_ms, publication.token
        return [publication]

    def _may_send(self, stream: Stream, progress: StreamProgress, now_ms: int) -> bool:
        waiting = self._journal.durable_end(stream) - progress.next_position
        if waiting <= 0:
            progress.fresh_since_ms = None
            return False
        if self._is_blocked(stream):
            return False
        if waiting >= progress.records_max or progress.next_position < progress.sent_end or not self._age_ms(stream):
            return True
        if progress.fresh_since_ms is None:
            progress.fresh_since_ms = now_ms
        return now_ms - progress.fresh_since_ms >= self._age_ms(stream)

    def _is_blocked(self, stream: Stream) -> bool:
        """Return whether only an event can make room to send: the window is full, or the warehouse is silent."""
        if self._silence.is_silent and self._any_ahead():
            # A silent warehouse may answer to an alarm: alarms are tried once at once, everything else waits for the
            # next deadline of the silence.
            return stream.lane != event.ALARM or any(
                progress.ahead for other, progress in self._progress.items() if other.lane == event.ALARM
            )
        window = self._window_max - (0 if stream.lane == event.ALARM else limits.UPLINK_ALARM_WINDOW)
        return self.ahead() >= window or not self._publisher.has_room(window)

    def _age_ms(self, stream: Stream) -> int:
        """Return how long a record may wait for others to share its batch: alarms not at all, events a second,
        telemetry as configured. An earlier epoch gets no more records, so there is no wait."""
        if stream.lane == event.ALARM or stream.epoch != self._epoch:
            return 0
        return min(1000, self._batch_age_ms) if stream.lane == event.EVENT else self._batch_age_ms

    def _next_batch(self, stream: Stream, progress: StreamProgress, now_ms: int) -> Publication | None:
        """Return the batch that is due, or None; if `next_position` has moved all the same, another may follow."""
        first = progress.next_position
        if self._is_spared(stream) and progress.turn:
            progress.leave(min(progress.records_max, self._journal.durable_end(stream) - first))
            self._counters["left"] += 1
            return None
        gathered = gather(self._journal, stream, self._packer, first, progress.records_max)
        if gathered.last < first:
            self._pass_by(stream, progress, gathered, now_ms)
            return None
        if not self._any_ahead():
            self._silence.watch(now_ms)
        publication = self._publish(stream, progress, gathered, now_ms)
        digest = receipt.digest_of(publication.payload)
        batch = SentBatch(first, gathered.last, publication.token, len(gathered.items), digest)
        progress.sent(batch, self._journal.oldest(stream))
        self._counters["batches"] += 1
        self._counters["records"] += len(gathered.items)
        self._counters["bytes"] += len(publication.payload)
        return publication

    def _publish(
        self, stream: Stream, progress: StreamProgress, gathered: GatheredBatch, now_ms: int
    ) -> Publication:
        if not self._any_ahead() and self._publisher.is_idle():
            self._silence.watch(now_ms)
        first = self._first_to_give(stream, progress)
        waiting = self._journal.durable_end(stream) - gathered.last - 1
        return self._publisher.publish(stream, first, gathered, waiting, self._counters["given-again"])

    # --- what cannot be sent ------------------------------------------------------------------------------------

    def _pass_by(self, stream: Stream, progress: StreamProgress, gathered: GatheredBatch, now_ms: int) -> None:
        """Skip what cannot be sent: it is explained and released when everything before it is freed."""
        stop = gathered.stop
        if stop is None:
            # A transient read error, counted by the journal: the lane pauses and tries again.
            progress.hold_until_ms = now_ms + limits.UPLINK_RECONNECT_FIRST_MS
        elif not self._is_next_to_free(stream, progress):
            if self._is_spared(stream):
                last = stop.last if isinstance(stop, Hole) else stop.position
                progress.leave(last + 1 - gathered.first)
        elif isinstance(stop, Hole):
            self._quarantine.pass_hole(stream, progress, stop, now_ms)
        else:
            self._quarantine.pass_record(progress, QuarantinedRecord(stream, *stop), now_ms)

    def _is_next_to_free(self, stream: Stream, progress: StreamProgress) -> bool:
        # Until then only an event can help: no deadline may remain.
        progress.fresh_since_ms = None
        return progress.passing is None and progress.next_position == self._journal.oldest(stream)

    def _rejected(self, stream: Stream, progress: StreamProgress, message: Rejected, now_ms: int) -> None:
        if message.reason in receipt.HOLD_REASONS:
            # The centre's configuration is wrong, not the record: bisecting would quarantine all records.
            self._counters["rejected-held"] += 1
            self._hold(stream, progress, now_ms)
            return
        batch = progress.batch_over(message.batch.first, message.batch.last)
        if batch is not None:  # a batch no longer under way was judged before, and is sent again if it matters
            self._refused(stream, progress, batch, message.reason, now_ms=now_ms)

    def _refused(self, stream: Stream, progress: StreamProgress, batch: SentBatch, reason: str, *, now_ms: int) -> None:
        """Halve a batch that the centre cannot accept until one record is alone, and set that one aside."""
        if self._is_spared(stream):
            progress.ahead.remove(batch)
            return
        if batch.records == 0:
            # No record is at fault: the centre does not understand the batch.
            self._hold(stream, progress, now_ms)
            return
        if batch.first == batch.last == self._oldest(stream) and progress.passing is None:
            found = self._journal.read(stream, batch.first, count_max=1, bytes_max=limits.UPLINK_BATCH_BYTES_MAX)
            if found and isinstance(found[0], bytes):
                self._quarantine.pass_record(progress, QuarantinedRecord(stream, batch.first, found[0], reason), now_ms)
        progress.records_max = max(1, min(progress.records_max, batch.records) // 2)
        self._send_again(stream, progress)

    def _is_held(self, stream: Stream, position: int) -> bool:
        oldest = self._oldest(stream)
        return oldest is not None and oldest <= position < self._journal.durable_end(stream)

    def _hold(self, stream: Stream, progress: StreamProgress, now_ms: int) -> None:
        self._send_again(stream, progress)
        if progress.question is not None and not progress.answered:
            progress.asked_ms = None
        progress.hold_until_ms = now_ms + limits.UPLINK_HOLD_MS

    # --- what bears on all streams ------------------------------------------------------------------------------

    def _oldest(self, stream: Stream) -> int | None:
        """Return the first position that the journal holds; None when it holds nothing of the stream any more."""
        try:
            return self._journal.oldest(stream)
        except KeyError:
            return None

    def _release_before_oldest(self) -> None:
        """Forget the positions that the journal has let go by itself."""
        for stream, progress in list(self._progress.items()):
            oldest = self._oldest(stream)
            if oldest is None:
                del self._progress[stream]
            else:
                progress.release_before(oldest)

    def _is_spared(self, stream: Stream) -> bool:
        return self._policies[stream.lane] != ALL

    def _is_kept_back(self, stream: Stream) -> bool:
        return self._policies[stream.lane] == HOLD

    def _send_again(self, stream: Stream, progress: StreamProgress) -> None:
        """Send again what is not freed; spared telemetry is left out."""
        oldest = self._oldest(stream)
        if oldest is None or self._is_spared(stream):
            progress.forget_ahead()
        else:
            progress.rewind(oldest)

    def _any_ahead(self) -> bool:
        return any(progress.ahead for progress in self._progress.values())

    def _accepted(self, stream: Stream, progress: StreamProgress, batch: SentBatch, now_ms: int) -> None:
        """Note that the broker has a batch. Spared telemetry is not freed, so the batch is finished with this."""
        batch.is_acknowledged = True
        if not self._is_spared(stream):
            return
        progress.ahead.remove(batch)
        if not any(other.ahead for stream, other in self._progress.items() if not self._is_spared(stream)):
            self._note_move(now_ms)

    def _note_move(self, now_ms: int) -> None:
        """Note that the warehouse answers. If it was silent, what it did not hold is sent again."""
        if self._silence.end(now_ms):
            self._send_all_again()

    def _check_silence(self, now_ms: int) -> None:
        if now_ms < self._silence.deadline_ms():
            return
        # Only the oldest batch of the most urgent lane is sent again: forget that the others were sent. Stop counting
        # PUBACKs that never came, too: their places are needed.
        self._publisher.give_up()
        if self._any_ahead():
            self._counters["silences"] += self._silence.doubt(now_ms)
            self._counters["resent"] += 1
            self._send_all_again()

    def _send_all_again(self) -> None:
        for stream, progress in self._progress.items():
            self._send_again(stream, progress)
