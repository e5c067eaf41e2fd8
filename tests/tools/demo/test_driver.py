"""Virtual time follows a wall clock that the test owns; a thread's commands are done between two steps."""

from concurrent.futures import Future
from threading import Thread

import pytest

from tools.demo.driver import Driver
from tools.demo.pace import FASTEST, Pace

HOUR_MS = 3_600_000


class Empty:
    """A story in which nothing happens but time; dusk is at six hours."""

    def __init__(self):
        self.now_ms = 0
        self.is_closed = False

    @property
    def unix_s(self):
        return self.now_ms // 1000

    def run_until(self, end_ms):
        assert end_ms >= self.now_ms
        self.now_ms = end_ms

    def dusk_ms(self):
        return 6 * HOUR_MS

    def snapshot(self):
        return self.now_ms

    def close(self):
        self.is_closed = True


def begun(speed=60):
    driver = Driver(Empty, speed=speed)
    driver.begin(wall_ms=0)
    return driver


def at_dusk(speed=60):
    """A driver that has hurried to dusk; returns it with the wall clock."""
    driver = begun(speed)
    wall_ms = 0
    while driver.turn(wall_ms=wall_ms):
        wall_ms += 1
    return driver, wall_ms


def ordered(driver, command, *, wall_ms):
    """Gives a command from another thread and does the turn in which it is done."""
    thread = Thread(target=command)
    thread.start()
    while thread.is_alive():
        driver.turn(wall_ms=wall_ms)
        thread.join(0.001)


# --- pace ---------------------------------------------------------------------------------------------------------


def test_time_passes_so_many_times_as_fast():
    pace = Pace(speed=60, wall_ms=5_000, world_ms=0)
    assert pace.target_ms(wall_ms=6_000, world_ms=0, step_ms=HOUR_MS) == 60_000
    assert pace.target_ms(wall_ms=6_500, world_ms=60_000, step_ms=HOUR_MS) == 90_000


def test_a_step_is_never_longer_than_it_may_be():
    pace = Pace(speed=600, wall_ms=0, world_ms=0)
    assert pace.target_ms(wall_ms=1_000, world_ms=0, step_ms=60_000) == 60_000


def test_a_lag_is_dropped():
    pace = Pace(speed=1, wall_ms=0, world_ms=0)
    assert pace.target_ms(wall_ms=HOUR_MS, world_ms=0, step_ms=HOUR_MS) == 2_000
    assert pace.target_ms(wall_ms=HOUR_MS + 1_000, world_ms=2_000, step_ms=HOUR_MS) == 3_000


def test_no_time_passes_in_a_pause_and_none_is_made_up_for():
    pace = Pace(speed=60, wall_ms=0, world_ms=0)
    pace.pause()
    assert pace.target_ms(wall_ms=9_000, world_ms=7, step_ms=HOUR_MS) == 7
    pace.run(60, wall_ms=10_000, world_ms=7)
    assert pace.target_ms(wall_ms=11_000, world_ms=7, step_ms=HOUR_MS) == 60_007


def test_time_goes_on_at_its_speed_after_an_hour_that_passed_at_once():
    pace = Pace(speed=60, wall_ms=0, world_ms=0)
    assert pace.target_ms(wall_ms=1_000, world_ms=HOUR_MS, step_ms=HOUR_MS) == HOUR_MS
    assert pace.target_ms(wall_ms=2_000, world_ms=HOUR_MS, step_ms=HOUR_MS) == HOUR_MS + 60_000


def test_the_fastest_takes_whole_steps():
    pace = Pace(speed=FASTEST, wall_ms=0, world_ms=0)
    assert pace.target_ms(wall_ms=0, world_ms=5, step_ms=60_000) == 60_005


def test_the_reached_speed_is_measured():
    pace = Pace(speed=FASTEST, wall_ms=0, world_ms=0)
    pace.measure(wall_ms=500, passed_ms=1)
    assert pace.reached == 0
    pace.measure(wall_ms=2_000, passed_ms=239_999)
    assert pace.reached == 120


