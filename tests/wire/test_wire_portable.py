"""The scripts of tests/portable about CBOR and records print the same on CPython and on every MicroPython VM."""

import os
import subprocess
import sys

import pytest


def output(interpreter, repository, script):
    firmware = str(repository / "firmware")
    environment = dict(os.environ, PYTHONPATH=firmware, MICROPYPATH=f"{firmware}:.frozen", PYTHONUTF8="1")
    command = [interpreter, str(repository / "tests" / "portable" / f"{script}.py")]
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, encoding="utf-8", check=False, timeout=60
    )
    assert done.returncode == 0, done.stdout[-500:] + done.stderr[-500:]
    return done.stdout


@pytest.mark.vm
@pytest.mark.parametrize("script", ["wire_cbor", "wire_records"])
def test_micropython_prints_what_cpython_prints(script, micropython, repository):
    expected = output(sys.executable, repository, script)
    assert len(expected.splitlines()) > 400
    assert output(micropython, repository, script) == expected


@pytest.mark.parametrize("script", ["wire_cbor", "wire_records"])
def test_cpython_finds_no_failure(script, repository):
    assert output(sys.executable, repository, script).endswith("0 failures\n")
