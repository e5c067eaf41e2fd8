"""What leaves a cabinet tells of no passage, and the checker finds each way in which it could."""

from functools import cache

import pytest

from lighting.decision import LightDecision
from lighting.trade import Streetlight
from simulator.checkers.presence import traces
from simulator.estates.streets import District
from simulator.hosts.ports import Walkers
from simulator.options import Options
from tests.support.territory_world import live_through, story
from wire import quantity

pytestmark = pytest.mark.slow

# One feeder with a detector, from four in the afternoon to one in the morning. The light is dimmed at eleven, by this
# seed just after a passage. By some seeds (1) a turn that a passage brings moves an answer of the gateway by half a
# second, and with it a clock within its doubt: a stamp of ± 2 s is then a second apart.
PATH = District("49007", "Angers", "cab-1", 474736, -5542, 12, feeders=(("", 12),))
NIGHT = Options(seed=11, cabinets=1, lamps=12, hours=9, until_dusk=False, given=(PATH,))


def lived():
    """(people who passed, the rows of the warehouse)."""
    territory, result = live_through(NIGHT, story())
    assert result.is_good
    return result.streets.passed, list(territory.centre.warehouse.bodies())


def empty():
    """The rows of the same night in which nobody passes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Walkers, "start", lambda self: None)
        passed, rows = lived()
    assert passed == 0
    return rows


sound_and_empty = cache(empty)


def found(nobody=sound_and_empty):
    passed, rows = lived()
    assert passed > 20
    return traces(rows, nobody())


def test_a_night_of_passages_leaves_nothing_but_its_energy():
    assert found() == []


def test_a_boost_that_is_reported_is_seen(monkeypatch):
    change = Streetlight._change

    def report(self, light, now_ms):
        change(self, light, now_ms)
        self._reports.report_level(light)

    monkeypatch.setattr(Streetlight, "_change", report)
    assert any("is in one world only" in said for said in found())


def test_watts_that_show_a_boost_are_seen(monkeypatch):
    monkeypatch.setattr(Streetlight, "_is_raised", lambda self, now_ms: False)
    assert any(f"{quantity.POWER}: " in said for said in found())


def test_energy_by_the_quarter_hour_is_seen(monkeypatch):
    readings = Streetlight.readings
    monkeypatch.setattr(Streetlight, "readings", lambda self, moment: {**(self._meter or {}), **readings(self, moment)})
    assert any(f"{quantity.ENERGY}: " in said for said in found(empty))


def test_a_count_of_boosts_is_seen(monkeypatch):
    health = Streetlight.health

    def count(self, moment):
        triggers = 0 if self._presence is None else self._presence.triggers
        return {**health(self, moment), quantity.OCCUPANCY: triggers}

    monkeypatch.setattr(Streetlight, "health", count)
    assert any(f"{quantity.OCCUPANCY}: " in said for said in found(empty))


def test_a_change_of_the_calendar_that_a_passage_brings_forward_is_seen(monkeypatch):
    monkeypatch.setattr(LightDecision, "changes_in_s", lambda self, unix_s: None)
    assert any("has another time" in said for said in found(empty))
