"""Keeps records of a node on flash: those that RAM cannot hold while the gateway is silent, and those that a power cut
must not destroy.

There are three chains of segments, one a lane, oldest first. A record is appended as the bytes it was made with, its
identity included, and released when the gateway holds it: a segment is removed as a whole once its last record was
acknowledged. Acknowledged records of other segments are sent again after a power cut, under the same identity, which
costs a datagram. Nothing is ever changed in place: an append may be torn (the CRC of each entry shows it), a thinned
segment is written beside those that it replaces.

When the chains are full the log makes room, in this order: neighbours that fit one segment are joined; the older half
of the telemetry is thinned, two neighbours of the lowest level at a time, by every second record of each boot, the rest
unchanged; the oldest segment of the least important lane is dropped. Before anything is removed the gap that reports it
must be durable: the log gives out the gaps (`drain_gaps`) and waits until its owner confirms that (`poll`).

Each call does one write or removal at most. `files`: the five methods of `esp32.log_files.LogFiles`, which answer False
and never raise. The outbox decides when to write.
"""

from node import limits, log_segment
from node.log_segment import COUNT, DONE, FIRST, LANE, LAST, LEVEL, SIZE, START
from node.log_thinning import plan_room
from node.outbox import DAMAGED, DROPPED, THINNED, Entry, Gap
from wire import event


