"""Decides which file answers for which position after a start, by laying the segments of each stream over one another.

Files are processed in the order in which they were written. Where two hold the same position:

* the one written later answers: the earlier one is a file in which a sync or a write failed; different bytes are
  reported;
* a segment rewritten without some of its records answers for all its positions if it is whole; if
  it is not, the files that it was to replace answer and it is to be deleted;
* files that lie behind a file of another version in its stream wait, unread, for an agent that can read them all.

It must not change the folder.
"""

from collections.abc import Iterable
from typing import NamedTuple
from zlib import crc32

from gateway.core.custody.disk import Disk
from gateway.core.custody.inventory import ListedStream, Listing
from gateway.core.custody.recovery_report import RecoveryReport, ReportedStream
from gateway.core.custody.segment import Identity, Segment, VoidRun
from gateway.core.custody.stream import Hole, Stream, StreamLog, read_despite_errors


class Replacement(NamedTuple):
    """Describes a rewritten segment that answers, and the files it replaced, which a power cut left on the disk."""

    stream: Stream
    new: Segment
    olds: list[Segment]


class ScannedSegment(NamedTuple):
    """Describes a segment that has at least one good record."""

    segment: Segment
    holes: list[Hole]
    torn: bool
    whole: bool  # rewritten, sealed, without damage: it answers for all its positions


