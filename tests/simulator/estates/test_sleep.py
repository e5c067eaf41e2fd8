"""An irrigation node on a battery, a week of it: one boot, whole records, water at the right minute, no nonce twice, no
valve open in a sleep; power cuts and damaged memory in between."""

import pytest

from simulator.hosts import deep_sleep
from simulator.hosts.deep_sleep import ClockChip
from simulator.plants.battery import Battery
from tests.support.green import plain, programs
from tests.support.no_nonce_twice import no_nonce_twice
from tests.support.sleepy_world import Sleepy
from watering.sleepy import SleepyTrade
from wire import event, quantity
from wire.record import HOLDOVER, UNSET

SHORT = programs(
    plain(
        valves=[2, 2, 2, 2, 0],
        battery=[2600, 1000, 12000],
        watering=[1, [[0, 0, 3, 2, 1, 10000, 20000, 0, 0, 1, 60]] * 3, [], [], []],
    ),
    [0, 127, 0, 0, 0, 300, 0, 7, 10],
)


@pytest.fixture(autouse=True)
def ledger():
    with no_nonce_twice() as ledger:
        yield ledger


def openings(world):
    """(day, hour, minute, second) of the first opening of a zone on each day."""
    found = {}
    for at_s, _, detail in world.events_of(event.VALVE_SWITCHED):
        if detail[0] and detail[1]:
            at = world.local(at_s)
            found.setdefault(at[0], at)
    return list(found.values())


def whole(world):
    """Records of the last boot without a hole, all of them at the gateway."""
    boot = world.host.boot
    made = sorted(sequence for each, sequence in world.made if each == boot)
    return made == list(range(len(made))) and world.missing() == []


@pytest.mark.slow
def test_a_week_on_a_battery(ledger):
    world = Sleepy(SHORT)
    world.run(days=7)
    world.until_asleep()
    assert world.host.boots == 1 and {boot for boot, _ in world.made} == {1} and world.host.asleep.wakings > 600
    assert len(world.events_of(event.BOOT)) == 1 and whole(world)
    watered = openings(world)
    assert len(watered) == 7 and all(at[1:3] == (5, 0) and at[3] <= 10 for at in watered), watered
    assert world.space.open_asleep == 0 and world.space.checker.violations == []
    assert world.space.checker.checks > 1000
    started_s = [
        made.stamp.seconds - made.body[quantity.UPTIME]
        for made in world.made.values()
        if made.stamp.quality != UNSET and isinstance(made.body, dict) and quantity.UPTIME in made.body
    ]
    assert len(started_s) >= 6 and max(started_s) - min(started_s) <= 60, "waking is no start"
    assert ledger.sealed > 300
    assert world.gateway.link.sessions.counters["handshakes"] == 1


@pytest.mark.slow
@pytest.mark.parametrize("ppm", [-9_000, 9_000])
def test_a_sleep_that_is_counted_one_percent_wrong_waters_at_the_right_minute(monkeypatch, ppm):
    monkeypatch.setattr(deep_sleep, "_RATE_PPM", 0)
    world = Sleepy(SHORT)
    world.until_asleep()
    world.host.asleep.ppm = ppm
    world.run(days=3)
    off_s = [3600 * hour + 60 * minute + second - 5 * 3600 for _, hour, minute, second in openings(world)]
    assert len(off_s) == 3 and max(map(abs, off_s)) <= 20, openings(world)
    stamps = [made.stamp for made in world.made.values()]
    assert max(stamp.uncertainty_s for stamp in stamps[5:]) <= 45 and stamps[-1].uncertainty_s <= 8, "it has learned"


@pytest.mark.slow
def test_three_days_without_a_gateway_cost_no_record_and_little_radio():
    world = Sleepy(SHORT)
    world.run(days=1)
    world.until_asleep()
    radio_ms = world.host.asleep.radio_ms
    world.gateway.silent = True
    world.run(days=3)
    assert world.host.boots == 1 and world.missing()
    a_day_s = (world.host.asleep.radio_ms - radio_ms) // 3000
    assert a_day_s < 900, "twice as late each time, up to four hours"
    assert [at[1:3] in ((4, 59), (5, 0)) for at in openings(world)] == [True] * 4, openings(world)
    world.gateway.silent = False
    world.run(hours=6)
    world.until_asleep()
    assert whole(world) and world.host.boots == 1
    assert world.gateway.again <= 40, "what was acknowledged of a segment may come again"


