"""The CoAP scripts of tests/portable print the same on CPython and on every MicroPython VM there is."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
SCRIPTS = ("coap_vectors", "coap_exchange", "coap_churn")


def output(interpreter, script):
    firmware = str(ROOT / "firmware")
    environment = dict(os.environ, PYTHONPATH=firmware, MICROPYPATH=firmware + ":.frozen")
    command = [interpreter, str(ROOT / "tests" / "portable" / f"{script}.py")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout[-500:] + done.stderr[-500:]
    return done.stdout


@pytest.mark.vm
@pytest.mark.parametrize("script", SCRIPTS)
def test_micropython_prints_what_cpython_prints(script):
    folders = [*os.environ.get("PATH", "").split(os.pathsep), str(Path(sys.executable).parent)]
    found = {
        os.path.realpath(vm) for vm in (shutil.which("micropython", path=folder) for folder in folders) if vm
    }
    if not found:
        pytest.skip("no `micropython` on the path")
    expected = output(sys.executable, script)
    for interpreter in sorted(found):
        assert output(interpreter, script) == expected, interpreter
