"""The checker of the street counts every second, allows two minutes, and asks for nothing that nobody can do."""

import pytest

from policy import civil, lighting, sun
from simulator.cabinet.commune import BEHUARD, Night, calendar_of
from simulator.checkers.street import GRACE_S, KNOWN, NIGHTLY, ORDINARY, Order, StreetChecker, Wanting
from simulator.plants.fallback import Programme
from simulator.plants.feeder import Light

T0 = 1_000_000_000
LIT, DARK = Light(5, None), Light(0, None)


def until(*changes):
    """Wants of one feeder: [(from s after T0, wanted)]."""

    def wants(_feeder, unix_s):
        now = [wanted for at_s, wanted in changes if T0 + at_s <= unix_s][-1]
        later = [T0 + at_s for at_s, _ in changes if T0 + at_s > unix_s]
        return now, min(later, default=unix_s + 3600)

    return wants


class Watched:
    def __init__(self, *changes, light=DARK):
        self.checker = StreetChecker(["bourg"], until(*changes), [light], unix_ms=1000 * T0)

    def see(self, at_s, light):
        self.checker.observe([light], unix_ms=int(1000 * (T0 + at_s)))

    def end(self, at_s):
        self.checker.judge_until(int(1000 * (T0 + at_s)))
        return self.checker


# --- judging ----------------------------------------------------------------------------------------------------


def test_two_minutes_are_allowed_and_not_a_millisecond_more():
    watched = Watched((0, False), (600, True))
    watched.see(600 + GRACE_S, LIT)
    assert watched.end(3000).violations == []
    assert watched.checker.worst_dark_s == GRACE_S
    late = Watched((0, False), (600, True))
    late.see(600 + GRACE_S + 0.001, LIT)
    (violation,) = late.end(3000).violations
    assert violation.what == "dark" and violation.since_ms == 1000 * (T0 + 600)
    assert str(violation) == f"bourg dark for {GRACE_S} s from {T0 + 600}"


def test_a_spell_is_one_violation_however_often_somebody_looks():
    watched = Watched((0, False), light=LIT)
    for at_s in range(0, 4000, 7):
        watched.end(at_s)
    (violation,) = watched.checker.violations
    assert violation.what == "burning" and violation.lasted_ms == 3_997_000
    watched.see(4000, DARK)
    watched.see(5000, LIT)
    assert len(watched.end(6000).violations) == 2


def test_every_millisecond_is_counted_once():
    watched = Watched((0, True), (1000, False))
    watched.see(10.5, LIT)
    watched.see(1002.25, DARK)
    (counted,) = watched.end(2000).counted()
    assert counted == (991_750, 1_000_000, 10_500, 2_250, 0)


def test_equipment_that_hinders_is_not_judged_and_the_grace_begins_anew():
    watched = Watched((0, True), light=LIT)
    watched.see(100, Light(0, "mains"))
    watched.see(4000, DARK)  # the mains are back, the light is not yet
    watched.see(4000 + GRACE_S, LIT)
    assert watched.end(5000).violations == []
    assert watched.checker.counted()[0].unjudged_ms == 3_900_000


def test_what_nobody_can_know_is_not_judged():
    watched = Watched((0, None), light=LIT)
    watched.see(1000, DARK)
    assert watched.end(9000).violations == []
    assert watched.checker.counted()[0].unjudged_ms == 9_000_000


def test_from_dark_to_burning_the_grace_begins_anew():
    watched = Watched((0, True), (100, False))
    watched.see(100, LIT)
    watched.see(200, DARK)
    assert watched.end(300).violations == []
    assert (watched.checker.worst_dark_s, watched.checker.worst_burning_s) == (100, 100)


# --- wanting ----------------------------------------------------------------------------------------------------

ORDINARY_HOURS = Programme(0, 22 * 60 + 30, 5 * 60 + 30)
JULY_14 = (Night(714, 714, Programme()),)


@pytest.fixture
def wanting():
    pair = (calendar_of(ORDINARY_HOURS, JULY_14), ORDINARY_HOURS.calendar())
    return Wanting(BEHUARD.site, [pair, pair, None])


def local(month, day, hour, minute=0):
    return civil.unix_from_local(civil.PARIS, civil.days_from_civil(2027, month, day), 3600 * hour + 60 * minute)


def test_an_agent_that_knows_the_time_follows_policy_and_orders(wanting):
    wanting.mode = KNOWN
    assert wanting(0, local(1, 10, 22)) == (True, local(1, 10, 22, 30))
    assert wanting(0, local(1, 10, 23)) == (False, local(1, 11, 5, 30))
    wanting.orders.append(Order(1, True, local(1, 11, 1), local(1, 11, 2)))
    assert wanting(1, local(1, 10, 23)) == (False, local(1, 11, 1))
    assert wanting(1, local(1, 11, 1)) == (True, local(1, 11, 2))
    assert wanting(0, local(1, 11, 1)) == (False, local(1, 11, 5, 30))


