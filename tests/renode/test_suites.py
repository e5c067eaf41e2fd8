"""The suites of this folder run on QEMU; those tests that only Renode can judge are skipped (tag `renode`)."""

from pathlib import Path

import pytest
from robot import run
from robot.api import ExecutionResult

from tools.bare import board

pytestmark = [pytest.mark.services, pytest.mark.vm]
FOLDER = Path(__file__).resolve().parent


@pytest.mark.parametrize("suite", sorted(path.name for path in FOLDER.glob("*.robot")))
def test_a_suite_passes_on_qemu(elf, tmp_path, suite):
    board.lay_out(elf, "thermostat", tmp_path / "node")
    said = tmp_path / "said"
    with said.open("w", encoding="utf-8") as file:
        status = run(
            str(FOLDER / suite), variable=[f"MACHINE:{FOLDER / 'qemu_keywords.py'}", f"FOLDER:{tmp_path / 'node'}"],
            skip="renode", outputdir=str(tmp_path), stdout=file, stderr=file,
        )  # fmt: skip
    assert status == 0, said.read_text(encoding="utf-8")
    counts = ExecutionResult(tmp_path / "output.xml").statistics.total
    assert counts.passed > 0 and counts.failed == 0
