"""Holds records between their making and the gateway's 2.04 (custody, ARCHITECTURE, section 3).

There are three lanes; alarms leave first and have places that no other lane may take. When telemetry is full its older
half is thinned (every second record is removed, the rest stay unchanged) before anything is dropped. Every range that
lost a record becomes a gap record: the records of this range that you do not hold will not come. The outbox is bounded
and in RAM; a power cut destroys its records, which the next boot's report declares as an open gap.

With a log on flash (`node.record_log`), RAM is flushed into the log when the gateway has been silent for long, or for a
minute and a dozen records wait, or RAM is half full; while the gateway answers nothing is written. Records in the log
are sent after new ones (alarms first in both), lane by lane, and count as durable like those that the gateway holds.
"""

from collections import namedtuple

from node import limits
from wire import event

# `data` is the encoded record: immutable from here to the warehouse. `gap`: the Gap that a gap record reports, else
# None; when a gap record is dropped its Gap is noted again, or the loss would not be reported. `place`: the record's
# place in the log on flash, or None for a record that is only in RAM; a record with a place may be of an earlier boot.
Entry = namedtuple("Entry", ("sequence", "data", "gap", "place"))
# Records of `boot`, from `first` to `last` (None: to its end): those that you do not hold will not come.
Gap = namedtuple("Gap", ("first", "last", "why", "boot"))

# Why they will not come.
THINNED = "thinned"
DROPPED = "dropped"
DAMAGED = "damaged"


