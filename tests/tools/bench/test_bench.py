"""The benchmarks, short: the command finds them, and the figures that the project promises hold."""

import json
from argparse import Namespace

import pytest

from tools import cli
from tools.bench import drain


def run(*words):
    return cli.main(["bench", *words])


def test_the_bytes_of_a_record_and_of_a_batch_are_within_their_bounds(capsys):
    assert run("bytes", "--json") == 0
    figures = json.loads(capsys.readouterr().out)
    assert figures["record_bytes_worst"] <= 48
    assert len(figures["streets"]) == 5
    for street in figures["streets"]:
        assert street["bytes_per_reading"] <= 4.5 and street["bytes_per_reading"] < street["json_bytes_per_reading"]


def test_the_command_passes_options_and_prints_a_table(capsys):
    assert run("bytes", "--seeds", "1", "--lamps", "50") == 0
    assert "bytes/reading" in capsys.readouterr().out


def test_a_bound_that_does_not_hold_shows_in_the_status(capsys):
    assert run("bytes", "--lamps", "2", "--seeds", "1", "--json") == 1  # two records share too little
    assert json.loads(capsys.readouterr().out)["passed"] is False


def test_the_journal_writes_within_its_bound_beside_sqlite(tmp_path, capsys):
    words = ("--records", "2000", "--rounds", "2", "--flushes", "20", "--json")
    assert run("journal", "--folder", str(tmp_path), *words) == 0
    figures = json.loads(capsys.readouterr().out)
    day = figures["days"]["journal"]
    assert day["real_cadence_process_mb"] > day["at_50_a_flush_process_mb"] > 86.4, "more than the payload"
    for store in ("journal", "sqlite"):
        row = figures["stores"][store]
        assert row["insert_per_s"]["min"] > 0 and row["drain_per_s"]["min"] > 0
        assert 0 < row["flush_p50_ms"]["median"] <= row["flush_p99_ms"]["max"]
    assert list(tmp_path.iterdir()) == [], "what a benchmark wrote is gone"


@pytest.mark.slow
def test_a_street_on_one_concentrator_loses_nothing_and_tells_its_airtime(capsys):
    assert run("radio", "--minutes", "5", "--json") == 0
    rows = json.loads(capsys.readouterr().out)["rows"]
    assert rows["bursts"]["made"] == rows["bursts"]["arrived"] == 250
    assert rows["perfect"]["air_ms_per_record"] < rows["bursts"]["air_ms_per_record"] < 200
    assert run("radio", "--minutes", "2", "--nodes", "5") == 0
    assert "air_ms_per_node_hour" in capsys.readouterr().out


@pytest.mark.slow
def test_a_backlog_is_recovered_and_drained_and_alarms_pass_it(tmp_path, capsys):
    # 40 batches an epoch and a tail: what no batch of 50 fills must come as well.
    assert run("backlog", "--folder", str(tmp_path), "--records", "8010", "--json") == 0
    figures = json.loads(capsys.readouterr().out)
    assert figures["segments"] >= figures["epochs"] == 4
    assert figures["resent"] == 0 and figures["alarms"] >= 10
    # The telemetry that is under way before an alarm comes, and no more: an alarm waits for no question.
    assert 1 <= figures["alarm_batches_p50"] <= figures["alarm_batches_max"] <= figures["alarm_batches_bound"] == 16
    assert 0 < figures["bytes_per_reading"] < 8 and figures["nodes"] == 500
    assert 0 < figures["alarm_published_p50_ms"] <= figures["alarm_held_p99_ms"]
    assert 0 < figures["rss_before_kb"] < figures["rss_peak_kb"] and figures["recovery_s"] < figures["started_s"]
    assert list(tmp_path.iterdir()) == [], "what a benchmark wrote is gone"


def test_what_a_cabinet_is_still_flushing_is_not_held_by_the_warehouse(tmp_path):
    args = Namespace(lights=3, hours=0.5, retry=4, cabinets=1)
    drain.fill(tmp_path, args, 1_790_000_000)
    cabinet = drain.Cabinet(0, tmp_path / "journals" / "0", args, 1_790_000_000)
    cabinet.live(900.0, 0.0)  # a record of each light; their flush is begun, and nothing waits for it
    assert (cabinet.kept, cabinet.made(), cabinet.held()) == (7, 10, 0)


def test_an_unknown_benchmark_is_refused(capsys):
    with pytest.raises(SystemExit):
        run("nothing")
    assert "backlog" in capsys.readouterr().err
