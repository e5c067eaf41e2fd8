"""Rooms and green spaces in the territory: in winter and summer, with what the seed breaks, and with planted faults."""

from dataclasses import replace
from datetime import timedelta
from functools import cache

import pytest

from heating.trade import Thermostat
from policy import watering
from simulator.options import SEASONS, Options
from simulator.report import text as report
from tests.support.territory_world import live_through, reportable, story, with_nodes
from watering.guard import PipeGuard
from wire import directive, event, record

WINTER = Options(lamps=3, rooms=4, greens=2, hours=24)
SUMMER = replace(WINTER, rooms=1, greens=3, start=SEASONS["summer"])

pytestmark = pytest.mark.slow


@cache
def lived(options):
    return live_through(options)


def told(territory, host, code):
    """(active, detail) of the events of a node that the warehouse holds."""
    found = []
    for (node, _, _), _, body in territory.centre.warehouse.bodies():
        said = record.decode_body(body)
        if node == host.settings.node and not isinstance(said, dict) and said.code == code:
            found.append((said.active, said.detail))
    return found


@pytest.mark.parametrize("options", [WINTER, SUMMER], ids=["winter", "summer"])
def test_nothing_is_lost_and_no_invariant_broken(options):
    _, result = lived(options)
    assert result.is_good, report.faults(reportable(result))
    assert result.verdict.lost == result.verdict.duplicated == 0
    assert result.alarms.reported == result.alarms.expected > 0 and result.alarms.false == 0


def test_rooms_are_warm_when_people_are_there_and_the_report_says_so():
    _, result = lived(WINTER)
    rooms = result.rooms
    assert 0 < rooms.blind_min < rooms.used_min // 3, "a thermometer dies: that room is kept from harm, not for comfort"
    assert rooms.comfort_min >= (rooms.used_min - rooms.blind_min) * 9 // 10 and rooms.wh > 0
    text = report.text(reportable(result), 1.0, "fr")
    assert "Chauffage" in text and "4 salles chauffées" in text and "Arrosage" in text


def test_the_energy_that_the_warehouse_counts_is_that_of_lamps_alone():
    territory, result = lived(WINTER)
    counted = [
        sum(territory.centre.warehouse.energy_wh(host.settings.node).values())
        for host in territory.rooms.hosts
    ]
    assert sum(counted) > 0, "rooms tell their own"
    assert 0.95 * result.true_wh < result.stored_wh <= result.true_wh
    assert result.rooms._asdict() == report.as_json(reportable(result), 1.0)["rooms"]


def test_a_thermometer_that_dies_is_told_and_its_room_stays_out_of_harm():
    territory, _ = lived(WINTER)
    ((index, _),) = territory.drawn.dead_thermometers
    host, room = territory.rooms.hosts[index], territory.rooms.rooms[index].ports.room
    assert (True, ["room", "silent"]) in told(territory, host, event.SENSOR_FAILURE)
    assert 500 < room.air_ck < 2600


def test_load_shedding_reaches_every_room_whose_cabinet_knows_the_time_and_ends():
    """A cabinet whose plug a stranger pulled while its fibre was cut knows no time, so it gives nothing that ends."""
    territory, _ = lived(WINTER)
    (robbed,) = (one.cabinet for one in territory.drawn.cuts if one.what == "deleted")
    for host in territory.rooms.hosts:
        takes = [detail for _, detail in told(territory, host, event.DIRECTIVE_TAKEN)]
        shed = [value for code, value, _ in takes if code == directive.LOAD_SHED]
        assert shed == ([] if host.settings.node in territory.gateways[robbed].nodes else [200, None])


def test_green_spaces_drink_at_five_and_a_broken_pipe_is_shut_and_told():
    territory, result = lived(SUMMER)
    assert result.greens.ml > 100_000 and result.greens.violations == ()
    broken = territory.greens.expected
    assert len(broken) == 1
    host = next(host for host in territory.greens.hosts if host.settings.node == broken[0].node)
    assert told(territory, host, event.PIPE_BURST)[0][0] is True
    assert 0 < result.greens.lost_ml < 30_000


def test_the_drought_level_reaches_every_green_space():
    territory, _ = lived(SUMMER)
    for host in territory.greens.hosts:
        takes = [detail[:2] for _, detail in told(territory, host, event.DIRECTIVE_TAKEN)]
        assert [directive.DROUGHT_LEVEL, 2] in takes


def test_the_law_of_the_drought_stops_a_stadium_at_eleven_where_no_park_is_shut():
    territory, result = lived(SUMMER)
    assert result.greens.violations == ()
    stopped = [
        detail[0]
        for host in territory.greens.hosts
        for _, detail in told(territory, host, event.WATERING_DONE)
        if detail[4] == "forbidden" and 0 < detail[1] < 900
    ]
    assert len(stopped) >= 2, "begun at 10:45, and shut before eleven"


def test_a_node_that_knows_no_law_of_drought_is_seen(monkeypatch):
    monkeypatch.setattr(watering, "NATIONAL", ())
    _, result = live_through(replace(SUMMER, rooms=0, hours=19, until_dusk=False), story())
    assert not result.is_good and any("forbidden hour" in text for text in result.greens.violations)


def test_rooms_and_green_spaces_change_nothing_for_the_lamps():
    with_them, _ = lived(WINTER)
    alone = with_nodes(replace(WINTER, rooms=0, greens=0))
    assert [lamp.data for lamp in with_them.lamps] == [lamp.data for lamp in alone.lamps]


def test_a_node_that_does_not_shut_a_broken_pipe_is_seen(monkeypatch):
    monkeypatch.setattr(PipeGuard, "sample", lambda *_, **__: None)
    evening = SUMMER.start + timedelta(hours=5)
    _, result = live_through(
        replace(SUMMER, rooms=0, hours=8, start=evening, until_dusk=False), replace(story(), broken_pipes=[(1, 600)])
    )
    assert not result.is_good and any("burst" in text for text in result.greens.violations)


def test_a_thermostat_that_ignores_the_ceiling_is_seen(monkeypatch):
    honest = Thermostat.decide

    def decide(self, moment):
        honest(self, moment)
        self.outputs = self.outputs._replace(on=True, valve_percent=100, flow_ck=7000)

    monkeypatch.setattr(Thermostat, "decide", decide)
    _, result = live_through(replace(WINTER, greens=0, hours=6, until_dusk=False))
    assert not result.is_good and any("ceiling" in text for text in result.rooms.violations)
