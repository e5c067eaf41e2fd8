"""Every lamp, room and lawn of the simulated territory has a name and a place, by the real import of a register."""

import pytest

from simulator.options import SEASONS, Options
from simulator.territory import Territory
from tools.centre.register.register import Register
from tools.centre.store import schema
from tools.demo import towns


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("towns")
    options = Options(start=SEASONS["spring"], lamps=36, rooms=5, greens=4, faults=False)
    drawn = towns.draw(options)
    territory = Territory(towns.wired(options, drawn), warehouse=str(folder / "warehouse.db"))
    found = towns.communes(territory, drawn)
    connection = schema.open_to_write(str(folder / "warehouse.db"), "OFF")
    towns.write(territory, found, folder / "register.gpkg", connection)
    yield territory, found, Register(connection)
    connection.close()


def test_every_node_has_a_place_in_a_street(written):
    territory, _, register = written
    now_s = territory.options.start_unix_s
    for host in territory.nodes:
        place = register.of_node(host.settings.node, unix_s=now_s)
        assert place is not None and place.street and place.commune in ("Angers", "Feneu")


def test_the_register_names_nothing_that_it_lacks(written):
    _, _, register = written
    assert register.unknown_references() == []


def test_lights_have_positions_feeders_and_watts(written):
    _, _, register = written
    lights = [version.equipment for version in register.versions(kind="light")]
    assert len(lights) == 36 + 29
    assert all(one.longitude and one.latitude and one.feeder and one.cabinet and one.power_dw for one in lights)
    assert sum(one.node is None for one in lights) == 29  # those of the commune that has a cabinet only


def test_a_lamp_of_the_register_hangs_on_the_cabinet_that_serves_its_node(written):
    territory, _, register = written
    cabinets = {version.equipment.node: version.equipment.cabinet for version in register.versions(kind="light")}
    for gateway in territory.gateways:
        own = f"{gateway.options.insee}-{gateway.options.name}"
        served = {cabinets[node] for node in gateway.nodes if node in cabinets}
        assert served == {own}


def test_the_ground_is_geojson_that_closes_its_rings(written):
    _, found, _ = written
    for commune in found:
        features = towns.ground(commune)["features"]
        kinds = {feature["properties"]["kind"] for feature in features}
        assert {"street", "water", "house", "building"} <= kinds
        rings = [one["geometry"]["coordinates"][0] for one in features if one["geometry"]["type"] == "Polygon"]
        assert all(ring[0] == ring[-1] for ring in rings)
