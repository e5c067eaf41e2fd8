"""The suites of this folder run on QEMU; those tests that only Renode can judge are skipped (tag `renode`)."""

from pathlib import Path

import pytest
from robot import run
from robot.api import ExecutionResult

from tools.bare import board

pytestmark = [pytest.mark.services, pytest.mark.vm]
FOLDER = Path(__file__).resolve().parent


def outcome(suite, folder):
    """Robot Framework's status, its counts and its words, for a suite with the node that is laid out in a folder."""
    said = folder / "said"
    with said.open("w", encoding="utf-8") as file:
        status = run(
            str(FOLDER / suite), variable=[f"MACHINE:{FOLDER / 'qemu_keywords.py'}", f"FOLDER:{folder}"],
            skip="renode", outputdir=str(folder), stdout=file, stderr=file,
        )  # fmt: skip
    return status, ExecutionResult(folder / "output.xml").statistics.total, said.read_text(encoding="utf-8")


@pytest.mark.parametrize("suite", sorted(path.name for path in FOLDER.glob("*.robot")))
def test_a_suite_passes_on_qemu(elf, tmp_path, suite):
    board.lay_out(elf, "thermostat", tmp_path)
    status, counts, said = outcome(suite, tmp_path)
    assert status == 0 and counts.passed > 0, said


def test_a_start_that_closes_the_relay_first_fails_its_suite(elf, tmp_path, monkeypatch):
    sound = board.rom("thermostat")
    relay = b"from machine import Pin\nPin(4, Pin.OUT, value=1)\n"
    monkeypatch.setattr(board, "rom", lambda kind: {**sound, "boot.py": relay + sound["boot.py"]})
    board.lay_out(elf, "thermostat", tmp_path)
    _, counts, said = outcome("start.robot", tmp_path)
    assert counts.failed >= 1 and "pin 4 1 != pin 4 0" in said
