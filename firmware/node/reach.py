"""Whether the gateway is there: what a restart of one's own waits for, and what the LED says. Decides nothing else."""

from node import limits


class Reach:
    """`telemetry_s`: how often this node reports."""

    def __init__(self, telemetry_s, *, now_ms):
        # The gateway has answered under keys of ours, at least once.
        self.has_exchanged = False
        self._silence_ms = 2000 * telemetry_s + limits.LINK_PATIENCE_MS
        self._exchanged_ms = now_ms
        self._asked_ms = None
        self._saving_ms = None

    def answered(self, now_ms) -> None:
        """It has, just now."""
        self.has_exchanged = True
        self._exchanged_ms = now_ms

    def is_linked(self, now_ms) -> bool:
        """It has answered lately: since two telemetry records should have left, and then some."""
        return self.has_exchanged and now_ms - self._exchanged_ms < self._silence_ms

    def holds_restart(self, waiting, now_ms) -> bool:
        """Whether a restart should wait for the `waiting` records, which a gateway that is there would still take: for
        so long from the first time that this is asked."""
        if self._asked_ms is None:
            self._asked_ms = now_ms
        is_patient = now_ms - self._asked_ms < limits.RESTART_PATIENCE_MS
        return is_patient and waiting > 0 and self.is_linked(now_ms)

    def has_saved(self, outbox, now_ms, *, is_wanted) -> bool:
        """Whether what no gateway took is on flash, which begins when a restart `is_wanted` now; or cannot be, for so
        long."""
        if not is_wanted:
            self._saving_ms = None
            return False
        if self._saving_ms is None:
            self._saving_ms = now_ms
            outbox.empty()
        return outbox.is_emptied() or now_ms - self._saving_ms >= limits.RESTART_PATIENCE_MS
