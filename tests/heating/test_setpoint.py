"""The set-point of a room: preheat and early stop aim at what the law will allow at their hour (an exemption that has
ended, one that begins tomorrow, one whose last day it is); an exception that the gateway renews every quarter of an
hour, for seven days at most, is lost with every restart; a detector lets an empty room be cooler."""

import pytest

from heating import limits
from policy import civil, heating
from policy.heating import Limit, Programme, Rule, Span
from tests.support.warm_world import ALWAYS, WarmWorld, at, model_of
from wire import directive, event, quantity

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


@pytest.mark.slow
@pytest.mark.parametrize(("output", "start_ck", "mean_ck"), [("relay", 1600, 300), ("opentherm", 2000, 1200)])
def test_a_wish_that_is_exempted_no_more_heats_as_the_wish_that_is_allowed(output, start_ck, mean_ck):
    ended = lived(week(2200, 20261001, 20261130), MONDAY + 3600, 2 * 1440, start_ck, mean_ck, output)
    plain = lived(week(1900), MONDAY + 3600, 2 * 1440, start_ck, mean_ck, output)
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


WEEK = heating.DEFAULT_PROGRAMME
FRIDAY = at(2026, 12, 11)


class Closing:
    """A world whose gateway tells a closure, or ordered hours (`minute`: at which they begin), from an instant to
    another; `each` of a run."""

    def __init__(self, start_s, from_s, to_s, minute=None, start_ck=1800):
        self.world = WarmWorld(model_of(programme=WEEK), start_s=start_s, start_ck=start_ck)
        self.from_s, self.to_s = from_s, to_s
        self.code, self.value = (directive.EXCEPTION, 1) if minute is None else (directive.OCCUPIED, minute)
        self.at = {}

    def run_to(self, unix_s):
        self.world.run((unix_s - self.world.unix_s) // 60, self._each)

    def _each(self, world):
        now_s = world.unix_s
        self.at[now_s] = (world.trade.setpoint_ck, world.trade._rule, world.room.air_ck)
        if not self.from_s <= now_s < self.to_s:
            world.directives = {}
        elif now_s % 900 == 0 or not world.directives:
            left_s = min(directive.FOR_S_MAX, self.to_s - now_s)
            left_ms = 1000 * left_s - left_s // 20 + now_s // 900 % 3 * 700  # drift, and the way of a message
            world.directives = {self.code: self.value, directive.ENDS + self.code: world.now_ms + left_ms}

    def setpoints(self, from_s, to_s):
        return {told[0] for now_s, told in self.at.items() if from_s <= now_s < to_s}


@pytest.mark.slow
def test_three_closed_days_are_a_long_emptiness_from_the_first_hour_on_and_friday_is_warm_in_time():
    room = Closing(TUESDAY - 6 * 3600, TUESDAY + 60, FRIDAY)
    room.run_to(FRIDAY + 9 * 3600)
    assert room.setpoints(TUESDAY + 120, FRIDAY - 12 * 3600) == {800}
    assert room.at[FRIDAY + 8 * 3600][2] >= 1700, "by a node that has not learned yet"
    preheats = [now_s for now_s, told in room.at.items() if told[1] == "preheat"]
    assert FRIDAY - 5 * 3600 <= preheats[0] < FRIDAY + 8 * 3600
    edges = [now_s for now_s in preheats if now_s - 10 not in preheats]
    assert len(edges) == 1, "an end that is told some seconds sooner or later is the same"


@pytest.mark.slow
def test_no_room_is_preheated_on_the_evening_before_a_closed_day():
    """Said on Saturday for the week."""
    room = Closing(at(2026, 12, 5, 540), at(2026, 12, 5, 600), at(2026, 12, 12))
    room.run_to(TUESDAY + 12 * 3600)
    assert room.setpoints(at(2026, 12, 5, 660), TUESDAY + 12 * 3600) == {800}
    assert "preheat" not in room.world.rules()


def test_closed_for_longer_than_a_gateway_may_say_is_closed_as_far_as_it_says():
    room = Closing(TUESDAY - 6 * 3600, TUESDAY + 60, TUESDAY + 30 * civil.day_s)
    room.run_to(TUESDAY + 24 * 3600)
    assert room.setpoints(TUESDAY + 120, TUESDAY + 24 * 3600) == {800}


@pytest.mark.parametrize("day", [8, 10])
def test_after_a_restart_the_begin_is_not_known_and_closed_counts_as_long(day):
    boot_s = at(2026, 12, day, 600)
    room = Closing(boot_s, boot_s + 60, FRIDAY)
    room.run_to(boot_s + 4 * 3600)
    assert room.setpoints(boot_s + 120, boot_s + 4 * 3600) == {800}


def test_what_begins_before_the_eyes_of_a_node_begins_today():
    """Closed on Tuesday alone: 38 hours from Monday evening to Wednesday morning."""
    room = Closing(TUESDAY - 6 * 3600, TUESDAY + 60, TUESDAY + civil.day_s)
    room.run_to(TUESDAY + 20 * 3600)
    assert room.setpoints(TUESDAY + 120, TUESDAY + 20 * 3600) == {1600}


@pytest.mark.slow
def test_a_closure_that_is_called_off_leaves_what_has_been_of_it():
    """On Wednesday evening, in an empty room since Monday's: 62 hours until Thursday morning."""
    called_off_s = TUESDAY + civil.day_s + 18 * 3600 + 1800
    room = Closing(TUESDAY - 6 * 3600, TUESDAY + 60, FRIDAY)
    room.run_to(called_off_s)
    room.to_s = called_off_s + 60
    room.run_to(called_off_s + 15 * 3600)
    assert room.setpoints(called_off_s + 120, called_off_s + 3000) == {800}
    assert room.at[called_off_s + 14 * 3600][0] == 1900


def test_what_was_used_of_the_day_on_which_a_closure_is_told_counts_as_used():
    """On Tuesday at 15:00, until Thursday: 41 hours until people come, not 62."""
    told_s = TUESDAY + 15 * 3600
    room = Closing(TUESDAY + 12 * 3600, told_s, TUESDAY + 2 * civil.day_s, start_ck=1900)
    room.run_to(TUESDAY + 2 * civil.day_s - 12 * 3600)
    assert room.setpoints(told_s - 3600, told_s) == {1900}
    assert room.setpoints(told_s + 120, TUESDAY + 2 * civil.day_s - 12 * 3600) == {1600}


@pytest.mark.slow
def test_a_second_closure_is_not_the_first_one_once_people_have_been_there():
    """Monday closed, Tuesday used, and closed again from 15:00 on."""
    monday, told_s = TUESDAY - civil.day_s, TUESDAY + 15 * 3600
    room = Closing(monday - 6 * 3600, monday + 60, TUESDAY)
    room.run_to(told_s)
    assert room.at[TUESDAY + 12 * 3600][0] == 1900
    room.from_s, room.to_s = told_s, TUESDAY + 2 * civil.day_s
    room.run_to(told_s + 12 * 3600)
    assert room.setpoints(told_s + 120, told_s + 12 * 3600) == {1600}


SATURDAY = at(2026, 12, 12)


def ordered(from_s, to_s, **more):
    """Hours that are told from Friday evening on, to a room that is empty until Monday."""
    return Closing(SATURDAY - 6 * 3600, SATURDAY - 5 * 3600, to_s, from_s // 60, **more)


def test_a_hall_that_is_ordered_for_an_evening_is_warm_when_it_begins_and_let_go_at_its_end():
    begins_s, ends_s = SATURDAY + 18 * 3600, SATURDAY + 23 * 3600
    hall = ordered(begins_s, ends_s, start_ck=1500)
    hall.run_to(ends_s + 3600)
    assert hall.at[begins_s][2] >= 1800 and hall.at[begins_s][0] == 1900
    preheats = [now_s for now_s, told in hall.at.items() if told[1] == "preheat"]
    assert begins_s - 6 * 3600 < preheats[0] < begins_s - 600
    assert hall.setpoints(begins_s, ends_s - 3600) == {1900}, "an early stop may come in the last hour"
    assert hall.setpoints(ends_s + 60, ends_s + 3600) == {1600}, "empty until Monday: 33 hours"


def test_an_order_for_two_days_is_warm_through_the_night_between():
    room = ordered(SATURDAY + 9 * 3600, SATURDAY + 2 * civil.day_s, start_ck=1900)
    room.run_to(SATURDAY + 36 * 3600)
    assert room.setpoints(SATURDAY + 10 * 3600, SATURDAY + 36 * 3600) == {1900}
    assert "early-stop" not in room.world.rules()
    assert room.world.told(event.HEATING_FAILURE) == []


SOMEBODY = {quantity.OCCUPANCY: 1}


def world_of(programme=ALWAYS, standby_ck=100, **more):
    return WarmWorld(model_of(programme=programme, standby_ck=standby_ck), **more)


def detection(world):
    world.trade.sense(SOMEBODY, world.moment())


def test_an_hour_without_a_detection_lowers_the_setpoint_and_the_next_restores_it_within_seconds():
    world = world_of()
    world.run(50, detection)
    world.run(58)
    assert world.trade.setpoint_ck == 1900
    world.run(4)
    assert world.trade.setpoint_ck == 1800
    assert world.trade.readings(world.moment())[quantity.SETPOINT] == 1800
    detection(world)
    world.run(1)
    assert world.trade.setpoint_ck == 1900
    assert set(world.rules()) == {"programme"}, "when a person left or came is in no event"


def test_an_occupied_room_or_one_without_a_detector_is_never_on_standby():
    world = world_of()
    world.run(3 * 60, detection)
    assert "standby" not in world.rules()
    world = world_of(standby_ck=0)
    world.run(3 * 60)
    assert "standby" not in world.rules()


def test_a_room_is_warm_for_who_may_come_and_the_hour_counts_from_the_span_s_beginning():
    world = world_of(WEEK, start_s=at(2026, 12, 1, 60), start_ck=1600)
    world.run(8 * 60 - 5)
    assert world.trade.setpoint_ck == 1900, "no detection is waited for before the span"
    world.run(10)
    assert world.trade.setpoint_ck == 1800
    world.run(10 * 60)
    assert world.rules()[-1] == "programme" and world.trade.setpoint_ck == 1600


def test_a_ceiling_holds_the_wish_and_standby_counts_from_there():
    wish = heating.Programme(
        ALWAYS.rules, ((heating.Span(0, 1440, 2200),),), heating.Setpoints(2200, 1600, 1600, 800), (), ()
    )
    world = world_of(wish)
    world.run(5)
    assert world.trade.setpoint_ck == 1900
    world.run(60)
    assert world.trade.setpoint_ck == 1800


def test_presence_stays_in_the_node():
    world = world_of()
    detection(world)
    world.trade.sample({quantity.TEMPERATURE: 1900, **SOMEBODY}, world.moment())
    assert quantity.OCCUPANCY not in world.trade.readings(world.moment())
    assert quantity.OCCUPANCY not in world.trade.health(world.moment())
    world.run(30, detection)
    assert {code for _, code, _, _ in world.events} <= {event.SETPOINT_CHANGED}
    assert limits.STANDBY_MS >= 900_000, "what is told of it is no finer than what leaves a cabinet"


@pytest.mark.parametrize(("empty_h", "lead_h"), [(47, 6), (48, 36)])
def test_a_preheat_begins_with_its_lead_even_where_that_is_the_longest(empty_h, lead_h):
    world = WarmWorld(model_of(programme=WEEK), start_s=MONDAY, start_ck=500)
    preheat = world.trade._preheat
    preheat.learned = preheat.learned._replace(rate_ck_h=1, rate_long_ck_h=1)
    wanted = heating.Wanted(1600, heating.EMPTY, 0, FRIDAY, FRIDAY, 1900, 3600 * empty_h)

    def rule(left_s):
        return world.trade._ladder._programme(wanted, FRIDAY - left_s, 500, 0)[1]

    assert [rule(3600 * lead_h + 1), rule(3600 * lead_h)] == ["programme", "preheat"]
