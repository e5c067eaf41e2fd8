"""MicroPython for the bare 32-bit machine, built once, and QEMU that runs it."""

import pytest

from tools.bare import build, machine


@pytest.fixture(scope="session")
def elf():
    """Path of the ELF; the test is skipped where it or QEMU is missing."""
    if not machine.is_installed():
        pytest.skip(f"no {machine.QEMU} (apt-get install {machine.PACKAGE})")
    return build.find() or pytest.skip("no MicroPython for RV32 (python -m tools.bare.build)")
