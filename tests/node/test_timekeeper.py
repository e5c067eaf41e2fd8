"""What time it is and how sure we are: the truth stays inside the doubt, and only a better answer is taken."""

import pytest

from node import limits, timekeeper
from node.timekeeper import Timekeeper
from tests.portable.node_day import Generator
from wire.record import HOLDOVER, SYNCED, UNSET, Answer, Stamp

NOON_S = 1_795_521_600
HOUR_MS = 3_600_000
WRAP_MS = 1 << 30
STARTS_MS = [0, 17, WRAP_MS - 1, WRAP_MS, 3 * WRAP_MS]


def synchronised(started_ms=0, uncertainty_s=0, unix_s=NOON_S):
    """A clock that heard the time one second after its start, over a perfect link."""
    clock = Timekeeper(started_ms=started_ms)
    at_ms = started_ms + 1000
    assert clock.learn(Answer(unix_s, uncertainty_s, None, 0), asked_ms=at_ms, now_ms=at_ms)
    return clock


def test_before_the_first_answer_there_is_uptime_and_nothing_else():
    clock = Timekeeper(started_ms=WRAP_MS - 5000)
    assert not clock.is_set() and clock.unix_s(WRAP_MS) is None
    assert clock.stamp(WRAP_MS + 7999) == Stamp(UNSET, 12, 0)


@pytest.mark.parametrize("started_ms", STARTS_MS)
def test_the_first_answer_sets_the_clock_and_asks_for_an_anchor(started_ms):
    clock = synchronised(started_ms)
    assert clock.is_set()
    # The second was half over on average.
    assert clock.unix_s(started_ms + 1000) == NOON_S
    assert clock.unix_s(started_ms + 1499) == NOON_S
    assert clock.unix_s(started_ms + 1500) == NOON_S + 1
    assert clock.uptime_s(started_ms + 61_000) == 61


def test_an_answer_without_time_changes_nothing():
    clock = Timekeeper(started_ms=0)
    assert not clock.learn(Answer(None, 0, None, 0), asked_ms=0, now_ms=100)
    assert not clock.is_set() and clock.refused == 0


@pytest.mark.parametrize("unix_s", [0, 946_684_800, limits.UNIX_S_MIN - 1])
def test_a_gateway_that_was_never_set_is_refused_and_counted(unix_s):
    clock = Timekeeper(started_ms=0)
    assert not clock.learn(Answer(unix_s, 0, None, 0), asked_ms=0, now_ms=100)
    assert clock.refused == 1 and clock.unix_s(100) is None
    clock = synchronised()
    assert not clock.learn(Answer(unix_s, 0, None, 0), asked_ms=HOUR_MS, now_ms=HOUR_MS)
    assert clock.refused == 1 and clock.unix_s(HOUR_MS) == NOON_S + 3599


def test_the_doubt_holds_half_the_way_half_a_second_and_the_gateways_own():
    clock = Timekeeper(started_ms=0)
    clock.learn(Answer(NOON_S, 2, None, 0), asked_ms=1000, now_ms=5000)
    assert clock.uncertainty_s(5000) == 5  # 2 + 2 + 0.5, rounded up


def test_the_doubt_grows_with_the_crystals_drift():
    clock = synchronised()
    day_ms = 24 * HOUR_MS
    assert clock.uncertainty_s(1000) == 1
    # 50 ppm are 4.32 s a day.
    assert clock.uncertainty_s(1000 + day_ms) == 5
    assert clock.uncertainty_s(1000 + 10 * day_ms) == 44
    seen = [clock.uncertainty_s(1000 + hour * HOUR_MS) for hour in range(1000)]
    assert seen == sorted(seen)


def test_synchronised_becomes_holdover_and_comes_back():
    clock = synchronised()
    written_ms = 500
    assert clock.stamp(written_ms + limits.SYNCED_FOR_MS).quality == SYNCED
    assert clock.stamp(written_ms + limits.SYNCED_FOR_MS + 1).quality == HOLDOVER
    later_ms = 10 * HOUR_MS
    assert not clock.learn(Answer(NOON_S + 36_000, 0, None, 0), asked_ms=later_ms, now_ms=later_ms)
    assert clock.stamp(later_ms) == Stamp(SYNCED, NOON_S + 36_000, 1)


def test_an_answer_that_is_worse_than_what_we_carry_changes_nothing():
    clock = synchronised()
    before = [clock.stamp(at_ms) for at_ms in range(2000, 9_000_000, 100_000)]
    assert not clock.learn(Answer(NOON_S + 500, 0, None, 0), asked_ms=2000, now_ms=60_000)
    assert not clock.learn(Answer(NOON_S + 500, 30, None, 0), asked_ms=60_000, now_ms=60_000)
    assert [clock.stamp(at_ms) for at_ms in range(2000, 9_000_000, 100_000)] == before
    assert clock.steps == 0