class Outbox:
    """Holds the records of `boot` in bounded queues, one a lane; `log`: a `node.record_log.RecordLog`, or None.
    `counters`: made, acknowledged, thinned, dropped."""

    def __init__(self, *, boot=0, log=None):
        self._boot = boot
        self._log = log
        self._lanes = {lane: [] for lane in event.LANES}
        self._gaps = []  # of this boot
        self._others = []  # of earlier boots, from the log
        self._made = 0
        self._handed = {}  # lanes of a channel: sequences that it may be carrying
        self._moved = {}  # of these, {sequence: the place in the log to which it went meanwhile}
        self._heard = True
        self._heard_ms = 0
        self._wrote_ms = None
        self._retry_ms = dict.fromkeys(event.LANES, 0)
        self._is_flushing = False
        self.counters = {"made": 0, "acknowledged": 0, THINNED: 0, DROPPED: 0}

    def waiting(self, lane=None) -> int:
        """Returns how many records no gateway has acknowledged, in RAM and on flash."""
        return self._in_ram(lane) + (self._log.waiting(lane) if self._log is not None else 0)

    def lost(self) -> int:
        """Returns how many records were thinned and dropped since the start."""
        counters = self.counters
        lost = counters[THINNED] + counters[DROPPED]
        return lost if self._log is None else lost + self._log.counters[THINNED] + self._log.counters[DROPPED]

    def any_in(self, lanes) -> bool:
        for lane in lanes:  # noqa: SIM110 - as above
            if self._lanes[lane]:
                return True
        return False

    def any_stored(self, lanes) -> bool:
        """Returns whether the log holds records of these lanes."""
        if self._log is not None:
            for lane in lanes:
                if self._log.waiting(lane):
                    return True
        return False

    def sequences(self) -> list:
        """Returns the sequences of the records in RAM."""
        return [entry.sequence for lane in event.LANES for entry in self._lanes[lane]]

    def put(self, lane: str, sequence: int, data: bytes, gap=None) -> None:
        """Queues an encoded record and makes room by the policy above. A record is dropped when only more important
        ones wait."""
        self.counters["made"] += 1
        self._made = sequence + 1
        entry = Entry(sequence, data, gap, None)
        while not self._fits(lane):
            if not self._make_room(lane):
                self._drop(entry)
                return
        self._lanes[lane].append(entry)

    def first(self, lanes, bytes_max: int, count_max: int) -> list:
        """Returns the entries that fit one payload, from the first of `lanes` that has any, oldest first: those in RAM,
        and the alarms in the log."""
        for lane in lanes:
            chosen = self._first_of(lane, bytes_max, count_max) if self._lanes[lane] else None
            if not chosen and lane == event.ALARM and self._log is not None and self._log.waiting(lane):
                chosen = self._log.first(lane, bytes_max, count_max)
            if chosen:
                self._hand(lanes, chosen)
                return chosen
        return []

    def stored(self, lanes, bytes_max: int, count_max: int) -> list:
        """Returns only entries of the log that fit one payload: they are sent with pauses, when there is nothing
        new."""
        for lane in lanes:
            if self._log is not None and self._log.waiting(lane):
                chosen = self._log.first(lane, bytes_max, count_max)
                if chosen:
                    self._hand(lanes, chosen)
                    return chosen
        return []

    def acknowledge(self, entries) -> None:
        """Releases entries that the gateway holds durably. Without entries it only notes that the gateway answered."""
        self._heard = True
        done = {entry.sequence for entry in entries if entry.place is None}
        if done:
            for lane in event.LANES:
                if self._lanes[lane]:
                    kept = [entry for entry in self._lanes[lane] if entry.sequence not in done]
                    self.counters["acknowledged"] += len(self._lanes[lane]) - len(kept)
                    self._lanes[lane] = kept
        for entry in entries:
            place = entry.place or self._moved.pop(entry.sequence, None)
            if place is not None and self._log.acknowledge(place):
                self.counters["acknowledged"] += 1

    def durable_sequence(self, made: int):
        """Returns the last sequence up to which no record is only in RAM; None when there is none. `made`: the next
        sequence."""
        return self._durable(made, ())

    def next_gap(self):
        """Returns the oldest range that lost records and has no gap record yet, or None."""
        if self._log is not None:
            for gap in self._log.drain_gaps():
                self._note(gap)
        if self._gaps:
            return self._gaps.pop(0)
        return self._others.pop(0) if self._others else None

    def may_report_gap(self) -> bool:
        """Returns whether gap records may be made: RAM is less than half full, or the log waits for them before it can
        make room."""
        if self._log is None and not self._gaps:
            return False  # nearly always
        return self._in_ram() < limits.OUTBOX_RECORDS_MAX // 2 or (self._log is not None and self._log.awaits_gaps())

    def flush(self) -> None:
        """Starts to write RAM to flash as soon as possible, before a planned restart or a sleep."""
        self._is_flushing = self._log is not None

    def is_flushed(self) -> bool:
        """Returns whether a restart loses nothing, or the loss cannot be prevented."""
        return self._log is None or not self._is_flushing

    def is_bare(self) -> bool:
        """Returns whether RAM holds nothing that a sleep would lose: no record, no unreported loss, no file to be
        removed."""
        is_empty = not (self._in_ram() or self._gaps or self._others)
        return is_empty and (self._log is None or not self._log.has_removals())

    def is_settled(self) -> bool:
        """Returns whether `next_gap` and `poll` have nothing to do until a record is put or acknowledged."""
        if self._gaps or self._others:
            return False
        return self._log is None or not (self._is_flushing or self._in_ram() or self._log.is_busy())

    def resume(self, made) -> None:
        """Restores the state of a boot in which `made` records were made, none of them in RAM."""
        self._made = made

    def poll(self, *, now_ms) -> None:
        """Does at most one write to flash, when one is due. The application calls it at every turn."""
        if self._heard:
            self._heard, self._heard_ms = False, now_ms
        if self._log is None or (self._log.is_busy() and self._log.poll(durable=self._gaps_durable(), now_ms=now_ms)):
            return
        if not self._is_flushing and self._is_due(now_ms):
            self._is_flushing = True
        if self._is_flushing:
            self._write_one(now_ms)

    def deadline_ms(self, now_ms):
        """Returns when `poll` is due at the latest, or None."""
        if self._log is None:
            return None
        if self._log.is_busy() and self._gaps_durable():
            return self._log.deadline_ms(now_ms)
        if not self._in_ram():
            return None
        has_alarm = bool(self._lanes[event.ALARM])
        retry_ms = None
        for lane in event.LANES:
            if self._lanes[lane] and (retry_ms is None or self._retry_ms[lane] < retry_ms):
                retry_ms = self._retry_ms[lane]
        if self._is_flushing:
            return max(now_ms, retry_ms)
        due_ms = max(self._heard_ms + (limits.LOG_ALARM_SILENT_MS if has_alarm else limits.LOG_SILENT_MS), retry_ms)
        if self._wrote_ms is not None and not has_alarm:
            due_ms = max(due_ms, self._wrote_ms + limits.LOG_EVERY_MS)
        return max(now_ms, due_ms)

    # --- inside ---------------------------------------------------------------------------------------------

    def _in_ram(self, lane=None):
        if lane is not None:
            return len(self._lanes[lane])
        count = 0  # asked for at every turn, as any_stored: no generator
        for each in event.LANES:
            count += len(self._lanes[each])
        return count

    def _first_of(self, lane, bytes_max, count_max):
        chosen, total = [], 0
        for entry in self._lanes[lane]:
            total += len(entry.data)
            if chosen and (total > bytes_max or len(chosen) == count_max):
                break
            chosen.append(entry)
        return chosen

    def _hand(self, lanes, chosen):
        """Notes the records that a channel carries: if they go to flash meanwhile, their 2.04 finds them there."""
        for sequence in self._handed.get(lanes, ()):
            self._moved.pop(sequence, None)
        self._handed[lanes] = [entry.sequence for entry in chosen if entry.place is None]

    def _durable(self, made, leaving):
        oldest = made
        for entries in self._lanes.values():
            for entry in entries:
                if entry.sequence in leaving:
                    continue
                # A gap record that waits here is the only report of an older loss.
                is_own = entry.gap is not None and entry.gap.boot == self._boot
                oldest = min(oldest, entry.gap.first if is_own else entry.sequence)
        for gap in self._gaps:
            oldest = min(oldest, gap.first)
        return oldest - 1 if oldest > 0 else None

    def _gaps_durable(self):
        """Returns whether no unreported loss and no gap record waits in RAM."""
        if self._gaps or self._others:
            return False
        return not any(entry.gap is not None for entries in self._lanes.values() for entry in entries)

    def _is_due(self, now_ms):
        lanes = self._writable(now_ms)
        if not lanes:
            return False
        silent_ms, count = now_ms - self._heard_ms, self._in_ram()
        if count >= limits.LOG_RECORDS or (self._log.awaits_gaps() and event.EVENT in lanes):
            return True
        apart_ms = limits.LOG_EVERY_MS if self._wrote_ms is None else now_ms - self._wrote_ms
        is_pressing = count >= limits.LOG_SILENT_RECORDS and apart_ms >= limits.LOG_FULL_EVERY_MS
        if (is_pressing or event.ALARM in lanes) and silent_ms >= limits.LOG_ALARM_SILENT_MS:
            return True
        return silent_ms >= limits.LOG_SILENT_MS and apart_ms >= limits.LOG_EVERY_MS

    def _writable(self, now_ms):
        """Returns the lanes that have records for the log, without those whose retry delay still runs."""
        return [lane for lane in event.LANES if self._lanes[lane] and now_ms >= self._retry_ms[lane]]

    def _write_one(self, now_ms):
        """Writes one lane's records, or as many as a segment holds."""
        for lane in self._writable(now_ms):
            entries = self._lanes[lane]
            places = self._log.append(
                lane, entries, lambda count, all_of=entries: self._mark(all_of[:count]), now_ms=now_ms
            )
            if places:
                self._moved_to(places, entries)
                self._lanes[lane] = entries[len(places) :]
                break
            # The log makes room, which takes a few turns and needs the gap records on flash first; or the flash
            # refuses.
            self._retry_ms[lane] = now_ms + (limits.LOG_ROOM_MS if self._log.is_busy() else limits.LOG_RETRY_MS)
        if not self._log.is_busy() and not self._writable(now_ms):
            self._is_flushing = False
            self._wrote_ms = now_ms

    def _moved_to(self, places, entries):
        carried = {sequence for handed in self._handed.values() for sequence in handed}
        for index in range(len(places)):
            sequence = entries[index].sequence
            if sequence in carried:
                self._moved[sequence] = places[index]

    def _mark(self, leaving):
        return self._boot, self._durable(self._made, {entry.sequence for entry in leaving})

    def _fits(self, lane):
        free = limits.OUTBOX_RECORDS_MAX - self._in_ram()
        if lane == event.ALARM:
            return free > 0
        if lane == event.EVENT:
            return free > limits.OUTBOX_ALARM_RESERVE
        return free > limits.OUTBOX_ALARM_RESERVE + limits.OUTBOX_EVENT_RESERVE

    def _make_room(self, lane):
        """Removes records from the least important lane that is not above `lane`; False when there are none."""
        if len(self._lanes[event.TELEMETRY]) > 3:
            self._thin()
            return True
        for victim in reversed(event.LANES):
            if self._lanes[victim]:
                self._drop(self._lanes[victim].pop(0))
                return True
            if victim == lane:
                return False

    def _thin(self):
        entries = self._lanes[event.TELEMETRY]
        half = (len(entries) + 1) // 2
        removed = entries[0:half][1::2]
        kept = [entry for index, entry in enumerate(entries) if index >= half or index % 2 == 0]
        self._lanes[event.TELEMETRY] = kept
        self.counters[THINNED] += len(removed)
        self._note(Gap(removed[0].sequence, removed[-1].sequence, THINNED, self._boot))

    def _drop(self, entry):
        self.counters[DROPPED] += 1
        if entry.gap is not None:
            self._note(entry.gap)
        self._note(Gap(entry.sequence, entry.sequence, DROPPED, self._boot))

    def _note(self, gap):
        """Adds a range that lost records. A wider range is still true: a record that arrives overrides a gap that
        covers it."""
        if gap.boot != self._boot:
            self._note_other(gap)
            return
        gaps = self._gaps
        if gaps and (gaps[-1].why == gap.why or len(gaps) == limits.GAPS_PENDING_MAX):
            last = gaps.pop()
            gap = Gap(min(last.first, gap.first), max(last.last, gap.last), gap.why, self._boot)
        gaps.append(gap)

    def _note_other(self, gap):
        """Adds a range of an earlier boot, merged into one a boot; so there are no more than boots from which the log
        removed at once."""
        for index, other in enumerate(self._others):
            if other.boot == gap.boot:
                is_open = other.last is None or gap.last is None
                last = None if is_open else max(other.last, gap.last)
                self._others[index] = Gap(min(other.first, gap.first), last, gap.why, gap.boot)
                return
        self._others.append(gap)
