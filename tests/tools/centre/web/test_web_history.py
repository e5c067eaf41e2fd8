"""The last day of a light: gaps are gaps, a feeder without mains is none, and the plot draws no line through either."""

import re

from tests.support.scoped_world import DAYS, FENEU, NOW_S
from tools.centre.web.history import History, Point, _gaps, _unpowered
from tools.centre.web.plot import HEIGHT, PERCENT, WIDTH, bars, of_degrees, of_watts, plot

HOUR = 3600


def known(points, unpowered=(), gaps=()):
    return History(0, 24 * HOUR, tuple(points), tuple(unpowered), tuple(gaps), (), None)


def quarters(begin_h, end_h, power_dw=200, level=70):
    return [Point(second, power_dw, level) for second in range(begin_h * HOUR, end_h * HOUR, 900)]


def test_silence_is_a_gap():
    heard = [one.unix_s for one in quarters(0, 6) + quarters(9, 24)]
    assert list(_gaps(heard, (), 0, 24 * HOUR)) == [(6 * HOUR - 900, 9 * HOUR)]
    assert list(_gaps([], (), 0, 24 * HOUR)) == [(0, 24 * HOUR)]
    assert list(_gaps([-600, *heard[:24]], (), 0, 6 * HOUR)) == []


def test_feeder_without_mains_is_no_gap():
    heard = [one.unix_s for one in quarters(0, 6) + quarters(9, 24)]
    unpowered = list(_unpowered([(6 * HOUR - 600, False), (9 * HOUR - 300, True)], 0, 24 * HOUR))
    assert unpowered == [(6 * HOUR - 600, 9 * HOUR - 300)]
    assert list(_gaps(heard, tuple(unpowered), 0, 24 * HOUR)) == []
    assert list(_unpowered([(-HOUR, False)], 0, 24 * HOUR)) == [(0, 24 * HOUR)]  # it still is


def test_line_ends_where_a_gap_begins():
    day = known(quarters(0, 6) + quarters(9, 24), gaps=[(6 * HOUR - 900, 9 * HOUR)])
    drawn = plot(day, of_watts(day, 350), PERCENT)
    assert len(drawn.lines) == len(drawn.wanted) == 2
    first, second = ([float(pair.split(",")[0]) for pair in line.split()] for line in drawn.lines)
    (x, width), = drawn.gaps  # fmt: skip
    assert first[-1] == x and second[0] == x + width
    numbers = [float(number) for line in drawn.lines for number in re.findall(r"[0-9.]+", line)]
    assert max(numbers) <= WIDTH and min(numbers) >= 0 and drawn.height == HEIGHT
    assert [text for _, text in drawn.ticks] == ["0", "20", "40"]


def test_temperature_and_set_point_share_an_axis_of_whole_degrees():
    day = known(quarters(0, 12, 1812, 1900))
    drawn = plot(day, of_degrees(day), of_degrees(day))
    assert [text for _, text in drawn.ticks] == ["16", "18", "20"] and drawn.unit == "°C"
    measured, wanted = (float(re.findall(r"[0-9.]+", one)[1]) for one in (drawn.lines[0], drawn.wanted[0]))
    assert measured > wanted  # lower on the screen
    for nothing in (known([]), known(quarters(0, 12, 1600, 1600))):  # nothing known, or all the same
        low, high, *_ = of_degrees(nothing)
        assert high > low


def test_a_day_without_news_is_hatched_and_a_dry_one_is_empty():
    drawn = bars([(20_786, None), (20_787, 0), (20_788, 300.0)])
    assert len(drawn.hatched) == 1 and [text for *_, text in drawn.bars] == ["", "300"]
    assert [text for _, text in drawn.days] == ["29", "30", "1"]  # from 29 November 2026 on


def test_plot_of_a_page_has_what_the_warehouse_has(browser):
    said = browser("electrician").get(f"/{FENEU}/lights/light-1").content.decode()
    assert NOW_S - DAYS[2] < 48 * HOUR  # the last readings are of the day before
    assert 'class="measured"' in said and 'class="gap"' in said
    assert "From 10.0 W to 10.0 W. 1 gap," in said
    assert 'class="notice bad"' in said and "To do: " in said  # its feeder has no current
