"""The whole trade, turn by turn: presence within two seconds, events with their rules, memory, gears, and privacy."""

import pytest

import kinds
from lighting import decision, inputs, limits, memory
from lighting.dali_banks import Asset, Ratings
from lighting.trade import Output, Streetlight
from node.trade import Moment
from policy import civil, lighting
from policy.fault import Faults
from wire import cbor, event, node_order, quantity, record

KIND = kinds.load("streetlight")
NODE = b"\x7c\x1f\x0a\x2c\x01\x00\x00\x02"
SITE = [474736, -5516]
EVENING = civil.days_from_civil(2026, 11, 24)
SUNSET_S = lighting.Night(lighting.DEFAULT_CALENDAR, lighting.Site(SITE[0], SITE[1], civil.PARIS), EVENING).sunset_s
DIMMED = [1, [[127, 0, 0, 0]], [[[1, 0, 30], [2, 0, 0]]]]
EXTINCTION = [1, [[127, 0, 0, 0]], [[[1, 0, 60], [0, 1410, 0], [0, 300, 60], [2, 0, 0]]]]
ASSET = Asset(3760123456789, (1 << 64) - 3, 24, 12, 36, 6, 220, 240, 5400, 80, 2700, 3, "gris", "L" * 60)


class Lamp:
    """A trade in virtual time, sampled once a minute. `said`: [(instant ms, code, active, detail)]."""

    def __init__(self, *, unix_s=SUNSET_S + 3600, memory=b"", **plain):
        faults = Faults()
        own = KIND.decode(faults, {"site": SITE, "lamp": [360, 6], **plain})
        assert not faults.listed()
        self.now_ms = 5_000_000
        self.unix_s = unix_s
        self.uncertainty_s = 1
        self.order = None
        self.order_expected = False
        self.values = {}
        self.said = []
        self.levels = []
        self.trade = KIND.make_trade(own, kinds.Start(NODE, memory, self.now_ms, None))
        self.turn()

    def moment(self):
        return Moment(self.now_ms, self.unix_s, self.uncertainty_s, self.order, self.order_expected, {})

    def turn(self):
        self.trade.decide(self.moment())
        self.said += [(self.now_ms, *told) for told in self.trade.drain_events()]
        if not self.levels or self.levels[-1][1] != self.trade.outputs.level_percent:
            self.levels.append((self.now_ms, self.trade.outputs.level_percent))

    def live(self, ms, *, step_ms=100):
        end_ms = self.now_ms + ms
        while self.now_ms < end_ms:
            self.now_ms += step_ms
            if self.unix_s is not None and self.now_ms % 1000 < step_ms:
                self.unix_s += max(1, step_ms // 1000)
            self.turn()
        return self

    def passer_by(self):
        self.trade.sense({quantity.OCCUPANCY: 1}, self.moment())
        self.turn()
        return self

    def minutes(self, count, *, came=False):
        """Samples once a minute. `came`: a person is still there then."""
        for _ in range(count):
            self.live(60_000, step_ms=60_000)
            if came:
                self.passer_by().live(1000, step_ms=500)
            self.trade.sample(self.reading(), self.moment())
            self.turn()
        return self

    def reading(self):
        power = self.trade._watch.expected_dw(self.trade.outputs.level_percent)
        found = {quantity.POWER: power, quantity.VOLTAGE: 2300, quantity.ENERGY: 7}
        found.update(self.values)
        return {key: value for key, value in found.items() if value is not None}

    def codes(self, *codes):
        return [(code, active) for _, code, active, _ in self.said if not codes or code in codes]

    def rules(self):
        return [detail[2] for _, code, _, detail in self.said if code == event.LEVEL_CHANGED]

    @property
    def level(self):
        return self.trade.outputs.level_percent


PRESENCE = {"level": 100, "up_ms": 1000, "hold_s": 45, "down_s": 30}


def test_it_is_lit_before_anything_is_known():
    lamp = Lamp(unix_s=None)
    assert lamp.trade.outputs[:2] == (100, decision.NO_TIME)
    made = Streetlight(KIND.decode(Faults(), {"site": SITE, "lamp": [360, 6]}), kinds.Start(NODE, b"", 0, None))
    assert made.outputs == Output(100, decision.BOOT, 0), "even before its first turn"


def test_who_comes_has_full_light_within_two_seconds():
    lamp = Lamp(calendar=DIMMED, presence=PRESENCE)
    assert lamp.level == 30
    came_ms = lamp.now_ms
    lamp.passer_by().live(2000)
    assert lamp.level == 100
    assert next(at_ms for at_ms, level in lamp.levels if level == 100) - came_ms <= 2000
    assert len([level for at_ms, level in lamp.levels if at_ms > came_ms]) >= 5, "a ramp, not a flash"


def test_the_deadline_asks_for_every_step_of_a_ramp_and_for_the_end_of_the_hold():
    lamp = Lamp(calendar=DIMMED, presence=PRESENCE)
    lamp.passer_by()
    assert lamp.trade.deadline_ms(lamp.now_ms) == lamp.now_ms + limits.RAMP_STEP_MS
    lamp.live(5000)
    assert lamp.trade.deadline_ms(lamp.now_ms) == lamp.now_ms + 40_000


def test_the_light_goes_slowly_after_the_last_passer_by():
    lamp = Lamp(calendar=DIMMED, presence=PRESENCE)
    lamp.passer_by().live(46_000)
    assert 90 < lamp.level <= 100
    lamp.live(15_000)
    assert 55 < lamp.level < 80
    lamp.live(20_000)
    assert lamp.level == 30
    assert lamp.rules() == [decision.CALENDAR]


def test_presence_lights_no_day_and_an_extinction_only_where_it_is_wanted():
    day = Lamp(unix_s=SUNSET_S - 4 * 3600, calendar=EXTINCTION, presence={**PRESENCE, "in_extinction": 1})
    assert day.passer_by().live(3000).level == 0
    midnight = SUNSET_S + 8 * 3600
    assert Lamp(unix_s=midnight, calendar=EXTINCTION, presence=PRESENCE).passer_by().live(3000).level == 0
    wanted = Lamp(unix_s=midnight, calendar=EXTINCTION, presence={**PRESENCE, "in_extinction": 1})
    assert wanted.level == 0 and wanted.passer_by().live(3000).level == 100


def test_a_stuck_detector_holds_the_boost_and_is_told():
    lamp = Lamp(calendar=DIMMED, presence={**PRESENCE, "per_hour": 20})
    for _ in range(21):
        lamp.passer_by().live(11_000, step_ms=500)
    assert lamp.codes(event.PRESENCE_SENSOR_FAILURE) == [(event.PRESENCE_SENSOR_FAILURE, True)]
    assert lamp.live(600_000, step_ms=1000).level == 100
    lamp.live(4_000_000, step_ms=1000)
    assert lamp.codes(event.PRESENCE_SENSOR_FAILURE)[-1] == (event.PRESENCE_SENSOR_FAILURE, False)
    assert lamp.level == 30


class Order:
    def __init__(self, level_percent, rule="override"):
        self.level_percent, self.rule, self.id = level_percent, rule, b"12345678"


def test_an_order_is_obeyed_at_once_and_presence_rests_under_it():
    lamp = Lamp(calendar=DIMMED, presence=PRESENCE)
    lamp.passer_by().live(3000)
    lamp.order = Order(10)
    lamp.turn()
    assert lamp.trade.outputs == (10, "override", b"12345678")
    assert lamp.passer_by().live(3000).level == 10


def test_a_boost_that_ends_under_an_order_wants_no_turn_for_ever():
    lamp = Lamp(calendar=DIMMED, presence={**PRESENCE, "per_hour": 20})
    for _ in range(22):
        lamp.passer_by().live(11_000, step_ms=500)
    lamp.order = Order(50)
    for _ in range(120):
        lamp.live(60_000, step_ms=60_000)
        deadline_ms = lamp.trade.deadline_ms(lamp.now_ms)
        assert deadline_ms is None or deadline_ms > lamp.now_ms
    lamp.order = None
    lamp.turn()
    assert lamp.level == 30


def test_no_darker_while_an_order_may_be_on_its_way_but_brighter():
    lamp = Lamp(calendar=EXTINCTION)
    lamp.order_expected = True
    lamp.unix_s = SUNSET_S + 8 * 3600
    lamp.turn()
    assert lamp.level == 60, "the extinction waits"
    lamp.order_expected = False
    lamp.turn()
    assert lamp.level == 0
    lamp.order_expected = True
    lamp.unix_s = SUNSET_S + 3600
    lamp.turn()
    assert lamp.level == 60


def test_light_is_what_is_told_and_the_gear_gets_its_share():
    lamp = Lamp(virtual_output=80, clo=[[0, 75], [20000, 100]])
    lamp.minutes(2)
    assert lamp.level == 60
    assert lamp.trade.readings(lamp.moment())[quantity.LEVEL_ORDERED] == 100
    assert lamp.codes(event.POWER_TOO_LOW) == []


def test_an_old_lamp_gets_more():
    old = memory.encode(memory.EMPTY._replace(lamp_s=3600 * 20_000))
    assert Lamp(virtual_output=80, clo=[[0, 75], [20000, 100]], memory=old).level == 80


def test_a_relay_output_is_full_or_dark():
    assert Lamp(calendar=DIMMED, output="relay").level == 100


def test_hours_starts_and_energy_go_on_after_a_power_cut():
    lamp = Lamp()
    for minute in range(120):
        lamp.values = {quantity.ENERGY: minute * 36 // 60}
        lamp.minutes(1)
    kept = lamp.trade.memory(lamp.now_ms)
    again = Lamp(memory=kept)
    again.values = {quantity.ENERGY: 0}
    again.minutes(1)
    readings = again.trade.readings(again.moment())
    assert readings[quantity.LAMP_HOURS] == 2
    assert readings[quantity.ENERGY] == 71
    assert len(kept) <= 192


def test_on_a_switched_feeder_each_dusk_is_a_start():
    kept = b""
    for night in range(1, 4):
        lamp = Lamp(memory=kept, feeder="switched")
        lamp.trade.powered()
        kept = lamp.minutes(60).trade.memory(lamp.now_ms)
        assert lamp.trade.health(lamp.moment())[quantity.LAMP_STARTS] == night


def test_a_fault_is_told_with_what_showed_it():
    lamp = Lamp().minutes(10)
    lamp.values = {quantity.POWER: 6}
    lamp.minutes(6)
    ((_, _, active, detail),) = [told for told in lamp.said if told[1] == event.LAMP_FAILURE]
    assert active is True
    assert detail[quantity.POWER] == 6 and detail[quantity.LEVEL_ORDERED] == 100


def test_a_dimmed_healthy_night_with_all_extras_is_silent():
    lamp = Lamp(calendar=EXTINCTION, virtual_output=80, photocell={}, gradient=115)
    lamp.values = {quantity.ILLUMINANCE: 2, quantity.CURRENT: 160}
    for _ in range(5):
        lamp.minutes(60)
    assert {code for code, _ in lamp.codes()} == {event.LEVEL_CHANGED}


def test_a_cell_that_falls_silent_is_told_and_the_calendar_goes_on():
    lamp = Lamp(photocell={}).minutes(6)
    assert lamp.codes(event.SENSOR_FAILURE) == [(event.SENSOR_FAILURE, True)]
    assert lamp.said[-1][3] == ("photocell", "silent")
    lamp.values = {quantity.ILLUMINANCE: 1}
    assert lamp.minutes(1).codes(event.SENSOR_FAILURE)[-1] == (event.SENSOR_FAILURE, False)


def test_a_dirty_cell_is_told_on_its_second_day():
    lamp = Lamp(unix_s=SUNSET_S - 5 * 3600, photocell={})
    lamp.values = {quantity.ILLUMINANCE: 0}
    lamp.minutes(26 * 60)
    assert lamp.codes(event.PHOTOCELL_FAILURE) == [(event.PHOTOCELL_FAILURE, True)]
    assert [detail for _, code, _, detail in lamp.said if code == event.PHOTOCELL_FAILURE] == [("dark",)]


# --- a DALI gear ----------------------------------------------------------------------------------------------------

HEALTHY = {inputs.GEAR_STATUS: 4, inputs.GEAR_FLAGS: (0, 0x3FF), quantity.LEVEL_REPORTED: 100}


def gear(**plain):
    lamp = Lamp(output="dali", **plain)
    lamp.values = dict(HEALTHY)
    return lamp.minutes(6)


def test_a_healthy_gear_is_silent_and_nothing_inner_is_recorded():
    lamp = gear()
    assert {code for code, _ in lamp.codes()} == {event.LEVEL_CHANGED}
    assert all(key >= 0 for key in lamp.trade.readings(lamp.moment()))
    assert lamp.trade.readings(lamp.moment())[quantity.LEVEL_REPORTED] == 100


def test_a_gear_that_does_not_answer_is_told_after_three_rounds():
    lamp = gear()
    lamp.values = dict.fromkeys((*HEALTHY, quantity.POWER, quantity.ENERGY, quantity.VOLTAGE))
    lamp.minutes(3)
    assert lamp.codes(event.GEAR_COMM_FAILURE) == [(event.GEAR_COMM_FAILURE, True)]
    lamp.values = dict(HEALTHY)
    assert lamp.minutes(1).codes(event.GEAR_COMM_FAILURE)[-1] == (event.GEAR_COMM_FAILURE, False)


def test_a_gears_flags_are_told_by_their_words_and_kept_while_it_says_nothing_new():
    lamp = gear()
    lamp.values[inputs.GEAR_FLAGS] = (0b10_0010, 0x3F)  # undervoltage, thermal-shutdown
    lamp.minutes(1)
    lamp.values[inputs.GEAR_FLAGS] = None
    lamp.minutes(5)
    lamp.values[inputs.GEAR_FLAGS] = (0, 0x3C0)  # of its light source, nothing
    lamp.minutes(1)
    lamp.values[inputs.GEAR_FLAGS] = (0b10, 0x3F)
    lamp.minutes(1)
    told = [(active, detail) for _, code, active, detail in lamp.said if code == event.GEAR_FAILURE]
    assert told == [(True, ("undervoltage",)), (True, ("thermal-shutdown",)), (False, ("thermal-shutdown",))]


def test_a_gears_own_word_makes_a_lamp_failure():
    lamp = gear()
    lamp.values[inputs.GEAR_STATUS] = 2
    assert lamp.minutes(3).codes(event.LAMP_FAILURE) == [(event.LAMP_FAILURE, True)]


def test_the_asset_record_is_told_once_in_the_life_of_a_gear_and_fits_a_record():
    lamp = gear()
    lamp.values[inputs.ASSET] = (ASSET, Ratings(100_000, 6500, None))
    lamp.minutes(3)
    told = [detail for _, code, _, detail in lamp.said if code == event.LAMP_ASSET]
    assert len(told) == 1 and told[0][0] == ASSET.gtin and told[0][-3:] == (100_000, 6500, None)
    writer = cbor.Writer(bytearray(256))
    body = record.EventBody(event.LAMP_ASSET, None, told[0])
    made = record.Record(1, 1, record.Stamp(record.SYNCED, lamp.unix_s, 1), body)
    record.write(writer, made)
    assert len(writer.view()) <= 200
    assert record.decode_payload(bytes(writer.view()))[0].body.detail == list(told[0])
    again = Lamp(output="dali", memory=lamp.trade.memory(lamp.now_ms))
    again.values = {**HEALTHY, inputs.ASSET: (ASSET, Ratings(100_000, 6500, None))}
    assert again.minutes(2).codes(event.LAMP_ASSET) == []
    again.values[inputs.ASSET] = (ASSET._replace(luminaire_id=9), None)
    assert again.minutes(2).codes(event.LAMP_ASSET) == [(event.LAMP_ASSET, None)]


def test_a_gear_counts_its_energy_through_the_power_cut():
    lamp = gear()
    lamp.values[quantity.ENERGY] = 9000
    lamp.minutes(1)
    before = lamp.trade.readings(lamp.moment())[quantity.ENERGY]
    again = Lamp(output="dali", memory=lamp.trade.memory(lamp.now_ms))
    again.values = {**HEALTHY, quantity.ENERGY: 9050}
    again.minutes(1)
    assert again.trade.readings(again.moment())[quantity.ENERGY] == before + 50


def test_what_changes_slowly_goes_with_health():
    lamp = gear()
    lamp.values.update({quantity.GEAR_HOURS: 2000, quantity.FREQUENCY: 5000})
    lamp.minutes(1)
    assert quantity.GEAR_HOURS not in lamp.trade.readings(lamp.moment())
    health = lamp.trade.health(lamp.moment())
    assert health[quantity.GEAR_HOURS] == 2000 and health[quantity.FREQUENCY] == 5000


@pytest.mark.parametrize("plain", [{}, {"presence": PRESENCE, "photocell": {}}])
def test_a_turn_in_which_nothing_changes_asks_neither_calendar_nor_sun(monkeypatch, plain):
    lamp = Lamp(calendar=DIMMED, **plain)
    lamp.turn()

    def forbidden(*_):
        raise AssertionError("a turn must be cheap")

    monkeypatch.setattr(lighting.Night, "wanted", forbidden)
    monkeypatch.setattr("policy.sun.elevation_cdeg", forbidden)
    lamp.live(30_000)


def lowering(level=50):
    return node_order.NodeOrder(1, b"12345678", node_order.OVERRIDE, level, 2_000_000_000, 3600)


def test_a_lamp_on_a_relay_declines_a_level_between_and_keeps_its_own_light():
    lamp = Lamp(output="relay")
    lamp.order = lowering()
    lamp.turn()
    assert lamp.trade.declines(lamp.moment()) == "no-dimming" and lamp.trade.outputs[:2] == (100, "calendar")
    lamp.order = lowering(0)
    lamp.turn()
    assert lamp.trade.declines(lamp.moment()) is None and lamp.level == 0


def test_darkness_by_the_calendar_is_no_proof_of_a_lowered_lamp():
    lamp = Lamp(unix_s=SUNSET_S - 7200)
    lamp.order = lowering()
    lamp.minutes(3)
    assert (lamp.level, lamp.trade.awaits, lamp.trade.measured(lamp.moment())) == (0, True, None)
    lamp.unix_s = SUNSET_S + 3600
    lamp.turn()
    lamp.minutes(3)
    assert (lamp.level, lamp.trade.awaits, lamp.trade.measured(lamp.moment())) == (50, False, 183)


def test_a_lamp_that_its_calendar_has_lowered_further_shows_that():
    lamp = Lamp(calendar=DIMMED)
    lamp.order = lowering()
    lamp.minutes(3)
    assert (lamp.level, lamp.rules()[-1]) == (30, "calendar")
    assert lamp.trade.measured(lamp.moment()) == lamp.reading()[quantity.POWER]
