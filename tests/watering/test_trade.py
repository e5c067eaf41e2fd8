"""The whole trade in a small green space: law, weather, bursts, energy; every opening and skip says why."""

import itertools

import pytest

from node.trade import LOCK
from policy import civil
from simulator.checkers.water import Forbidden
from tests.support.green import DAILY, ONE, PLAIN, Green, own, plain, programs, skipped
from watering import lockouts, memory
from watering.trade import WateringTrade
from wire import directive, event, quantity


def test_an_ordinary_morning_opens_master_then_zone_and_shuts_them_in_turn():
    green = Green(ONE)
    green.run(hours=8)
    switched = [(detail[0], detail[1], detail[2], detail[3]) for _, _, _, detail in green.events(event.VALVE_SWITCHED)]
    assert switched == [
        (0, True, "balance", 0), (1, True, "depth", 1), (1, False, "depth", 1), (0, False, "balance", 0)
    ]  # fmt: skip
    (done,) = [detail for _, _, _, detail in green.events(event.WATERING_DONE)]
    assert done[0] == 1 and done[4] == "complete" and abs(done[2] - 1000 * green.litres(1)) < 2000
    # 5 mm at the roots through 75 %: 6.6 mm on the ground.
    assert abs(done[3] - 66) <= 1
    assert green.checker.violations == [] and green.checker.checks > 1500


def test_at_rest_it_decides_every_five_minutes_and_at_every_turn_while_it_waters(monkeypatch):
    slow, goes = [], WateringTrade._slow
    monkeypatch.setattr(WateringTrade, "_slow", lambda trade, moment: slow.append(1) or goes(trade, moment))
    green = Green(ONE)
    green.run(minutes=10)
    slow.clear()
    green.run(hours=1)
    assert 12 <= len(slow) <= 13
    assert 0 < green.desk.trade.decided_until_ms - green.site.now_ms <= 360_000
    green.run(hours=3, minutes=50, seconds=5)
    assert green.desk.trade.runs.jobs and green.desk.trade.decided_until_ms is None


def test_what_a_sample_shows_at_rest_ends_the_decision():
    green = Green(plain(battery=[2600, 1000, 12000]), battery_mv=4100)
    green.run(hours=1, minutes=3)
    trade, values = green.desk.trade, green.ports.read()
    for battery_mv, events in ((4100, []), (3000, [event.BATTERY_LOW])):
        green.site.now_ms += 10_000
        trade.decide(green.desk.moment())
        trade.sample({**values, quantity.BATTERY: battery_mv}, green.desk.moment())
        assert (trade.decided_until_ms is None) is bool(events)
        assert [code for code, _, _ in trade.drain_events()] == events


def test_a_program_asks_the_law_once_a_zone_when_it_begins(monkeypatch):
    """Each look takes a chip 3 ms: more of them, and a turn in which many zones begin takes too long."""
    asked, begun = [], []
    lawful_s, begin = lockouts.lawful_s, WateringTrade._begin

    def begins(trade, *due):
        asked.clear()
        begin(trade, *due)
        begun.append(len(asked))

    monkeypatch.setattr(lockouts, "lawful_s", lambda *given: asked.append(given[1]) or lawful_s(*given))
    monkeypatch.setattr(WateringTrade, "_begin", begins)
    Green(programs(PLAIN, [0, 127, 0, 0, 0, 300, 0, 7, 50])).run(hours=8)
    assert begun == [3]


def test_programs_of_the_same_minute_begin_a_turn_each_and_the_next_at_once(monkeypatch):
    """Of eight zones each takes a chip 60 ms."""
    begun, turns = [], []
    begin, decide = WateringTrade._begin, WateringTrade.decide

    def begins(trade, *given):
        begun.append(len(turns))
        begin(trade, *given)

    def decides(trade, moment):
        turns.append(moment.now_ms)
        decide(trade, moment)
        if begun and begun[-1] == len(turns):
            assert trade.deadline_ms(moment.now_ms) <= moment.now_ms

    monkeypatch.setattr(WateringTrade, "_begin", begins)
    monkeypatch.setattr(WateringTrade, "decide", decides)
    Green(programs(PLAIN, [0, 127, 0, 0, 0, 300, 0, 1, 50], [0, 127, 0, 0, 0, 300, 0, 6, 50])).run(hours=8)
    assert len(begun) == 2 and begun[1] == begun[0] + 1


