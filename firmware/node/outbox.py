"""Records between their making and the gateway's 2.04 (custody, DESIGN section 3).

Three lanes; alarms leave first and have places that nothing else may take. When telemetry is full its older
half is thinned (every second record goes, the rest stay unchanged) before anything is dropped, and every
range that lost a record becomes a gap record: "of these, what you do not hold will not come". Bounded in
RAM; a power cut loses what waits here, which the next boot's report declares as an open gap.
"""

from collections import namedtuple

from node import limits
from wire import event

# `data` is the encoded record: immutable from here to the warehouse. `gap`: the Gap that a gap record tells, else
# None; a gap record that is dropped gives its Gap back, or the loss would go untold.
Entry = namedtuple("Entry", ("sequence", "data", "gap"))
Gap = namedtuple("Gap", ("first", "last", "why"))

THINNED = "thinned"
DROPPED = "dropped"


class Outbox:
    """Bounded queues, one a lane. `counters`: made, acknowledged, thinned, dropped."""

    def __init__(self):
        self._lanes = {lane: [] for lane in event.LANES}
        self._gaps = []
        self.counters = {"made": 0, "acknowledged": 0, THINNED: 0, DROPPED: 0}

    def waiting(self, lane=None) -> int:
        if lane is not None:
            return len(self._lanes[lane])
        count = 0  # asked at every turn: loops take nothing from the heap, generators do
        for name in event.LANES:
            count += len(self._lanes[name])
        return count

    def any_in(self, lanes) -> bool:
        for lane in lanes:  # noqa: SIM110 - as above
            if self._lanes[lane]:
                return True
        return False

    def sequences(self) -> list:
        return [entry.sequence for lane in event.LANES for entry in self._lanes[lane]]

    def put(self, lane: str, sequence: int, data: bytes, gap=None) -> None:
        """Queue an encoded record; makes room by the policy above. What finds only worthier records is dropped."""
        self.counters["made"] += 1
        entry = Entry(sequence, data, gap)
        while not self._fits(lane):
            if not self._make_room(lane):
                self._drop(entry)
                return
        self._lanes[lane].append(entry)

    def first(self, lanes, bytes_max: int, count_max: int) -> list:
        """The entries that fit one payload, from the first of `lanes` that has any, oldest first."""
        for lane in lanes:
            if not self._lanes[lane]:
                continue
            chosen = []
            total = 0
            for entry in self._lanes[lane]:
                total += len(entry.data)
                if chosen and (total > bytes_max or len(chosen) == count_max):
                    break
                chosen.append(entry)
            return chosen
        return []

    def acknowledge(self, entries) -> None:
        """Forget entries that the gateway holds durably."""
        done = {entry.sequence for entry in entries}
        for lane in event.LANES:
            kept = [entry for entry in self._lanes[lane] if entry.sequence not in done]
            self.counters["acknowledged"] += len(self._lanes[lane]) - len(kept)
            self._lanes[lane] = kept

    def durable_sequence(self, made: int):
        """The last sequence up to which nothing is held here alone; None when there is none. `made`: next
        sequence."""
        oldest = made
        for entries in self._lanes.values():
            for entry in entries:
                # A gap record that waits here is all that tells of an older loss.
                oldest = min(oldest, entry.sequence if entry.gap is None else entry.gap.first)
        for gap in self._gaps:
            oldest = min(oldest, gap.first)
        return oldest - 1 if oldest > 0 else None

    def take_gap(self):
        """The oldest range that lost records and has no gap record yet, or None."""
        return self._gaps.pop(0) if self._gaps else None

    def _fits(self, lane):
        free = limits.OUTBOX_RECORDS_MAX - self.waiting()
        if lane == event.ALARM:
            return free > 0
        if lane == event.EVENT:
            return free > limits.OUTBOX_ALARM_RESERVE
        return free > limits.OUTBOX_ALARM_RESERVE + limits.OUTBOX_EVENT_RESERVE

    def _make_room(self, lane):
        """Take from the least valuable lane that is not above the one that asks; False when there is nothing."""
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
        self._note(Gap(removed[0].sequence, removed[-1].sequence, THINNED))

    def _drop(self, entry):
        self.counters[DROPPED] += 1
        if entry.gap is not None:
            self._note(entry.gap)
        self._note(Gap(entry.sequence, entry.sequence, DROPPED))

    def _note(self, gap):
        """A wider range is still true, for a record that exists beats a gap that covers it."""
        gaps = self._gaps
        if gaps and (gaps[-1].why == gap.why or len(gaps) == limits.GAPS_PENDING_MAX):
            last = gaps.pop()
            gap = Gap(min(last.first, gap.first), max(last.last, gap.last), gap.why)
        gaps.append(gap)
