"""A metered interface and the budget that watches it, on a slow simulated disk, over restarts of agent and machine."""

from random import Random

from gateway.core.bearers.budget import Budget
from simulator.world.disk import SimDisk

MB = 1_000_000
LIMIT = 500 * MB
NOVEMBER_1 = 1_793_487_600  # 2026-11-01 00:00 in Paris
DAY_S = 86_400


class Meter:
    """A metered interface and the budget that watches it, over restarts."""

    def __init__(self, disk=None, limit=LIMIT, *, unix_s=NOVEMBER_1, seed=1):
        self.disk = disk or SimDisk(Random(seed))
        self.limit = limit
        self.unix_s = unix_s
        self.now_ms = 0
        self.counter = 0
        self.interface = "boot-a/3"
        self.restart()

    def restart(self):
        self.budget = Budget(self.disk, "mobile", self.limit, now_ms=self.now_ms)

    def use(self, used, *, after_s=0):
        self.counter += used
        self.now_ms += 1000 * after_s
        if self.unix_s is not None:
            self.unix_s += after_s
        # The disk is slow: what was written at the last count is durable only now.
        for pending in self.disk.pending:
            self.disk.complete(pending.ticket)
        self.budget.count(self.counter, interface=self.interface, unix_s=self.unix_s, now_ms=self.now_ms)

    @property
    def used(self):
        return self.budget.health()["used"]
