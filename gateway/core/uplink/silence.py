"""How long nothing has moved above, and when to doubt that anybody is there.

When nothing has moved for UPLINK_SILENCE_FIRST_MS the warehouse is *silent*, until something moves; meanwhile
each doubt makes the wait for the next one twice as long, up to UPLINK_SILENCE_LAST_MS. What moves and what is
then sent again is the uplink's affair.
"""

from gateway.core import limits


class Silence:
    """`is_silent` from the first doubt to the next move."""

    def __init__(self) -> None:
        self.is_silent = False
        self._since_ms = 0
        self._wait_ms = limits.UPLINK_SILENCE_FIRST_MS

    def watch(self, now_ms: int) -> None:
        """Something is expected from now on, where nothing was."""
        self._since_ms = now_ms

    def end(self, now_ms: int) -> bool:
        """Something has moved, or a new connection begins; True if it was silent."""
        was_silent, self.is_silent = self.is_silent, False
        self._since_ms = now_ms
        self._wait_ms = limits.UPLINK_SILENCE_FIRST_MS
        return was_silent

    def deadline_ms(self) -> int:
        """When to doubt, if something is expected."""
        return self._since_ms + self._wait_ms

    def doubt(self, now_ms: int) -> bool:
        """The deadline has come; True if this is where the silence begins."""
        begins, self.is_silent = not self.is_silent, True
        self._since_ms = now_ms
        self._wait_ms = min(2 * self._wait_ms, limits.UPLINK_SILENCE_LAST_MS)
        return begins
