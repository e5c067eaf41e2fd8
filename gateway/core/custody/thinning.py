"""Makes room when the journal is full, a little at a time, and leaves no loss unexplained.

`gateway/core/custody/release.py` decides what is let go and in which order. One *release* covers one segment or a few:

    plan      read them, choose what goes
    explain   append a gap record for each (node, boot): "of these sequences, what you do not hold will not come"
    wait      until these are durable
    write     a segment anew, under a new name, with void runs in place of what goes; wait for its sync
    replace   the new file answers from here on
    list      every identity in the loss ledger; wait for its sync
    delete    the old file; then the same for the next segment

A power cut at any instant leaves the old file, or a whole new one whose gap records are durable; a new file
beside the old is processed again after the start, for its ledger entries may be incomplete. A release is a generator: a
`yield` returns control to the loop after a few hundred records, or until something has happened. It must never let go
of a record that is not explained, nor block the loop.
"""

import errno
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass

from gateway.core import limits
from gateway.core.custody.arrangement import Replacement
from gateway.core.custody.journal import Journal
from gateway.core.custody.ledger import Ledger, LossTime
from gateway.core.custody.release import GONE, Lost, Release, SegmentPlan, ThinningTurns, choose_release, decoded, why
from gateway.core.custody.segment import RECORD_OVERHEAD, Segment, VoidRun, written
from gateway.core.deadlines import earliest
from wire import event
from wire.record import EventBody


@dataclass(frozen=True)
class _Until:
    """Holds what a release waits for: until `happened` returns true, or until `at_ms`, whichever is first."""

    happened: Callable[[], bool] = lambda: False
    at_ms: int | None = None


_Work = Iterator[_Until | None]


