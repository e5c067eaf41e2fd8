"""Reading a journal folder after a start: what is held, what is damaged, and what was done about it.

Always ends with a usable folder, whatever it held. Moves files aside by rename, deletes only files without a
byte of record and the oldest of the quarantine, and counts both. Never touches a file of a newer format
version. Rules:

* a torn tail is the end of the log; after damage in the middle, the records that follow are still found;
* a damaged header is rebuilt from the file name if a record proves it;
* where two files of a stream hold the same position, the one written later answers (the earlier one is a file
  in which a sync or a write failed); different bytes are reported;
* an empty file at the end of its stream is deleted: power cuts leave such files, and they hold nothing;
* a file set aside still says, by its name, where it started: a stream that starts after it has a hole in
  front.
"""

import re
from dataclasses import dataclass, field
from typing import NamedTuple
from zlib import crc32

from gateway.core.disk import Disk
from gateway.core.limits import (
    JOURNAL_QUARANTINE_BYTES_MAX,
    JOURNAL_QUARANTINE_FILES_MAX,
    JOURNAL_REPORT_ENTRIES_MAX,
)
from gateway.core.segment import (
    HEADER_SIZE,
    VERSION,
    Identity,
    decode_header,
    decode_version,
    parse_name,
    scan,
)
from gateway.core.shelf import Hole, Segment, Shelf, Stream, read_despite_errors

_QUARANTINE = re.compile(r"quarantine-(\d{8})-(.*)", re.DOTALL)
_NAME_KEPT_MAX = 200  # bytes of the old name; Linux allows 255 in all
_GENERATION_MAX = 0xFFFF_FFFF


class Damage(NamedTuple):
    """`length` bytes at `offset` of a file that could not be read as records, why, and what was done."""

    name: str
    offset: int
    length: int
    reason: str
    action: str


class HoleFound(NamedTuple):
    """A hole of a recovered stream and its reason."""

    stream: Stream
    hole: Hole
    reason: str


class StreamFound(NamedTuple):
    """A stream of an earlier start: positions `first` to before `end`, of which `records` are readable."""

    stream: Stream
    first: int
    end: int
    records: int


@dataclass
class Recovery:
    """The report of `Journal.recover`. Lists are cut at JOURNAL_REPORT_ENTRIES_MAX; the counts are whole."""

    streams: list[StreamFound] = field(default_factory=list)
    records: int = 0
    bytes: int = 0  # payload bytes of all good records, copies included
    damages: list[Damage] = field(default_factory=list)
    damages_count: int = 0
    holes: list[HoleFound] = field(default_factory=list)
    holes_count: int = 0
    newer: list[str] = field(default_factory=list)  # files of a newer format version, left as they are
    quarantined: list[str] = field(default_factory=list)  # new names of the files moved aside now
    quarantine_deleted: int = 0

    def damage(self, name: str, offset: int, length: int, reason: str, action: str) -> None:
        """Count a damaged place and list it if there is room."""
        self.damages_count += 1
        if len(self.damages) < JOURNAL_REPORT_ENTRIES_MAX:
            self.damages.append(Damage(name, offset, length, reason, action))

    def hole(self, stream: Stream, first: int, last: int, reason: str) -> None:
        """Count a hole and list it if there is room."""
        self.holes_count += 1
        if len(self.holes) < JOURNAL_REPORT_ENTRIES_MAX:
            self.holes.append(HoleFound(stream, Hole(first, last), reason))


class Found(NamedTuple):
    """What `Recoverer.run` leaves to the journal."""

    shelves: dict[Stream, Shelf]
    sizes: dict[str, int]  # bytes of the segments and of the files of newer versions
    generation: int  # for the segments of this start: above all that were seen
    report: Recovery


class _Scanned(NamedTuple):
    """A segment that has at least one good record."""

    segment: Segment
    holes: list[Hole]
    torn: bool


def _set_aside_name(number: int, name: str) -> str:
    kept = name.encode("utf-8", "surrogateescape")[:_NAME_KEPT_MAX].decode("utf-8", "surrogateescape")
    return f"quarantine-{number:08d}-{kept}"