@pytest.mark.slow
def test_the_balance_waters_when_raw_would_be_passed_and_says_satisfied_before():
    green = Green(programs(PLAIN, [0, 127, 0, 0, 0, 300, 0, 1, 0]))
    green.run(hours=24 * 7)
    assert {(zone, why) for zone, why in skipped(green)} == {(1, "satisfied")}
    assert 2 <= len(green.openings(1)) <= 4
    assert green.openings(1)[0][3] == "balance"
    assert not green.site.plots[0].stressed()


def test_a_slope_of_clay_loam_is_watered_in_cycles_with_soaks_while_others_run():
    green = Green(programs(PLAIN, [0, 127, 0, 0, 0, 300, 0, 7, 150]))
    green.run(hours=16)
    cycles = green.openings(2)
    assert len(cycles) >= 2
    assert all(
        later[0] * 60 + later[1] - first[0] * 60 - first[1] >= 30
        for first, later in itertools.pairwise(cycles)
    )
    assert green.site.plots[1].run_off_um == 0


def test_a_program_may_be_anchored_to_its_finish():
    green = Green(programs(PLAIN, [0, 127, 0, 0, 0, 360, 1, 1, 50]))
    green.run(hours=8)
    done = [
        (hour, minute) for hour, minute, _, detail in green.events(event.VALVE_SWITCHED) if detail[:2] == (1, False)
    ]
    assert done == [(6, 0)] or done == [(5, 59)]


def test_a_negative_lead_opens_the_master_after_the_zone_and_a_pump_follows_its_own():
    settings = programs(plain(valves=[1, 1, 1, 1, 1], supply=[-3, 4, -6, -2]), DAILY)
    green = Green(settings)
    green.run(hours=4, minutes=59)
    seen = []
    green.desk.watchers.append(
        lambda at_s: seen.append(
            (at_s - green.site.begin_s, green.pipes.open[0], green.pipes.open[1], green.pipes.open[9])
        )
    )
    for _ in range(60 * 60):
        green.run(seconds=1)
    opened = [next(at for at, *states in seen if states[place]) for place in (0, 1, 2)]
    shut = [max(at for at, *states in seen if states[place]) for place in (0, 1, 2)]
    assert 2 <= opened[0] - opened[1] <= 4 and 5 <= opened[2] - opened[1] <= 7
    assert 3 <= shut[0] - shut[1] <= 5 and -3 <= shut[2] - shut[1] <= -1


# --- weather ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "told,why",
    [
        ({directive.RAIN_FORECAST: 20}, "rain"),
        ({directive.TEMPERATURE_MIN_6H: 150}, "freeze"),
        ({directive.OUTDOOR_TEMPERATURE: 350}, "freeze"),
    ],
)
def test_a_directive_of_weather_skips_with_its_reason(told, why):
    green = Green(ONE)
    if directive.OUTDOOR_TEMPERATURE in told:
        from wire import quantity

        green.ports.silent.add(quantity.TEMPERATURE)
    green.desk.directives.update(told)
    green.run(hours=9)
    assert skipped(green) == [(1, why)] and green.litres(1) == 0


def test_wind_holds_a_run_and_the_run_goes_on_when_it_drops():
    green = Green(ONE)
    from wire import quantity

    green.ports.silent.add(quantity.WIND_SPEED)
    green.desk.directives[directive.WIND_SPEED] = 95
    green.run(hours=5, minutes=30)
    assert green.litres(1) == 0 and skipped(green) == []
    green.desk.directives[directive.WIND_SPEED] = 20
    green.run(hours=3)
    assert len(green.openings(1)) == 1
    green.desk.directives[directive.WIND_SPEED] = 95
    green.run(hours=24)
    assert skipped(green) == [(1, "wind")]


