"""The rig of real processes says what is missing before it starts anything."""

import importlib

import pytest

from simulator.rig import rig


def test_a_package_that_its_processes_would_miss_is_missed_at_once(monkeypatch, tmp_path):
    real = importlib.import_module

    def without_paho(name):
        if name.startswith("paho"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return real(name)

    monkeypatch.setattr(rig.importlib, "import_module", without_paho)
    folder = tmp_path / "rig"
    with pytest.raises(ModuleNotFoundError) as caught:
        rig.Rig(folder, nodes=1)
    assert caught.value.name.startswith("paho") and not folder.exists()