class RecordLog:
    """Appends, thins and releases records on flash.

    `spend(now_ms)` is called before each write and may refuse it. `on_file()` is called for each file that the start
    reads, which takes a chip some 40 ms. `counters`: records written, thinned and dropped; files that could not be
    written; segments with a bad end.
    """

    def __init__(self, files, *, spend=lambda now_ms: True, on_file=None):
        self._files = files
        self._spend = spend
        self._chains = {lane: [] for lane in event.LANES}  # of rows, see log_segment.LANE and on
        self._open = dict.fromkeys(event.LANES)  # the last of a chain, while records may be appended to it
        self._next = 1
        self._doomed = []
        self._plan = None
        self._rest_until_ms = 0  # until then a plan waits whose write was refused
        self._gaps = []
        self._marks = {}
        self._segments_max = limits.LOG_SEGMENTS_MAX
        self._is_cramped = False  # not even room to write a thinned segment beside the old ones
        self.counters = {"written": 0, THINNED: 0, DROPPED: 0, "failed": 0, DAMAGED: 0}
        self._load(on_file)

    def durable_sequence(self, boot, known):
        """Returns the last sequence of an earlier `boot` up to which no record was only in RAM; `known`: the one in its
        checkpoint."""
        marked = self._marks.get(boot)
        if known is None or marked is None:
            return marked if known is None else known
        return max(known, marked)

    def waiting(self, lane=None) -> int:
        """Returns how many records no gateway has acknowledged since the start."""
        count = 0  # asked for at every turn: no generator, no list
        for each in event.LANES:
            if lane is None or each == lane:
                for segment in self._chains[each]:
                    count += segment[COUNT]
        return count

    def segments(self) -> int:
        return sum(len(chain) for chain in self._chains.values())

    def append(self, lane, entries, mark_of, *, now_ms) -> list:
        """Writes the first of `entries`, as many as fit the lane's segment, and returns the places of those that are
        now durable: none while there is no room or the flash refuses. `mark_of(count)`: (boot, durable sequence) once
        the first `count` are written."""
        segment = self._open[lane]
        pieces, starts, size = _fill(lane, entries, segment[SIZE] if segment else 0)
        if not pieces and segment is not None:
            self._open[lane] = segment = None
            pieces, starts, size = _fill(lane, entries, 0)
        if not pieces or (segment is None and not self._may_begin(lane)) or not self._spend(now_ms):
            return []
        if segment is None:
            segment = self._begin(lane)
        boot, durable = mark_of(len(starts))
        pieces.append(log_segment.mark(boot, durable))
        if not self._files.append(log_segment.name(*segment), pieces):
            self._failed(segment)
            return []
        segment[SIZE] = size + log_segment.MARK_BYTES
        segment[COUNT] += len(starts)
        self.counters["written"] += len(starts)
        return [(segment, start) for start in starts]

    def first(self, lane, bytes_max, count_max) -> list:
        """Returns the oldest records of a lane that fit one payload, as entries with their places."""
        while self._chains[lane]:
            segment = self._chains[lane][0]
            chosen = self._read(segment, bytes_max, count_max)
            if chosen:
                return chosen
            self._forget(segment)
        return []

    def acknowledge(self, place) -> bool:
        """Observes that the gateway holds the record of a place. False when the place does not exist any more, or was
        acknowledged before."""
        segment, start = place
        if segment not in self._chains[segment[LANE]] or start < segment[START]:
            return False
        done = segment[DONE]
        if done is None:
            done = segment[DONE] = set()
        if start in done:
            return False
        done.add(start)
        segment[COUNT] -= 1
        if segment[COUNT] == 0:
            self._forget(segment)
        return True

    def drain_gaps(self) -> list:
        """Drains the losses of the log that need a gap record."""
        if not self._gaps:
            return ()
        gaps, self._gaps = self._gaps, []
        return gaps

    def is_busy(self) -> bool:
        """Returns whether `poll` has something to do."""
        return bool(self._doomed) or self._plan is not None

    def deadline_ms(self, now_ms):
        """Returns when `poll` is due next, once all gaps are reported."""
        return now_ms if self._doomed else max(now_ms, self._rest_until_ms)

    def has_removals(self) -> bool:
        """Returns whether files wait to be removed: after a restart their records would be sent again."""
        return bool(self._doomed)

    def awaits_gaps(self) -> bool:
        """Returns whether a plan waits until the gaps that were given out are durable."""
        return self._plan is not None and bool(self._plan.gaps)

    def poll(self, *, durable, now_ms) -> bool:
        """Does one pending write or removal; returns whether there was one. `durable`: every gap drained from here
        is."""
        if self._gaps or not durable:
            return False
        if self._doomed:
            # A file that cannot be removed now is found again at the next start.
            self._files.remove(self._doomed.pop(0))
            return True
        if self._plan is None or now_ms < self._rest_until_ms:
            return False
        if not self._spend(now_ms):
            self._rest_until_ms = now_ms + limits.LOG_RETRY_MS
            return False
        plan, self._plan = self._plan, None
        self._carry_out(plan)
        return True

    # --- inside ---------------------------------------------------------------------------------------------

    def _load(self, on_file):
        """Reads the files of earlier boots. A file whose numbers another one covers was about to be removed when the
        power was cut."""
        found = []
        for text in self._files.names():
            parsed = log_segment.read_name(text)
            if parsed is not None:
                found.append(parsed)
        for lane, first, last, level in sorted(found, key=lambda parsed: (parsed[1], -parsed[2], -parsed[3])):
            self._next = max(self._next, last + 1)
            chain = self._chains[lane]
            if chain and chain[-1][LAST] >= last:
                self._doomed.append(log_segment.name(lane, first, last, level))
            else:
                chain.append(log_segment.row(lane, first, last, level))
        for lane in event.LANES:
            self._check_chain(lane, self._chains[lane], on_file)

    def _check_chain(self, lane, chain, on_file):
        last, broken = None, None  # the bytes of the record before: decoded only at a damage, for two of thousands
        for segment in list(chain):
            if on_file is not None:
                on_file()
            name = log_segment.name(*segment)
            for kind, _, end, body in self._entries(name, 0, 2 * log_segment.SEGMENT_BYTES_MAX):
                segment[SIZE] = end
                if kind == log_segment.MARK:
                    self._note_mark(log_segment.read_mark(body))
                    continue
                segment[COUNT] += 1
                here = None if broken is None else log_segment.identity(body)
                if here is not None:
                    self._note_damage(broken[0], here)
                    broken = None
                last = body
            is_sound = segment[SIZE] > 0 and not self._files.read(name, segment[SIZE], 1)
            if not is_sound:
                self.counters[DAMAGED] += 1
                broken = (log_segment.identity(last),)
            if is_sound and segment is chain[-1] and segment[LEVEL] == 0:
                self._open[lane] = segment
        for segment in list(chain):
            if segment[COUNT] == 0:
                self._forget(segment)
        if broken is not None and broken[0] is not None:
            self._note_damage(broken[0], None)

    def _note_mark(self, mark):
        if mark is not None and mark[1] is not None:
            self._marks[mark[0]] = max(mark[1], self._marks.get(mark[0], 0))

    def _note_damage(self, before, after):
        """Adds the gap between two records of a chain that lost the records between them; open at the end where the
        next is of another boot."""
        if before is None:
            before = (after[0], -1)
        is_same = after is not None and after[0] == before[0]
        if not is_same or after[1] > before[1] + 1:
            self._gaps.append(Gap(before[1] + 1, after[1] - 1 if is_same else None, DAMAGED, before[0]))

    def _read(self, segment, bytes_max, count_max):
        chosen, total = [], 0
        for kind, at, end, body in self._entries(log_segment.name(*segment), segment[START], segment[SIZE]):
            is_done = segment[DONE] is not None and at in segment[DONE]
            here = log_segment.identity(body) if kind != log_segment.MARK and not is_done else None
            if here is None:
                if not chosen:
                    if is_done:
                        segment[DONE].discard(at)
                    segment[START] = end
                continue
            total += len(body)
            if chosen and (total > bytes_max or len(chosen) == count_max):
                break
            chosen.append(Entry(here[1], body, None, (segment, at)))
        return chosen

    def _records(self, segment):
        """Yields the waiting records of a segment: (start, body) each."""
        for kind, at, _, body in self._entries(log_segment.name(*segment), segment[START], segment[SIZE]):
            if kind != log_segment.MARK and (segment[DONE] is None or at not in segment[DONE]):
                yield at, body

    def _entries(self, name, at, until):
        """Yields the sound entries of a file between two offsets, (kind, start, end, body) each, and reads a little at
        a time."""
        while at < until:
            data = self._files.read(name, at, min(limits.LOG_READ_BYTES, until - at))
            base = at
            for kind, start, end, body in log_segment.entries_of(data):
                at = base + end
                yield kind, base + start, at, body
            if at == base:
                return

    def _forget(self, segment):
        self._close(segment)
        self._chains[segment[LANE]].remove(segment)
        self._doomed.append(log_segment.name(*segment))

    def _may_begin(self, lane):
        """Returns whether the lane may have one more file; otherwise makes a plan for room."""
        maximum = self._segments_max
        if lane != event.ALARM:
            maximum -= limits.LOG_ALARM_SEGMENTS
        if lane == event.TELEMETRY:
            maximum -= limits.LOG_EVENT_SEGMENTS
        if self._plan is not None:
            # A gap record must become durable before its plan makes room: one file more than the rest.
            return lane != event.TELEMETRY and self.segments() <= limits.LOG_SEGMENTS_MAX
        if self.segments() + len(self._doomed) < maximum:
            return True
        if not self._doomed:
            self._plan = plan_room(self._chains, lane, self._records, is_cramped=self._is_cramped)
            if self._plan is not None:
                self._gaps.extend(self._plan.gaps)
                for segment in self._plan.segments:
                    self._close(segment)  # the loss of records appended later would not be reported
        return False

    def _carry_out(self, plan):
        chain = self._chains[plan.lane]
        if any(segment not in chain for segment in plan.segments):
            return  # the gateway acknowledged one of them meanwhile
        new = log_segment.row(plan.lane, plan.segments[0][FIRST], plan.segments[-1][LAST], plan.level)
        if plan.why == THINNED:
            if not self._files.replace(log_segment.name(*new), self._kept(plan, new)):
                self._failed(None)
                self._is_cramped = True
                return
            chain.insert(chain.index(plan.segments[0]), new)
        self._is_cramped = False
        for segment in plan.segments:
            self.counters[plan.why] += segment[COUNT]
            self._forget(segment)
        self.counters[plan.why] -= new[COUNT]
        if plan.why == THINNED and new[COUNT] == 0:
            self._forget(new)

    def _kept(self, plan, new):
        """Yields the entries that a plan keeps, and updates the figures of their segment `new`."""
        for segment, removed in zip(plan.segments, plan.removed):
            for start, body in self._records(segment):
                if start not in removed:
                    data = log_segment.of_lane(plan.lane, body)
                    new[SIZE] += len(data)
                    new[COUNT] += 1
                    yield data

    def _begin(self, lane):
        self._open[lane] = segment = log_segment.row(lane, self._next, self._next, 0)
        self._next += 1
        self._chains[lane].append(segment)
        return segment

    def _close(self, segment):
        """Closes a segment, so that nothing more is appended to it."""
        lane = segment[LANE]
        if self._open[lane] is segment:
            self._open[lane] = None

    def _failed(self, segment):
        """Observes a failed write. A full file system lowers the number of files."""
        self.counters["failed"] += 1
        if self._files.is_full:
            self._segments_max = max(limits.LOG_SEGMENTS_MIN, self.segments() - 2)
        if segment is None:
            return
        self._close(segment)
        if segment[COUNT] == 0:
            self._forget(segment)


def _fill(lane, entries, size):
    """Returns (bytes of each entry, where each begins, where the last ends) of the entries that still fit a segment of
    `size` bytes."""
    pieces, starts = [], []
    for each in entries:
        data = log_segment.of_lane(lane, each.data)
        if size + len(data) + log_segment.MARK_BYTES > log_segment.SEGMENT_BYTES_MAX:
            break
        pieces.append(data)
        starts.append(size)
        size += len(data)
    return pieces, starts, size
