"""A map draws the ground that its commune has, and needs none; images of a local file of tiles under it."""

import pytest
from pmtiles.tile import Compression, TileType, zxy_to_tileid
from pmtiles.writer import Writer

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


@pytest.fixture
def tiled(tmp_path):
    """Makes a PMTiles file of one tile at the top, with a hole below it."""

    def make(kind=TileType.PNG):
        path = tmp_path / f"{kind.name}.pmtiles"
        with path.open("wb") as file:
            writer = Writer(file)
            writer.write_tile(zxy_to_tileid(0, 0, 0), b"one tile")
            header = {"tile_type": kind, "tile_compression": Compression.NONE, "min_zoom": 0, "max_zoom": 1}
            corners = {"min_lon_e7": -10_000_000, "min_lat_e7": 470_000_000, "max_lon_e7": 0, "max_lat_e7": 480_000_000}
            centre = {"center_zoom": 0, "center_lon_e7": 0, "center_lat_e7": 0}
            said = '<a href="https://x.example">&copy; <b>IGN</b></a><script>alert(1)</script>'
            writer.finalize(header | corners | centre, {"attribution": said})
        return str(path)

    return make


def test_tiles_of_a_local_file_lie_under_the_map_with_the_name_of_who_made_them(browser, tiled, monkeypatch):
    from django.conf import settings

    own = browser("operator")
    assert own.get("/tiles/0/0/0").status_code == 404 and "data-tiles" not in own.get(f"/{FENEU}/map").content.decode()
    monkeypatch.setattr(settings, "BOCAGE", settings.BOCAGE._replace(tiles=tiled()))
    page = own.get(f"/{FENEU}/map").content.decode()
    within = "-1.000000,47.000000,0.000000,48.000000"
    assert f'data-tiles="/tiles/{{z}}/{{x}}/{{y}}" data-zooms="0,0" data-within="{within}"' in page
    assert '<p class="attribution">© IGNalert(1)</p>' in page
    said = own.get("/tiles/0/0/0")
    assert (said.content, said["Content-Type"]) == (b"one tile", "image/png") and "max-age" in said["Cache-Control"]
    assert own.get("/tiles/1/0/1").status_code == 204
    for address in ("/tiles/1/2/0", "/tiles/1/0/2", "/tiles/20/0/0", "/tiles/99999999999/0/0"):
        assert own.get(address).status_code == 404, address
    assert browser().get("/tiles/0/0/0").status_code == 302


@pytest.mark.parametrize(("kind", "why"), [(TileType.MVT, "vector tiles"), (None, "no PMTiles file"), ("", "no such")])
def test_a_file_that_holds_no_images_is_refused_when_the_web_starts(served, tiled, tmp_path, capsys, kind, why):
    from tools import cli

    (tmp_path / "text").write_text("PMTiles, perhaps", encoding="utf-8")
    path = tiled(kind) if kind else str(tmp_path / ("text" if kind is None else "none"))
    words = ("--db", str(served / "centre.db"), "--data", str(tmp_path / "w"), "--tiles", path, "--lang", "en")
    assert cli.main(["centre", "web", *words]) == 2
    assert why in capsys.readouterr().err.lower().replace("pmtiles", "PMTiles")
