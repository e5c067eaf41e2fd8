"""Reads a journal folder after a start: finds what is held and what is damaged, and reports what was done about it.

It always ends with a usable folder. It moves files aside by rename, deletes only files without a
byte of record and the oldest of the quarantine, and counts both. It never touches a file of another format
version, older or newer, and says so. Rules:

* zeros that a former life wrote ahead are cut off: each start would leave some, and they would fill the journal;
* a torn tail is the end of the log; after damage in the middle, the records that follow are still found;
* a damaged header is rebuilt from the file name if a record proves it;
* where two files of a stream hold the same position, `gateway/core/custody/arrangement.py` decides which answers;
* where the inventory (gateway/core/custody/inventory.py) lists more than is there, the rest is a hole, at both ends and
  for whole streams too; a whole file that is not the one listed is set aside, and so is what is no plain file;
* an empty file at the end of its stream is deleted: power cuts leave such files, and they hold nothing;
* the name of a file set aside still contains its first position: a stream that starts after it has a hole in
  front.
"""

import re
from hashlib import sha256
from typing import NamedTuple

from gateway.core.custody.arrangement import Arranger, Replacement, ScannedSegment
from gateway.core.custody.disk import Disk, aside_name
from gateway.core.custody.inventory import ListedSegment, Listing
from gateway.core.custody.recovery_report import RecoveryReport
from gateway.core.custody.segment import (
    DIGEST_SIZE,
    HEADER_SIZE,
    VERSION,
    Identity,
    Segment,
    VoidRun,
    decode_header,
    decode_version,
    parse_name,
    scan,
)
from gateway.core.custody.space import BALLAST
from gateway.core.custody.stream import Hole, Stream, StreamLog, read_despite_errors
from gateway.core.limits import (
    JOURNAL_QUARANTINE_BYTES_MAX,
    JOURNAL_QUARANTINE_FILES_MAX,
    JOURNAL_READ_BYTES,
    JOURNAL_SKIP_BYTES_MAX,
)

_QUARANTINE = re.compile(r"quarantine-(\d{8})-(.*)", re.DOTALL)
_GENERATION_MAX = 0xFFFF_FFFF


class RecoveredFolder(NamedTuple):
    """Holds what `Recoverer.run` leaves to the journal."""

    logs: dict[Stream, StreamLog]
    sizes: dict[str, int]  # bytes of the segments and of the files of other versions
    generation: int  # for the segments of this start: above all that were seen
    report: RecoveryReport
    replacements: list[Replacement]
    leftovers: list[str]  # to be deleted: rewritten segments that are not whole, and what was replaced twice


