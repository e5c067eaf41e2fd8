"""A lamp's hours, set once by its settings: another lamp at this board, or another board at this lamp."""

from lighting import memory
from tests.lighting.test_standing import again
from tests.lighting.test_trade import Lamp
from wire import quantity

CLO = {"clo": [[0, 75], [20000, 100]]}


def hours(lamp):
    return lamp.trade.readings(lamp.moment())[quantity.LAMP_HOURS]


def test_a_new_board_at_an_old_lamp_is_told_its_hours():
    lamp = Lamp(**CLO, lamp_hours=[20261124, 20_000])
    assert (lamp.level, hours(lamp)) == (100, 20_000)


def test_a_new_lamp_at_an_old_board_begins_its_curve_once_and_its_starts():
    old = memory.encode(memory.EMPTY._replace(lamp_s=3600 * 20_000, starts=800, wh=5000, aged=(20240301, 0)))
    assert Lamp(**CLO, lamp_hours=[20240301, 0], memory=old).level == 100
    lamp = Lamp(**CLO, lamp_hours=[20261124, 0], memory=old).minutes(180)
    assert (lamp.level, hours(lamp), lamp.trade.health(lamp.moment())[quantity.LAMP_STARTS]) == (75, 3, 0)
    assert lamp.trade.readings(lamp.moment())[quantity.ENERGY] > 5000, "what was burnt was burnt"
    assert hours(again(lamp, lamp_hours=[20261124, 0])) == 3, "the same entry counts once"
    assert hours(again(lamp)) == 3
    assert hours(again(lamp, lamp_hours=[20240301, 0])) == 3, "new settings crashed, and the last good ones are back"
    assert hours(again(again(lamp), lamp_hours=[20261124, 0])) == 3
    assert hours(again(lamp, lamp_hours=[20261124, 70])) == 70, "a slip is corrected"
