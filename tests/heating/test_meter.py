"""A meter on electric heaters: what it counts never falls, its silence is told, and so is a relay that closes on
nothing."""

from heating import limits, memory
from heating.meter import HeaterMeter
from tests.support.warm_world import WarmWorld, model_of
from wire import event, quantity


def metered(**more):
    return WarmWorld(model_of("relay", has_meter=True, **more.pop("model", {})), **more)


def energy(world):
    return world.trade.health(world.moment())[quantity.ENERGY]


def test_energy_is_the_meters_and_not_on_time_times_rated_power():
    world = metered(start_ck=1700, model={"heater_w": 1})
    world.run(6 * 60)
    assert energy(world) > 1000
    assert abs(energy(world) - world.room.energy_wh()) < 200, "but for what the first reading found"
    readings = world.trade.readings(world.moment())
    assert readings[quantity.POWER] == 10 * world.room.drawn_w or not world.trade.outputs.on
    assert quantity.ENERGY not in readings, "the register of the meter is not the room's total"


def test_a_restart_loses_nothing_of_what_the_meter_counted_meanwhile():
    world = metered(start_ck=1700)
    world.run(2 * 60)
    kept, before = world.trade.memory(world.now_ms), energy(world)
    world.run(60)
    after = energy(world)
    assert after > before
    world.boot(kept)
    world.run(5)
    assert energy(world) >= after


def test_another_meter_one_that_began_anew_and_garbage_add_nothing_and_take_nothing():
    meter = HeaterMeter(5000, 9000, 2000, now_ms=0)
    for wh, total in ((9100, 5100), (3, 5100), (13, 5110), (9_999_000, 5110), (9_999_100, 5210), (None, 5210)):
        meter.sample({} if wh is None else {quantity.ENERGY: wh}, 0, now_ms=0)
        assert meter.wh == total


def test_memory_of_a_node_without_a_meter_is_what_it_was_and_one_with_it_reads_it():
    fresh = memory.fresh(300)
    assert len(memory.encode(fresh)) == 23 and memory.decode(memory.encode(fresh)) == fresh
    metered_ = memory.RoomMemory(fresh.learned, None, 3, 77, 5, 123_456)
    packed = memory.encode(metered_)
    assert memory.decode(packed) == metered_
    for garbage in (packed[:-1], packed[:-4], b"\x01" + packed[1:], packed + b"\x00"):
        assert memory.decode(garbage) is None


def test_a_silent_meter_is_told_with_its_end_and_no_program_is_confirmed_meanwhile():
    world = metered()
    world.run(20)
    world.ports.meter_silent = True
    world.run(5)
    assert world.told(event.METER_FAILURE) == [(True, ())]
    assert not world.trade.is_sound(world.moment())
    world.ports.meter_silent = False
    world.run(2)
    assert world.told(event.METER_FAILURE)[-1] == (False, ())
    assert world.trade.is_sound(world.moment())


def test_a_relay_that_closes_on_nothing_is_told_within_minutes_and_ends_with_the_first_power():
    world = metered(start_ck=1700)
    world.run(10)
    world.room.heater_dead = True
    world.run(8)
    assert [active for active, _ in world.told(event.HEATING_FAILURE)] == [True]
    assert world.trade.outputs.attempt >= 1, "and driven anew"
    world.run(90)
    assert [active for active, _ in world.told(event.HEATING_FAILURE)] == [True]
    world.room.heater_dead = False
    world.run(3)
    assert [active for active, _ in world.told(event.HEATING_FAILURE)] == [True, False]


def test_heaters_whose_own_thermostats_are_content_in_a_warm_room_are_no_failure():
    world = metered(start_ck=1910, mean_ck=1400)
    read = world.ports.read
    world.ports.read = lambda: {**read(), quantity.POWER: 5}
    world.run(6 * 60)
    assert world.trade.duty_permille > 0
    assert world.told(event.HEATING_FAILURE) == []


def test_a_boilers_contact_draws_nothing_and_that_is_no_failure():
    world = metered(start_ck=1700, model={"is_water": True})
    read = world.ports.read
    world.ports.read = lambda: {**read(), quantity.POWER: 0}
    world.run(30)
    assert world.trade.outputs.on
    assert world.told(event.HEATING_FAILURE) == []


def test_what_counts_as_nothing_is_ten_watts_or_a_tenth_of_what_is_installed():
    for heater_w, power_dw, is_idle in ((0, 99, True), (0, 100, False), (2000, 1999, True), (2000, 2000, False)):
        meter = HeaterMeter(0, None, heater_w, now_ms=0)
        for now_ms in range(0, limits.METER_IDLE_MS + 120_000, 60_000):
            meter.sample({quantity.POWER: power_dw, quantity.ENERGY: 0}, now_ms, now_ms=now_ms)
        assert meter.is_idle == is_idle
