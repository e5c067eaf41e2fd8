"""The scripts of tests/portable about CBOR and records judge themselves; `tests/test_portable.py` compares the VMs."""

import os
import subprocess
import sys

import pytest


@pytest.mark.parametrize("script", ["wire_cbor", "wire_records"])
def test_cpython_finds_no_failure(script, repository):
    environment = dict(os.environ, PYTHONPATH=str(repository / "firmware"), PYTHONUTF8="1")
    command = [sys.executable, str(repository / "tests" / "portable" / f"{script}.py")]
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, encoding="utf-8", check=False, timeout=60
    )
    assert done.returncode == 0, done.stdout[-500:] + done.stderr[-500:]
    assert len(done.stdout.splitlines()) > 400
    assert done.stdout.endswith("0 failures\n")