class Recoverer:
    """Reads a folder once, by `run`."""

    def __init__(self, disk: Disk, listing: Listing) -> None:
        """`listing`: what the last life has listed, by stream."""
        self._disk = disk
        self._listing = listing
        self._report = RecoveryReport()
        self._sizes: dict[str, int] = {}
        self._quarantine: dict[int, tuple[str, int]] = {}  # number -> name, size
        self._claims: list[Identity] = []  # by name, of the files that are set aside
        self._scanned: dict[Identity, ScannedSegment] = {}
        self._empty: list[tuple[str, int, Identity]] = []
        self._serials: dict[Stream, int] = {}
        self._unread: list[Identity] = []  # by name, of files of other versions
        self._leftovers: list[str] = []  # nothing follows their headers, and the files they were to replace are there
        self._barren: list[tuple[str, int, Identity]] = []  # rewritten, with a sound header and nothing after it
        self._generation = 0

    def run(self, epoch: bytes) -> RecoveredFolder:
        """Read the folder and return what it holds.

        Raises ValueError, having changed nothing, if `epoch` is already in it; OSError if it cannot even be
        listed.
        """
        heads = {name: self._head(name) for name in self._disk.list() if name != BALLAST}
        self._refuse_epoch(heads, epoch)
        for name, (size, _) in heads.items():
            if match := _QUARANTINE.fullmatch(name):
                self._note_quarantined(int(match[1]), name, match[2], size)
        for name in self._disk.foreign():
            if not _QUARANTINE.fullmatch(name):
                self._set_aside(name, 0, "no plain file")
        # A file under its own name is processed before a copy of it under another name.
        for name in sorted(heads, key=lambda name: (parse_name(name) is None, name)):
            if not _QUARANTINE.fullmatch(name):
                self._accept(name, *heads[name])
        for name, size, identity in self._empty:
            self._accept_empty(name, size, identity)
        for name, size, identity in self._barren:
            self._accept_barren(name, size, identity)
        self._bound_quarantine()
        arranger = Arranger(
            self._disk,
            self._report,
            serials=self._serials,
            unread=self._unread,
            claims=self._claims,
            listing=self._listing,
        )
        logs = arranger.arrange(self._scanned.values())
        generations = (self._generation, *(listed.generation for listed in self._listing.values()))
        generation = min(max(generations) + 1, _GENERATION_MAX)
        leftovers = [*self._leftovers, *arranger.leftovers]
        return RecoveredFolder(logs, self._sizes, generation, self._report, arranger.replacements, leftovers)

    def _head(self, name: str) -> tuple[int, bytes]:
        try:
            return self._disk.size(name), read_despite_errors(self._disk, name, 0, HEADER_SIZE)[0]
        except OSError:
            return 0, b""

    def _refuse_epoch(self, heads: dict[str, tuple[int, bytes]], epoch: bytes) -> None:
        for name, (_, head) in heads.items():
            match = _QUARANTINE.fullmatch(name)
            decoded = decode_header(head)
            for identity in (parse_name(match[2] if match else name), decoded[0] if decoded else None):
                if identity is not None and identity.epoch == epoch:
                    raise ValueError("this epoch is already on the disk; an epoch is never continued")

    def _accept(self, name: str, size: int, head: bytes) -> None:
        """Classify one file and put it on the list for its class."""
        claim = parse_name(name)
        version = decode_version(head)
        if version is not None and version != VERSION:
            self._report.other_versions.append(name)
            self._sizes[name] = size
            if claim is not None:
                self._unread.append(claim)
                self._generation = max(self._generation, claim.generation)
            return
        identity, level = decode_header(head) or (None, None)
        rebuilt = identity is None
        identity = identity or claim
        if identity is not None:
            stream = Stream(identity.epoch, identity.lane)
            self._serials[stream] = max(identity.serial, self._serials.get(stream, 0))
        if identity is None:
            self._set_aside(name, size, "foreign file" if any(head) else "no header")
        elif identity in self._scanned:
            self._set_aside(name, size, "copy of another segment")
        elif not self._scan(name, identity, level, size):
            if level and not rebuilt:
                self._barren.append((name, size, identity))
            elif size == 0 or (size == HEADER_SIZE and not rebuilt):
                self._empty.append((name, size, identity))
            else:
                self._set_aside(name, size, "no readable record")
        elif rebuilt:
            self._report.damage(name, 0, HEADER_SIZE, "header damaged", "rebuilt from the name")

    def _scan(self, name: str, identity: Identity, level: int | None, size: int) -> bool:
        """Read a file as the segment `identity`; keep it and return True if it has a good record.

        `level` is None where the header is damaged: then only voids show that the file was rewritten.
        """
        segment = Segment(name, identity, level or 0)
        listed = self._listed(identity)
        end = size if listed is None else min(size, listed.size)  # what was appended to a closed segment is not ours
        holes, places, payload_bytes, sealed = [], [], 0, False

        def fetch(offset: int, length: int) -> bytes:
            return read_despite_errors(self._disk, name, offset, min(length, end - offset))[0]

        for index, offset, content in scan(fetch, end, segment.seed, voids=level != 0):
            position = identity.first + index
            if position > segment.end:
                holes.append(Hole(segment.end, position - 1))
            if offset > segment.size:
                places.append((segment.size, offset - segment.size))
            segment.note(index, offset, content)
            if isinstance(content, VoidRun):
                segment.level = max(segment.level, 1)
                sealed = content.positions == 0
            else:
                payload_bytes += len(content)
        if segment.end == identity.first:
            return False
        due = segment.size if listed is None else listed.size
        torn = segment.size < due or not self._is_blank(name, segment.size, size)
        if listed is not None and segment.size == due and not places:
            segment.digest = self._digest(name, segment.size)
            if not torn and segment.digest != listed.digest:
                # Not what accidents leave, which is shorter or zero somewhere: another file stands in its place.
                self._set_aside(name, size, "not the file that was written")
                return True
        for offset, length in places:
            self._report.damage(name, offset, length, "damaged", "skipped")
        if torn:
            self._report.damage(name, segment.size, max(due, size) - segment.size, "torn tail", "taken as the end")
        elif size > segment.size:
            size = self._cut(name, segment.size, size)
        self._report.bytes += payload_bytes
        self._scanned[identity] = ScannedSegment(segment, holes, torn, sealed and not places)
        self._sizes[name] = min(size, segment.size + JOURNAL_SKIP_BYTES_MAX)
        self._generation = max(self._generation, identity.generation)
        return True

    def _listed(self, identity: Identity) -> ListedSegment | None:
        listed = self._listing.get(Stream(identity.epoch, identity.lane))
        return None if listed is None else listed.segments.get(identity.serial)

    def _digest(self, name: str, size: int) -> bytes | None:
        """Return the digest of the first bytes of a file; None where they cannot be read."""
        hasher = sha256()
        for at in range(0, size, JOURNAL_READ_BYTES):
            try:
                hasher.update(self._disk.read(name, at, min(JOURNAL_READ_BYTES, size - at)))
            except OSError:
                return None
        return hasher.digest()[:DIGEST_SIZE]

    def _cut(self, name: str, length: int, size: int) -> int:
        """Take away the zeros that were written ahead of records that no later life will append; return the size."""
        try:
            self._disk.cut(name, length)
        except OSError:
            return size
        return length

    def _is_blank(self, name: str, offset: int, size: int) -> bool:
        """Return whether a file is zero from `offset` on, as it is written ahead, and not longer than that."""
        if size - offset > JOURNAL_SKIP_BYTES_MAX:
            return False
        for at in range(offset, size, JOURNAL_READ_BYTES):
            data, failures = read_despite_errors(self._disk, name, at, JOURNAL_READ_BYTES)
            if failures or any(data):
                return False
        return True

    def _set_aside(self, name: str, size: int, reason: str) -> None:
        number = max(self._quarantine, default=0) + 1
        new = aside_name("quarantine", number, name)
        try:
            self._disk.rename(name, new)
        except OSError:
            self._report.damage(name, 0, size, reason, "could not be moved aside, ignored")
            return
        self._report.damage(name, 0, size, reason, "moved aside")
        self._report.quarantined.append(new)
        self._note_quarantined(number, new, name, size)

    def _note_quarantined(self, number: int, name: str, old: str, size: int) -> None:
        while number in self._quarantine:  # two files with one number: a person copied one
            number += 1
        self._quarantine[number] = (name, size)
        claim = parse_name(old)
        if claim is not None:
            self._claims.append(claim)

    def _accept_barren(self, name: str, size: int, identity: Identity) -> None:
        """List a rewritten file without records for deletion if the file it was to replace is there; else set it aside.

        The former is a power cut in the first moments of a rewriting; the latter is damage."""
        for other in self._scanned:
            if other[2:4] == identity[2:4] and other < identity and other.first == identity.first:
                self._leftovers.append(name)
                self._sizes[name] = size
                return
        self._set_aside(name, size, "no readable record")

    def _accept_empty(self, name: str, size: int, identity: Identity) -> None:
        """Delete a file that holds nothing, as power cuts leave them, unless its stream continues after it."""
        same = [other for other in self._scanned if other[2:4] == identity[2:4]]  # epoch and lane
        rewriting = any(other < identity and other.first == identity.first for other in same)
        if any(other > identity for other in same) and not rewriting:
            self._set_aside(name, size, "no record, though later files have some")
            return
        try:
            self._disk.delete(name)
        except OSError:
            self._report.damage(name, 0, size, "no record", "could not be deleted, ignored")
            return
        self._report.damage(name, 0, size, "no record", "deleted")

    def _bound_quarantine(self) -> None:
        """Delete the oldest files set aside, down to the limits, but never the last one, however large."""
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
