"""How many bytes the journal may hold: the configured cap, what the partition has left, the alarms' reserve.

    cap       the configured one; less where the partition cannot hold it (free space is looked at now and
              then, never at each append); more where an earlier start left more: a lowered cap is reached by
              draining, and records are let go only once new ones have been refused
    limit     the cap less the reserve; for alarms all but the last of the configured cap, which is for what
              explains a loss: whether the partition still holds one of these, only trying tells
    headroom  below the limit: there thinning begins, so that it can write a segment anew before the end

The *ballast* is a file without meaning. On a full card it is given up so that an alarm, or the record that
explains why others are let go, can still be written; it is made again when there is room.

Decides nothing about records. It must never raise for the world's sake: a disk that does not tell is taken to
be as it was.
"""

from gateway.core import limits
from gateway.core.custody.disk import Disk

BALLAST = "ballast"


class Room:
    """See the module. `held` is always the bytes of all files that count, as the journal knows them."""

    def __init__(
        self,
        disk: Disk,
        *,
        bytes_max: int,
        alarm_reserve_bytes: int,
        segment_bytes_max: int,
        free_margin_bytes: int = limits.JOURNAL_FREE_MARGIN_BYTES,
        ballast_bytes: int = limits.JOURNAL_BALLAST_BYTES,
    ) -> None:
        self._disk = disk
        self._bytes_max = bytes_max
        self._reserve = alarm_reserve_bytes
        self._segment_bytes_max = segment_bytes_max
        self._margin = free_margin_bytes + segment_bytes_max
        self._ballast_bytes = ballast_bytes
        self._ballast_held = 0
        self._grace = 0  # the cap while more than the configured one is held
        self._was_full = False
        self._partition: int | None = None
        self.claimed_bytes = 0  # of a segment being rewritten, not yet written: kept free of records
        self.free_bytes: int | None = None
        self.counters = {"ballast-made": 0, "ballast-given-up": 0, "disk-errors": 0}

    @property
    def ceiling(self) -> int:
        """What the files may come to, whatever the partition says."""
        return max(self._bytes_max, self._grace)

    @property
    def cap(self) -> int:
        """The effective cap."""
        return self.ceiling if self._partition is None else min(self.ceiling, self._partition)

    def limit(self, *, alarm: bool, explains: bool) -> int:
        """How far a record may fill the journal: an alarm, one that explains why others are let go, or neither."""
        if explains:
            return self.ceiling
        if alarm:
            return self.ceiling - self._kept_to_explain()
        return self.cap - self._kept_for_alarms() - self.claimed_bytes

    def is_short(self, held: int) -> bool:
        """True when lanes other than `alarm` come near their limit."""
        limit = self.cap - self._kept_for_alarms()
        return held > limit - self._headroom(limit) and (self._was_full or self._grace <= self._bytes_max)

    def is_short_of_all(self, held: int) -> bool:
        """True when all that is configured is all but full. What the partition lacks is no reason to let alarms go."""
        return held > self.ceiling - 2 * self._kept_to_explain()

    def started(self, held: int) -> None:
        """Take in what an earlier start left."""
        if held > self._bytes_max:
            self._grace = held + self._reserve

    def shrank(self, held: int) -> None:
        """Files went: what is held above the configured cap only ever becomes less."""
        self._grace = min(self._grace, held + self._reserve)

    def was_full(self) -> None:
        """A record was refused."""
        self._was_full = True

    def look(self, held: int) -> None:
        """Ask the disk how much is free; tend the ballast."""
        try:
            self.free_bytes = self._disk.free_bytes()
            self._tend_ballast()
        except OSError:
            self.counters["disk-errors"] += 1
        if self.free_bytes is not None:
            self._partition = max(0, held + self.free_bytes - self._margin)

    def give_up_ballast(self) -> bool:
        """On a full disk: return True if there is room again for a little."""
        try:
            self._disk.delete(BALLAST)
        except OSError:
            return False
        self._ballast_held = 0
        self.counters["ballast-given-up"] += 1
        return True

    def _kept_for_alarms(self) -> int:
        return self._reserve if self.cap >= self._bytes_max else min(self._reserve, self.cap // 4)

    def _kept_to_explain(self) -> int:
        return min(limits.JOURNAL_EXPLAIN_BYTES, self.ceiling // 16)

    def _headroom(self, limit: int) -> int:
        return min(limits.THINNING_HEADROOM_SEGMENTS * self._segment_bytes_max, max(0, limit) // 4)

    def _tend_ballast(self) -> None:
        if not self._ballast_held and BALLAST in self._disk.list():
            self._ballast_held = self._disk.size(BALLAST)
        missing = self._ballast_bytes - self._ballast_held
        assert self.free_bytes is not None
        if missing <= 0 or self.free_bytes < missing + self._margin:
            return
        self._disk.append(BALLAST, bytes(missing))
        self._ballast_held += missing
        self.free_bytes -= missing
        self.counters["ballast-made"] += 1
