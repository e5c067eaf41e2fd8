"""Fixtures. Shims are loaded by path: `simulator/shims` must never be on CPython's own path: its `time` would win."""

import importlib.util

import pytest


@pytest.fixture
def shim(repository):
    """name -> the module of simulator/shims with this name, fresh, under a name of its own."""

    def load(name):
        path = repository / "simulator" / "shims" / f"{name}.py"
        spec = importlib.util.spec_from_file_location(f"shim_{name}", path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    return load


@pytest.fixture
def in_folder(tmp_path, monkeypatch):
    """The working folder of the test: the bench's script files and the node's flash."""
    monkeypatch.chdir(tmp_path)
    return tmp_path
