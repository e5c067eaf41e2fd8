"""BOCAGE_REQUIRE: a skip of a required mark fails the run; every other skip stays one."""

import os
import shutil
import subprocess
import sys

import pytest

CASES = """
import pytest

@pytest.mark.vm
def test_needs_a_vm():
    pytest.skip("no VM here")

@pytest.mark.root
def test_needs_root():
    pytest.skip("not root")

@pytest.mark.vm
@pytest.mark.xfail(reason="known")
def test_known():
    assert False
"""


@pytest.fixture
def run(tmp_path, repository):
    """Runs pytest on CASES, or other text, with this repository's configuration. The finished process."""
    shutil.copy(repository / "tests" / "conftest.py", tmp_path)
    shutil.copy(repository / "pyproject.toml", tmp_path)

    def start(required, text=CASES):
        (tmp_path / "test_cases.py").write_text(text, encoding="utf-8")
        environment = {**os.environ, "BOCAGE_REQUIRE": required}
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_cases.py"]
        return subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False, timeout=60
        )

    return start


def test_skips_are_skips_when_nothing_is_required(run):
    done = run("")
    assert done.returncode == 0, done.stdout
    assert "2 skipped, 1 xfailed" in done.stdout


def test_a_required_skip_fails_and_says_why(run):
    done = run("vm,broker")
    assert done.returncode == 1, done.stdout
    assert "1 failed, 1 skipped, 1 xfailed" in done.stdout
    assert "no VM here" in done.stdout


def test_a_module_that_skips_itself_fails_when_anything_is_required(run):
    done = run("vm", "import pytest\npytest.skip('not today', allow_module_level=True)\n")
    assert done.returncode not in (0, 5), done.stdout
    assert "not today" in done.stdout


def test_a_mark_that_does_not_exist_is_refused(run):
    done = run("borker")
    assert done.returncode == 4
    assert "borker" in done.stdout + done.stderr
