"""Preheat and early stop aim at what the law lets through at the hour that they are for, whatever the programme wishes:
an exemption that has ended, one that begins tomorrow, one whose last day it is."""

import pytest

from policy import heating
from policy.heating import Limit, Programme, Rule, Span
from tests.support.warm_world import WarmWorld, at, model_of
from wire import event

DAY = (Rule(0b0011111, 0, 0, 0),), ((Span(480, 1080, 0),),)
MONDAY, TUESDAY = (at(2026, 12, day) for day in (7, 8))


def week(comfort_ck, first=0, last=0):
    """A working week that wishes so much, with an exemption for 22 °C from one date to another."""
    exemptions = (Limit(heating.OCCUPIED, 2200, first, last, "Préfet", "Arrêté 7"),) if first else ()
    return Programme(*DAY, heating.Setpoints(comfort_ck, 1600, 1600, 800), (), exemptions)


def lived(programme, start_s, minutes, start_ck=1600, mean_ck=300, output="relay"):
    world = WarmWorld(model_of(output, programme=programme), start_s=start_s, start_ck=start_ck, mean_ck=mean_ck)
    world.airs, world.preheats, world.targets = [], [], set()
    lead_s = world.trade._preheat.lead_s

    def note(target_ck, *rest):
        world.targets.add(target_ck)
        return lead_s(target_ck, *rest)

    world.trade._preheat.lead_s = note

    def look(world):
        world.airs.append(world.room.air_ck)
        if world.trade._rule == "preheat":
            world.preheats.append((world.unix_s, world.trade.setpoint_ck))

    world.run(minutes, look)
    return world


@pytest.mark.parametrize("output", ["relay", "opentherm"])
@pytest.mark.parametrize(("start_ck", "mean_ck"), [(1600, 300), (2000, 1200)])
def test_a_wish_that_is_exempted_no_more_heats_as_the_wish_that_is_allowed(output, start_ck, mean_ck):
    ended = lived(week(2200, 20261001, 20261130), MONDAY + 3600, 3 * 1440, start_ck, mean_ck, output)
    plain = lived(week(1900), MONDAY + 3600, 3 * 1440, start_ck, mean_ck, output)
    assert ended.airs == plain.airs
    assert ended.preheats == plain.preheats
    assert ended.told(event.HEATING_LEARNED) == plain.told(event.HEATING_LEARNED)
    assert ("early-stop" in ended.rules()) == ("early-stop" in plain.rules())
    assert plain.told(event.HEATING_LEARNED) or "early-stop" in plain.rules(), "there was something to compare"


def test_a_preheat_that_comes_too_late_is_learned_of_under_a_ceiling_too():
    world = lived(week(2200), MONDAY + 7 * 3600, 10 * 60, start_ck=1600, mean_ck=800)
    assert world.told(event.CEILING_APPLIED)
    (lesson,) = (detail for _, detail in world.told(event.HEATING_LEARNED))
    assert lesson[0] > 60, "beyond the hour at which people came"


def test_the_hour_after_the_last_day_of_an_exemption_is_under_the_law_again():
    world = lived(week(2200, 20261201, 20261207), MONDAY + 18 * 3600, 15 * 60)
    assert world.preheats and {setpoint_ck for _, setpoint_ck in world.preheats} == world.targets == {1900}


def test_an_exemption_that_begins_tomorrow_is_heated_for_in_time_and_not_before_its_day():
    world = lived(week(2200, 20261208, 20261231), MONDAY + 18 * 3600, 14 * 60, start_ck=1900, mean_ck=500)
    sooner = lived(week(1900), MONDAY + 18 * 3600, 14 * 60, start_ck=1900, mean_ck=500)
    assert world.preheats[0][0] < sooner.preheats[0][0] - 3600
    assert world.preheats[0][0] >= TUESDAY and {setpoint_ck for _, setpoint_ck in world.preheats} == {2200}
    assert world.targets == {2200}, "on the evening before, too"
    assert world.airs[-1] >= sooner.airs[-1] + 150
