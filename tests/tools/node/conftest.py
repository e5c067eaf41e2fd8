"""The bench of a technician, as a fixture."""

import json

import pytest

from tests.support.workbench import SHARED, made_interpreter


@pytest.fixture
def bench(tmp_path, monkeypatch):
    """A workshop's folder with a shared file and an interpreter; the current directory."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "street.json").write_text(json.dumps(SHARED))
    made_interpreter(tmp_path / "micropython.bin")
    return tmp_path
