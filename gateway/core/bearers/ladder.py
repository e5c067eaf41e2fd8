"""When a mobile bearer that stays down has its modem reset, and how hard. Ever more rarely, never in a loop.

The rungs: wait; let it choose an operator anew; restart it; cut its power. A restarted modem may need most of an
hour to register again, and a reset meanwhile would start that hour anew: resets that follow each other too fast
are how modems never return (eclipse-kura/kura#2827). A SIM that asks for its code is not helped by any reset.
"""

from gateway.core import limits

RESELECT, RESTART, POWER = "reselect", "restart", "power"
_DAY_MS = 86_400_000


class ResetLadder:
    """`has_power`: there is a way to cut the modem's power."""

    def __init__(self, *, has_power: bool) -> None:
        self._has_power = has_power
        self._is_down = False
        self._rung = 0
        self._at_ms = 0
        self._since_ms = 0  # down began, or the last reset
        self._up_ms = 0
        self._power_wait_ms = limits.MODEM_POWER_WAIT_MS
        self._done_ms: list[int] = []
        self.counters = {RESELECT: 0, RESTART: 0, POWER: 0}

    def tell(self, is_down: bool, *, now_ms: int) -> None:
        """Whether the bearer is down."""
        if is_down == self._is_down:
            return
        self._is_down = is_down
        if not is_down:
            self._up_ms = now_ms
            return
        if now_ms - self._up_ms >= limits.MODEM_STEADY_MS:
            self._rung = 0
            self._power_wait_ms = limits.MODEM_POWER_WAIT_MS
        # What was waited before it came up for a moment does not count.
        self.hold(now_ms=now_ms)

    def hold(self, *, now_ms: int) -> None:
        """No reset can help now: what was waited does not count."""
        self._since_ms = now_ms
        self._at_ms = now_ms + self._wait_ms()

    def deadline_ms(self) -> int | None:
        if not self._is_down:
            return None
        if len(self._done_ms) < limits.MODEM_RESETS_PER_DAY_MAX:
            return self._at_ms
        return max(self._at_ms, self._done_ms[-limits.MODEM_RESETS_PER_DAY_MAX] + _DAY_MS)

    def take_due(self, *, can_talk: bool, now_ms: int) -> str | None:
        """The reset to do now, which counts as done. Not to be called while the SIM is locked."""
        at_ms = self.deadline_ms()
        if at_ms is None or now_ms < at_ms:
            return None
        if not can_talk and self._rung < 2:
            # It may be on its way back by itself: its power is cut after that hour, not now.
            self._rung = 2
            self._at_ms = max(self._since_ms + limits.MODEM_POWER_WAIT_MS, now_ms + 1)
            return None
        reset = self._reset(can_talk)
        self._since_ms = now_ms
        self._rung = min(self._rung + 1, 3)
        self._at_ms = now_ms + self._wait_ms()
        if self._rung == 3:
            self._power_wait_ms = min(2 * self._power_wait_ms, limits.MODEM_POWER_WAIT_LAST_MS)
        if reset is not None:
            self.counters[reset] += 1
            self._done_ms = [*self._done_ms, now_ms][-limits.MODEM_RESETS_PER_DAY_MAX :]
        return reset

    def _reset(self, can_talk: bool) -> str | None:
        if self._rung == 0:
            return RESELECT
        if self._rung >= 2 and self._has_power:
            return POWER
        return RESTART if can_talk else None

    def _wait_ms(self) -> int:
        waits = (limits.MODEM_RESELECT_WAIT_MS, limits.MODEM_RESTART_WAIT_MS, limits.MODEM_POWER_WAIT_MS)
        return waits[self._rung] if self._rung < 3 else self._power_wait_ms
