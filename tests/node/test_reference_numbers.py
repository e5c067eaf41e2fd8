"""Numbers of the project's reference (nodes, a.1 and a.3) as they stand there, not as the code names them: each is seen
to happen on the real code with the settings a node has by itself."""

from collections import Counter
from itertools import pairwise

import pytest

from kinds import Start, streetlight
from node.trade import Moment
from policy import lighting
from policy.watering import INTAKE_DMM_H, SOILS
from tests.portable.node_day import CLOCK_ONLY, World
from tests.support.green import PLAIN, Green, own, plain, programs
from watering import balance
from watering.valves import ABSENT, HELD, LATCHING, Valves
from wire import event

HALF_AN_HOUR_S, FOUR_HOURS_S = 1800, 14_400

# --- soak: 30 to 60 min, and more where little seeps in ---------------------------------------------------------


@pytest.mark.parametrize("soil", range(len(SOILS)))
@pytest.mark.parametrize("slope_percent", [0, 4, 6, 8, 12, 15, 40])
def test_what_stands_on_any_soil_has_half_an_hour_at_least_to_seep_in(soil, slope_percent):
    zone = own(PLAIN).policy.zones[1]._replace(soil=soil, slope_percent=slope_percent)
    cut = balance.plan_cycles(zone, 60_000, 3600)
    assert cut.cycle_s < cut.total_s, "at 90 mm/h every soil must soak"
    assert HALF_AN_HOUR_S <= cut.soak_s <= 4 * HALF_AN_HOUR_S


def test_between_two_cycles_on_clay_its_valve_is_shut_for_half_an_hour_at_least():
    clay = min(range(len(SOILS)), key=lambda soil: SOILS[soil][INTAKE_DMM_H])
    made = programs(plain(weather=[40, 2, 0, []]), [0, 127, 0, 0, 0, 300, 0, 2, 60])
    made["watering"][1][1][2] = clay
    green = Green(made)
    green.run(hours=20)
    switched = [(at_s, detail[1]) for at_s, code, _, detail in green.desk.events
                if code == event.VALVE_SWITCHED and detail[0] == 2]  # fmt: skip
    soaks = [opened - shut for (shut, is_open), (opened, again) in pairwise(switched) if not is_open and again]
    assert len(soaks) >= 3 and min(soaks) >= HALF_AN_HOUR_S


# --- no valve is open for more than four hours on one order -----------------------------------------------------


@pytest.mark.parametrize("kind", [HELD, LATCHING])
@pytest.mark.parametrize("for_s", [FOUR_HOURS_S, FOUR_HOURS_S + 1, 86_400, 1 << 30])
def test_an_opening_for_longer_is_shut_after_four_hours(kind, for_s):
    valves = Valves([ABSENT, kind, *[ABSENT] * 8], gap_ms=100, now_ms=0)
    for now_ms in (0, 1000):
        if (pulse := valves.tick(now_ms=now_ms).pulse) is not None:
            valves.observe_pulse(*pulse, now_ms=now_ms)
    assert valves.open(1, for_s, now_ms=2000)
    valves.observe_pulse(1, True, now_ms=2100)
    assert valves.tick(now_ms=2000 + 1000 * FOUR_HOURS_S - 1).pulse is None and valves.is_open(1)
    drive = valves.tick(now_ms=2000 + 1000 * FOUR_HOURS_S)
    assert not valves.is_open(1) and drive.held == 0
    assert drive.pulse == ((1, False) if kind == LATCHING else None)


def test_a_program_of_many_hours_never_has_a_valve_open_for_more_than_four():
    made = programs(plain(weather=[40, 2, 0, []]), [0, 127, 0, 0, 0, 300, 0, 4, 500])
    made["watering"][1][2][5:8] = [20_000, 8000, 0]
    made["watering"][1][2][10] = 240
    green = Green(made)
    green.run(hours=16)
    times = [at_s for at_s, code, _, detail in green.desk.events if code == event.VALVE_SWITCHED and detail[0] == 3]
    assert len(times) >= 2
    assert all(shut - opened <= FOUR_HOURS_S for opened, shut in zip(times[::2], times[1::2], strict=False))


# --- lamp failure: 300 s of warming up, a steady minute, three samples of five ------------------------------------


def told_after_s(**plain_settings):
    """How long after it is lit a lamp that is dead is told to be."""
    world = World(plain={"calendar": CLOCK_ONLY, **plain_settings})
    world.power_on()
    world.run(600)
    assert world.edges[-1][1] == 0
    world.lamp_burns = False
    world.run(8 * 3600)
    lit_s = next(at_s for at_s, level, rule in world.edges if level == 100 and rule == "calendar")
    told = world.events(event.LAMP_FAILURE)
    assert len(told) == 1 and told[0][1].body.active is True
    return (world._unix_ms + told[0][0]) // 1000 - lit_s


def test_a_dead_lamp_is_told_with_the_settings_it_has_by_itself_after_300_s_and_three_samples_of_a_minute():
    assert 300 + 2 * 60 <= told_after_s() <= 300 + 4 * 60
    assert 300 + 2 * 10 <= told_after_s(sample_s=10) <= 300 + 4 * 10


def test_one_that_needs_no_warming_up_is_told_after_its_steady_minute_and_three_samples():
    assert 60 + 2 * 10 - 10 <= told_after_s(sample_s=10, warm_up_s=0) <= 60 + 4 * 10


# --- inrush: a delay of hash(node) mod 10 s ----------------------------------------------------------------------


def test_a_hundred_lamps_at_dusk_come_on_over_ten_seconds_about_evenly():
    """Of a street: ids one after the other, as a bench gives them."""
    settings = World(plain={"calendar": CLOCK_ONLY}).settings.own
    dusk_s = lighting.Plan(settings.calendar, settings.site).wanted(1_795_521_600).until_s
    seconds = Counter()
    for serial in range(1, 101):
        trade = streetlight.make_trade(
            settings, Start(bytes.fromhex("7c1f0a2c01") + serial.to_bytes(3, "big"), b"", 0, lambda below: 0)
        )
        for second in range(-60, 20):
            trade.decide(Moment(1000 * (second + 60), dusk_s + second, 0, None, False, {}))
            if trade.outputs.level_percent == 100 and second >= 0:
                seconds[second] += 1
                break
            assert trade.outputs.level_percent == (100 if second < -55 and trade.outputs.rule == "boot" else 0)
    assert sorted(seconds) == list(range(10)) and sum(seconds.values()) == 100
    assert all(4 <= count <= 20 for count in seconds.values())


def test_the_power_of_a_street_rises_by_a_fifth_at_most_in_a_second():
    """The same seen by the feeder, for streets of other benches."""
    for bench in (1, 2, 200):
        offsets = Counter()
        for serial in range(1, 101):
            node = bytes.fromhex("7c1f0a2c") + bytes((bench,)) + serial.to_bytes(3, "big")
            trade = streetlight.make_trade(World().settings.own, Start(node, b"", 0, lambda below: 0))
            offsets[trade._decision._stagger_s] += 1
        assert max(offsets.values()) <= 20, bench
