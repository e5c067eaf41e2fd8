"""The watchdog is fed only while every task shows life."""

from esp32.watchdog import Ledger, Watchdog


class Wdt:
    def __init__(self):
        self.fed = 0

    def feed(self):
        self.fed += 1


def make():
    ledger, wdt, said = Ledger(), Wdt(), []
    ledger.add("output", 1000, now_ms=0)
    ledger.add("meter", 5000, now_ms=0)
    return ledger, wdt, said, Watchdog(wdt, ledger, say=said.append)


def test_fresh_tasks_feed():
    ledger, wdt, said, watchdog = make()
    assert watchdog.feed(now_ms=1000)
    ledger.beat("output", now_ms=1000)
    assert watchdog.feed(now_ms=2000)
    assert (wdt.fed, said) == (2, [])


def test_one_silent_task_starves_the_watchdog_for_good_and_is_named_once():
    ledger, wdt, said, watchdog = make()
    assert not watchdog.feed(now_ms=1001)
    ledger.beat("output", now_ms=1002)
    assert not watchdog.feed(now_ms=1003)
    assert wdt.fed == 0
    assert said == ["watchdog: silent for too long: output"]


def test_all_silent_tasks_are_named():
    ledger, *_ = make()
    assert ledger.stale(now_ms=5001) == ["meter", "output"]


def test_the_margin_is_that_of_the_nearest_task():
    ledger, *_ = make()
    assert ledger.margin_ms(now_ms=400) == 600
    ledger.beat("output", now_ms=4900)
    assert ledger.margin_ms(now_ms=5100) == -100
