"""A node's counters through random cuts of its power: they never fall, lose an hour at most, and wear out no flash."""

from itertools import pairwise

import pytest

from esp32 import flash
from lighting.trade import Streetlight
from node import checkpoint, limits
from node.checkpoint import Wear
from node.trade import Moment
from simulator.world.chance import Prng
from simulator.world.flash import Cut
from tests.portable.node_day import World
from tests.support.green import PLAIN, Green, programs
from tests.support.powered_flash import Flash
from tests.support.silent_node import SilentNode
from tests.support.valve_box import ValveBox
from tests.support.valve_box import settings as box_settings
from tools import firmware_modules
from watering import memory
from watering.trade import WateringTrade
from wire import event, quantity

HOUR_S = 3600
DAYS = 2


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
        self.wear = Wear(before=checkpoint.decode_own(start.own).flash_writes, now_ms=self.now_ms)
        self.wear.spend(checkpoint.BOOT, now_ms=self.now_ms)
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
        if self.wear.spend(checkpoint.CHECKPOINT, now_ms=self.now_ms):
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


@pytest.mark.slow
@pytest.mark.parametrize("kind", firmware_modules.kinds())
def test_days_of_each_kind_write_the_hours_and_little_more_and_the_budget_refuses_none(kind):
    """Counted where the application has them written, in days without a gateway, with all that can be fitted to the
    kind: boosts, strokes, two programmes a night. What the whole budget erases in ten years: test_littlefs_log."""
    node = SilentNode(kind)
    node.run(DAYS)
    written, refused = node.wear.written, node.wear.refused
    assert 24 * DAYS - 1 <= written[checkpoint.CHECKPOINT] <= 28 * DAYS <= limits.CHECKPOINTS_A_DAY * DAYS
    assert 0 < written[checkpoint.LOG] <= limits.LOG_WRITES_A_DAY * DAYS
    assert not any(refused.values())
    assert node.wear.total == 12_345 + sum(written.values())


@pytest.mark.slow
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


class Truth:
    """What really passed the meter (mL), came out of zone 1 (0.1 mm) and opened its valve."""

    def __init__(self, green):
        self._green = green
        self._openings = 0
        self._pulse = green.pipes.pulse
        green.pipes.pulse = self._pulsed

    def _pulsed(self, output, opens, now_ms):
        self._openings += output == 1 and opens
        return self._pulse(output, opens, now_ms)

    def now(self):
        pipes, zone = self._green.pipes, self._green.own.policy.zones[0]
        return pipes.pulses() * 20, pipes.zone_ul[1] // (1000 * zone.area_dm2), self._openings


# Ports that are idle are read every quarter hour; litres and tenths of a millimetre are rounded down twice.
BEFORE_MIN = 60 + 15
ROUNDED = (2000, 2, 0)


