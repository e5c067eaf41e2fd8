"""A room whose gateway says, closed, for days: what the node makes of what it is told, renewed every quarter of an hour
with the time that is left, seven days at most, and lost with every restart."""

import pytest

from policy import civil, heating
from tests.support.warm_world import WarmWorld, at, model_of
from wire import directive, event

WEEK = heating.DEFAULT_PROGRAMME
TUESDAY, FRIDAY = at(2026, 12, 8), at(2026, 12, 11)


class Closing:
    """A world whose gateway tells an exception from an instant to another; `each` of a run."""

    def __init__(self, start_s, from_s, to_s, word=heating.CLOSED, start_ck=1800):
        self.world = WarmWorld(model_of(programme=WEEK), start_s=start_s, start_ck=start_ck)
        self.from_s, self.to_s, self.word = from_s, to_s, word
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
            world.directives = {directive.EXCEPTION: self.word, directive.EXCEPTION_ENDS: world.now_ms + left_ms}

    def setpoints(self, from_s, to_s):
        return {told[0] for now_s, told in self.at.items() if from_s <= now_s < to_s}


def test_three_closed_days_are_a_long_emptiness_from_the_first_hour_on_and_friday_is_warm_in_time():
    room = Closing(TUESDAY - 6 * 3600, TUESDAY + 60, FRIDAY)
    room.run_to(FRIDAY + 9 * 3600)
    assert room.setpoints(TUESDAY + 120, FRIDAY - 12 * 3600) == {800}
    assert room.at[FRIDAY + 8 * 3600][2] >= 1700, "by a node that has not learned yet"
    preheats = [now_s for now_s, told in room.at.items() if told[1] == "preheat"]
    assert FRIDAY - 4 * 3600 <= preheats[0] < FRIDAY + 8 * 3600
    edges = [now_s for now_s in preheats if now_s - 10 not in preheats]
    assert len(edges) == 1, "an end that is told some seconds sooner or later is the same"


def test_nobody_is_heated_for_on_the_evening_before_a_closed_day():
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
def test_after_a_restart_nobody_knows_since_when_and_closed_has_been_for_long(day):
    boot_s = at(2026, 12, day, 600)
    room = Closing(boot_s, boot_s + 60, FRIDAY)
    room.run_to(boot_s + 4 * 3600)
    assert room.setpoints(boot_s + 120, boot_s + 4 * 3600) == {800}


def test_what_begins_before_the_eyes_of_a_node_begins_today():
    """Closed on Tuesday alone: 38 hours from Monday evening to Wednesday morning."""
    room = Closing(TUESDAY - 6 * 3600, TUESDAY + 60, TUESDAY + civil.day_s)
    room.run_to(TUESDAY + 20 * 3600)
    assert room.setpoints(TUESDAY + 120, TUESDAY + 20 * 3600) == {1600}


def test_a_closure_that_is_called_off_leaves_what_has_been_of_it():
    """On Wednesday evening, when nobody has been there since Monday's: 62 hours until Thursday morning."""
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


def test_a_second_closure_is_not_the_first_one_once_people_have_been_there():
    """Monday closed, Tuesday used, and closed again from 15:00 on."""
    monday, told_s = TUESDAY - civil.day_s, TUESDAY + 15 * 3600
    room = Closing(monday - 6 * 3600, monday + 60, TUESDAY)
    room.run_to(told_s)
    assert room.at[TUESDAY + 12 * 3600][0] == 1900
    room.from_s, room.to_s = told_s, TUESDAY + 2 * civil.day_s
    room.run_to(told_s + 12 * 3600)
    assert room.setpoints(told_s + 120, told_s + 12 * 3600) == {1600}


def test_occupied_all_day_for_two_days_is_warm_through_the_night_between():
    saturday = at(2026, 12, 12)
    word = heating.OCCUPIED_ALL_DAY
    room = Closing(saturday + 8 * 3600, saturday + 9 * 3600, saturday + 2 * civil.day_s, word, start_ck=1900)
    room.run_to(saturday + 36 * 3600)
    assert room.setpoints(saturday + 10 * 3600, saturday + 36 * 3600) == {1900}
    assert "early-stop" not in room.world.rules()
    assert room.world.told(event.HEATING_FAILURE) == []