class Recoverer:
    """One run over a folder. `run` is called once."""

    def __init__(self, disk: Disk) -> None:
        self._disk = disk
        self._report = Recovery()
        self._sizes: dict[str, int] = {}
        self._quarantine: dict[int, tuple[str, int]] = {}  # number -> name, size
        self._claims: list[Identity] = []  # by name, of the files that are set aside
        self._scanned: dict[Identity, _Scanned] = {}
        self._empty: list[tuple[str, int, Identity]] = []
        self._generation = 0

    def run(self, epoch: bytes) -> Found:
        """Read the folder.

        Raises ValueError, having changed nothing, if `epoch` is already in it; OSError if it cannot even be
        listed.
        """
        heads = {name: self._head(name) for name in self._disk.list()}
        self._refuse_epoch(heads, epoch)
        for name, (size, _) in heads.items():
            if match := _QUARANTINE.fullmatch(name):
                self._note_quarantined(int(match[1]), name, match[2], size)
        # A file under its own name goes before a copy of it under another name.
        for name in sorted(heads, key=lambda name: (parse_name(name) is None, name)):
            if not _QUARANTINE.fullmatch(name):
                self._take(name, *heads[name])
        for name, size, identity in self._empty:
            self._take_empty(name, size, identity)
        self._bound_quarantine()
        shelves = self._arrange()
        generation = min(self._generation + 1, _GENERATION_MAX)
        return Found(shelves, self._sizes, generation, self._report)

    def _head(self, name: str) -> tuple[int, bytes]:
        try:
            return self._disk.size(name), read_despite_errors(self._disk, name, 0, HEADER_SIZE)[0]
        except OSError:
            return 0, b""

    def _refuse_epoch(self, heads: dict[str, tuple[int, bytes]], epoch: bytes) -> None:
        for name, (_, head) in heads.items():
            match = _QUARANTINE.fullmatch(name)
            for identity in (parse_name(match[2] if match else name), decode_header(head)):
                if identity is not None and identity.epoch == epoch:
                    raise ValueError("this epoch is already on the disk; an epoch is never continued")

    def _take(self, name: str, size: int, head: bytes) -> None:
        """Decide what one file is and file it."""
        claim = parse_name(name)
        version = decode_version(head)
        if version is not None and version > VERSION:
            self._report.newer.append(name)
            self._sizes[name] = size
            self._generation = max(self._generation, claim.generation if claim else 0)
            return
        identity = decode_header(head)
        rebuilt = identity is None
        identity = identity or claim
        if identity is None:
            self._set_aside(name, size, "foreign file" if any(head) else "no header")
        elif identity in self._scanned:
            self._set_aside(name, size, "copy of another segment")
        elif not self._scan(name, identity, size):
            if size == 0 or (size == HEADER_SIZE and not rebuilt):
                self._empty.append((name, size, identity))
            else:
                self._set_aside(name, size, "no readable record")
        elif rebuilt:
            self._report.damage(name, 0, HEADER_SIZE, "header damaged", "rebuilt from the name")

    def _scan(self, name: str, identity: Identity, size: int) -> bool:
        """Read a file as the segment `identity`; keep it and return True if it has a good record."""
        segment = Segment(name, identity)
        holes, places, payload_bytes = [], [], 0

        def fetch(offset: int, length: int) -> bytes:
            return read_despite_errors(self._disk, name, offset, length)[0]

        for index, offset, payload in scan(fetch, size, segment.seed):
            position = identity.first + index
            if position > segment.end:
                holes.append(Hole(segment.end, position - 1))
            if offset > segment.size:
                places.append((segment.size, offset - segment.size))
            segment.note(index, offset, len(payload))
            payload_bytes += len(payload)
        if segment.end == identity.first:
            return False
        for offset, length in places:
            self._report.damage(name, offset, length, "damaged", "skipped")
        torn = size > segment.size
        if torn:
            self._report.damage(name, segment.size, size - segment.size, "torn tail", "taken as the end")
        self._report.bytes += payload_bytes
        self._scanned[identity] = _Scanned(segment, holes, torn)
        self._sizes[name] = size
        self._generation = max(self._generation, identity.generation)
        return True

    def _arrange(self) -> dict[Stream, Shelf]:
        """Group the segments by stream and settle who answers for which position."""
        groups: dict[Stream, list[_Scanned]] = {}
        for identity in sorted(self._scanned):  # by generation, then serial
            groups.setdefault(Stream(identity.epoch, identity.lane), []).append(self._scanned[identity])
        return {stream: self._shelve(stream, group) for stream, group in groups.items()}

    def _shelve(self, stream: Stream, group: list[_Scanned]) -> Shelf:
        shelf = Shelf(stream, group[-1].segment.identity.generation)
        kept: list[_Scanned] = []
        later: list[Segment] = []
        limit = group[-1].segment.end
        for scanned in reversed(group):
            segment, end = scanned.segment, scanned.segment.end
            if later and end > limit:
                self._compare(segment, limit, later)
                segment.end = max(segment.first, limit)
            if segment.end > segment.first:
                kept.append(scanned)
            else:
                shelf.superseded.append((end, segment.name))
            later.append(segment)
            limit = min(limit, segment.first)
        kept.reverse()
        shelf.segments = [scanned.segment for scanned in kept]
        shelf.durable_end = shelf.segments[-1].end
        self._report_shelf(shelf, kept)
        return shelf

    def _compare(self, segment: Segment, first: int, later: list[Segment]) -> None:
        """Report the positions from `first` on that a later file holds with other bytes."""
        wanted = self._digests(segment, first)
        for other in later:
            for position, digest in self._digests(other, first).items():
                if wanted.get(position, digest) != digest:
                    reason = f"another record at position {position}"
                    self._report.damage(segment.name, 0, 0, reason, "the later file answers")

    def _digests(self, segment: Segment, first: int) -> dict[int, int]:
        def fetch(offset: int, length: int) -> bytes:
            return read_despite_errors(self._disk, segment.name, offset, length)[0]

        return {
            segment.first + index: crc32(payload)
            for index, _, payload in scan(fetch, segment.size, segment.seed)
            if segment.first + index >= first
        }

    def _report_shelf(self, shelf: Shelf, kept: list[_Scanned]) -> None:
        claims = [claim.first for claim in self._claims if (claim.epoch, claim.lane) == shelf.stream]
        shelf.start = due = min([shelf.segments[0].first, *claims])
        records = shelf.durable_end - due
        torn = False
        for scanned in kept:
            segment = scanned.segment
            holes = [(hole.first, min(hole.last, segment.end - 1), "damaged") for hole in scanned.holes]
            if segment.first > due:
                aside = any(due <= claim < segment.first for claim in claims)
                reason = "file set aside" if aside else "torn tail" if torn else "file missing"
                holes.insert(0, (due, segment.first - 1, reason))
            for first, last, reason in holes:
                if first <= last:
                    self._report.hole(shelf.stream, first, last, reason)
                    records -= last - first + 1
            due, torn = segment.end, scanned.torn
        self._report.records += records
        self._report.streams.append(StreamFound(shelf.stream, shelf.start, shelf.durable_end, records))

    def _set_aside(self, name: str, size: int, reason: str) -> None:
        number = max(self._quarantine, default=0) + 1
        new = _set_aside_name(number, name)
        try:
            self._disk.rename(name, new)
        except OSError:
            self._report.damage(name, 0, size, reason, "could not be moved aside, ignored")
            return
        self._report.damage(name, 0, size, reason, "moved aside")
        self._report.quarantined.append(new)
        self._note_quarantined(number, new, name, size)

    def _note_quarantined(self, number: int, name: str, old: str, size: int) -> None:
        while number in self._quarantine:  # two files with one number: somebody else's hand
            number += 1
        self._quarantine[number] = (name, size)
        claim = parse_name(old)
        if claim is not None:
            self._claims.append(claim)

    def _take_empty(self, name: str, size: int, identity: Identity) -> None:
        """Delete a file that holds nothing, as power cuts leave them, unless its stream went on after it."""
        same = [other for other in self._scanned if other[2:4] == identity[2:4]]  # epoch and lane
        if any(other > identity for other in same):
            self._set_aside(name, size, "no record, though later files have some")
            return
        try:
            self._disk.delete(name)
        except OSError:
            self._report.damage(name, 0, size, "no record", "could not be deleted, ignored")
            return
        self._report.damage(name, 0, size, "no record", "deleted")

    def _bound_quarantine(self) -> None:
        """Delete the oldest files set aside beyond the limits, but never the last one, whatever its size."""
        total = sum(size for _, size in self._quarantine.values())
        for number in sorted(self._quarantine)[:-1]:
            few = len(self._quarantine) <= JOURNAL_QUARANTINE_FILES_MAX
            if few and total <= JOURNAL_QUARANTINE_BYTES_MAX:
                return
            name, size = self._quarantine[number]
            try:
                self._disk.delete(name)
            except OSError:
                continue
            total -= size
            del self._quarantine[number]
            self._report.quarantine_deleted += 1
