"""What a node wants once a day or less is not kept: a chip has no room for it."""

import sys

from node.trade import LOCK, TEST
from tests.support.green import PLAIN, Green, own, plain, programs
from watering.weather import Weather
from wire import quantity

RARE = {"watering.sleep_image", "watering.technician", "watering.et0"}
SLEEPY = programs(
    plain(battery=[2600, 1000, 9000], valves=[2, 2, 2, 2, 0], weather=[40, 2, 20, []]), [0, 127, 0, 0, 0, 300, 0, 1, 50]
)


def kept():
    return {name for name in RARE if name in sys.modules or hasattr(sys.modules["watering"], name.partition(".")[2])}


def forgotten():
    for name in kept():
        sys.modules.pop(name, None)
        delattr(sys.modules["watering"], name.partition(".")[2])


def test_the_equations_are_let_go_once_a_day_is_closed():
    forgotten()
    weather, day = Weather(own(PLAIN), 0, None), 20_700
    weather.turn_to(day)
    for hour in range(25):
        weather.sample({quantity.TEMPERATURE: 1000 + 50 * hour}, wet_key=900, tips_key=901, now_ms=3_600_000 * hour)
    weather.turn_to(day + 1)
    assert weather.close(day, {})[1] == "hargreaves" and kept() == set()


def test_what_serves_a_technician_is_there_as_long_as_he_is():
    forgotten()
    green = Green(PLAIN)
    assert kept() == set()
    for word in (LOCK, TEST):
        green.desk.trade.local = word
        green.run(minutes=1)
        assert kept() == {"watering.technician"}
        green.desk.trade.local = None
        green.run(minutes=1)
        assert kept() == set()


def test_a_sleep_leaves_nothing_behind():
    forgotten()
    trade = Green(SLEEPY).make(b"", 0)
    memory, rest = trade.asleep(1000)
    assert len(rest) > 60 and kept() == set()
    Green(SLEEPY).make(memory, 0).woken(rest, 900_000, None, now_ms=0)
    assert kept() == set()