def test_an_override_is_judged_where_the_policy_agrees_and_an_emergency_stands_above_it(wanting):
    """Without the centre's lease an override does not count, and who looks at the street does not know that."""
    wanting.mode = KNOWN
    dark = Order(0, False, local(1, 10, 20), local(1, 11, 1), is_sure=False)
    wanting.orders.append(dark)
    assert wanting(0, local(1, 10, 21)) == (None, local(1, 10, 22, 30))
    assert wanting(0, local(1, 10, 23)) == (False, local(1, 11, 1))
    assert wanting(1, local(1, 10, 21))[0] is True
    wanting.orders.insert(0, Order(None, True, local(1, 10, 20, 30), local(1, 10, 23, 30)))
    assert wanting(0, local(1, 10, 21)) == (True, local(1, 10, 22, 30))
    assert wanting(0, local(1, 10, 23)) == (True, local(1, 10, 23, 30))


def test_a_permanent_feeder_is_always_wanted(wanting):
    for mode in (KNOWN, NIGHTLY, ORDINARY):
        wanting.mode = mode
        assert wanting(2, local(1, 10, 13))[0] is True


def test_without_an_agent_exceptions_and_orders_are_nobodys_to_know(wanting):
    assert wanting.mode == ORDINARY
    assert wanting(0, local(7, 14, 22, 15))[0] is True
    assert wanting(0, local(7, 14, 23)) == (None, local(7, 15, 5, 30))
    assert wanting(0, local(7, 13, 23)) == (False, local(7, 14, 5, 30))
    wanting.orders.append(Order(None, True, local(1, 11, 1), local(1, 11, 2)))
    assert wanting(0, local(1, 11, 1)) == (None, local(1, 11, 2))


def test_by_a_photocell_night_and_day_are_known_twilight_and_extinction_are_not(wanting):
    wanting.mode = NIGHTLY
    site = BEHUARD.site
    dusk_s = sun.crossing_s(civil.days_from_civil(2027, 1, 10), site.latitude_e4, site.longitude_e4, rising=False)
    assert wanting(0, local(1, 10, 13))[0] is False
    assert wanting(0, dusk_s)[0] is None
    assert wanting(0, dusk_s + 3000)[0] is True
    assert wanting(0, local(1, 10, 23))[0] is None
    assert wanting(0, local(1, 11, 6))[0] is True


def test_a_doubtful_clock_is_judged_where_its_doubt_does_not_matter(wanting):
    wanting.mode, wanting.doubt_s = KNOWN, 300
    off_s = local(1, 10, 22, 30)
    assert wanting(0, off_s - 301)[0] is True
    assert wanting(0, off_s - 300)[0] is None
    assert wanting(0, off_s + 299)[0] is None
    assert wanting(0, off_s + 300)[0] is False


def test_a_doubtful_clock_and_a_photocell_are_judged_where_both_agree(wanting):
    wanting.mode, wanting.doubt_s = NIGHTLY, 300
    assert wanting(0, local(1, 10, 19))[0] is True
    assert wanting(0, local(1, 10, 22, 28))[0] is None  # the clock may think that it is time
    assert wanting(0, local(1, 10, 23))[0] is None  # the photocell does not know
    assert wanting(0, local(1, 10, 13))[0] is False


def test_every_answer_holds_until_it_says(wanting):
    wanting.orders.append(Order(None, True, local(3, 28, 1), local(3, 28, 4)))
    for mode, doubt_s in ((KNOWN, 0), (KNOWN, 200), (NIGHTLY, 0), (NIGHTLY, 200), (ORDINARY, 0)):
        wanting.mode, wanting.doubt_s = mode, doubt_s
        at_s = local(3, 27, 14)
        while at_s < local(3, 28, 14):
            wanted, until_s = wanting(0, at_s)
            assert until_s > at_s
            assert wanting(0, until_s - 1)[0] == wanted
            at_s = until_s


def test_the_ordinary_calendar_is_the_one_of_the_fallback_clock():
    plan = lighting.Plan(calendar_of(ORDINARY_HOURS, JULY_14), BEHUARD.site)
    usual = lighting.Plan(ORDINARY_HOURS.calendar(), BEHUARD.site)
    instants = range(local(7, 12, 12), local(7, 17, 12), 600)
    differ = [at_s for at_s in instants if plan.wanted(at_s).level_percent != usual.wanted(at_s).level_percent]
    assert min(differ) == local(7, 14, 22, 30) and max(differ) == local(7, 15, 5, 20)
