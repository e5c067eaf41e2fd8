"""What a power cut must not take is on flash at once: a burst's latch, a drought order, a programme that is over. And a
trade that always asks stays within the budget. The whole node, with radio, gateway and pipes."""

import pytest

from node import limits
from node.app import Node
from node.checkpoint import CHECKPOINT, Wear
from node.directives import Directives
from policy import watering as policy
from simulator.estates.sleeper import SleeperStory
from tests.portable.node_day import NOON_UNIX_S, World
from tests.support.green import PLAIN, DryClimate, own, programs
from tests.support.sleepy_world import MIDNIGHT_S, NIGHTLY, Sleepy
from wire import directive, event

# At five, 5 mm for each zone, whatever the balance.
SETTINGS = programs(PLAIN, [0, 127, 0, 0, 0, 300, 0, 7, 50])
HOUR_S, DAY_S = 3600, 86_400


class Mains(SleeperStory):
    """A node on the mains: `told` is what the gateway says in directives."""

    def __init__(self, monkeypatch, settings=SETTINGS):
        self.told = {directive.DROUGHT_LEVEL: policy.NONE}
        monkeypatch.setattr(Directives, "values", lambda _, now_ms: self.told)
        super().__init__(own(settings), DryClimate(), begin_s=MIDNIGHT_S)

    def cut(self):
        """The power goes now, and comes back in five seconds."""
        self.host.power_off()
        self.run(seconds=5)
        self.host.power_on()

    def until(self, code, count=1):
        """Until the node has said so, and five seconds more: valves shut by pulses, and a write waits for them."""
        for _ in range(3 * HOUR_S):
            if len(self.events_of(code)) >= count:
                return self.run(seconds=5)
            self.run(seconds=1)
        raise AssertionError("it never came")

    def skipped(self, why):
        return [detail for _, _, detail in self.events_of(event.WATERING_SKIPPED) if detail[1] == why]

    def litres(self):
        return [self.pipes.zone_ul[zone] // 1_000_000 for zone in (1, 2, 3)]


def test_a_lamps_alarm_is_told_once_on_a_feeder_that_is_cut_and_ends_after_the_repair():
    world = World(unix_s=NOON_UNIX_S + 8 * HOUR_S)
    for burns in (False, False, True):
        world.lamp_burns = burns
        world.power_on()
        world.run(HOUR_S // 4)
        world.power_cut()
        world.run(5)
    assert [made.body.active for _, made in world.events(event.LAMP_FAILURE)] == [True, False]


@pytest.mark.slow
def test_a_burst_stays_latched_through_a_power_cut_right_after_it(monkeypatch):
    story = Mains(monkeypatch)
    story.run(hours=5, minutes=1)
    story.pipes.burst[1] = 25_000
    story.until(event.PIPE_BURST)
    had, lost_ul = story.litres(), story.pipes.lost_ul
    story.cut()
    story.run(minutes=10)
    assert [active for _, active, _ in story.events_of(event.PIPE_BURST)] == [True, True], "told anew at the start"
    story.run(days=2)
    assert (story.litres(), story.pipes.lost_ul) == (had, lost_ul) and story.skipped("burst")


def test_a_burst_that_was_released_stays_so_through_a_power_cut_right_after_it(monkeypatch):
    story = Mains(monkeypatch)
    story.run(hours=5, minutes=1)
    story.pipes.burst[1] = 25_000
    story.until(event.PIPE_BURST)
    story.run(hours=2)
    story.host.node.trade.guard.acknowledge()
    story.until(event.PIPE_BURST, 2)
    story.cut()
    story.run(minutes=10)
    assert [active for _, active, _ in story.events_of(event.PIPE_BURST)] == [True, False]


def test_a_ban_holds_through_a_power_cut_right_after_it_without_the_centre(monkeypatch):
    story = Mains(monkeypatch)
    story.run(hours=4, minutes=30)
    story.told = {directive.DROUGHT_LEVEL: policy.CRISE}
    story.run(seconds=90)
    story.told = {}
    story.cut()
    story.run(hours=2)
    assert story.litres() == [0, 0, 0] and len(story.skipped("drought")) == 3


def test_a_programme_that_is_over_is_over_after_a_power_cut_and_its_water_is_not_forgotten(monkeypatch):
    story = Mains(monkeypatch, programs(PLAIN, [0, 127, 0, 0, 0, 300, 0, 1, 50]))
    story.run(hours=5)
    story.until(event.WATERING_DONE)
    depletion_cmm, had = list(story.host.node.trade.balance.depletion_cmm), story.litres()
    story.cut()
    story.run(seconds=90)
    assert story.host.node.trade.balance.depletion_cmm == depletion_cmm
    story.run(hours=4)
    assert story.litres() == had and not story.events_of(event.WATERING_SKIPPED), "nothing of it is due any more"


def test_a_programme_that_a_power_cut_ends_is_brought_to_its_end(monkeypatch):
    story = Mains(monkeypatch, programs(PLAIN, [0, 127, 0, 0, 0, 300, 0, 1, 50]))
    story.run(hours=5, minutes=10)
    story.cut()
    story.run(hours=1)
    assert 0.9 * 660 < story.litres()[0] <= 660


def test_a_write_waits_for_the_end_of_a_pulse_but_not_for_ever(monkeypatch):
    story = Mains(monkeypatch)
    story.run(hours=1, minutes=30)
    node, now_ms = story.host.node, story.host._local_ms()
    node.trade.keeps += 1
    monkeypatch.setattr(node.trade, "may_write", lambda now_ms: False)
    assert node.checkpoint(now_ms) is None
    assert node.checkpoint(now_ms + limits.WRITE_PATIENCE_MS - 1) is None
    assert node.checkpoint(now_ms + limits.WRITE_PATIENCE_MS) is not None
    monkeypatch.undo()
    assert node.trade.may_write(now_ms)
    node.trade.outputs.close_again(1)
    assert not node.trade.may_write(now_ms)


class Asks(World):
    """A lamp whose trade says at every turn that it must not lose something; `Wear` as on the chip."""

    def power_on(self):
        super().power_on()
        self.node._wear = self.wear = Wear(now_ms=self.now_ms)
        self.written = 0

    def day(self):
        """A turn a second."""
        before = self.written
        for _ in range(DAY_S):
            self.now_ms += 1000
            self.node.trade.keeps += 1
            self.written += self.node.checkpoint(self.now_ms) is not None
        return self.written - before


def test_a_trade_that_always_asks_stays_within_the_budget_of_flash():
    world = Asks()
    world.power_on()
    days = [world.day() for _ in range(4)]
    assert days[0] <= 2 * limits.CHECKPOINTS_A_DAY and max(days[1:]) <= limits.CHECKPOINTS_A_DAY
    assert min(days) >= 24, "and what it has to say is never older than an hour"


def test_a_chip_that_sleeps_does_not_earn_a_day_of_writes_by_each_waking():
    woken = Wear(now_ms=0, is_waking=True)
    assert [woken.spend(CHECKPOINT, now_ms=0) for _ in range(10)].count(True) == limits.CHECKPOINTS_A_WAKING


def test_what_flash_did_not_take_is_written_again_within_minutes():
    world = World()
    world.power_on()
    world.node.trade.keeps += 1
    assert world.node.checkpoint(world.now_ms) is not None
    assert world.node.checkpoint(world.now_ms + limits.CHECKPOINT_AGAIN_MS) is None
    world.node.write_again(world.now_ms)
    assert world.node.checkpoint(world.now_ms + limits.CHECKPOINT_AGAIN_MS) is not None


@pytest.mark.slow
@pytest.mark.parametrize("world", [Sleepy(NIGHTLY)], ids=["on a battery"])
def test_days_of_a_season_write_little_more_than_once_an_hour(world, monkeypatch):
    written = []
    real = Node.checkpoint

    def counted(node, now_ms, **how):
        due = real(node, now_ms, **how)
        written.extend([due] if due is not None else [])
        return due

    monkeypatch.setattr(Node, "checkpoint", counted)
    world.run(days=4)
    assert len(world.events_of(event.WATERING_DONE)) >= 3 * 4
    assert 4 * 20 <= len(written) <= 4 * 26 <= 4 * limits.CHECKPOINTS_A_DAY
