"""The hardware that nobody programs twice: a relay that wants pulses, a clock that keeps the ordinary hours."""

import pytest

from policy import civil, lighting, sun
from simulator.cabinet.commune import BEHUARD
from simulator.plants.fallback import RELAY_MS, AstronomicalClock, Programme, WatchdogRelay

EVENINGS = Programme(5, 22 * 60 + 30, 5 * 60 + 30, -5)
PLACE = {"latitude_e4": BEHUARD.latitude_e4, "longitude_e4": BEHUARD.longitude_e4}


def clock(programme, start_s, **error):
    return AstronomicalClock(programme, **PLACE, set_unix_ms=1000 * start_s, **error)


def local(year, month, day, hour=12, minute=0):
    return civil.unix_from_local(civil.PARIS, civil.days_from_civil(year, month, day), 3600 * hour + 60 * minute)


def changes(device, from_s, to_s):
    """[(unix_ms, lit)] before `to_s`, by its own deadlines."""
    found, at_ms = [], 1000 * from_s
    lit = device.is_lit(at_ms)
    while (at_ms := device.until_ms(at_ms)) < 1000 * to_s:
        if device.is_lit(at_ms) != lit:
            lit = not lit
            found.append((at_ms, lit))
    return found


# --- the relay --------------------------------------------------------------------------------------------------


def test_one_pulse_gives_nothing_away_two_within_the_time_pull_in():
    relay = WatchdogRelay()
    relay.pulse(now_ms=0)
    assert not relay.is_pulled and relay.due_ms() is None
    relay.pulse(now_ms=RELAY_MS)  # too late: it counts as the first
    assert not relay.is_pulled
    relay.pulse(now_ms=2 * RELAY_MS - 1)
    assert relay.is_pulled


def test_it_drops_when_a_pulse_is_late_and_then_wants_two_again():
    relay = WatchdogRelay()
    for now_ms in (0, 10_000, 20_000):
        relay.pulse(now_ms=now_ms)
    assert relay.due_ms() == 20_000 + RELAY_MS
    relay.move(now_ms=relay.due_ms() - 1)
    assert relay.is_pulled
    relay.move(now_ms=relay.due_ms())
    assert not relay.is_pulled
    relay.pulse(now_ms=90_000)
    assert not relay.is_pulled


# --- the clock --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("programme", [EVENINGS, Programme(), Programme(-10, 60, 270, 10), Programme(0, 0, 330, 0)])
@pytest.mark.parametrize(("month", "day"), [(11, 24), (6, 20), (3, 27), (10, 30), (12, 31)])
def test_it_says_what_the_policy_of_its_hours_says(programme, month, day):
    """Two implementations: the clock's windows, the policy's resolver. Both nights of the changes of legal time too."""
    start_s = local(2027, month, day)
    end_s = start_s + 22 * 3600
    wanted = lighting.Night(programme.calendar(), BEHUARD.site, civil.days_from_civil(2027, month, day))
    expected = [(1000 * at_s, level > 0) for at_s, level, _ in wanted.changes()][1:]
    assert changes(clock(programme, start_s), start_s, end_s) == expected


def test_hours_that_the_change_of_legal_time_skips_or_doubles_act_once():
    for month, day, off_min in ((3, 27, 150), (10, 30, 150)):
        start_s = local(2027, month, day)
        device = clock(Programme(0, off_min, 330, 0), start_s)
        found = changes(device, start_s, start_s + 22 * 3600)
        assert [lit for _, lit in found] == [True, False, True, False]
        morning = civil.days_from_civil(2027, month, day) + 1
        assert found[1][0] == 1000 * civil.unix_from_local(civil.PARIS, morning, 60 * off_min)


def test_a_clock_that_is_ahead_switches_early_and_drift_adds_up():
    start_s = local(2027, 1, 10)
    dusk_s = sun.crossing_s(civil.days_from_civil(2027, 1, 10), *PLACE.values(), rising=False)
    exact = changes(clock(Programme(), start_s), start_s, start_s + 20_000)
    ahead = changes(clock(Programme(), start_s, error_ms=40_000), start_s, start_s + 20_000)
    assert exact == [(1000 * dusk_s, True)]
    assert ahead == [(1000 * dusk_s - 40_000, True)]
    year_s = 365 * 86_400
    slow = clock(Programme(), start_s, drift_ppm=-3)
    assert slow.shown_ms(1000 * (start_s + year_s)) == 1000 * (start_s + year_s) - 3 * year_s // 1000
    # It still acts at the first millisecond at which it shows the instant.
    at_ms = changes(slow, start_s + year_s, start_s + year_s + 30_000)[0][0]
    assert slow.shown_ms(at_ms) // 1000 > slow.shown_ms(at_ms - 1) // 1000


def test_it_knows_no_exception():
    start_s = local(2027, 7, 14)
    found = changes(clock(EVENINGS, start_s), start_s, start_s + 22 * 3600)
    assert (1000 * local(2027, 7, 14, 22, 30), False) in found


def test_on_a_short_night_the_morning_window_may_have_nothing_left():
    start_s = local(2027, 6, 21)
    found = changes(clock(Programme(0, 23 * 60, 6 * 60 + 30, 0), start_s), start_s, start_s + 22 * 3600)
    assert [lit for _, lit in found] == [True, False]
