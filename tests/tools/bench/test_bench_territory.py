"""The benchmark of a territory: what it measures is right, at a size that tests bear, on both engines."""

import json
from xml.etree import ElementTree

import pytest

from tools import cli
from tools.bench import territory


def judge(found, engine):
    assert found["engine"] == engine
    assert found["energy_wh"] == found["energy_wh_of_registers"] > 0
    assert found["hours"] == 61 * 24
    assert found["records_mb"] > 0 and found["rollup_mb"] > 0 and found["purged_records"] > 0


@pytest.mark.slow
def test_day_of_a_small_territory_is_what_its_registers_counted(capsys, tmp_path):
    path = tmp_path / "growth.svg"
    assert cli.main(["bench", "territory", "--lights", "61", "--svg", str(path), "--json"]) == 0
    judge(json.loads(capsys.readouterr().out), "SQLite")
    texts = [element.text for element in ElementTree.parse(path).iter() if element.text]
    assert {"61", "roll-up, s", "states, s", "kWh by hour, s", "records, MB"} <= set(texts)


@pytest.mark.services
def test_day_on_a_server_is_the_same(capsys):
    assert cli.main(["bench", "territory", "--lights", "61", "--server-lights", "61", "--json"]) == 0
    on_file, on_server = capsys.readouterr().out.replace("}\n{", "}\0{").split("\0")
    judge(json.loads(on_file), "SQLite")
    judge(json.loads(on_server), "PostgreSQL")


def test_picture_tells_the_engines_apart():
    figures = dict.fromkeys((name for name, _, _ in territory._DRAWN), 1.5)
    sizes = [(engine, lights) for engine in ("SQLite", "PostgreSQL") for lights in (1, 9)]
    found = [{"engine": engine, "lights": lights, **figures} for engine, lights in sizes]
    picture = ElementTree.fromstring(territory.svg(found))
    lines = [one for one in picture.iter() if one.tag.endswith("polyline")]
    assert len(lines) == 2 * len(territory._DRAWN)
    assert sum("stroke-dasharray" in one.attrib for one in lines) == len(territory._DRAWN)
