"""A whole node on a bare 32-bit machine, as `bocage node flash` lays it out: its start, its serial line, its power."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.bare_board import BareBoard
from tools import firmware_modules
from tools.bare import image, machine
from tools.link.romfs import romfs_image
from wire import event

pytestmark = [pytest.mark.services, pytest.mark.vm]


def safe(kind):
    """What boot.py prints there: every output at its safe level, in the order of the board's file."""
    module = __import__(f"boards.boot_{kind}", fromlist=["SAFE"])
    return [f"pin {number} {level}" for number, level in module.SAFE]


@pytest.mark.parametrize("kind", firmware_modules.kinds())
def test_outputs_are_safe_before_anything_else_runs_and_the_node_is_ready(elf, tmp_path, kind):
    with BareBoard(elf, tmp_path, kind) as node:
        node.start()
        node.until(lambda: node.says("ready"))
        assert node.said[: len(safe(kind))] == safe(kind)
        assert not node.says("Traceback")


def test_a_node_reports_over_the_serial_line_and_after_a_power_cut_begins_safe_with_the_next_boot(elf, tmp_path):
    with BareBoard(elf, tmp_path, "thermostat") as node:
        node.start()
        node.until(lambda: node.synced() >= 3)
        assert len(node.events(event.BOOT)) == 1 and node.link.sessions.agreed() == 1
        kept = node.cut()
        assert "settings.json" in kept
        before = len(node.said)
        node.start()
        node.until(lambda: len(node.events(event.BOOT)) == 2)
        assert node.said[before : before + len(safe("thermostat"))] == safe("thermostat")
        assert {made.boot for made in node.records} == {1, 2}


def test_power_cuts_within_the_start_leave_a_node_that_starts_with_another_boot(elf, tmp_path):
    with BareBoard(elf, tmp_path, "water_meter") as node:
        for line in (*safe("water_meter")[-1:], "boot 1", "boot ", "ready", "boot "):
            node.said.clear()
            node.start()
            node.until(lambda line=line: node.says(line))
            node.cut()
        node.start()
        node.until(lambda: node.events(event.BOOT))
        assert node.records[0].boot >= 5
        assert not node.says("Traceback")


def test_a_program_that_hangs_is_reset_by_the_watchdog_with_its_cause(elf):
    hanging = b"import machine\nprint('cause', machine.reset_cause())\nmachine.WDT(timeout=300)\nwhile True: pass\n"
    files = {"boot.py": hanging, "bare_kind.py": b"NAME = 'thermostat'", **image.chip("machine")}
    with machine.Machine(elf, romfs_image(files)) as board:
        said = board.until(b"cause 3\r\ncause 3\r\n")
    assert said.startswith(b"cause 1\r\n")


def test_mpremote_puts_a_file_onto_the_machine_and_reads_it_back(elf, tmp_path):
    text = tmp_path / "text"
    text.write_bytes(bytes(range(256)) * 4)
    machine.make_memory(tmp_path / "memory", machine.flash_image({}))
    rom = romfs_image({"boot.py": b"import bare_mounts", **image.chip("bare_mounts", "flashbdev")})
    with machine.Machine(elf, rom, memory=tmp_path / "memory", pty=True) as board:
        mpremote = [sys.executable, "-m", "mpremote", "connect", board.line, "resume"]
        subprocess.run([*mpremote, "fs", "cp", str(text), ":put"], check=True, timeout=60)
        subprocess.run([*mpremote, "fs", "cp", ":put", str(tmp_path / "back")], check=True, timeout=60)
    assert Path(tmp_path / "back").read_bytes() == text.read_bytes()
    assert machine.files_in(tmp_path / "memory")["put"] == text.read_bytes()
