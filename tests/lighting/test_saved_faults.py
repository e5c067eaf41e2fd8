"""Faults that were reported stand through a cut of the mains without a second report, and end when they are judged
healthy; a gear need not have a meter; the hours of a lamp are set once by its settings."""

import pytest

from lighting import inputs, memory
from tests.lighting.test_trade import HEALTHY, PRESENCE, SUNSET_S, Lamp, Order, gear
from wire import event, quantity


def again(lamp, **plain):
    """The mains were cut: a new start with what was remembered, and nothing judged yet."""
    return Lamp(memory=lamp.trade.memory(lamp.now_ms), **plain)


def dead():
    """A lamp whose failure is told."""
    lamp = Lamp()
    lamp.values = {quantity.POWER: 6}
    lamp.minutes(12)
    assert lamp.codes(event.LAMP_FAILURE) == [(event.LAMP_FAILURE, True)]
    return lamp


def test_an_alarm_ends_after_a_repair_with_the_fuse_pulled():
    repaired = again(dead())
    assert not repaired.trade.is_sound(repaired.moment()), "it has not been seen lit"
    repaired.minutes(12)
    assert repaired.codes(event.LAMP_FAILURE) == [(event.LAMP_FAILURE, False)]
    assert repaired.trade.is_sound(repaired.moment())
    assert again(repaired).minutes(12).codes(event.LAMP_FAILURE) == []


def test_a_lamp_without_a_repair_does_not_begin_its_alarm_again_each_evening():
    lamp = dead()
    for _ in range(3):
        lamp = again(lamp, feeder="switched")
        lamp.values = {quantity.POWER: 6}
        assert lamp.minutes(30).codes(event.LAMP_FAILURE) == []
    assert again(lamp).minutes(12).codes(event.LAMP_FAILURE) == [(event.LAMP_FAILURE, False)]


def test_a_cut_right_after_an_alarm_that_may_have_taken_its_record_has_it_told_again():
    lamp = Lamp()
    lamp.values = {quantity.POWER: 6}
    while not lamp.codes(event.LAMP_FAILURE):
        lamp.minutes(1)
    lamp = again(lamp.minutes(1))
    lamp.values = {quantity.POWER: 6}
    assert lamp.minutes(12).codes(event.LAMP_FAILURE) == [(event.LAMP_FAILURE, True)]


def test_an_alarm_is_written_when_it_begins_and_when_it_ends_and_else_never():
    lamp = Lamp()
    written = []
    for power in (360, 6, 360):
        lamp.values = {quantity.POWER: power}
        lamp.minutes(30)
        written.append(lamp.trade.keeps)
    assert written == [0, 1, 2]


def test_each_fault_stands_through_a_cut_and_ends_when_it_is_healthy():
    codes = memory.codes(memory.U32)
    assert len(codes) == 10
    for code in codes:
        kept = memory.encode(memory.EMPTY._replace(faults=memory.fault_bits({code})))
        lamp = Lamp(memory=kept)
        lamp.values = {quantity.POWER: None, quantity.VOLTAGE: None}
        assert lamp.minutes(4).codes() == [(event.LEVEL_CHANGED, None)], code
        lamp.values = {quantity.CURRENT: 160}
        lamp.minutes(75)
        lamp.order = Order(40)
        lamp.minutes(10)
        lamp.order = Order(0)
        lamp.values = {quantity.CURRENT: 5}
        lamp.minutes(10)
        assert lamp.codes(*codes) == [(code, False)]


def test_what_a_gear_said_of_itself_stands_through_a_cut_and_ends_when_it_says_so():
    lamp = gear()
    lamp.values.update({inputs.GEAR_STATUS: 5, inputs.GEAR_FLAGS: (0b10_0000, 0x3F)})
    lamp.minutes(1)
    lamp.values = dict.fromkeys(HEALTHY)
    lamp.minutes(6)
    lamp = again(lamp, output="dali")
    lamp.values = dict.fromkeys(HEALTHY)
    told = (event.GEAR_COMM_FAILURE, event.GEAR_FAILURE)
    assert lamp.minutes(5).codes(*told) == []
    lamp.values = {**HEALTHY, inputs.GEAR_STATUS: 5, inputs.GEAR_FLAGS: (0, 0x3C0)}
    assert lamp.minutes(5).codes(*told) == [(event.GEAR_COMM_FAILURE, False)]
    lamp.values = dict(HEALTHY)
    assert lamp.minutes(1).codes(*told)[1:] == [(event.GEAR_FAILURE, False)] * 2


def test_the_alarm_of_a_silent_gear_ends_with_an_output_that_has_none():
    kept = memory.encode(memory.EMPTY._replace(faults=memory.GEAR_SILENT))
    assert Lamp(memory=kept).minutes(1).codes(event.GEAR_COMM_FAILURE) == [(event.GEAR_COMM_FAILURE, False)]


