"""The bench of the simulator: sizes have the proportions of the default night, the picture shows each figure."""

from xml.etree import ElementTree

from tools import cli
from tools.bench import sim


def a_run(nodes, **fields):
    cost = {"node_hours": nodes, "wall_s": nodes / 200, "cpu_s": nodes / 100, "peak_mb": 100 + nodes / 100}
    return sim.Run(**{"nodes": nodes, "cabinets": 3, "processes": 2, "is_good": True, "digest": "00", **cost, **fields})


def test_a_size_has_the_proportions_of_the_default_night():
    night = sim.options_for(140, 1, None)
    assert (night.lamps, night.rooms, night.greens, night.cabinets, night.until_dusk) == (120, 12, 8, 3, True)
    large = sim.options_for(60_000, 7, 1)
    assert large.lamps + large.rooms + large.greens == 60_000
    assert (large.cabinets, large.seed, large.hours, large.until_dusk) == (1200, 7, 1, False)


def test_the_picture_has_a_line_for_each_figure_and_a_point_for_each_size():
    picture = ElementTree.fromstring(sim.svg([a_run(100), a_run(1000), a_run(10_000, peak_mb=300)]))
    names = [element.tag.partition("}")[2] for element in picture.iter()]
    assert (names.count("polyline"), names.count("circle")) == (2, 6)
    texts = [element.text for element in picture.iter() if element.text]
    assert {"100", "1000", "10000", "processor, s", "memory, MB"} <= set(texts)


def test_sizes_are_measured_apart_and_a_defect_shows_in_the_status(monkeypatch, capsys, tmp_path):
    asked = []

    def apart(nodes, args):
        asked.append((nodes, args.hours))
        return a_run(nodes, is_good=nodes < 1000)

    monkeypatch.setattr(sim, "_apart", apart)
    path = tmp_path / "growth.svg"
    assert cli.main(["bench", "sim", "--nodes", "100", "300", "--hours", "2", "--svg", str(path)]) == 0
    assert asked == [(100, 2), (300, 2)] and path.read_text(encoding="utf-8").startswith("<svg")
    assert cli.main(["bench", "sim", "--nodes", "1000"]) == 1
    assert "DEFECT" in capsys.readouterr().out