@pytest.mark.slow
def test_through_random_restarts_counters_never_fall_and_lose_an_hour_at_most():
    """25 lives of up to five hours whose memory is written each hour; what a cut takes, by what really happened."""
    prng = Prng("restarts")
    green = Green(programs(PLAIN, *[[0, 127, 0, 0, 0, 60 * hour, 0, 7, 50] for hour in (1, 14)]))
    truth = Truth(green)
    last = lost = most = (0, 0, 0)
    for _ in range(25):
        minutes, true = prng.between(1, 300), [truth.now()]
        for past in range(5, minutes, 5):
            green.run(minutes=5)
            true.append(truth.now())
            if past % 60 == 0:
                green.desk.memory = green.desk.trade.memory(green.site.now_ms)
        green.cut(1000 * prng.between(1, 20))
        kept = memory.decode(green.desk.memory)
        assert green.desk.trade.readings(green.desk.moment())[quantity.WATER_VOLUME] == kept.volume_l
        now = (1000 * kept.volume_l, kept.zones[0].irrigated_dmm, kept.zones[0].openings)
        before = true[-1 - BEFORE_MIN // 5] if len(true) > BEFORE_MIN // 5 else true[0]
        for index, (shown, rounded) in enumerate(zip(now, ROUNDED, strict=True)):
            assert shown >= last[index], "a counter fell"
            taken = true[-1][index] - shown - lost[index]
            assert -rounded <= taken <= true[-1][index] - before[index] + rounded
        lost = tuple(there - here for there, here in zip(truth.now(), now, strict=True))
        most = tuple(map(max, most, lost))
        last = now
    assert min(last) > 0 and min(most) > 0, "and some of it was really lost"


@pytest.mark.slow
def test_a_note_that_is_an_hour_old_when_it_is_written_is_seen(monkeypatch):
    """Planted: nothing falls then, and what is shown is what is kept."""
    honest, notes = WateringTrade.memory, [b""]
    monkeypatch.setattr(WateringTrade, "memory", lambda self, now_ms: notes.append(honest(self, now_ms)) or notes[-2])
    with pytest.raises(AssertionError, match="<="):
        test_through_random_restarts_counters_never_fall_and_lose_an_hour_at_most()


# --- a water meter ----------------------------------------------------------------------------------------------


def test_a_meter_of_200_hz_loses_nothing():
    """Through the board's counter and its driver, whose limit is the board's."""
    # 60 L/min at 5 mL a pulse: 200 pulses a second.
    box = metered_box([5000, 60], flow_ml_min=60_000)
    passed = run_with_pulses(box, 1500, 200)
    assert passed * 5 // 1000 > 500
    moment = Moment(box.now_ms, None, None, None, False, {})
    assert box.trade.readings(moment)[quantity.WATER_VOLUME] == passed * 5 // 1000


@pytest.mark.parametrize("hz", [350, 450, 5000])
def test_a_meter_that_a_broken_pipe_makes_too_fast_shuts_the_master_in_a_minute(hz):
    """60 L/min is what the main gives: more is a burst, and what is beyond the board's limit is one too."""
    box = metered_box([5000, 60], flow_ml_min=30_000)
    run_with_pulses(box, 90, hz)
    (burst,) = [told for told in box.events if told[1] == event.PIPE_BURST]
    opened = next(at for at, code, _, detail in box.events if code == event.VALVE_SWITCHED and detail[:2] == (1, True))
    assert burst[0] - opened < 60_000 and not box.valves()[0].is_open


def metered_box(meter, *, flow_ml_min):
    """A valve box with one zone behind its meter, which runs half an hour from 05:00 on."""
    zone = [0, 0, 0, 0, 1, 15_000, flow_ml_min, 0, 0, 1, 60]
    chosen = box_settings([zone], [0, 127, 0, 0, 0, 300, 0, 1, 60])
    return ValveBox({**chosen, "meter": meter})


def run_with_pulses(box, for_s, hz):
    """So many seconds of the box, its meter turning at `hz` while master and zone are open: the pulses it gave."""
    given = 0
    for _ in range(for_s):
        box.run_to(box.now_ms + 1000)
        if box.are_open() == [0, 1]:
            box.parts["FLOW"].turn(hz)
            given += hz
    box.run_to(box.now_ms + 120_000)
    return given


def watered(settings):
    """(Green after a night, {zone: detail of its WATERING_DONE})"""
    green = Green(settings)
    green.run(hours=12)
    return green, {detail[0]: detail for _, _, _, detail in green.events(event.WATERING_DONE)}


def test_a_zone_without_a_meter_reads_nothing_and_the_others_keep_their_own():
    settings = programs(PLAIN, [0, 127, 0, 0, 0, 300, 0, 5, 20])
    settings["watering"][1][2][9] = 0
    green, done = watered(settings)
    assert done[3][2] is None and done[3][3] > 0
    assert abs(done[1][2] - 1000 * green.litres(1)) < 4000


def test_two_zones_that_run_together_share_the_meter_by_what_they_pass():
    settings = programs(PLAIN, [0, 127, 0, 0, 0, 300, 0, 5, 20])
    settings["watering"][1][2][8] = 1
    green, done = watered(settings)
    for zone in (1, 3):
        assert abs(done[zone][2] - 1000 * green.litres(zone)) < 4000