CELL_CODES = (event.SENSOR_FAILURE, event.PHOTOCELL_FAILURE)


def test_a_silent_cell_stands_through_a_cut_and_ends_with_its_first_word():
    lamp = again(Lamp(photocell={}).minutes(10), photocell={})
    assert lamp.minutes(10).codes(*CELL_CODES) == []
    lamp.values = {quantity.ILLUMINANCE: 1}
    assert lamp.minutes(1).codes(*CELL_CODES) == [(event.SENSOR_FAILURE, False)]


def test_a_dirty_cell_stands_through_a_cut_and_ends_when_it_sees_the_day():
    lamp = Lamp(unix_s=SUNSET_S - 5 * 3600, photocell={})
    lamp.values = {quantity.ILLUMINANCE: 0}
    lamp = again(lamp.minutes(26 * 60), photocell={}, unix_s=SUNSET_S - 5 * 3600)
    lamp.values = {quantity.ILLUMINANCE: 0}
    assert lamp.minutes(60).codes(*CELL_CODES) == []
    lamp.values = {quantity.ILLUMINANCE: 9000}
    lamp.minutes(10)
    assert [told[1:] for told in lamp.said if told[1] in CELL_CODES] == [(event.PHOTOCELL_FAILURE, False, ("dark",))]


def test_a_cell_that_sees_a_lamp_stands_through_a_cut_and_leaves_the_street_lit():
    lamp = Lamp(unix_s=None, photocell={})
    lamp.values = {quantity.ILLUMINANCE: 300}
    lamp = again(lamp.minutes(60), photocell={}, unix_s=None)
    lamp.values = {quantity.ILLUMINANCE: 300}
    assert lamp.minutes(60).codes(*CELL_CODES) == [] and [level for _, level in lamp.levels] == [100]


def test_a_stuck_detector_stands_through_a_cut_until_an_hour_refutes_it():
    lamp = Lamp(presence={**PRESENCE, "per_hour": 20})
    for _ in range(21):
        lamp.passer_by().live(11_000, step_ms=500)
    lamp.minutes(4)
    lamp = again(lamp, presence={**PRESENCE, "per_hour": 20}).minutes(55)
    assert lamp.codes(event.PRESENCE_SENSOR_FAILURE) == []
    assert lamp.minutes(10).codes(event.PRESENCE_SENSOR_FAILURE) == [(event.PRESENCE_SENSOR_FAILURE, False)]


def test_the_alarm_of_a_cell_or_detector_that_was_taken_away_ends():
    bits = 2 << memory.CELL_SHIFT | memory.CELL_SILENT | memory.PRESENCE_FAILED
    lamp = Lamp(memory=memory.encode(memory.EMPTY._replace(faults=bits)))
    codes = (*CELL_CODES, event.PRESENCE_SENSOR_FAILURE)
    assert sorted(lamp.codes(*codes)) == sorted((code, False) for code in codes)


def test_a_relay_alarm_of_an_output_that_is_there_no_more_ends():
    kept = memory.encode(memory.EMPTY._replace(faults=memory.fault_bits({event.RELAY_FAILURE})))
    lamp = Lamp(output="dali", memory=kept)
    lamp.values = dict(HEALTHY)
    assert lamp.minutes(3).codes(event.RELAY_FAILURE) == [(event.RELAY_FAILURE, False)]


def test_what_only_a_meter_shows_ends_behind_a_gear_that_has_none():
    lamp = gear()
    lamp.trade._active |= {event.CYCLING_FAILURE, event.DIMMING_FAILURE, event.POWER_TOO_LOW, event.VOLTAGE_TOO_LOW}
    lamp = again(lamp.minutes(5), output="dali")
    assert not lamp.trade.is_sound(lamp.moment())
    stood = tuple(lamp.trade._active)
    assert {event.CYCLING_FAILURE, event.DIMMING_FAILURE, event.POWER_TOO_LOW} <= set(stood)
    measured = (quantity.POWER, quantity.VOLTAGE, quantity.ENERGY)
    lamp.values = {**dict.fromkeys(measured), inputs.GEAR_STATUS: 4, inputs.METER: 0, quantity.LEVEL_REPORTED: 100}
    lamp.minutes(12)
    assert sorted(lamp.codes(*stood)) == sorted((code, False) for code in stood)
    assert lamp.trade.is_sound(lamp.moment()), "it takes updates again"


