"""The benchmark of a territory: what it measures is right, at a size that tests bear."""

from tools.bench import territory


def test_day_of_a_small_territory_is_what_its_registers_counted(tmp_path):
    found = territory.measure(str(tmp_path / "warehouse.db"), 61)
    assert found["energy_wh"] == found["energy_wh_of_registers"] > 0
    assert found["hours"] == 61 * 24
