"""A short in a coil, through the INA226's twin, its driver and the ports: the bridge's limit flows, and it is told."""

import pytest

from simulator.plants.pipes import LIMITED_MA
from tests.support.valve_box import ValveBox
from watering import valves
from wire import event


def told(current_ma):
    """(output, word, mA) of bad coils, of a box whose every coil draws this, over its first five minutes."""
    box = ValveBox()
    box.parts["COIL"].current_ma = current_ma
    box.run_to(5 * 60_000)
    return [one[3] for one in box.events if one[1] == event.VALVE_FAILURE and one[2]]


def test_a_short_is_seen_by_the_board_and_told():
    found = {output: rest for output, *rest in told(LIMITED_MA)}
    assert found == {output: [valves.SHORT, LIMITED_MA] for output in range(4)}


@pytest.mark.parametrize("current_ma", [1000, 1500, 2000, -2000])
def test_a_sound_coil_is_none(current_ma):
    assert told(current_ma) == []


def test_an_open_coil_is_told_by_the_last_milliamperes():
    assert {word for _, word, _ in told(240)} == {valves.OPEN_COIL} and told(260) == []
