"""One word in a board's file chooses another part: its driver is opened, and no other is loaded or carried.

An SHT31 takes the SHT4x's place in the thermostat and in the irrigation node. Only the TOML changes; the board is
generated from it, and the kind's own ports read it on the twins, on CPython and on every MicroPython VM.
"""

import os
import shutil
import subprocess
import sys

import pytest

from tests.conftest import ROOT
from tools import firmware_modules
from tools.hardware import generate

READS = """
import sys, time
sys.path.insert(1, sys.argv[1])  # the twins are the simulator's
if not hasattr(time, "sleep_us"):
    time.sleep_us = lambda us: None
from boards import irrigation, thermostat
from drivers.sensor import PENDING
from kinds import irrigation as irrigation_kind, thermostat as thermostat_kind
from policy.fault import Faults
from simulator.twins.board import Machine
from wire import quantity

now = [0]


def measured(kind, board, use, own):
    machine = Machine(board, lambda: now[0])
    air = machine.parts[use]
    air.temperature_ck, air.humidity_permille = 2137, 455
    ports = kind.Ports(own, board, machine, now_ms=now[0])
    ports.begin_sample(now_ms=now[0])
    values = PENDING
    while values is PENDING:
        now[0] += 10
        values = ports.collect(now_ms=now[0])
    print(board.KIND, getattr(board, use + "_PART"), values[quantity.TEMPERATURE], values[quantity.HUMIDITY])


faults = Faults()
measured(thermostat_kind, thermostat, "ROOM", thermostat_kind.decode(faults, {"output": "relay"}))
measured(irrigation_kind, irrigation, "AIR", irrigation_kind.decode(faults, {"site": [474736, -5516]}))
print(sorted(name for name in sys.modules if name.startswith("drivers.sht")))
"""


@pytest.fixture
def swapped(tmp_path):
    """A root whose boards name another part: `swap(word)` returns the folder of its firmware."""
    shutil.copytree(ROOT / "hardware", tmp_path / "hardware")
    shutil.copytree(ROOT / "firmware", tmp_path / "firmware", ignore=shutil.ignore_patterns("__pycache__"))

    def swap(word):
        for kind in ("thermostat", "irrigation"):
            path = tmp_path / "hardware" / "nodes" / f"{kind}.toml"
            text = path.read_text(encoding="utf-8")
            assert text.count('part = "sht4x"') == 1
            path.write_text(text.replace('part = "sht4x"', f'part = "{word}"'), encoding="utf-8")
        assert generate.main([], root=tmp_path) == 0
        return tmp_path / "firmware"

    return swap


def read_by(interpreter, firmware):
    script = firmware.parent / "reads.py"
    script.write_text(READS, encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": str(firmware), "MICROPYPATH": f"{firmware}:.frozen"}
    done = subprocess.run(
        [interpreter, script, ROOT], env=environment, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.splitlines()


def expected(part):
    return [f"thermostat {part} 2137 455", f"irrigation {part} 2137 455", f"['drivers.{part}']"]


@pytest.mark.parametrize("part", ["sht4x", "sht31"])
def test_the_part_that_a_board_names_is_read_and_no_other_driver_is_loaded(swapped, part):
    assert read_by(sys.executable, swapped(part)) == expected(part)


@pytest.mark.vm
def test_so_it_is_on_the_chips_interpreter(swapped, micropython):
    assert read_by(micropython, swapped("sht31")) == expected("sht31")


@pytest.mark.slow
def test_a_program_has_the_driver_that_its_board_names(swapped):
    for part, other in (("sht4x", "sht31"), ("sht31", "sht4x")):
        firmware = ROOT / "firmware" if part == "sht4x" else swapped(part)
        for kind in ("thermostat", "irrigation"):
            needed = firmware_modules.of_kind(kind, firmware)
            assert f"drivers.{part}" in needed and f"drivers.{other}" not in needed


def test_a_part_that_does_not_measure_what_the_firmware_asks_for_is_refused(swapped, capsys):
    """A light sensor could stand at an address of the bus, and would be no thermometer."""
    with pytest.raises(AssertionError):
        swapped("bh1750")
    assert "room.part: bh1750 does not measure temp" in capsys.readouterr().err
