"""Twins of the bench, loaded by path as in tests/firmware."""

import importlib.util

import pytest


@pytest.fixture
def shim(repository):
    """name -> the module of simulator/shims with this name, fresh."""

    def load(name):
        path = repository / "simulator" / "shims" / f"{name}.py"
        spec = importlib.util.spec_from_file_location(f"kinds_shim_{name}", path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    return load


@pytest.fixture
def in_folder(tmp_path, monkeypatch):
    """The working folder of the test."""
    monkeypatch.chdir(tmp_path)
    return tmp_path