def test_a_speed_counts_as_reached_until_it_is_measured():
    pace = Pace(speed=1, wall_ms=0, world_ms=0)
    pace.pause()
    pace.run(60, wall_ms=5_000, world_ms=0)
    pace.measure(wall_ms=5_100, passed_ms=0)
    assert pace.reached == 60


# --- driver -------------------------------------------------------------------------------------------------------


def test_it_hurries_to_half_a_minute_before_dusk_and_goes_on_at_its_speed():
    driver, wall_ms = at_dusk()
    assert driver.state.unix_s == 6 * 3600 - 30
    assert driver.state.until_s is None and driver.state.speed == 60
    driver.turn(wall_ms=wall_ms + 1_000)
    assert driver.state.unix_s == 6 * 3600 + 30


def waiting():
    """A driver that has hurried to dusk and waits there; returns it with the wall clock."""
    driver = Driver(Empty, speed=10, waits=True)
    driver.begin(wall_ms=0)
    while driver.turn(wall_ms=0):
        pass
    return driver


def test_time_waits_before_the_first_dusk_until_somebody_has_it_go_on():
    driver = waiting()
    driver.turn(wall_ms=HOUR_MS)
    assert (driver.state.unix_s, driver.state.is_paused, driver.state.waits) == (6 * 3600 - 30, True, True)
    ordered(driver, driver.go_on, wall_ms=HOUR_MS)
    assert (driver.state.speed, driver.state.is_paused, driver.state.waits) == (10, False, False)


def test_who_comes_before_time_has_hurried_to_dusk_does_not_find_it_standing_there():
    driver = Driver(Empty, speed=10, waits=True)
    driver.begin(wall_ms=0)
    ordered(driver, driver.go_on, wall_ms=0)
    assert driver.state.until_s == 6 * 3600 - 30
    while driver.turn(wall_ms=0):
        pass
    assert not driver.state.is_paused


def test_while_it_hurries_it_says_where_to():
    driver = begun()
    driver.turn(wall_ms=0)
    assert driver.state.until_s == 6 * 3600 - 30


def test_a_pause_ends_the_hurry():
    driver = begun()
    driver.turn(wall_ms=0)
    ordered(driver, driver.pause, wall_ms=1)
    before_s = driver.state.unix_s
    assert not driver.turn(wall_ms=60_000)
    assert driver.state.is_paused and driver.state.until_s is None and driver.state.unix_s == before_s


def test_what_is_asked_is_done_in_the_thread_of_the_world():
    driver, wall_ms = at_dusk()
    found = []
    ordered(driver, lambda: found.append(driver.ask(lambda story: story.now_ms)), wall_ms=wall_ms)
    assert found == [pytest.approx(6 * HOUR_MS - 30_000, abs=1_000)]


def test_an_error_is_the_askers_and_the_world_goes_on():
    driver, wall_ms = at_dusk()
    failed = Future()

    def ask():
        try:
            driver.ask(lambda story: 1 // 0)
        except ZeroDivisionError as error:
            failed.set_result(error)

    ordered(driver, ask, wall_ms=wall_ms)
    assert failed.done()
    driver.turn(wall_ms=wall_ms + 1_000)


def test_a_real_thread_makes_the_story_and_closes_it():
    driver = Driver(Empty, speed=FASTEST)
    driver.start()
    story = driver.ask(lambda story: story)
    driver.close()
    assert story.is_closed


def test_what_the_making_raised_is_raised_by_start():
    def fail():
        raise OSError("no room")

    with pytest.raises(OSError, match="no room"):
        Driver(fail, speed=1).start()


def test_who_changes_the_speed_is_shown_it_before_the_next_step_is_done():
    driver, wall_ms = at_dusk()
    driver._set(None, 1, wall_ms=wall_ms)
    assert driver.state.speed == 1
    driver._set_pause()
    assert driver.state.is_paused
