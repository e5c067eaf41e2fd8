"""CONTRIBUTING.md's first change, done as the page says: a TMP117 on the thermostat's board, read through the kind."""

import re
import shutil
import subprocess
import sys

import pytest

from tools.hardware import generate

READS = """
import time
if not hasattr(time, "sleep_us"):
    time.sleep_us = lambda us: None
from boards import thermostat as board
from drivers.sensor import PENDING
from kinds import thermostat as kind
from policy.fault import Faults
from simulator.twins.board import Machine
from wire import quantity

now = [0]
machine = Machine(board, lambda: now[0])
machine.parts["ROOM"].temperature_ck = CELSIUS
ports = kind.Ports(kind.decode(Faults(), {"output": "relay"}), board, machine, now_ms=0)
ports.begin_sample(now_ms=0)
values = PENDING
while values is PENDING:
    now[0] += 10
    values = ports.collect(now_ms=now[0])
print(board.ROOM_PART, values[quantity.TEMPERATURE])
"""


@pytest.fixture(scope="module")
def changed(repository, tmp_path_factory):
    """A copy of the house with the page's files in it, and its word in the board."""
    root = tmp_path_factory.mktemp("house")
    for folder in ("hardware", "firmware", "simulator"):
        shutil.copytree(repository / folder, root / folder, ignore=shutil.ignore_patterns("__pycache__"))
    page = (repository / "CONTRIBUTING.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```(?:python|toml)\n# (\S+)\n(.*?)```", page, re.DOTALL)
    assert [name for name, _ in blocks] == [
        "hardware/parts/tmp117.toml",
        "firmware/drivers/tmp117.py",
        "simulator/twins/tmp117.py",
    ]
    for name, text in blocks:
        (root / name).write_text(text, encoding="utf-8")
    board = root / "hardware" / "nodes" / "thermostat.toml"
    text = board.read_text(encoding="utf-8")
    start = text.index("[room]")
    room = text[start:].replace('part = "sht4x"', 'part = "tmp117"', 1).replace("address = 0x44", "address = 0x48", 1)
    board.write_text(text[:start] + room, encoding="utf-8")
    assert generate.main([], root=root) == 0
    return root


@pytest.mark.parametrize("celsius_hundredths", [2137, -560])
def test_the_new_sensor_is_read(changed, celsius_hundredths):
    script = changed / "reads.py"
    script.write_text(READS.replace("CELSIUS", str(celsius_hundredths)), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, script],
        cwd=changed,
        env={"PYTHONPATH": f"{changed / 'firmware'}:{changed}"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.stderr == ""
    part, value = done.stdout.split()
    assert part == "tmp117"
    assert abs(int(value) - celsius_hundredths) <= 1  # a count is 0.78 hundredths of a kelvin
