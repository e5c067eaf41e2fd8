"""The picture of a night: XML that stands alone, every curve inside its panel, every cut marked."""

import xml.etree.ElementTree as ElementTree
from dataclasses import replace

import pytest

from simulator.report import picture
from tests.support.territory_world import ordinary

pytestmark = pytest.mark.slow  # of a simulated night

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def result():
    return ordinary()[1]


def drawn(result, language="fr"):
    return ElementTree.fromstring(picture.svg(result, language))


def points(element):
    return [tuple(float(number) for number in pair.split(",")) for pair in element.get("points").split()]


def test_it_is_one_svg_that_needs_nothing_from_elsewhere(result):
    root = drawn(result)
    assert root.tag == f"{SVG}svg"
    text = picture.svg(result, "fr")
    assert "href" not in text and "url(" not in text and "<script" not in text


def test_it_draws_three_curves_and_the_policy(result):
    root = drawn(result)
    polygons = [points(polygon) for polygon in root.iter(f"{SVG}polygon")]
    assert [len(polygon) for polygon in polygons] == [len(result.snapshots) + 2] * 3
    (line,) = root.iter(f"{SVG}polyline")
    assert len(points(line)) == len(result.snapshots)


def test_everything_lies_inside_the_picture(result):
    root = drawn(result)
    _, _, width, height = (float(number) for number in root.get("viewBox").split())
    shapes = [*root.iter(f"{SVG}polygon"), *root.iter(f"{SVG}polyline")]
    corners = [corner for shape in shapes for corner in points(shape)]
    assert all(0 <= x <= width and 0 <= y <= height for x, y in corners)


def test_a_street_that_stayed_dark_is_drawn_inside_its_panel_too(result):
    dark = replace(result, snapshots=[replace(snapshot, lit=0) for snapshot in result.snapshots])
    dark_root = drawn(dark)
    (line,) = dark_root.iter(f"{SVG}polyline")
    (panel, *_) = dark_root.iter(f"{SVG}polygon")
    bottom = max(y for _, y in points(panel))
    assert all(bottom - picture._PANEL <= y <= bottom for _, y in points(line))


def test_each_cut_is_marked_in_each_panel_and_named_once(result):
    root = drawn(result, "en")
    shades = [rect for rect in root.iter(f"{SVG}rect") if rect.get("fill-opacity")]
    assert all(text.get("fill") is None for text in root.iter(f"{SVG}text")), "dark letters, whatever is behind them"
    assert len(shades) == 3 * len({(cut.what, cut.from_s, cut.to_s) for cut in result.drawn.cuts})
    texts = [text.text for text in root.iter(f"{SVG}text")]
    for name in ("fibre cut", "power cut in the cabinet", "centre silent (ingest stopped)"):
        assert texts.count(name) == 1


def test_a_band_a_cabinet_shows_by_which_bearer_it_spoke(result):
    root = drawn(result)
    bands = dict.fromkeys(picture._BEARER_COLOURS.values(), 0.0)
    for rect in root.iter(f"{SVG}rect"):
        is_carrier = float(rect.get("y") or 0) < _village_top(root)
        if is_carrier and rect.get("fill") in bands and rect.get("height") == str(picture._BAND):
            bands[rect.get("fill")] += float(rect.get("width"))
    assert all(width > 0 for width in bands.values()), "fibre, 4G and none, each for a while"
    assert max(bands, key=bands.get) == picture._BEARER_COLOURS["fibre"]


def _village_top(root):
    """Where the commune with a cabinet only begins: its bands tell light, not bearers."""
    (title,) = (float(text.get("y")) for text in root.iter(f"{SVG}text") if (text.text or "").startswith("Béhuard"))
    return title


def test_the_commune_with_a_cabinet_only_has_a_band_a_feeder(result):
    root = drawn(result)
    below = [rect for rect in root.iter(f"{SVG}rect") if float(rect.get("y") or 0) > _village_top(root)]
    lit = {rect.get("y") for rect in below if rect.get("fill") not in picture._BEARER_COLOURS.values()}
    assert len(lit) >= len(result.village.counted)


@pytest.mark.parametrize(("language", "word"), [("fr", "graine 1"), ("en", "seed 1")])
def test_it_speaks_both_languages(result, language, word):
    assert word in picture.svg(result, language)


def test_signs_that_xml_reserves_are_escaped(result, monkeypatch):
    monkeypatch.setitem(picture.WORDS.messages, "lit", 'a < b & "c"')
    assert any('a < b & "c"' in (text.text or "") for text in drawn(result, "en").iter(f"{SVG}text"))
