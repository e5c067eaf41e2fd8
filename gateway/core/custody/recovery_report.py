"""Reports what a start found in the journal's folder, within bounds that no folder can exceed."""

from dataclasses import dataclass, field
from typing import NamedTuple

from gateway.core.custody.stream import Hole, Stream
from gateway.core.limits import JOURNAL_REPORT_ENTRIES_MAX


class Damage(NamedTuple):
    """Describes `length` bytes at `offset` of a file that could not be read as records: why, and what was done."""

    name: str
    offset: int
    length: int
    reason: str
    action: str


class ReportedHole(NamedTuple):
    """Names a hole of a recovered stream and its reason."""

    stream: Stream
    hole: Hole
    reason: str


class ReportedStream(NamedTuple):
    """Describes a stream of an earlier start: positions `first` to before `end`, of which `records` are readable."""

    stream: Stream
    first: int
    end: int
    records: int


@dataclass
class RecoveryReport:
    """Is the result of `Journal.recover`. Lists end at JOURNAL_REPORT_ENTRIES_MAX entries; the counts are complete."""

    streams: list[ReportedStream] = field(default_factory=list)
    records: int = 0
    voids: int = 0  # positions let go on purpose
    bytes: int = 0  # payload bytes of all good records, copies included
    damages: list[Damage] = field(default_factory=list)
    damages_count: int = 0
    holes: list[ReportedHole] = field(default_factory=list)
    holes_count: int = 0
    positions_missed: int = 0  # in holes, of those that an earlier life had listed as durable and not freed
    other_versions: list[str] = field(default_factory=list)  # files of another format version, left as they are
    held_back: list[str] = field(default_factory=list)  # files that lie behind such a one in its stream
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
            self.holes.append(ReportedHole(stream, Hole(first, last), reason))
