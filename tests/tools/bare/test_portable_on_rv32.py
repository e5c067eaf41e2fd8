"""The portable scripts print on a bare 32-bit machine, with single floats, what they print on CPython."""

from pathlib import Path

import pytest

from tests.test_portable import SCRIPTS, output_on_cpython
from tools import firmware_modules
from tools.bare import image, machine
from tools.link.romfs import romfs_image

pytestmark = [pytest.mark.services, pytest.mark.vm]
ROOT = Path(__file__).resolve().parents[3]
VECTORS = ("block", "coap", "records")


def by_name():
    """The modules that programs import by a name made at run time."""
    kinds = firmware_modules.kinds()
    twins = [f"simulator.twins.{path.stem}" for path in (ROOT / "simulator/twins").glob("*.py")]
    return [*(f"kinds.{kind}" for kind in kinds), *(f"boards.{kind}" for kind in kinds), *twins]


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_bare_32_bit_machine_prints_what_cpython_prints(elf, name):
    files = image.script(f"tests/portable/{name}", ROOT, *by_name())
    for vector in VECTORS:  # a ROMFS has no parent folders, but a folder may have that name
        files[f"tests/portable/../vectors/{vector}.txt"] = (ROOT / f"tests/vectors/{vector}.txt").read_bytes()
    with machine.Machine(elf, romfs_image(files)) as board:
        said, _, _ = board.until(machine.PROMPT, deadline_s=250).rpartition(machine.BANNER)
    assert said.decode().splitlines() == output_on_cpython(name).splitlines()
