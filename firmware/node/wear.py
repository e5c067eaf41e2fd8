"""What a node writes to its flash, by purpose, and how much of it a day.

Flash bears some 100,000 erasures of a block (data sheets of the W25Q and GD25Q families); littlefs spreads them over
the free blocks, and each write of ours costs two of them at most (one of data, and a share of its directory's). So a
budget of writes a day is a life time. A fault that writes in a loop (an alarm that comes and goes) is stopped by it,
and seen in the health record; what must never be refused is only counted. The ledger is of one life: against crashes at
every start stand the guard, and that one and the same crash is noted once (esp32.lifeline).
"""

from node import limits

BOOT = "boot"
CHECKPOINT = "checkpoint"
LOG = "log"
SETTINGS = "settings"

# Writes a day, None: never refused. What was not used is kept for a day.
BUDGETS = (
    (BOOT, None),
    (CHECKPOINT, limits.CHECKPOINTS_A_DAY),
    (LOG, limits.LOG_WRITES_A_DAY),
    (SETTINGS, None),
)
_DAY_MS = 86_400_000


class Wear:
    """`total`: writes since the board was made, the earlier ones being `before`. `refused`: by purpose. `is_waking`: of
    a chip that slept, and has not earned a whole day's places by it."""

    def __init__(self, *, before=0, now_ms, is_waking=False):
        self.total = before
        self.written = {purpose: 0 for purpose, _ in BUDGETS}
        self.refused = dict.fromkeys(self.written, 0)
        self._left = {purpose: budget for purpose, budget in BUDGETS if budget is not None}
        self._filled_ms = dict.fromkeys(self._left, now_ms)
        if is_waking:
            self._left[CHECKPOINT] = limits.CHECKPOINTS_A_WAKING

    def spend(self, purpose, *, now_ms) -> bool:
        """One write is wanted: True counts it; False: not today."""
        if purpose in self._left:
            self._fill(purpose, now_ms)
            if self._left[purpose] == 0:
                self.refused[purpose] += 1
                return False
            self._left[purpose] -= 1
        self.written[purpose] += 1
        self.total += 1
        return True

    def _fill(self, purpose, now_ms):
        """A place comes back every part of a day; never more than a day's are kept."""
        budget = next(a_day for name, a_day in BUDGETS if name == purpose)
        each_ms = _DAY_MS // budget
        places = (now_ms - self._filled_ms[purpose]) // each_ms
        if places > 0:
            self._left[purpose] = min(budget, self._left[purpose] + places)
            self._filled_ms[purpose] += places * each_ms
