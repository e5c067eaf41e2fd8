"""Master and pump around the runs: their lead beside forbidden hours, their deadline at the longest cycle."""

import pytest

from simulator.checkers.water import Forbidden
from tests.support.green import Green, plain, programs
from wire import event


def test_a_zone_beside_forbidden_hours_has_what_its_masters_lead_leaves_of_them():
    settings = programs(plain(supply=[10, 5, 0, 0]), [0, 127, 0, 0, 0, 655, 0, 1, 200])
    green = Green(settings, drought=2, law=[Forbidden(0, 660, 1080)])
    green.run(hours=11)
    switched = [detail[:2] for _, _, _, detail in green.events(event.VALVE_SWITCHED)]
    assert switched == [(0, True), (1, True), (1, False), (0, False)]
    assert green.litres(1) > 0 and green.checker.violations == []


@pytest.mark.parametrize("lead_s,lag_s", [(0, 0), (60, 60), (120, 120)])
def test_the_longest_cycle_with_its_lead_and_lag_is_told_a_few_times_and_not_in_each_turn(lead_s, lag_s):
    settings = programs(plain(supply=[lead_s, lag_s, 0, 0]), [0, 127, 0, 0, 0, 300, 0, 1, 400])
    settings["watering"][1][0][2:11:8] = [0, 240]  # sand, which needs no soak, for four hours
    settings["watering"][1][0][5] = 20_000
    green = Green(settings)
    green.run(hours=12)
    opened = [detail[0] for _, _, _, detail in green.events(event.VALVE_SWITCHED) if detail[1]]
    assert opened.count(1) == 1 and 1 <= opened.count(0) <= 2
    assert green.events(event.WATERING_DONE)[0][3][1] == 4 * 3600
    assert green.checker.violations == []
