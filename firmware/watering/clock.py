"""Whether the node's clock may be relied on: that it was set since it was last looked at, and that it is lost."""

from wire import event

# A node that starts gets its time within minutes; longer is worth somebody's look.
_NO_CLOCK_MS = 600_000
# A clock that moved by more than that against the monotonic one was set: whatever rests on it is looked at anew.
_STEP_S = 5


class Clock:
    """Events go into `tell(code, active, detail)`."""

    def __init__(self, tell, *, now_ms: int):
        self._tell = tell
        self.started_ms = now_ms
        self._seen = None  # (Unix s, now_ms) at the last look
        self.is_lost = False

    def stepped(self, moment) -> bool:
        """Set, lost or found since the last `look`."""
        if self._seen is None:
            return moment.unix_s is not None
        if moment.unix_s is None:
            return True
        expected_s = self._seen[0] + (moment.now_ms - self._seen[1]) // 1000
        return abs(moment.unix_s - expected_s) > _STEP_S

    def look(self, moment, is_usable: bool) -> None:
        """Remember it; tell when it has been of no use for long, and when it is again."""
        self._seen = (moment.unix_s, moment.now_ms) if moment.unix_s is not None else None
        is_lost = not is_usable and moment.now_ms - self.started_ms >= _NO_CLOCK_MS
        if is_lost != self.is_lost:
            self.is_lost = is_lost
            self._tell(event.TIME_FALLBACK, is_lost, ("none",))
