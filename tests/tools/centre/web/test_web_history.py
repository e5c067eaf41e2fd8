"""The last day of a light: gaps are gaps, a feeder without mains is none, and the plot draws no line through either."""

import re

from tests.support.scoped_world import DAYS, FENEU, NOW_S
from tools.centre.condition.visits import Reading
from tools.centre.web.history import History, _gaps, _unpowered
from tools.centre.web.plot import HEIGHT, WIDTH, plot

HOUR = 3600


def known(points, unpowered=(), gaps=()):
    return History(0, 24 * HOUR, tuple(points), tuple(unpowered), tuple(gaps), (), None)


def quarters(begin_h, end_h, power_dw=200, level=70):
    return [Reading(second, power_dw, level) for second in range(begin_h * HOUR, end_h * HOUR, 900)]


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
    drawn = plot(known(quarters(0, 6) + quarters(9, 24), gaps=[(6 * HOUR - 900, 9 * HOUR)]), 350)
    assert len(drawn.lines) == len(drawn.level) == 2
    first, second = ([float(pair.split(",")[0]) for pair in line.split()] for line in drawn.lines)
    (x, width), = drawn.gaps  # fmt: skip
    assert first[-1] == x and second[0] == x + width
    numbers = [float(number) for line in drawn.lines for number in re.findall(r"[0-9.]+", line)]
    assert max(numbers) <= WIDTH and min(numbers) >= 0 and drawn.height == HEIGHT
    assert [text for _, text in drawn.watts] == ["0", "20", "40"]


def test_plot_of_a_page_has_what_the_warehouse_has(browser):
    said = browser("electrician").get(f"/{FENEU}/lights/light-1").content.decode()
    assert NOW_S - DAYS[2] < 48 * HOUR  # the last readings are of the day before
    assert 'class="measured"' in said and 'class="gap"' in said
    assert "From 10.0 W to 10.0 W. 1 gap," in said
    assert 'class="notice bad"' in said and "To do: " in said  # its feeder has no current
