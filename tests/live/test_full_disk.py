"""The real agent on a real partition that is full to the last byte: what was let go is named, alarms are kept."""

import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from simulator.rig.rig import find_mosquitto
from tools.prove.fulldisk import is_proven
from tools.prove.partition import Partition, why_not

REPOSITORY = Path(__file__).resolve().parents[2]
ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join([str(REPOSITORY / "firmware"), str(REPOSITORY)])}


@pytest.fixture
def partition(tmp_path):
    """A folder for a partition; skipped, with the reason, where none can be mounted."""
    missing = why_not()
    if missing is not None:
        pytest.skip(missing)
    made = Partition(tmp_path / "probe", tmp_path / "probe.img", 2)
    try:
        with made:
            yield made
    except OSError as error:
        pytest.skip(str(error))


@pytest.mark.root
@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_full_partition_loses_nothing_unnamed_and_refuses_no_alarm(tmp_path, partition):
    if find_mosquitto() is None:
        pytest.skip("no Mosquitto: apt-get install mosquitto")
    folder = tmp_path / "proof"
    story = ["--megabytes", "8", "--let-go", "3000", "--full", "8", "--fills", "1", "--folder", str(folder)]
    done = subprocess.run(
        [sys.executable, "-m", "tools", "prove", "fulldisk", *story, "--json"],
        capture_output=True,
        text=True,
        timeout=880,
        env=ENVIRONMENT,
        cwd=REPOSITORY,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    figures = json.loads(done.stdout)
    assert figures["made"] == figures["acknowledged"] == figures["stored"] + figures["let_go"]
    assert figures["let_go"] <= figures["in_ledger"] <= figures["let_go"] + figures["listed_held"]
    assert figures["kills_gateway"] == 6 and figures["crashes"] == 0
    assert figures["refused"] > 0
    assert not os.path.ismount(folder / "gateway")


@pytest.mark.root
def test_a_partition_is_filled_to_the_last_byte_and_given_back(partition):
    before = partition.free_bytes()
    assert partition.fill("foreign") >= before
    assert partition.free_bytes() == 0
    with pytest.raises(OSError) as caught, (partition.folder / "more").open("wb", buffering=0) as file:
        file.write(b"x")
    assert caught.value.errno == errno.ENOSPC
    partition.remove("foreign")
    (partition.folder / "more").unlink()
    # What the directory's new names take stays.
    assert partition.free_bytes() >= before - 8192


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("unexplained", 1),
        ("unlisted", 1),
        ("listed_never_made", 1),
        ("listed_held_beyond", 1),
        ("ledger_forgot", 1),
        ("alarms_unanswered", 1),
        ("alarms_missing", 1),
        ("crashes", 1),
        ("space_is_back", 0),
        ("segments_dropped", 0),
        ("let_go", 0),
    ],
)
def test_each_broken_promise_breaks_the_proof(name, value):
    good = dict.fromkeys(("segments_thinned", "segments_dropped", "let_go", "alarms_while_full", "space_is_back"), 1)
    good |= dict.fromkeys(("unexplained", "unlisted", "listed_never_made", "listed_held_beyond", "crashes"), 0)
    good |= dict.fromkeys(("alarms_unanswered", "alarms_missing", "ledger_forgot"), 0)
    assert is_proven(good)
    assert not is_proven({**good, name: value})