def test_a_dimming_that_failed_ends_where_nothing_is_dimmed_any_more():
    lamp = Lamp()
    lamp.trade._active.add(event.DIMMING_FAILURE)
    lamp = again(lamp.minutes(5), output="relay").minutes(12)
    assert lamp.codes(event.DIMMING_FAILURE) == [(event.DIMMING_FAILURE, False)]


def test_what_a_gear_said_of_itself_ends_when_another_output_takes_its_place():
    lamp = gear()
    lamp.values.update({inputs.GEAR_STATUS: 5, inputs.GEAR_FLAGS: (0b10_0000, 0x3F)})
    lamp = again(lamp.minutes(6))
    assert lamp.minutes(5).codes(event.GEAR_FAILURE) == [(event.GEAR_FAILURE, False)] * 2
    assert again(lamp).minutes(5).codes(event.GEAR_FAILURE) == []


METERLESS = {**HEALTHY, **dict.fromkeys((quantity.POWER, quantity.ENERGY, quantity.VOLTAGE)), inputs.METER: 0}


def meterless(**plain):
    lamp = Lamp(output="dali", **plain)
    lamp.values = dict(METERLESS)
    return lamp


def test_a_gear_without_a_meter_is_sound():
    lamp = meterless()
    del lamp.values[inputs.METER]  # not known at first
    lamp.minutes(4)
    lamp.values = dict(METERLESS)
    lamp.minutes(30)
    assert {code for code, _ in lamp.codes()} == {event.LEVEL_CHANGED}
    assert lamp.trade.is_sound(lamp.moment())


@pytest.mark.parametrize("meter", [1, 0, None])
def test_a_gear_that_has_or_had_a_meter_and_is_silent_about_it_is_told(meter):
    lamp = gear() if meter != 1 else meterless()
    lamp.values = {**METERLESS, inputs.METER: meter}
    assert lamp.minutes(6).codes(event.METER_FAILURE) == [(event.METER_FAILURE, True)]
    lamp.values = dict(HEALTHY)
    assert lamp.minutes(1).codes(event.METER_FAILURE)[1:] == [(event.METER_FAILURE, False)]


def test_the_meters_alarm_ends_with_a_gear_that_has_none():
    lamp = gear()
    lamp.values = {**METERLESS, inputs.METER: 1}
    lamp = again(lamp.minutes(10), output="dali")
    lamp.values = {**METERLESS, inputs.METER: None}
    assert lamp.minutes(10).codes(event.METER_FAILURE) == []
    lamp.values = dict(METERLESS)
    assert lamp.minutes(1).codes(event.METER_FAILURE) == [(event.METER_FAILURE, False)]


def test_a_dead_lamp_behind_a_gear_without_a_meter_is_told_though_it_has_no_level():
    lamp = meterless().minutes(8)
    lamp.values.update({inputs.GEAR_STATUS: 2, quantity.LEVEL_REPORTED: None})
    assert lamp.minutes(4).codes(event.LAMP_FAILURE) == [(event.LAMP_FAILURE, True)]
    assert not lamp.trade.is_sound(lamp.moment())
    lamp.values = dict(METERLESS)
    assert lamp.minutes(6).codes(event.LAMP_FAILURE)[1:] == [(event.LAMP_FAILURE, False)]


CLO = {"clo": [[0, 75], [20000, 100]]}


def hours(lamp):
    return lamp.trade.readings(lamp.moment())[quantity.LAMP_HOURS]


def test_a_new_board_at_an_old_lamp_is_told_its_hours():
    lamp = Lamp(**CLO, lamp_hours=[20261124, 20_000])
    assert (lamp.level, hours(lamp)) == (100, 20_000)


def test_a_new_lamp_at_an_old_board_begins_its_curve_once_and_its_starts():
    old = memory.encode(memory.EMPTY._replace(lamp_s=3600 * 20_000, starts=800, wh=5000, aged=(20240301, 0)))
    assert Lamp(**CLO, lamp_hours=[20240301, 0], memory=old).level == 100
    lamp = Lamp(**CLO, lamp_hours=[20261124, 0], memory=old).minutes(180)
    assert (lamp.level, hours(lamp), lamp.trade.health(lamp.moment())[quantity.LAMP_STARTS]) == (75, 3, 0)
    assert lamp.trade.readings(lamp.moment())[quantity.ENERGY] > 5000, "what was burnt was burnt"
    assert hours(again(lamp, lamp_hours=[20261124, 0])) == 3, "the same entry counts once"
    assert hours(again(lamp)) == 3
    assert hours(again(lamp, lamp_hours=[20240301, 0])) == 3, "new settings crashed, and the last good ones are back"
    assert hours(again(again(lamp), lamp_hours=[20261124, 0])) == 3
    assert hours(again(lamp, lamp_hours=[20261124, 70])) == 70, "a slip is corrected"
