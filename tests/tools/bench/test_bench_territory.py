"""The benchmark of a territory: what it measures is right, at a size that tests bear, on both engines."""

import json

import pytest

from tools import cli


def judge(found, engine):
    assert found["engine"] == engine
    assert found["energy_wh"] == found["energy_wh_of_registers"] > 0
    assert found["hours"] == 61 * 24
    assert found["records_mb"] > 0 and found["rollup_mb"] > 0 and found["purged_records"] > 0


@pytest.mark.slow
def test_day_of_a_small_territory_is_what_its_registers_counted(capsys):
    assert cli.main(["bench", "territory", "--lights", "61", "--json"]) == 0
    judge(json.loads(capsys.readouterr().out), "SQLite")


@pytest.mark.services
def test_day_on_a_server_is_the_same(capsys):
    assert cli.main(["bench", "territory", "--lights", "61", "--server-lights", "61", "--json"]) == 0
    on_file, on_server = capsys.readouterr().out.replace("}\n{", "}\0{").split("\0")
    judge(json.loads(on_file), "SQLite")
    judge(json.loads(on_server), "PostgreSQL")