class Arranger:
    """Arranges the segments that were found. `arrange` fills `replacements`, and `leftovers` with files to delete."""

    def __init__(
        self,
        disk: Disk,
        report: RecoveryReport,
        *,
        serials: dict[Stream, int],
        unread: list[Identity],
        claims: list[Identity],
        listing: Listing,
    ) -> None:
        """`serials`: the last serial seen; `unread`, `claims`: by file name, files of another version, and those set
        aside; `listing`: what the last life has listed."""
        self._disk = disk
        self._report = report
        self._serials = serials
        self._unread = unread
        self._claims = claims
        self._listing = listing
        self.replacements: list[Replacement] = []
        self.leftovers: list[str] = []

    def arrange(self, found: Iterable[ScannedSegment]) -> dict[Stream, StreamLog]:
        """Group the segments by stream and decide which file answers for which position."""
        groups: dict[Stream, list[ScannedSegment]] = {}
        for scanned in sorted(found, key=lambda scanned: scanned.segment.identity):  # by generation, then serial
            identity = scanned.segment.identity
            groups.setdefault(Stream(identity.epoch, identity.lane), []).append(scanned)
        logs = {stream: self._arrange_stream(stream, group) for stream, group in groups.items()}
        for stream in self._listing:
            if stream not in logs:
                logs[stream] = self._arrange_stream(stream, [])
        return {stream: log for stream, log in logs.items() if log.segments or log.start < log.durable_end}

    def _arrange_stream(self, stream: Stream, group: list[ScannedSegment]) -> StreamLog:
        listed = self._listing.get(stream)
        generation = group[-1].segment.identity.generation if group else listed.generation if listed else 0
        log = StreamLog(stream, generation)
        log.serial_max = self._serials.get(stream, 0)
        kept: list[ScannedSegment] = []
        for scanned in group:  # in the order of writing
            kept = self._lay(log, kept, scanned)
        limit = min((claim.first for claim in self._unread if (claim.epoch, claim.lane) == stream), default=None)
        if limit is not None:
            kept = self._hold_back(kept, limit)
        log.segments = [scanned.segment for scanned in kept]
        log.durable_end = kept[-1].segment.end if kept else 0
        if listed is not None:
            log.listed_end = listed.end if limit is None else min(limit, listed.end)
            log.durable_end = max(log.durable_end, log.listed_end)
        if log.durable_end:
            self._report_stream(log, kept, listed)
        return log

    def _lay(self, log: StreamLog, kept: list[ScannedSegment], scanned: ScannedSegment) -> list[ScannedSegment]:
        """Lay a file over those written before it; return the files that answer now, by rising positions."""
        new = scanned.segment
        if not kept or kept[-1].segment.end <= new.first:  # the usual case; there may be hundreds
            kept.append(scanned)
            return kept
        before = [other for other in kept if other.segment.end <= new.first]
        over = [other for other in kept if other.segment.end > new.first and other.segment.first < new.end]
        after = kept[len(before) + len(over) :]
        if new.level:
            # A file that begins before `new` was not replaced: only its tail, in which a sync failed, lies below.
            olds = [other.segment for other in over if other.segment.first >= new.first]
            if olds and not scanned.whole:
                self.leftovers.append(new.name)
                return kept
            for other in over[: len(over) - len(olds)]:
                other.segment.cut(new.first)
                before.append(other)
            if olds:
                if olds[-1].end > new.end:  # records behind a failed sync, which the old file did not answer for
                    olds[-1].cut(new.end)
                self._settle(log, olds)
                self.replacements.append(Replacement(log.stream, new, olds))
                log.superseded += [(old.end, old.name) for old in olds]
            return [*before, scanned, *after]
        for other in [*over, *after]:  # the tail of a file in which a sync or a write failed
            old, end = other.segment, other.segment.end
            self._compare(old, new)
            if old.first < new.first:
                old.cut(new.first)
                before.append(other)
            else:
                log.superseded.append((end, old.name))
        return [*before, scanned]

    def _settle(self, log: StreamLog, olds: list[Segment]) -> None:
        """Drop replacements whose new file is among `olds`: they were complete, and a cut undid only the deletions."""
        for done in [done for done in self.replacements if any(done.new is old for old in olds)]:
            self.replacements.remove(done)
            names = [old.name for old in done.olds]
            self.leftovers += names
            log.superseded = [(end, name) for end, name in log.superseded if name not in names]

    def _hold_back(self, kept: list[ScannedSegment], limit: int) -> list[ScannedSegment]:
        """Leave out what lies behind a file that only another agent can read, which begins at `limit`: reading past it
        would lose its records."""
        self._report.held_back += [scanned.segment.name for scanned in kept if scanned.segment.first >= limit]
        kept = [scanned for scanned in kept if scanned.segment.first < limit]
        for scanned in kept[-1:]:
            if scanned.segment.end > limit:
                scanned.segment.cut(limit)
        return kept

    def _compare(self, old: Segment, new: Segment) -> None:
        """Report the positions that the later file `new` holds with other bytes."""
        first = max(old.first, new.first)
        wanted = self._digests(old, first)
        for position, digest in self._digests(new, first).items():
            if wanted.get(position, digest) != digest:
                reason = f"another record at position {position}"
                self._report.damage(old.name, 0, 0, reason, "the later file answers")

    def _digests(self, segment: Segment, first: int) -> dict[int, int]:
        def fetch(offset: int, length: int) -> bytes:
            return read_despite_errors(self._disk, segment.name, offset, length)[0]

        return {
            segment.first + index: crc32(content)
            for index, _, content in segment.scan(fetch)
            if segment.first + index >= first and not isinstance(content, VoidRun)
        }

    def _report_stream(self, log: StreamLog, kept: list[ScannedSegment], listed: ListedStream | None) -> None:
        claims = [claim.first for claim in self._claims if (claim.epoch, claim.lane) == log.stream]
        due = min([log.segments[0].first, *claims]) if listed is None else min(listed.first, log.durable_end)
        log.start = due
        records = log.durable_end - due
        torn = False
        for scanned in kept:
            segment = scanned.segment
            holes = [(hole.first, min(hole.last, segment.end - 1), "damaged") for hole in scanned.holes]
            if segment.first > due:
                holes.insert(0, (due, segment.first - 1, _why_missing(due, segment.first, claims, torn)))
            for first, last, reason in holes:
                records -= self._report_hole(log, first, last, reason)
            if segment.first >= log.start:
                records -= segment.void_positions
                self._report.voids += segment.void_positions
            due, torn = max(due, segment.end), scanned.torn
        if due < log.durable_end:
            reason = _why_missing(due, log.durable_end, claims, torn)
            records -= self._report_hole(log, due, log.durable_end - 1, reason)
        self._report.records += records
        self._report.streams.append(ReportedStream(log.stream, log.start, log.durable_end, records))

    def _report_hole(self, log: StreamLog, first: int, last: int, reason: str) -> int:
        """Report what of these positions is not freed; return how many these are."""
        first = max(first, log.start)
        if first > last:
            return 0
        self._report.hole(log.stream, first, last, reason)
        self._report.positions_missed += max(0, min(last + 1, log.listed_end) - first)
        return last - first + 1


def _why_missing(first: int, end: int, claims: list[int], torn: bool) -> str:
    if any(first <= claim < end for claim in claims):
        return "file set aside"
    return "torn tail" if torn else "file missing"
