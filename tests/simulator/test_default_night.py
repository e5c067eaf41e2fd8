"""The main job, whole: the night that `make sim` runs, and the picture of it in the README."""

import pytest

from simulator.options import Options
from simulator.report import picture
from simulator.territory import Territory

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def night():
    return Territory(Options(rooms=12, greens=8)).run()


def test_nothing_is_lost_or_doubled_and_the_streets_are_lit(night):
    verdict = night.verdict
    assert (verdict.lost, verdict.duplicated, verdict.altered, verdict.invented) == (0, 0, 0, 0)
    assert night.is_good, (verdict.first_faults, night.lighting_violations, night.bounds_violations, night.alarms)
    assert verdict.made > 10_000 and verdict.delivered + verdict.gaps_explained + verdict.waiting == verdict.made


def test_every_kind_of_trouble_was_in_it(night):
    kinds = {"fibre", "power", "ingest", "broker", "hostile", "opened", "stolen", "deleted"}
    assert {cut.what for cut in night.drawn.cuts} == kinds
    assert night.counters["uplink.silences"] > 0 and night.counters["inbox.duplicates"] > 0
    assert night.longest_wait_s > 3600
    assert night.alarms.expected >= 2


def test_dimming_saves_energy_and_the_warehouse_has_counted_nearly_all_of_it(night):
    assert night.true_wh < 0.85 * night.full_power_wh
    # What a lamp draws between its last report and the cut of its feeder is known to nobody.
    assert 0.97 * night.true_wh < night.stored_wh <= night.true_wh


def test_the_picture_in_the_readme_is_of_this_night(night, repository):
    drawn = (repository / "simulator" / "night.svg").read_text(encoding="utf-8")
    assert picture.svg(night, "fr") + "\n" == drawn, "draw it again: bocage sim --svg simulator/night.svg"
