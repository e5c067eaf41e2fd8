"""The watchdog's twin ends the process when the last feed is too long ago, and not before."""

import sys
import types

import pytest

from simulator.hosts import vm


@pytest.fixture
def clock(monkeypatch):
    module = types.ModuleType("utime")
    module.now = 5
    module.ticks_ms = lambda: module.now
    module.ticks_diff = lambda end, start: end - start
    monkeypatch.setitem(sys.modules, "utime", module)
    return module


def test_it_ends_the_process_after_the_timeout_only(clock, shim):
    watchdog = shim("bench_watchdog")
    clock.now = 100_000
    watchdog.look()  # not armed: nothing happens
    watchdog.start(8000)
    clock.now += 8000
    watchdog.feed()
    clock.now += 8000
    watchdog.look()
    clock.now += 1
    with pytest.raises(SystemExit) as ended:
        watchdog.look()
    assert ended.value.code == vm.WATCHDOG_CODE


def test_a_feed_that_comes_too_late_does_not_help(clock, shim):
    watchdog = shim("bench_watchdog")
    watchdog.start(8000)
    clock.now += 8001
    with pytest.raises(SystemExit):
        watchdog.feed()


def test_both_sides_know_the_same_exit_codes(clock, shim):
    watchdog = shim("bench_watchdog")
    assert (watchdog.RESET_CODE, watchdog.WATCHDOG_CODE) == (vm.RESET_CODE, vm.WATCHDOG_CODE)
