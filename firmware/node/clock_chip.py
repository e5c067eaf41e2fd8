"""Decides about the clock chip beside the node's own time: when its time is accepted, when it is set, when it is
faulty.

The shell reads it at a start and after a sleep; its time is accepted if nothing better is known (`node.timekeeper`),
with a doubt that grows from the time it was set. When the gateway's time is good, a chip is set that was never set, is
off by more than CHIP_OFF_S, or was set so long ago that its doubt exceeds CHIP_STALE_S; once a day at most. A chip that
was set once and is now silent or stopped is reported, and so is one that contradicts the gateway. Must not touch a bus.
"""

from node import limits

SILENT = "silent"
STOPPED = "stopped"


class ClockChip:
    """Decides about one clock chip. `set_s`, `doubt_s`: the remembered time and doubt of its last setting (0:
    never)."""

    def __init__(self, time, set_s, doubt_s, has_reported=False):
        self._time = time
        self.chip_set_s = set_s
        self.chip_doubt_s = doubt_s
        self._is_fitted = False
        self._reading = None  # (Unix s, our instant)
        self._fault = None
        self.has_reported = has_reported  # in this boot

    def read(self, unix_s, fault, *, is_start, now_ms) -> bool:
        """Observes the chip's time: Unix seconds, or None with SILENT or STOPPED. True when its time is accepted."""
        self._is_fitted = True
        if unix_s is None:
            if is_start and self.chip_set_s:
                self._fault = fault
            return False
        self._reading = (unix_s, now_ms)
        doubt_s = chip_uncertainty_s(self.chip_set_s, self.chip_doubt_s, unix_s)
        return doubt_s is not None and self._time.carried(unix_s, doubt_s, now_ms=now_ms)

    def wants_set(self, now_ms):
        """Returns the Unix seconds to set the chip to at once, or None."""
        time = self._time
        if not self._is_fitted or not time.is_synced(now_ms) or time.uncertainty_s(now_ms) > limits.CHIP_SET_DOUBT_S:
            return None
        unix_s = time.unix_s(now_ms)
        if self.chip_set_s and 0 <= unix_s - self.chip_set_s < limits.CHIP_SET_APART_S:
            return None
        doubt_s = chip_uncertainty_s(self.chip_set_s, self.chip_doubt_s, unix_s)
        if self._reading is None or doubt_s is None or doubt_s > limits.CHIP_STALE_S:
            return unix_s
        chip_s = self._reading[0] + (now_ms - self._reading[1]) // 1000
        return unix_s if abs(chip_s - unix_s) > limits.CHIP_OFF_S else None

    def was_set(self, unix_s, is_done, *, now_ms):
        """Observes the outcome of setting the chip. After a failure it is tried again at the next start or waking."""
        if is_done:
            self.chip_set_s, self.chip_doubt_s = unix_s, self._time.uncertainty_s(now_ms)
            self._reading = (unix_s, now_ms)
        else:
            self._is_fitted = False

    def next_fault(self):
        """Returns the word of a fault, once in a boot, else None."""
        word = self._fault or self._time.chip_fault
        if word is None or self.has_reported:
            return None
        self.has_reported = True
        return word


def chip_uncertainty_s(set_s, doubt_s, now_s):
    """Returns the ± seconds of a clock chip that was set at `set_s` ± `doubt_s` and shows `now_s`; None when it was
    never set, or shows an impossible time, before `set_s`."""
    if set_s == 0 or now_s < set_s:
        return None
    return doubt_s + 1 + (now_s - set_s) * limits.CHIP_DRIFT_PPM // 1_000_000
