"""Two communes without their broker for a day: lamps keep their program, no node restarts, and all arrives after it."""

import pytest

from simulator.options import Options
from tests.support.territory_world import cut, live_through, story

pytestmark = pytest.mark.slow


def test_a_day_without_the_broker_changes_no_lamp_and_loses_nothing():
    """esphome/issues#994, TX-Ultimate-Easy#48: lights off, and a reboot after 15 minutes, when nobody answers.

    Without any gateway: test_without_gateway.py.
    """
    options = Options(lamps=6, hours=32, faults=False, until_dusk=False)
    territory, result = live_through(options, story(cut("broker", 4, 28)))
    assert result.lighting_violations == [] and result.worst_delay_s <= 120
    assert any(one.wanted and one.lit == one.wanted for one in result.snapshots)
    for host in territory.nodes:
        # A switched feeder gives its lamps mains at dusk; so many dusks lie in the run.
        assert host.boots == (1 if host.settings.node[-1] % 2 else 2)
    assert result.verdict.lost == result.verdict.duplicated == 0
    assert result.verdict.acknowledged == result.verdict.made