def test_power_that_goes_in_a_sleep_is_a_start_with_a_new_number_and_valves_pulsed_shut():
    world = Sleepy(SHORT)
    world.run(hours=1)
    world.until_asleep()
    world.host.power_off()
    world.run(minutes=5)
    world.pipes.open[1] = True  # somebody turned it by hand meanwhile
    world.host.power_on()
    world.run(minutes=4)
    assert not world.pipes.open[1], "at a start each latching valve is pulsed shut"
    world.run(hours=2)
    world.until_asleep()
    assert world.host.boots == 2 and len(world.events_of(event.BOOT)) == 2
    assert world.events_of(event.BOOT)[-1][2][0] == 1 and whole(world)
    assert world.gateway.link.sessions.counters["handshakes"] == 2


@pytest.mark.parametrize("index", [0, 5, 30, 150])
def test_a_damaged_image_is_a_start_and_never_half_believed(index):
    world = Sleepy(SHORT)
    world.until_asleep()
    world.host.asleep.spoil(index)
    world.run(hours=2)
    world.until_asleep()
    assert world.host.boots == 2 and world.host.asleep.refused == 1 and whole(world)
    assert world.events_of(event.BOOT)[-1][2][0] == 1


def test_waking_pulses_no_valve():
    world = Sleepy(SHORT)
    world.until_asleep()
    world.pipes.open[1] = True
    world.run(hours=3)
    assert world.pipes.open[1], "nothing was pulsed: a chip that woke has shut everything before"
    assert world.space.open_asleep > 0, "and the checker of sleeps sees what is open"


def test_a_gateway_that_started_anew_and_one_that_was_replaced_by_itself_are_agreed_with_again():
    world = Sleepy(SHORT)
    world.until_asleep()
    world.gateway.began()
    world.run(hours=3)
    world.until_asleep()
    assert world.host.boots == 1 and whole(world)
    assert world.gateway.link.sessions.counters["agreed"] == 1


# --- the clock chip -----------------------------------------------------------------------------------------


@pytest.mark.slow
def test_with_a_clock_chip_it_waters_at_its_minute_for_days_without_a_gateway():
    world = Sleepy(SHORT)
    world.host.clock_chip = ClockChip(ppm=4)
    world.until_asleep()
    world.gateway.silent = True
    world.run(days=4)
    watered = openings(world)
    assert len(watered) == 4 and all(at[1:3] in ((4, 59), (5, 0)) for at in watered)
    last = list(world.made.values())[-1].stamp
    assert last.quality == HOLDOVER and last.uncertainty_s <= 20
    assert world.events_of(event.TIME_FALLBACK) == [] and world.host.boots == 1 and world.host.clock_chip.settings == 1


def test_after_the_loss_of_power_the_chip_gives_the_time_and_one_that_lies_is_told():
    world = Sleepy(SHORT)
    world.host.clock_chip = ClockChip()
    world.run(hours=2)  # the hourly checkpoint knows when it was set
    for lie_s in (0, 3600):
        world.host.power_off()
        world.gateway.silent = True
        world.run(hours=1)
        world.host.clock_chip.set(world.world.unix_s + lie_s, world.world.unix_s) if lie_s else None
        world.host.power_on()
        world.run(minutes=10)
        stamp = [made.stamp for made in world.made.values()][-1]
        assert stamp.quality == HOLDOVER and stamp.uncertainty_s <= 5
        world.gateway.silent = False
        world.run(hours=2)
    assert [detail for _, _, detail in world.events_of(event.CLOCK_FAILURE)] == [["disagrees"]]
    world.host.clock_chip.fault = "silent"
    world.host.power_off()
    world.host.power_on()
    world.run(minutes=10)
    assert [detail for _, _, detail in world.events_of(event.CLOCK_FAILURE)] == [["disagrees"], ["silent"]]


# --- water and energy ---------------------------------------------------------------------------------------


def test_a_leak_behind_shut_valves_wakes_it_pulse_by_pulse_and_is_told_once():
    world = Sleepy(SHORT)
    world.run(hours=8)
    world.until_asleep()
    world.pipes.leak_upstream = 600  # mL/min: a pulse every two seconds
    world.run(minutes=20)
    assert [(active, world.local(at_s)[1]) for at_s, active, _ in world.events_of(event.WATER_LEAK)] == [(True, 8)]
    awake_ms = world.host.asleep.awake_ms
    world.run(hours=6)
    assert len(world.events_of(event.WATER_LEAK)) == 1, "not again at each waking"
    assert world.host.asleep.awake_ms - awake_ms < 6 * 3600 * 100, "a leak that is known does not keep it awake"
    world.pipes.leak_upstream = 0
    world.run(hours=3)
    assert [active for _, active, _ in world.events_of(event.WATER_LEAK)] == [True, False]