def test_drip_does_not_mind_the_wind():
    green = Green(programs(PLAIN, [0, 127, 0, 0, 0, 300, 0, 4, 20]))
    green.desk.directives[directive.WIND_SPEED] = 120
    green.run(hours=6)
    assert len(green.openings(3)) == 1


# --- law --------------------------------------------------------------------------------------------------------


def test_forbidden_hours_cut_a_run_short_before_they_begin():
    green = Green(programs(PLAIN, [0, 127, 0, 0, 0, 640, 0, 1, 200]), drought=2, law=[Forbidden(0, 660, 1080)])
    green.run(hours=24)
    assert 0 < green.litres(1) < 500
    assert green.checker.violations == [] and green.checker.forbidden_s == 0


@pytest.mark.parametrize("level,litres", [(0, True), (2, True), (3, False), (4, False)])
def test_a_lawn_by_drought_level(level, litres):
    green = Green(ONE, drought=level)
    green.run(hours=9)
    assert (green.litres(1) > 0) is litres
    if not litres:
        assert skipped(green) == [(1, "drought")]


def test_a_level_that_runs_out_leaves_the_last_one_through_a_power_cut():
    green = Green(ONE, drought=4)
    green.run(hours=4)
    del green.desk.directives[directive.DROUGHT_LEVEL]
    green.cut(remembered=True)
    green.run(hours=24)
    assert green.litres(1) == 0 and skipped(green) == [(1, "drought")]


def test_a_node_that_never_heard_of_a_level_keeps_the_hours_of_alerte():
    green = Green(programs(PLAIN, [0, 127, 0, 0, 0, 700, 0, 1, 50], DAILY), drought=None)
    green.run(hours=20)
    assert [hour for hour, *_ in green.openings(1)] == [5, 18] or [hour for hour, *_ in green.openings(1)] == [5]
    assert all(not 11 <= hour < 18 for hour, *_ in green.openings(1))


@pytest.mark.slow
def test_a_zone_under_a_ban_does_not_move_the_start_of_the_others():
    settings = programs(PLAIN, [0, 127, 0, 0, 0, 360, 1, 5, 100])
    free, banned = Green(settings), Green(settings, drought=3)
    free.run(hours=8)
    banned.run(hours=24 * 4)
    assert banned.litres(1) == 0 and len(banned.openings(3)) == 4
    assert free.openings(3)[0][0] <= banned.openings(3)[0][0] < 6


def test_an_exempted_zone_is_watered_in_a_crisis():
    settings = programs(PLAIN, [0, 127, 0, 0, 0, 300, 0, 5, 20])
    settings["watering"][4] = [[1 << 4, 4, 4, 20260101, 20261231, "Préfet", "Arrêté, art. 5"]]
    green = Green(settings, drought=4)
    green.run(hours=12)
    assert green.litres(3) > 0 and green.litres(1) == 0


# --- bursts, coils, energy ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("second", [0, 120])
def test_a_burst_shuts_zone_and_master_within_a_minute_and_latches_until_a_person_acknowledges(second):
    green = Green(ONE)
    green.run(hours=5, seconds=7 + second)
    green.pipes.burst[1] = 25_000
    green.run(seconds=60)
    assert not any(green.pipes.open)
    assert green.checker.violations == []
    assert [(active, detail[0]) for _, _, active, detail in green.events(event.PIPE_BURST)] == [(True, 1)]
    green.pipes.burst.clear()
    green.run(hours=24)
    assert skipped(green)[-1] == (1, "burst")
    green.cut(remembered=True)
    green.run(hours=24)
    assert skipped(green)[-1] == (1, "burst")
    green.desk.trade.local = LOCK
    green.run(minutes=30)
    assert green.desk.trade.guard.burst is not None, "not while a person works at it"
    green.desk.trade.local = None
    green.run(minutes=1)
    assert green.events(event.PIPE_BURST)[-1][2] is False
    green.run(hours=24)
    assert len(green.openings(1)) == 2


