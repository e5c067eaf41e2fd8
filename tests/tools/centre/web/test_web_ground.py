"""A map draws the ground that its commune has, and needs none."""

from tests.support.scoped_world import ANGERS, FENEU


def test_the_ground_is_the_communes_own_geojson(browser):
    said = browser("operator").get(f"/{FENEU}/map/ground.json")
    assert said["Content-Type"] == "application/geo+json"
    assert said.json() == {"type": "FeatureCollection", "features": []}


def test_a_map_without_ground_asks_for_none(browser):
    own = browser("operator")
    assert own.get(f"/{ANGERS}/map/ground.json").status_code == 404
    assert "ground.js" not in own.get(f"/{ANGERS}/map").content.decode()
    assert f"/{FENEU}/map/ground.json" in own.get(f"/{FENEU}/map").content.decode()