def test_the_same_answer_is_taken_once_the_clock_has_drifted_enough():
    clock = synchronised()
    late_ms = 40 * 24 * HOUR_MS
    carried_s = clock.uncertainty_s(late_ms)
    assert not clock.learn(Answer(clock.unix_s(late_ms), 30, None, 0), asked_ms=late_ms, now_ms=late_ms)
    assert clock.uncertainty_s(late_ms) == 31 < carried_s


@pytest.mark.parametrize("jump_s", [-3600, -60, 60, 3600, 86_400 * 365])
def test_a_jump_is_counted_and_makes_an_anchor(jump_s):
    clock = synchronised()
    assert clock.learn(Answer(NOON_S + 3599 + jump_s, 0, None, 0), asked_ms=HOUR_MS, now_ms=HOUR_MS)
    assert clock.steps == 1
    assert clock.unix_s(HOUR_MS) == NOON_S + 3599 + jump_s


@pytest.mark.parametrize("jump_s", [-1, 0, 1])
def test_what_both_doubts_explain_is_no_jump(jump_s):
    clock = synchronised()
    assert not clock.learn(Answer(NOON_S + 3599 + jump_s, 0, None, 0), asked_ms=HOUR_MS, now_ms=HOUR_MS)
    assert clock.steps == 0


@pytest.mark.parametrize("back_s", [0, 1, 2])
def test_who_decides_by_the_clock_is_told_no_second_again_that_an_answer_took_back(back_s):
    """A lamp that is lit at dusk tells it, and is answered within its doubt, back as well as forth."""
    clock = synchronised(uncertainty_s=2)
    dusk_s = clock.steady_s(HOUR_MS)
    assert not clock.learn(Answer(dusk_s - back_s, 1, None, 0), asked_ms=HOUR_MS, now_ms=HOUR_MS)
    assert clock.steps == 0 and clock.unix_s(HOUR_MS) == dusk_s - back_s
    told = [clock.steady_s(HOUR_MS + 500 * half) for half in range(12)]
    assert told == sorted(told) and told[0] == dusk_s, "it stands still"
    assert told[-1] == clock.unix_s(HOUR_MS + 5500), "until the time has come"


def test_a_clock_that_was_wrong_goes_back_for_everybody():
    clock = synchronised()
    clock.steady_s(HOUR_MS)
    assert clock.learn(Answer(NOON_S + 3539, 0, None, 0), asked_ms=HOUR_MS, now_ms=HOUR_MS)
    assert clock.steady_s(HOUR_MS) == clock.unix_s(HOUR_MS) == NOON_S + 3539
    carried = Timekeeper(started_ms=0)
    assert carried.carried(NOON_S + 60, 90, now_ms=0) and carried.steady_s(0) == NOON_S + 60
    carried.learn(Answer(NOON_S, 0, None, 0), asked_ms=10, now_ms=10)
    assert carried.steady_s(10) == carried.unix_s(10) == NOON_S, "the first word of a gateway counts"


def month_on_a_bad_link(started_ms):
    """(how far the truth lies outside of the doubt at most, jumps seen), for crystals good and bad."""
    below = Generator(20_261_124).below
    worst_s, steps = -1000, 0
    for ppm in (-45, -20, 0, 20, 45):
        clock = Timekeeper(started_ms=started_ms)
        true_ms = 1000 * NOON_S + below(1000)
        node_ms = started_ms
        for _ in range(300):
            there_ms, back_ms = below(4000), below(4000) if below(10) else below(90_000)
            answered_s = (true_ms + there_ms) // 1000
            asked_ms = node_ms
            for step_ms in (there_ms + back_ms, below(2 * HOUR_MS)):
                true_ms += step_ms
                node_ms = started_ms + (true_ms - 1000 * NOON_S) * (1_000_000 + ppm) // 1_000_000
                if step_ms == there_ms + back_ms:
                    clock.learn(Answer(answered_s, 0, None, 0), asked_ms=asked_ms, now_ms=node_ms)
                error_s = abs(clock.unix_s(node_ms) - true_ms // 1000)
                worst_s = max(worst_s, error_s - clock.uncertainty_s(node_ms))
        steps += clock.steps
    return worst_s, steps


@pytest.mark.parametrize("started_ms", STARTS_MS)
def test_the_truth_is_always_within_the_doubt(started_ms):
    worst_s, steps = month_on_a_bad_link(started_ms)
    assert worst_s <= 0
    assert steps == 0, "no gateway ever lied"


def test_a_crystal_worse_than_promised_is_seen(monkeypatch):
    monkeypatch.setattr(limits, "CLOCK_DRIFT_PPM", 0)
    worst_s, steps = month_on_a_bad_link(0)
    assert worst_s > 0 and steps > 0


def test_a_guess_at_the_end_of_the_exchange_is_seen(monkeypatch):
    """Planted: the second taken as if it had been written at the moment the answer came."""
    honest = Timekeeper.learn

    def learn(self, answer, *, asked_ms, now_ms):
        return honest(self, answer, asked_ms=now_ms, now_ms=now_ms)

    monkeypatch.setattr(timekeeper.Timekeeper, "learn", learn)
    worst_s, steps = month_on_a_bad_link(0)
    assert worst_s > 0 and steps > 0