@pytest.mark.slow
def test_below_its_reserve_nothing_opens_and_the_sun_brings_it_back():
    world = Sleepy(SHORT, panel_ma=300)
    world.until_asleep()
    world.battery.drain_to(60)
    world.run(hours=7)
    assert [active for _, active, _ in world.events_of(event.BATTERY_LOW)] == [True], "once, over all its sleeps"
    assert openings(world) == []
    skipped = world.events_of(event.WATERING_SKIPPED)
    assert {detail[1] for _, _, detail in skipped} == {"energy"} and len(skipped) == 3
    world.run(days=1)
    assert [active for _, active, _ in world.events_of(event.BATTERY_LOW)] == [True, False]
    assert [at[:3] for at in openings(world)] == [(1, 5, 0)]
    assert world.host.boots == 1


def test_a_valve_that_is_open_when_the_cell_sags_is_shut_at_its_time():
    world = Sleepy(SHORT)
    world.run(hours=5, minutes=2)
    assert world.pipes.open[1] and not world.is_asleep, "awake while anything is open"
    world.battery.drain_to(20)
    world.run(hours=1)
    shut = [detail for _, _, detail in world.events_of(event.VALVE_SWITCHED) if detail[0] == 1 and not detail[1]]
    assert len(shut) == 1 and not any(world.pipes.open)
    assert len([1 for _, _, detail in world.events_of(event.VALVE_SWITCHED) if detail[0] and detail[1]]) == 1
    assert world.space.checker.violations == [] and world.space.open_asleep == 0


@pytest.mark.slow
def test_a_summer_on_a_small_panel_fills_the_cell_while_it_waters_every_night():
    world = Sleepy(SHORT, panel_ma=150)
    world.run(days=2)
    assert world.battery.permille() > 900 and world.battery.gained_uas > world.battery.drawn_uas


@pytest.mark.slow
def test_a_node_that_waters_nothing_lives_on_a_few_milliampere_hours_a_day():
    idle = Sleepy(programs(SHORT, [0, 64, 0, 0, 0, 300, 0, 7, 10]))  # on Sundays; the story begins on a Monday
    idle.run(days=2)
    assert idle.host.boots == 1 and not openings(idle)
    a_day_mah = idle.battery.drawn_uas / 3_600_000 / 2
    assert 3 < a_day_mah < 14, a_day_mah


# --- planted faults -----------------------------------------------------------------------------------------


def test_an_image_that_is_used_twice_repeats_a_nonce_and_the_ledger_sees_it(ledger):
    world = Sleepy(SHORT)
    world.run(hours=2)
    world.until_asleep()
    image, sealed = world.host.asleep.chip.data, ledger.sealed
    while ledger.sealed == sealed:  # until a waking has something to say
        image = world.host.asleep.chip.data if world.is_asleep else image
        world.run(seconds=1)
    assert ledger.reused == 0
    world.until_asleep()
    world.is_planted = True
    world.host.asleep.chip.data = image
    with pytest.raises(AssertionError):  # the gateway gets another record under a number that it holds
        world.run(hours=1)
    assert ledger.reused > 0
    ledger.reused = 0


def test_a_waking_that_pulses_valves_is_seen(monkeypatch):
    woken = SleepyTrade.woken

    def pulsing(trade, *args, **options):
        due = trade.outputs.closing
        woken(trade, *args, **options)
        trade.outputs.closing = due

    monkeypatch.setattr(SleepyTrade, "woken", pulsing)
    world = Sleepy(SHORT)
    world.until_asleep()
    world.pipes.open[1] = True
    world.run(minutes=40)
    assert not world.pipes.open[1]


def test_a_cell_gives_back_what_it_took_and_no_more():
    cell = Battery(1000, panel_ma=100, permille=500)
    before = cell.millivolts()
    cell.draw(50_000, 3_600_000)
    assert cell.permille() == 450 and cell.millivolts() < before
    cell.shine(1000, 3600)
    assert cell.permille() == 545
    cell.shine(1000, 360_000)
    assert cell.permille() == 1000 and cell.millivolts() == 4150
    cell.draw(10_000_000, 3_600_000)
    assert cell.is_empty and cell.millivolts() == 0
