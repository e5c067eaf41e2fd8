"""Virtual time: what is due runs in order, once, at its instant; a loop that never waits is stopped."""

import pytest

from simulator.world.time import World

START_S = 1_800_000_000


@pytest.fixture
def world():
    return World(start_unix_s=START_S)


def test_events_run_in_order_of_time_and_of_asking(world):
    done = []
    for when_ms, name in ((20, "c"), (10, "a"), (20, "d"), (10, "b")):
        world.at(when_ms, done.append, name)
    world.run_until(100)
    assert done == ["a", "b", "c", "d"]


def test_an_event_sees_its_own_instant_and_the_clock_ends_at_the_end(world):
    seen = []
    world.at(1500, lambda: seen.append((world.now_ms, world.unix_ms, world.unix_s)))
    world.run_until(2000)
    assert seen == [(1500, 1000 * START_S + 1500, START_S + 1)]
    assert world.now_ms == 2000


def test_the_end_is_included_and_what_comes_later_waits(world):
    done = []
    world.at(1000, done.append, "at the end")
    world.at(1001, done.append, "after")
    world.run_until(1000)
    assert done == ["at the end"]
    world.run_until(1001)
    assert done == ["at the end", "after"]


def test_the_past_is_now(world):
    done = []
    world.run_until(500)
    world.at(100, lambda: done.append(world.now_ms))
    world.at_unix(START_S - 5, lambda: done.append(world.now_ms))
    world.run_until(500)
    assert done == [500, 500]


def test_a_period_begins_now_and_repeats(world):
    seen = []
    world.at(50, world.every, 100, lambda: seen.append(world.now_ms))
    world.run_until(350)
    assert seen == [50, 150, 250, 350]


def test_an_instant_of_utc_is_met(world):
    seen = []
    world.at_unix(START_S + 3, lambda: seen.append(world.unix_s))
    world.run_until(10_000)
    assert seen == [START_S + 3]


def test_a_loop_that_never_waits_is_named(world):
    turns = iter(range(50_000))

    def spin():
        if next(turns, None) is not None:
            world.after(0, spin)

    world.at(10, spin)
    with pytest.raises(AssertionError, match=r"time stands still at 10 ms in .*spin"):
        world.run_until(1000)


def test_much_to_do_over_a_long_time_is_no_loop(world):
    done = []
    for when_ms in range(1000):
        for _ in range(50):
            world.at(when_ms, done.append, when_ms)
    world.run_until(1000)
    assert len(done) == 50_000