@pytest.mark.parametrize("fault,word", [("open_coil", "open-coil"), ("shorted", "short")])
def test_a_bad_coil_takes_its_zone_out_and_the_next_good_pulse_brings_it_back(fault, word):
    green = Green(programs(plain(valves=[2, 1, 2, 2, 0]), DAILY))
    getattr(green.pipes, fault).add(1)
    green.run(hours=8)
    told = [(active, detail[:2]) for _, _, active, detail in green.events(event.VALVE_FAILURE)]
    assert told[0] == (True, (1, word)) and not green.pipes.open[1]
    getattr(green.pipes, fault).clear()
    green.run(hours=24)
    assert green.events(event.VALVE_FAILURE)[-1][2] is False
    assert green.litres(1) > 100


BATTERY = programs(plain(battery=[2600, 1000, 9000]), DAILY)


def test_a_battery_below_3_5_volts_opens_nothing_and_a_charged_one_in_time_does():
    green = Green(BATTERY, battery_mv=3450)
    green.run(hours=5, minutes=20)
    assert green.litres(1) == 0
    assert [active for _, _, active, _ in green.events(event.BATTERY_LOW)] == [True]
    green.ports.battery_mv = 3900
    green.run(hours=3)
    assert green.litres(1) > 0
    green.ports.battery_mv = 3400
    green.run(hours=24)
    assert skipped(green)[-1] == (1, "energy")


def test_a_half_charged_capacitor_opens_nothing():
    green = Green(BATTERY, battery_mv=3900)
    green.ports.boost_mv = 7000
    green.run(hours=9)
    assert green.litres(1) == 0 and skipped(green) == [(1, "energy")]


def test_a_meter_that_falls_silent_is_told_and_water_is_reckoned_by_time():
    green = Green(ONE)
    from watering import inputs

    green.ports.silent.add(inputs.METER_PULSES)
    green.run(hours=8)
    assert [(active, detail) for _, _, active, detail in green.events(event.SENSOR_FAILURE)] == [
        (True, ("meter", "silent"))
    ]
    assert abs(green.desk.trade.balance.irrigated_ml[0] - 1000 * green.litres(1)) < 20_000


def test_readings_and_health_fit_a_record_with_eight_zones():
    from simulator.estates.season import Season
    from wire import limits as wire_limits
    from wire import quantity

    season = Season(1, "none")
    from kinds import Start, irrigation
    from node.trade import Moment

    trade = irrigation.make_trade(season.own, Start(b"12345678", b"", 0, lambda below: 0))
    moment = Moment(0, None, 0, None, False, {})
    trade.sample({quantity.TEMPERATURE: 2000, quantity.BATTERY: 3900}, moment)
    assert len(trade.readings(moment)) <= wire_limits.READINGS_MAX
    for _ in (1, 2):
        # Beside what the application adds itself.
        assert len(trade.health(moment)) + 8 <= wire_limits.READINGS_MAX
    assert len(trade.memory(0)) == memory.LENGTH
    assert civil.day_s == 86_400


def test_zones_that_a_policy_no_longer_has_keep_what_they_had():
    old = memory.empty()._replace(
        volume_l=7, master_openings=9, zones=tuple(memory.ZoneMemory(100 * n, (), n, 10 * n, 0) for n in range(1, 9))
    )
    kept = memory.decode(Green(PLAIN).make(memory.encode(old), 0).memory(0))
    assert kept.zones[3:] == old.zones[3:] and [zone.openings for zone in kept.zones[:3]] == [10, 20, 30]
    assert (kept.volume_l, kept.master_openings) == (7, 9)


def test_a_node_keeps_of_a_ban_what_it_obeys():
    ban = [2, 63, 127, 480, 1200, "Préfecture", "Arrêté"]
    bans = own(plain(watering=[1, PLAIN["watering"][1], [], [ban], []])).policy.bans
    assert bans == ((2, 63, 127, 480, 1200),)
