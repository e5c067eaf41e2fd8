"""The winter bench at the length of a week: the same figures each time, ours beside its peers."""

import pytest

from tools.bench import heating


@pytest.mark.slow
def test_a_week_of_november_costs_less_with_ours_and_is_the_same_each_time():
    first = heating.measure(7)
    assert heating.measure(2) == heating.measure(2)
    by_name = {(one.place, one.thermostat): one for one in first}
    for place in heating.PLACES:
        ours, plain = by_name[place.name, "ours"], by_name[place.name, "plain"]
        assert 0 < ours.kwh < plain.kwh
        assert ours.cold_kh <= heating.COLD_K_MAX * ours.occupied_h + 10  # it learns in its first weeks
        assert ours.occupied_h == plain.occupied_h > 0
