"""The season's benchmark, short: its figures, its picture and its verdict."""

import json
from xml.etree import ElementTree

import pytest

from simulator.estates.season import SeasonFigures
from tools import cli
from tools.bench import watering


@pytest.mark.slow
def test_a_month_prints_figures_beside_the_timer_and_draws_a_picture(tmp_path, capsys):
    picture = tmp_path / "season.svg"
    words = ["watering", "--json", "--drought", "summer", "--months", "8-8", "--svg", str(picture)]
    assert cli.main(["bench", *words]) == 0
    season = json.loads(capsys.readouterr().out)["seasons"]["summer"]
    assert season["ours"]["forbidden_min"] == season["ours"]["violations"] == 0 < season["timer"]["forbidden_min"]
    assert season["ours"]["water_m3"] < season["timer"]["water_m3"]
    assert ElementTree.parse(picture).getroot().tag.endswith("svg")


def test_a_season_that_waters_in_a_forbidden_hour_or_saves_nothing_does_not_pass():
    timer = SeasonFigures(1000, 0, 0, 0, 0, 0, [], [None] * 30)
    assert watering.holds(timer._replace(used_l=600), timer, "none")
    assert not watering.holds(timer._replace(used_l=700), timer, "none")
    assert not watering.holds(timer._replace(used_l=600, forbidden_s=1), timer, "summer")
    assert not watering.holds(timer._replace(used_l=600, stress_days=20), timer, "none")
    assert watering.holds(timer._replace(used_l=600, stress_days=20), timer, "summer")
