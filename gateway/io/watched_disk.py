"""A disk with a sign of life: a sync that was asked for must be reported in time.

A card that is dying can hold its thread in the kernel for good; the loop turns on, nodes are never answered.
Nothing is expected while nothing is asked for.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

from gateway.core.heartbeats import Heartbeats
from gateway.io import clock
from gateway.io.disk import FileDisk

# Cards stall for seconds, some for twenty; after a minute it will not come back.
_SYNC_ALLOWED_MS = 60_000


class WatchedDisk(FileDisk):
    """`sync` and `reported` are called in the loop's thread; `unreported` is how many are under way. `name` is the
    one in the ledger of heartbeats."""

    def __init__(
        self, folder: Path, on_synced: Callable[[int, str | None], None], heartbeats: Heartbeats, name: str
    ) -> None:
        super().__init__(folder, on_synced)
        self._heartbeats = heartbeats
        self._name = name
        self.unreported = 0

    def sync(self, names: Sequence[str], ticket: int) -> None:
        """See `Disk`."""
        if not self.unreported:
            self._heartbeats.expect(self._name, _SYNC_ALLOWED_MS, now_ms=clock.monotonic_ms())
        self.unreported += 1
        super().sync(names, ticket)

    def reported(self) -> None:
        """A sync's outcome has arrived in the loop."""
        self.unreported -= 1
        if self.unreported:
            self._heartbeats.beat(self._name, now_ms=clock.monotonic_ms())
        else:
            self._heartbeats.forget(self._name)
