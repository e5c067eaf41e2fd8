"""The winter bench at the length of a week: the same figures each time, ours beside its peers, a picture that opens."""

import xml.etree.ElementTree as ElementTree

import pytest

from tools.bench import heating
from tools.bench.heating import Point, picture


@pytest.mark.slow
def test_a_week_of_november_costs_less_with_ours_and_is_the_same_each_time():
    first, _ = heating.measure(7)
    assert heating.measure(2) == heating.measure(2)
    by_name = {(one.place, one.thermostat): one for one in first}
    for place in heating.PLACES:
        ours, plain = by_name[place.name, "ours"], by_name[place.name, "plain"]
        assert 0 < ours.kwh < plain.kwh
        assert ours.cold_kh <= heating.COLD_K_MAX * ours.occupied_h + 10  # it learns in its first weeks
        assert ours.occupied_h == plain.occupied_h > 0


def test_the_picture_is_an_svg_with_a_line_for_each_temperature():
    points = [Point(600 * n, 1900 + n % 7, 1900, 500 * (n % 3), 300, 50 < n % 144 < 100) for n in range(1008)]
    root = ElementTree.fromstring(picture(points))
    lines = [item for item in root.iter() if item.tag.endswith("polyline")]
    assert len(lines) == 3
    assert all(len(line.attrib["points"].split()) == 1008 for line in lines)
    assert sum(item.attrib.get("fill") == "#f3ead2" for item in root.iter()) == 7
