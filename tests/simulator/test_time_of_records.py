"""Records of real nodes whose gateway had no clock: the UTC that the warehouse gives them, against the truth."""

import pytest

from simulator.options import HOUR_S, Options
from tests.support.territory_world import cut, story, with_nodes
from wire import record

LAMPS = Options(lamps=9, hours=14, until_dusk=False)


def without_clocks():
    """No fibre for ten hours. The cabinets start anew in them: without 4G a clock is not good. Lamps start twice."""
    cabinets = range(3)
    cuts = [cut("fibre", 1, 11, cabinet) for cabinet in cabinets] + [
        cut("power", 2, 2.2, cabinet) for cabinet in cabinets
    ]
    territory = with_nodes(LAMPS, story(*cuts))
    for index, host in enumerate(territory.nodes):
        for hour in (4, 7):
            at_ms = 1000 * (hour * HOUR_S + 60 * index)
            territory.world.at(at_ms, host.power_off)
            territory.world.at(at_ms + 4000, host.power_on)
    return territory, territory.run()


@pytest.mark.slow
def test_the_true_time_of_every_record_lies_within_what_the_warehouse_says():
    territory, result = without_clocks()
    assert (result.verdict.lost, result.verdict.altered, result.verdict.duplicated) == (0, 0, 0)
    warehouse = territory.centre.warehouse
    widths = []
    for held in warehouse.held():
        made_ms = territory.delivery.made_ms((held.node, held.boot, held.sequence))
        if held.stamp.quality != record.UNSET or made_ms is None:
            continue
        moment = warehouse.moment(held.node, held.boot, held.stamp)
        assert moment.unix_s is not None
        assert abs(moment.unix_s - LAMPS.start_unix_s - made_ms // 1000) <= moment.uncertainty_s
        widths.append(moment.uncertainty_s)
    assert sum(20 < width < 90 for width in widths) > 30, "mapped by the gateway, and not through a guess of a week"
