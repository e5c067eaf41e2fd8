"""Portable by proof: each script of tests/portable prints the same on CPython and on every MicroPython VM."""

import os
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parent / "portable"
FIRMWARE = FOLDER.parent.parent / "firmware"
SCRIPTS = sorted(path.name for path in FOLDER.glob("*.py"))


def output(interpreter, path, **environment):
    command = [interpreter, str(path)]
    environment = {**os.environ, **environment}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=100)
    told = done.stdout[-1000:] + done.stderr[-1000:]
    assert done.returncode == 0, f"{interpreter} {path.name} ended with {done.returncode}\n{told}"
    assert done.stdout.strip(), f"{interpreter} {path.name} printed nothing"
    return done.stdout


@cache
def output_on_cpython(name):
    path = os.pathsep.join((str(FIRMWARE), str(FOLDER / "cpython")))  # the chip's modules that CPython has not
    return output(sys.executable, FOLDER / name, PYTHONPATH=path, PYTHONIOENCODING="utf-8")


@pytest.mark.every_vm
@pytest.mark.vm
@pytest.mark.parametrize("name", SCRIPTS)
def test_micropython_prints_what_cpython_prints(name, micropython):
    printed = output(micropython, FOLDER / name, MICROPYPATH=f"{FIRMWARE}:.frozen")
    assert printed.splitlines() == output_on_cpython(name).splitlines()


def test_there_are_portable_scripts():
    assert SCRIPTS


@pytest.mark.vm
def test_a_difference_is_seen(tmp_path, micropython):
    script = tmp_path / "differs.py"
    script.write_text("import sys\nprint(sys.implementation.name)\n", encoding="utf-8")
    assert output(micropython, script) != output(sys.executable, script)


@pytest.mark.parametrize("text", ["", "raise SystemExit(3)\n"])
def test_a_script_that_prints_nothing_or_fails_is_refused(tmp_path, text):
    script = tmp_path / "silent.py"
    script.write_text(text, encoding="utf-8")
    with pytest.raises(AssertionError):
        output(sys.executable, script)
