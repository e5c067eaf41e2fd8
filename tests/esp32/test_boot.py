"""The boot.py of every kind of node: outputs at their safe levels with nothing but the chip's own pins."""

import ast
import importlib.util
import sys
import tomllib
import types

import pytest

from tests.conftest import ROOT

KINDS = sorted(path.stem for path in (ROOT / "hardware" / "nodes").glob("*.toml"))


class Pins:
    OUT = 1

    def __init__(self):
        self.levels = {}
        self.order = []
        self.refused = ()

    def __call__(self, number, mode, *, value):
        assert mode == self.OUT
        if number in self.refused:
            raise ValueError("no such pin")
        self.levels[number] = value
        self.order.append(number)


@pytest.fixture(params=KINDS)
def boot_path(request, repository):
    return repository / "firmware" / "boards" / f"boot_{request.param}.py"


@pytest.fixture
def facts(boot_path, repository):
    kind = boot_path.stem.removeprefix("boot_")
    return tomllib.loads((repository / "hardware" / "nodes" / f"{kind}.toml").read_text(encoding="utf-8"))


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


def outputs(facts):
    """{GPIO: safe level} of the data, by this test's own reading."""
    found = {}
    for use in facts.values():
        if isinstance(use, dict) and use.get("use") in ("output", "pwm"):
            found[use["pin"]] = use["safe_level"]
        elif isinstance(use, dict) and use.get("use") == "bridge":
            found[use["in1_pin"]] = found[use["in2_pin"]] = 0
        elif isinstance(use, dict) and "enable_pin" in use:
            found[use["enable_pin"]] = use["enable_safe_level"]
    return found


def test_every_output_of_the_node_is_at_its_safe_level(run_boot, facts):
    pins = Pins()
    module = run_boot(pins)
    assert pins.levels == dict(module.SAFE) == outputs(facts)
    assert len(module.SAFE) == len(pins.order)


def test_one_pin_that_refuses_does_not_stop_the_others(run_boot, capsys):
    safe = run_boot(Pins()).SAFE
    for number, _level in safe:
        refusing = Pins()
        refusing.refused = (number,)
        run_boot(refusing)
        assert refusing.levels == {pin: level for pin, level in safe if pin != number}
        assert "is not safe" in capsys.readouterr().out


def test_no_pins_at_all_is_no_exception(run_boot, facts, capsys):
    run_boot(None)
    assert capsys.readouterr().out.count("is not safe") == len(outputs(facts))


def test_it_imports_nothing_but_the_chips_machine(boot_path):
    tree = ast.parse(boot_path.read_text(encoding="utf-8"))
    imported = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    assert [getattr(node, "module", None) for node in imported] == ["machine", "machine"]


def test_the_streetlight_is_lit_and_the_heating_off_and_the_bridges_coast():
    levels = {}
    for kind in KINDS:
        path = ROOT / "firmware" / "boards"
        levels[kind] = dict(safe_of(path / f"boot_{kind}.py"))
        board = constants(path / f"{kind}.py")
        if kind == "streetlight":
            assert levels[kind][board["RELAY_PIN"]] == board["RELAY_CLOSED_LEVEL"]
            assert levels[kind][board["DIM_PIN"]] == (0 if board["DIM_INVERTED"] else 1)
        if kind == "thermostat":
            assert levels[kind][board["RELAY_PIN"]] == 1 - board["RELAY_CLOSED_LEVEL"]
        if kind == "irrigation":
            first = [pin for pin, _level in safe_of(path / f"boot_{kind}.py")][:4]
            assert first == [board[f"{name}_IN{n}_PIN"] for name in ("ZONES", "MASTER") for n in (1, 2)]
            assert [levels[kind][pin] for pin in first] == [0] * 4
            assert levels[kind][board["PUMP_PIN"]] == 1 - board["PUMP_CLOSED_LEVEL"]


def constants(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.targets[0].id: ast.literal_eval(node.value) for node in tree.body if isinstance(node, ast.Assign)}


def safe_of(path):
    return constants(path)["SAFE"]


def test_no_module_of_the_node_imports_asyncio(repository):
    for path in (repository / "firmware").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module] if isinstance(node, ast.ImportFrom) else []
            assert "asyncio" not in names, path