class Thinner:
    """Runs one release after another. Call `poll` after every event and when its deadline has come.

    `explain` appends a record of the gateway itself, with the right to the alarms' reserve, and returns its
    lane and position, or None when it is refused; `flush` asks for a flush at once; `loss_time` dates a line of the
    ledger. All three take `now_ms`.
    """

    def __init__(
        self,
        journal: Journal,
        ledger: Ledger,
        *,
        explain: Callable[..., tuple[str, int] | None],
        flush: Callable[..., None],
        loss_time: Callable[..., LossTime],
    ) -> None:
        self._journal = journal
        self._ledger = ledger
        self._explain = explain
        self._flush = flush
        self._loss_time = loss_time
        self._turns = ThinningTurns()
        self._work: _Work | None = None
        self._until: _Until | None = None
        self._interrupted: list[Replacement] | None = None
        self._cramped = False  # the disk had no room for a copy: whole segments go, which needs only a few bytes
        self._now_ms = 0  # of the poll in which the work continues: a generator takes no arguments
        self._check_ms = self._idle_until_ms = 0
        self._due_ms: int | None = None
        self.counters = {
            "segments-thinned": 0,
            "segments-dropped": 0,
            "segments-merged": 0,
            "records-let-go": 0,
            "bytes-saved": 0,
            "gaps": 0,
            "resumed": 0,
            "given-up": 0,
        }

    def poll(self, *, now_ms: int) -> None:
        """Run the next step, if there is any."""
        self._now_ms = now_ms
        if now_ms >= self._check_ms:
            self._check_ms = now_ms + limits.JOURNAL_CHECK_EVERY_MS
            self._journal.refresh_space()
            if not self._journal.is_listed:
                self._journal.save_inventory()
            self._ledger.catch_up()
        self._due_ms = None
        if self._work is None:
            self._work = self._next()
        elif self._until is not None and not self._has_come(self._until):
            self._due_ms = self._until.at_ms
            return
        if self._work is None:
            return
        try:
            self._until = next(self._work)
        except StopIteration:
            self._work = self._until = None
        until = self._until
        self._due_ms = now_ms if until is None or self._has_come(until) else until.at_ms

    def deadline_ms(self) -> int | None:
        """Return when `poll` is due without an event; this is now, as long as a release is at work."""
        return self._due_ms if self._journal.is_listed else earliest((self._due_ms, self._check_ms))

    # --- choosing -----------------------------------------------------------------------------------------------

    def _has_come(self, until: _Until) -> bool:
        return until.happened() or (until.at_ms is not None and self._now_ms >= until.at_ms)

    def _pause(self, duration_ms: int = limits.THINNING_RETRY_MS) -> _Until:
        return _Until(at_ms=self._now_ms + duration_ms)

    def _next(self) -> _Work | None:
        if self._interrupted is None:
            self._interrupted = self._journal.drain_interrupted()
        if self._interrupted:
            return self._resume(self._interrupted.pop(0))
        space, held = self._journal.space, self._journal.bytes_held
        if self._now_ms < self._idle_until_ms or not space.is_short(held):
            return None
        # As long as files cannot be deleted, letting go of records makes no room.
        release = None
        if self._journal.retry_deletes():
            release = choose_release(self._journal, alarms=space.is_short_of_all(held), cramped=self._cramped)
        if release is None:
            self._idle_until_ms = self._now_ms + limits.THINNING_RETRY_MS
            return None
        return self._let_go(release)

    # --- one release -----------------------------------------------------------------------------------------------

    def _let_go(self, release: Release) -> _Work:
        for plan in release.plans:
            try:
                yield from self._read(plan)
            except OSError:
                plan.segment.read_failures += 1
                yield self._pause()
                return
        release.plans = [plan for plan in release.plans if self._is_held(plan)]
        release.drop_poor()
        if not release.plans:
            return
        gaps = [EventBody(event.GAP, None, [*about[:2], *span, about[2]]) for about, span in release.spans().items()]
        if not release.is_worth_it(len(gaps)) or (release.joins_gaps and not self._has_room(release, len(gaps))):
            release.leave()
            return
        if not self._may_explain(len(gaps)):
            # Half an explanation would only use up the last bytes; what the warehouse acknowledges frees room as well.
            yield self._pause(limits.JOURNAL_CHECK_EVERY_MS)
            return
        if not (yield from self._explain_all(release, gaps)):
            if release.joins_gaps:
                release.leave()
            return
        for plan in release.plans:
            if self._is_held(plan) and not (yield from self._rewrite(plan)):
                if release.joins_gaps:
                    release.leave()
                return

    def _has_room(self, release: Release, gaps: int) -> bool:
        """Return whether there is room for the gap records and the longest copy without the ballast: work that is not
        urgent must not use the last bytes."""
        copy = max(plan.segment.size - plan.bytes for plan in release.plans)
        return self._journal.space.has_room(self._journal.bytes_held, gaps * limits.THINNING_GAP_BYTES + copy)

    def _may_explain(self, gaps: int) -> bool:
        held, limit = self._journal.bytes_held, self._journal.space.limit(event.EVENT, explains=True)
        return held + gaps * limits.THINNING_GAP_BYTES <= limit

    def _rewrite(self, plan: SegmentPlan) -> Generator[_Until | None, None, bool]:
        """Rewrite one segment of a release that is explained; return False when the disk refuses."""
        olds = [*self._journal.void_before(plan.stream, plan.segment, plan.void), plan.segment]
        new = self._journal.new_segment(plan.stream, olds[0].first, plan.level)
        if not (yield from self._write(plan, new)):
            self._journal.delete_file(new.name)
            self.counters["given-up"] += 1
            # Without room, other segments go at once; after any other error, a retry at once would only fail again.
            yield self._pause(0 if self._cramped and plan.level < GONE else limits.THINNING_RETRY_MS)
            return False
        freed = self._journal.oldest(plan.stream) - plan.segment.first if self._is_held(plan) else 0
        if not self._journal.replace(plan.stream, olds, new):
            self._journal.delete_file(new.name)
            self.counters["given-up"] += 1
            return True
        self._cramped = False
        self._turns.update(plan.turns)
        yield from self._list(plan.lost, plan.stream.lane, new, freed)
        self._delete(olds, new, "merged" if plan.joins_gaps else "thinned" if plan.level < GONE else "dropped")
        self._ledger.catch_up()  # where the state folder shares a full partition, there is room now
        self._journal.refresh_space()  # and what was taken from the ballast is put back before others take the room
        return True

    def _read(self, plan: SegmentPlan) -> _Work:
        """Fill in the plan. Records that the warehouse holds already are skipped."""
        segment = plan.segment
        if not self._is_held(plan):  # freed while another segment of the release was read
            return
        plan.void = bytearray(segment.end - segment.first)
        freed = self._journal.oldest(plan.stream) - segment.first
        for number, (index, content) in enumerate(self._journal.scan_segment(segment), 1):
            if number % limits.THINNING_STEP_RECORDS_MAX == 0:
                yield None
                if not self._is_held(plan):
                    return
            if isinstance(content, VoidRun):
                plan.void[index : index + content.positions] = b"\x01" * content.positions
            elif index >= freed and (item := decoded(content)) is not None:
                plan.add(index, item, RECORD_OVERHEAD + len(content), self._turns)

    def _explain_all(self, release: Release, gaps: list[EventBody]) -> Generator[_Until | None, None, bool]:
        """Append the gap records and wait until they are durable; return False if all the segments went meanwhile.

        Where records go, nothing else can make room, so this waits. Joining gap records is optional and can be given
        up.
        """
        ends: dict[str, int] = {}
        refusals = 0
        for number, gap in enumerate(gaps, 1):
            if number % limits.THINNING_STEP_RECORDS_MAX == 0:
                yield None
            while (placed := self._explain(gap, now_ms=self._now_ms)) is None:
                self._flush(now_ms=self._now_ms)
                yield self._pause()
                refusals += 1
                if not any(self._is_held(plan) for plan in release.plans):
                    return False
                if release.joins_gaps and refusals >= limits.THINNING_TOGETHER_REFUSALS_MAX:
                    return False
            ends[placed[0]] = max(placed[1], ends.get(placed[0], 0))
            self.counters["gaps"] += 1
        self._flush(now_ms=self._now_ms)
        yield _Until(lambda: all(self._journal.is_durable(lane, position) for lane, position in ends.items()))
        return True

    def _write(self, plan: SegmentPlan, new: Segment) -> Generator[_Until | None, None, bool]:
        """Write the segment anew and make it durable; return False when the disk refuses, with `_cramped` if it is
        full."""
        journal, space = self._journal, self._journal.space
        try:
            for data in written(new, plan.segment, plan.void, journal.scan_segment(plan.segment)):
                space.claimed_bytes = plan.segment.size
                if plan.level < GONE and journal.bytes_held + len(data) > space.ceiling:
                    self._cramped = True
                    return False
                error = journal.write_file(new.name, data, urgent=plan.level == GONE)
                if error is not None:
                    self._cramped = self._cramped or error.errno == errno.ENOSPC
                    return False
                yield None
            ticket = journal.sync_file(new.name)
            yield _Until(lambda: journal.has_finished(ticket))
            return journal.has_succeeded(ticket)
        except OSError:
            plan.segment.read_failures += 1
            return False
        finally:
            space.claimed_bytes = 0

    def _list(self, lost: Lost, lane: str, new: Segment, freed: int) -> _Work:
        """Write every identity from index `freed` on into the ledger, and wait until it is durable, for a limited
        time."""
        listed = 0
        for (node, boot), pairs in lost.items():
            sequences = [sequence for index, sequence in pairs if index >= freed]
            when = self._loss_time(now_ms=self._now_ms)
            self._ledger.records_lost(why(lane, new.level), lane, node, boot, sequences, key=new.name, when=when)
            self.counters["records-let-go"] += len(sequences)
            listed += len(sequences)
            if listed >= limits.THINNING_STEP_RECORDS_MAX:
                listed = 0
                yield None
        ticket = self._ledger.sync()
        yield _Until(lambda: self._ledger.is_synced(ticket), self._now_ms + limits.THINNING_LEDGER_WAIT_MS)
        self._ledger.forget_sync(ticket)

    def _delete(self, olds: list[Segment], new: Segment, kind: str) -> None:
        for old in olds:
            self._journal.delete_file(old.name)
        self.counters[f"segments-{kind}"] += 1
        self.counters["bytes-saved"] += sum(old.size for old in olds) - new.size

    def _resume(self, found: Replacement) -> _Work:
        """Finish a release that a power cut ended after the new file was whole and before the old one was deleted. If
        the warehouse has received the rest of it meanwhile, what was let go is listed all the same."""
        ticket = self._journal.sync_file(found.new.name)
        yield _Until(lambda: self._journal.has_finished(ticket))
        try:
            void = self._void_of(found.new) if self._journal.has_succeeded(ticket) else None
        except OSError:
            void = None
        if void is None:
            # A later sync could succeed without what this one has lost. The old files hold everything, and answer
            # again.
            self.counters["given-up"] += 1
            if self._journal.holds(found.stream, found.new):
                self._journal.restore(*found)
                return
        else:
            yield from self._list_again(found, void)
        for file in (*found.olds, *([] if self._journal.holds(found.stream, found.new) else [found.new])):
            self._journal.delete_file(file.name)
        self._ledger.catch_up()
        self.counters["resumed"] += 1

    def _list_again(self, found: Replacement, void: bytearray) -> _Work:
        """List what the old files hold and the new one does not."""
        lost: Lost = {}
        for old in found.olds:
            while True:
                try:
                    yield from self._compare(found, old, void, lost)
                    break
                except OSError:  # after a few errors, what cannot be read is skipped
                    old.read_failures += 1
                    yield self._pause()
        yield from self._list(lost, found.stream.lane, found.new, 0)

    def _void_of(self, new: Segment) -> bytearray:
        """Return, by index, 1 where the file holds no record."""
        void = bytearray(new.end - new.first)
        for index, content in self._journal.scan_segment(new):
            if isinstance(content, VoidRun):
                void[index : index + content.positions] = b"\x01" * content.positions
        return void

    def _compare(self, found: Replacement, old: Segment, void: bytearray, lost: Lost) -> _Work:
        """Add an old file's records where the new one is void to `lost`. A repetition does no harm: ledger lines are
        sets."""
        ahead = old.first - found.new.first
        for number, (index, content) in enumerate(self._journal.scan_segment(old), 1):
            if number % limits.THINNING_STEP_RECORDS_MAX == 0:
                yield None
            at = ahead + index
            if not isinstance(content, VoidRun) and void[at] and (item := decoded(content)) is not None:
                lost.setdefault((item.node, item.record.boot), []).append((at, item.record.sequence))

    def _is_held(self, plan: SegmentPlan) -> bool:
        return self._journal.holds(plan.stream, plan.segment)
