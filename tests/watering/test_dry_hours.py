"""Hours that a person keeps dry: no valve opens in them, a run is over before them, and the checker can tell."""

import pytest

from policy import civil
from simulator.checkers.water import Forbidden
from tests.support.green import ONE, Green, skipped
from watering import lockouts
from wire import directive, event


def fair(*, from_min, to_min):
    """A green space whose referent keeps it dry between two minutes of the first day, and the law that says so."""
    midnight_s = civil.unix_from_local(civil.PARIS, civil.days_from_civil(2026, 6, 1), 0)
    begins_s, ends_s = midnight_s + 60 * from_min, midnight_s + 60 * to_min
    green = Green(ONE, law=[Forbidden(0, 0, 1440, begins_s, ends_s)])
    green.desk.directives[directive.DRY] = begins_s // 60
    return green


@pytest.mark.parametrize(("from_min", "to_min"), [(0, 1440), (300, 360)])
def test_dry_hours_keep_every_valve_shut_and_the_next_day_is_as_usual(from_min, to_min):
    green = fair(from_min=from_min, to_min=to_min)
    green.run(minutes=to_min)
    del green.desk.directives[directive.DRY]
    assert not green.openings() and skipped(green) == [(1, "order")]
    green.run(hours=30)
    assert green.litres(1) > 0 and green.checker.violations == []


def test_a_run_that_is_under_way_when_dry_hours_begin_is_over_before_them():
    green = fair(from_min=310, to_min=1440)
    green.run(hours=12)
    ((_, _, _, done),) = green.events(event.WATERING_DONE)
    assert done[4] == "order" and done[1] > 500 and green.checker.violations == []


def test_the_checker_sees_a_node_that_forgets_the_hours(monkeypatch):
    monkeypatch.setattr(lockouts, "kept_dry", lambda moment: False)
    green = fair(from_min=0, to_min=1440)
    green.run(hours=6)
    assert green.checker.violations
