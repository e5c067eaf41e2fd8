"""A card that dies: the simulated disk, with a switch for each way in which flash ends.

    errors   every operation raises OSError, and syncs that were under way report one
    stalls   writes go to the page cache, and no sync ever completes
    full     not one byte is free

`mend` puts a sound card with the same files in its place (the stall is over, somebody made room).
"""

import errno
from collections.abc import Callable, Sequence

from simulator.world.disk import PendingSync, Prng, SimDisk

SOUND, ERRORS, STALLS, FULL = "sound", "errors", "stalls", "full"


class DyingDisk(SimDisk):
    """One folder of the card."""

    def __init__(self, prng: Prng, *, latency_ms: tuple[int, int], on_pending: Callable[[PendingSync], None]) -> None:
        super().__init__(prng, latency_ms=latency_ms, on_pending=self._begun)
        self._tell = on_pending
        self._stalled: list[PendingSync] = []
        self.state = SOUND

    def become(self, state: str) -> None:
        """One of SOUND, ERRORS, STALLS, FULL."""
        self.state = state
        self.sync_error = "simulated dead card" if state == ERRORS else None
        self.capacity_bytes = self.bytes_used if state == FULL else None
        if state == SOUND:
            stalled, self._stalled = self._stalled, []
            for sync in stalled:
                self._tell(sync)

    def abandon(self) -> None:
        """The process is gone: nobody waits for its syncs any more."""
        self._stalled.clear()

    def power_cut(self, tear: str | None = None) -> None:
        """See `SimDisk`."""
        self._stalled.clear()
        super().power_cut(tear)

    def size(self, name: str) -> int:
        """See `Disk`."""
        self._try()
        return super().size(name)

    def read(self, name: str, offset: int, length: int) -> bytes:
        """See `Disk`."""
        self._try()
        return super().read(name, offset, length)

    def append(self, name: str, data: bytes) -> None:
        """See `Disk`."""
        self._try()
        super().append(name, data)

    def delete(self, name: str) -> None:
        """See `Disk`."""
        self._try()
        super().delete(name)

    def rename(self, old: str, new: str) -> None:
        """See `Disk`."""
        self._try()
        super().rename(old, new)

    def free_bytes(self) -> int:
        """See `Disk`."""
        self._try()
        return super().free_bytes()

    def _begun(self, sync: PendingSync) -> None:
        if self.state == STALLS:
            self._stalled.append(sync)
        else:
            self._tell(sync)

    def _try(self) -> None:
        if self.state == ERRORS:
            raise OSError(errno.EIO, "simulated dead card")

    # Last in the class, so that the name does not hide the built-in type from the annotations above.
    def list(self) -> Sequence[str]:
        """See `Disk`."""
        self._try()
        return super().list()
