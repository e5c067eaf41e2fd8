"""The monthly byte budget: months, interfaces, share and pace."""

from itertools import pairwise

import pytest

from gateway.core import limits
from tests.support.budget_world import DAY_S, LIMIT, MB, NOVEMBER_1, Meter


def test_bytes_before_the_first_look_are_not_counted_and_all_after_are():
    meter = Meter()
    meter.counter = 7 * MB
    meter.use(0)
    assert meter.used == 0
    meter.use(1234)
    meter.use(1)
    assert meter.used == 1235


def test_an_interface_made_anew_counts_from_zero_again():
    meter = Meter()
    meter.use(0)
    meter.use(5000)
    meter.counter = 0  # it went back
    meter.use(300)
    meter.counter, meter.interface = 0, "boot-a/4"  # another one that is already further
    meter.use(9000)
    assert meter.used == 5000 + 300 + 9000
    assert meter.budget.counters["interfaces"] == 2


def test_a_new_month_resets_in_paris_time():
    meter = Meter(unix_s=NOVEMBER_1 - 3601 - 60)  # still October by civil time
    meter.use(0)
    meter.use(1000, after_s=3600)
    assert (meter.used, meter.budget.health()["month"]) == (1000, "2026-10")
    meter.use(10, after_s=61)
    assert (meter.used, meter.budget.health()["month"]) == (10, "2026-11")
    assert meter.budget.health()["limit"] == LIMIT


def test_a_new_month_is_persisted_at_once():
    meter = Meter()
    meter.use(0)
    meter.use(400 * MB)
    meter.use(0, after_s=40 * DAY_S)
    meter.use(50 * MB)
    meter.use(0)
    meter.counter, meter.interface = 0, "boot-b/3"
    meter.restart()
    meter.use(0)
    assert 50 * MB <= meter.used <= 52 * MB


def test_while_the_clock_is_unknown_the_persisted_month_goes_on_over_a_restart():
    meter = Meter()
    meter.use(0)
    meter.use(3 * MB)
    meter.restart()
    meter.unix_s = None
    meter.use(1 * MB)
    assert (meter.used, meter.budget.health()["month"]) == (4 * MB, "2026-11")
    meter.unix_s = NOVEMBER_1 + DAY_S
    meter.use(0)
    assert meter.used == 4 * MB


def test_use_before_any_clock_belongs_to_the_month_that_is_told_then():
    meter = Meter(unix_s=None)
    meter.use(0)
    meter.use(2 * MB)
    meter.unix_s = NOVEMBER_1
    meter.use(0)
    assert meter.used == 2 * MB and meter.budget.health()["month"] == "2026-11"


def test_a_clock_that_ran_ahead_does_not_wipe_the_month():
    meter = Meter()
    meter.use(0)
    meter.use(100 * MB)
    meter.unix_s += 40 * DAY_S
    meter.use(MB)
    assert meter.used == MB
    meter.restart()
    meter.unix_s -= 40 * DAY_S
    meter.use(MB)
    assert meter.used == 102 * MB


def test_a_clock_far_in_the_past_resets_nothing():
    meter = Meter()
    meter.use(0)
    meter.use(100 * MB)
    meter.unix_s = 0
    meter.use(0)
    assert meter.used == 100 * MB and meter.budget.health()["month"] == "1970-01"


# --- policy -------------------------------------------------------------------------------------------------------


def at(permille, day, *, meter=None):
    meter = meter or Meter()
    meter.use(0)
    meter.unix_s = NOVEMBER_1 + day * DAY_S
    meter.use(LIMIT * permille // 1000)
    return meter.budget.policy()


@pytest.mark.parametrize(
    ("permille", "day", "policy"),
    [
        (0, 0, "all"),
        (249, 1, "all"),  # one outage early in the month
        (260, 3, "thin"),  # at this pace 2.6 budgets
        (600, 20, "all"),
        (600, 14, "thin"),
        (840, 27, "all"),
        (860, 29, "thin"),
        (949, 29, "thin"),
        (950, 29, "hold"),
        (3000, 5, "hold"),
    ],
)
def test_share_and_pace_decide(permille, day, policy):
    assert at(permille, day) == policy


@pytest.mark.parametrize(("permille", "policy"), [(690, "all"), (700, "thin"), (950, "hold")])
def test_without_a_clock_the_share_alone_decides_earlier(permille, policy):
    meter = Meter(unix_s=None)
    meter.use(0)
    meter.use(LIMIT * permille // 1000)
    assert meter.budget.policy() == policy
    assert meter.budget.health()["projected"] is None


def test_thin_ends_only_when_the_pace_has_come_well_down():
    meter = Meter()
    assert at(400, 9, meter=meter) == "thin"
    seen = []
    for _ in range(600):
        meter.use(0, after_s=600)
        seen.append((meter.budget.policy(), meter.budget.health()["projected"]))
    changes = [b[1] for a, b in pairwise(seen) if a[0] != b[0]]
    assert len(changes) == 1 and changes[0] <= LIMIT * limits.BUDGET_PACE_ALL_PERMILLE // 1000


def test_a_clock_that_is_lost_does_not_end_thin():
    meter = Meter()
    assert at(400, 5, meter=meter) == "thin"
    meter.unix_s = None
    meter.use(0)
    assert meter.budget.policy() == "thin"


def test_a_new_month_ends_hold():
    meter = Meter()
    assert at(990, 29, meter=meter) == "hold"
    meter.use(0, after_s=2 * DAY_S)
    assert meter.budget.policy() == "all" and meter.used == 0


@pytest.mark.parametrize("limit", [0, None])
def test_no_budget_holds_nothing_back_and_still_counts(limit):
    meter = Meter(limit=limit)
    meter.use(0)
    meter.use(10**12)
    health = meter.budget.health()
    assert (health["policy"], health["used"], health["limit"], health["share_permille"]) == ("all", 10**12, None, None)


def test_health_projects_the_end_of_the_month():
    meter = Meter()
    at(300, 10, meter=meter)
    health = meter.budget.health()
    assert health["share_permille"] == 300
    assert health["projected"] == LIMIT * 3 // 10 * 3
    early = Meter()
    early.use(0)
    early.use(MB, after_s=60)
    assert early.budget.health()["projected"] == 30 * MB  # not 43,200


def test_there_is_slack_while_the_month_would_leave_half_of_its_bytes_over():
    meter = Meter()
    meter.use(0)
    meter.use(LIMIT // 8, after_s=10 * DAY_S)
    assert meter.budget.has_slack(), "a third of the month, an eighth of the bytes"
    meter.use(LIMIT // 8)
    assert not meter.budget.has_slack()
    meter.unix_s = None
    meter.use(0)
    assert not meter.budget.has_slack(), "without a clock the pace is unknown"
    flat = Meter(limit=None)
    flat.use(LIMIT)
    assert flat.budget.has_slack()
