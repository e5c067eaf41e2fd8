"""Never open what you cannot close, on the board whose valves all latch: also where its settings name no battery."""

import pytest

from kinds import irrigation
from policy.fault import Faults
from tests.support.green import ONE, Green, plain, skipped
from wire import event


def decoded(settings):
    faults = Faults()
    return irrigation.decode(faults, settings), faults.listed()


class Fed(Green):
    """A green space as its kind makes it of settings without a battery."""

    def __init__(self, **state):
        super().__init__(ONE)
        self.own, faults = decoded(ONE)
        assert not faults
        self.ports.battery_mv, self.ports.boost_mv = 4100, self.own.boost_mv
        for name, value in state.items():
            setattr(self.ports, name, value)
        self.desk.power_on()


def test_a_fed_node_waters_by_its_cell_and_stays_awake():
    green = Fed()
    green.run(hours=8)
    assert green.openings() == [(5, 0, 1, "depth")] and not green.desk.trade.sleeps


@pytest.mark.parametrize(("state", "value"), [({"battery_mv": 0}, -1), ({"battery_mv": 3450}, 3450)])
def test_a_fed_node_opens_nothing_without_a_cell_that_could_shut_it(state, value):
    green = Fed(**state)
    green.run(hours=8)
    assert green.openings() == [] and skipped(green) == [(1, "energy")]
    assert green.events(event.WATERING_SKIPPED)[0][3][2] == value


def test_a_fed_node_opens_nothing_by_an_empty_capacitor():
    green = Fed(boost_mv=7000)
    green.run(hours=8)
    assert green.openings() == [] and skipped(green) == [(1, "energy")]


def test_when_the_mains_fail_in_mid_run_the_cell_shuts_the_valves_while_it_can():
    green = Fed()
    green.run(hours=5, minutes=5)
    assert green.pipes.flow_ml_min()
    green.ports.battery_mv = 3250
    green.run(minutes=1)
    assert not green.pipes.flow_ml_min()


def test_a_battery_without_a_boost_capacitor_is_refused():
    for boost_mv in (0, 6000, 31_000):
        _, faults = decoded(plain(battery=[2600, 1000, boost_mv]))
        assert [fault.path for fault in faults] == ["battery.boost"]
        assert "7000 to 30000" in faults[0].remedy


def test_settings_that_name_a_battery_make_a_node_that_sleeps():
    own, faults = decoded(plain(battery=[5200, 1000, 9000]))
    assert not faults and (own.capacity_mah, own.boost_mv, own.sleeps) == (5200, 9000, True)
    # A pump's relay wants the mains, which the other node has.
    assert not decoded(plain(valves=[2, 2, 2, 2, 1]))[1]
    _, faults = decoded(plain(valves=[2, 2, 2, 2, 1], battery=[5200, 1000, 9000]))
    assert [fault.path for fault in faults] == ["valves[9]"]
