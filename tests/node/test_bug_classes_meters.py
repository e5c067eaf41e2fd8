"""Bug class 14: counters that jump, reset or wear out flash. A node's counters through random cuts of its power."""

from itertools import pairwise

import pytest

from esp32 import flash
from lighting.trade import Streetlight
from node import limits, own_memory, wear
from node.wear import Wear
from tests.portable.node_day import World
from tests.support.powered_flash import Cut, Flash
from tests.support.silent_node import SilentNode
from tools import firmware_modules
from wire import event, quantity

HOUR_S = 3600
DAYS = 3


class Meter(World):
    """The world's node, its state on a flash that may lose its power in a write."""

    def __init__(self, seed):
        super().__init__(seed=seed)
        self.medium = Flash()
        self.store = None
        self.wear = None
        self.boots = []
        self.memories = []
        self.at_cut_s = 0
        self.losses_s = []

    def live(self, seconds, cut_at=None):
        """A boot of so long; its last write may be torn."""
        self.store = flash.Store(open_file=self.medium.open)
        start = flash.begin(self.store, self.below)
        self.boots.append(start.boot)
        self.memories.append(int.from_bytes(start.memory[:4], "little"))
        self.losses_s.append(self.at_cut_s - self.memories[-1])
        self.flash = flash.State(start.previous_boot, None, start.memory, start.own)
        self.wear = Wear(before=own_memory.decode(start.own).flash_writes, now_ms=self.now_ms)
        self.wear.spend(wear.BOOT, now_ms=self.now_ms)
        self.power_on()
        end_ms = self.now_ms + 1000 * seconds
        try:
            while self.now_ms < end_ms:
                before = self.flash
                self.run(min(HOUR_S // 4, (end_ms - self.now_ms + 999) // 1000))
                if self.flash is not before:
                    self.keep(start.boot, cut_at if end_ms - self.now_ms < 1000 * HOUR_S else None)
        except Cut:
            pass
        self.medium.cut_at = None
        self.at_cut_s = int.from_bytes(self.node.trade.memory(self.now_ms)[:4], "little")
        self.power_cut()

    def keep(self, boot, cut_at):
        self.medium.operations, self.medium.cut_at = 0, cut_at
        if self.wear.spend(wear.CHECKPOINT, now_ms=self.now_ms):
            self.store.write(flash.State(boot, self.flash.durable_sequence, self.flash.memory, self.flash.own))


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_hours_never_go_back_and_lose_an_hour_at_most_with_each_cut(seed):
    world = Meter(seed)
    for index in range(12):
        world.live(60 + world.below(5 * HOUR_S), cut_at=None if index % 3 else 1 + world.below(60))
    told = [(made.boot, made.body[quantity.LAMP_HOURS]) for _, made in world.telemetry()]
    assert len(told) > 20
    for (boot, before), (later_boot, after) in pairwise(told):
        # What was told in the last hour before a cut is told again; within a boot nothing goes back.
        assert after >= before - (later_boot != boot), "a counter went back"
    assert world.memories == sorted(world.memories), "what flash gives back never goes back"
    assert min(world.losses_s) >= 0 and 0 < max(world.losses_s) <= HOUR_S + HOUR_S // 4, "an hour, and the test's step"
    assert world.boots == sorted(set(world.boots))
    assert all(made.body.detail[0] is None or made.body.detail[0] < made.boot for _, made in world.events(event.BOOT))


@pytest.mark.parametrize("kind", firmware_modules.kinds())
def test_days_of_each_kind_write_the_hours_and_little_more_and_the_budget_refuses_none(kind):
    """Counted where the application has them written, in days without a gateway, with all that can be fitted to the
    kind: boosts, strokes, two programmes a night. What the whole budget erases in ten years: test_littlefs_log."""
    node = SilentNode(kind)
    node.run(DAYS)
    written, refused = node.wear.written, node.wear.refused
    assert 24 * DAYS - 1 <= written[wear.CHECKPOINT] <= 28 * DAYS <= limits.CHECKPOINTS_A_DAY * DAYS
    assert 0 < written[wear.LOG] <= limits.LOG_WRITES_A_DAY * DAYS
    assert not any(refused.values())
    assert node.wear.total == 12_345 + sum(written.values())


def test_a_trade_that_has_each_moment_written_is_seen(monkeypatch):
    """Planted."""
    moments = iter(range(1 << 30))
    monkeypatch.setattr(Streetlight, "keeps", property(lambda trade: next(moments)))
    with pytest.raises(AssertionError):
        test_days_of_each_kind_write_the_hours_and_little_more_and_the_budget_refuses_none("streetlight")


def test_a_counter_that_starts_anew_is_seen(monkeypatch):
    """Planted: what the flash gave back is not used."""
    honest = flash.State
    monkeypatch.setattr(flash, "State", lambda boot, durable, memory, own: honest(boot, durable, memory[:1], own))
    with pytest.raises(AssertionError):
        test_hours_never_go_back_and_lose_an_hour_at_most_with_each_cut(1)


