"""A territory in parts: every part is the same as in the whole, and so is the digest."""

from dataclasses import replace

import pytest

from simulator import processes
from simulator.options import Options, districts, draw, share
from simulator.territory import Territory

# Fibre and power are cut, lamps, a pipe and a thermometer fail, and the centre is away, of three cabinets.
STORY = Options(cabinets=3, lamps=12, rooms=2, greens=2, hours=12, until_dusk=False)


@pytest.fixture(scope="module")
def whole():
    return Territory(STORY).run()


def test_every_cabinet_is_in_one_part_and_the_commune_in_the_last():
    for cabinets in (1, 2, 3, 20, 21, 100, 1200):
        for count in (1, 2, 4, 7):
            parts = processes.parts_of(cabinets, count)
            assert [index for part in parts for index in range(part.first, part.end)] == list(range(cabinets))
            assert [part.has_village for part in parts] == [False] * (len(parts) - 1) + [True]
            assert max(part.end - part.first for part in parts) <= 4
            assert len(parts) % count == 0 or len(parts) == cabinets, "no process waits for the others"


@pytest.mark.slow
def test_a_territory_in_two_processes_is_the_whole_and_tells_its_progress(whole):
    """Parts of one and of two cabinets."""
    assert len({part.end - part.first for part in processes.parts_of(STORY.cabinets, 2)}) == 2
    told = []
    result = processes.run(STORY, processes=2, progress=lambda done_s, total_s: told.append((done_s, total_s)))
    assert {cut.what for cut in whole.drawn.cuts} >= {"fibre", "power"} and whole.alarms.expected >= 2
    assert sorted(result.waits_s) == sorted(whole.waits_s)
    order = {"waits_s": whole.waits_s}
    assert replace(result, **order) == replace(whole, **order)
    assert result.digest == whole.digest and result.is_good
    assert told == sorted(told) and told[-1] == (12 * 3600, 12 * 3600)


@pytest.mark.slow
def test_a_defect_in_one_process_ends_the_run():
    with pytest.raises(KeyError, match="no such calendar"):
        processes.run(replace(STORY, calendar="no such calendar"), processes=2)


def test_shares_are_of_the_whole_for_any_number_of_cabinets():
    for cabinets in (1, 2, 3, 7, 20):
        options = Options(cabinets=cabinets, lamps=100)
        assert sum(district.lamps for district in districts(options)) == 100
        assert sum(share(31, index, cabinets) for index in range(cabinets)) == 31
        names = [(district.insee, district.name) for district in districts(options)]
        assert len(set(names)) == cabinets


def test_each_three_cabinets_have_their_own_faults():
    options = Options(cabinets=7, lamps=140, rooms=14, greens=14)
    drawn = draw(options)
    assert {cut.cabinet for cut in drawn.cuts if cut.what == "fibre"} >= {1, 4}
    assert max(cut.cabinet for cut in drawn.cuts if cut.cabinet is not None) < 7
    assert [cut.what for cut in drawn.cuts].count("ingest") == 1
    assert len({index for index, _ in drawn.dead_lamps + drawn.stuck_relays}) == 9
    assert len(drawn.dead_thermometers) == len(drawn.broken_pipes) == 3
