"""boot.py lights the lamp with nothing but the chip's own pins."""

import ast
import importlib.util
import sys
import types

import pytest


class Pins:
    OUT = 1

    def __init__(self):
        self.levels = {}
        self.refused = ()

    def __call__(self, number, mode, *, value):
        assert mode == self.OUT
        if number in self.refused:
            raise ValueError("no such pin")
        self.levels[number] = value


@pytest.fixture
def boot_path(repository):
    return repository / "firmware" / "esp32" / "boot.py"


@pytest.fixture
def run_boot(boot_path, monkeypatch):
    def run(pins):
        machine = types.ModuleType("machine")
        if pins is not None:
            machine.Pin = pins
        monkeypatch.setitem(sys.modules, "machine", machine)
        spec = importlib.util.spec_from_file_location("boot_under_test", boot_path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    return run


def test_both_outputs_are_at_full_light(run_boot):
    pins = Pins()
    module = run_boot(pins)
    assert pins.levels == dict(module.SAFE)
    assert len(module.SAFE) == 2


@pytest.mark.parametrize("index", [0, 1])
def test_one_pin_that_refuses_does_not_stop_the_other(run_boot, index, capsys):
    pins = Pins()
    safe = run_boot(pins).SAFE
    refusing = Pins()
    refusing.refused = (safe[index][0],)
    run_boot(refusing)
    assert refusing.levels == dict([safe[1 - index]])
    assert "is not safe" in capsys.readouterr().out


def test_no_pins_at_all_is_no_exception(run_boot, capsys):
    run_boot(None)
    assert capsys.readouterr().out.count("is not safe") == 2


def test_it_imports_nothing_but_the_chips_machine(boot_path):
    tree = ast.parse(boot_path.read_text(encoding="utf-8"))
    imported = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    assert [getattr(node, "module", None) for node in imported] == ["machine"]


def test_no_module_of_the_node_imports_asyncio(repository):
    for path in (repository / "firmware").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module] if isinstance(node, ast.ImportFrom) else []
            assert "asyncio" not in names, path
