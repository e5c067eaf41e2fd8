"""A node whose decision holds does nothing at a turn in which nothing came and nothing is due, and misses nothing."""

import pytest

from lighting.trade import Streetlight
from node import limits
from node.app import Node
from node.sender import Sender
from policy import lighting
from tests.portable.node_day import NOON_UNIX_S, World
from wire import event

HOUR_S = 3600


@pytest.fixture
def counted(monkeypatch):
    """Counts what lamps do: {"decide": n, "sample": n, "send": n}."""
    counts = {"decide": 0, "sample": 0, "send": 0}

    def count(part, name):
        plain = getattr(part, name)

        def counting(self, *arguments, **more):
            counts[name.strip("_")] += 1
            return plain(self, *arguments, **more)

        monkeypatch.setattr(part, name, counting)

    count(Node, "_decide")
    count(Node, "sample")
    count(Sender, "send")
    return counts


def lit(seconds=HOUR_S, **options):
    """A lamp at night, ten minutes after its start."""
    world = World(unix_s=NOON_UNIX_S + 8 * HOUR_S, **options)
    world.power_on()
    world.run(600)
    return world


def test_a_quiet_hour_has_a_sample_a_minute_and_a_decision_for_each_report(counted):
    world = lit()
    counted.update(decide=0, sample=0)
    world.run(HOUR_S)
    assert counted["sample"] == 60
    assert counted["decide"] <= 4 * 5  # of a report: its turn, the answer, and the turns that send what else waits


def test_a_decision_holds_until_the_calendar_changes_and_no_longer():
    world = lit(plain={"calendar": [1, [[127, 0, 0, 0]], [[[1, 0, 100, 0], [0, 1320, 40, 0], [2, 0, 0, 0]]]]})
    trade = world.node.trade
    change_s = NOON_UNIX_S + 9 * HOUR_S
    assert trade.decided_until_ms - world.now_ms <= 1000 * limits.DIRECTIVES_EVERY_MS
    world.run(change_s - world.unix_s() - 5)
    assert world._level == 100
    world.run(130)
    assert world._level == 40
    assert lighting.reason_parts(trade.outputs.reason) == (0, 2)


@pytest.mark.parametrize("plain", [{"photocell": {}}, {"presence": {}}, {"clo": [[0, 80], [50_000, 100]]}])
def test_a_lamp_whose_light_depends_on_more_than_the_clock_decides_at_every_turn(counted, plain):
    world = lit(plain=plain)
    counted.update(decide=0, sample=0, send=0)
    world.run(HOUR_S)
    assert counted["decide"] >= 60
    assert world.node.trade.decided_until_ms is None
    assert counted["send"] <= 4 * 5  # it looks for something to send only where something is due


def test_a_lamp_without_a_time_decides_at_every_turn(counted):
    world = World()
    world.gateway.knows_time = False
    world.power_on()
    world.run(600)
    assert world.node.trade.decided_until_ms is None or world.node.trade.decided_until_ms <= world.now_ms


def test_a_fault_that_a_quiet_sample_shows_is_reported_in_the_same_turn():
    world = lit()
    world.lamp_burns = False
    world.run(180)
    (at_ms, made), = world.events(event.LAMP_FAILURE)
    assert made.body.active
    assert at_ms <= world.now_ms
    world.run(60)
    assert world.unexplained() == []


def test_a_sample_without_news_leaves_the_records_of_a_sample_that_is_judged(monkeypatch):
    """Lamp and meter fail and return, a technician tests, mains go."""

    def live(judges):
        monkeypatch.setattr(Streetlight, "sample_without_news", judges)
        world = lit()
        for minutes, act in (
            (50, lambda: setattr(world, "lamp_burns", False)),
            (9, lambda: setattr(world, "lamp_burns", True)),
            (40, lambda: setattr(world, "meter_answers", False)),
            (8, lambda: setattr(world, "meter_answers", True)),
            (33, lambda: world.node.local("test")),
            (7, lambda: world.node.local(None)),
            (41, world.power_cut),
            (1, world.power_on),
            (90, lambda: None),
        ):
            world.run(60 * minutes + 13)
            act()
        return [(at_ms, data) for at_ms, _, data in world.made]

    passed, plain = [], Streetlight.sample_without_news

    def counting(self, values, now_ms):
        passed.append(plain(self, values, now_ms))
        return passed[-1]

    assert live(counting) == live(lambda self, values, now_ms: False)
    assert passed.count(True) > 50


@pytest.mark.parametrize("keeps, turns", [(0, False), (1, True)])
def test_a_judged_sample_that_changes_nothing_brings_no_turn(monkeypatch, keeps, turns):
    """But where a flash is to be written."""
    said, sample, judge = [], Node.sample, Streetlight.sample

    def judged(self, values, moment):
        judge(self, values, moment)
        self.keeps += keeps

    def observed(self, values, platform, *, now_ms):
        said.append(sample(self, values, platform, now_ms=now_ms))
        return said[-1]

    monkeypatch.setattr(Streetlight, "sample_without_news", lambda self, values, now_ms: False)
    monkeypatch.setattr(Streetlight, "sample", judged)
    world = lit()
    monkeypatch.setattr(Node, "sample", observed)
    world.run(600)
    assert (said.count(None) > 5) is turns and len(said) == 10


def test_a_technician_is_served_at_once():
    world = lit()
    world.node.local("lock")
    world.run(1)
    assert world.node.outputs.level_percent == 0
    world.node.local(None)
    world.run(1)
    assert world.node.outputs.level_percent == 100


def test_a_sample_that_says_so_leaves_nothing_to_apply_send_or_write(monkeypatch):
    plain, said = Node.sample, []

    def observed(self, values, platform, *, now_ms):
        outputs = self.outputs
        said.append(plain(self, values, platform, now_ms=now_ms))
        if said[-1] is not None:
            assert (self.outputs, self.outgoing(), self.checkpoint(now_ms)) == (outputs, [], None)
            assert said[-1] == self.deadline_ms(now_ms)
        return said[-1]

    monkeypatch.setattr(Node, "sample", observed)
    world = lit()
    written = []
    for _ in range(4):
        world.run(HOUR_S)
        written.append(world.flash)
    assert len(said) - said.count(None) > 150
    assert len(set(written)) == 4, "each hour's checkpoint is written"
