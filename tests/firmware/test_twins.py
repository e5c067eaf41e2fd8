"""No driver without its twin, no twin without its driver, and none of them takes the other's facts."""

import ast

import pytest


@pytest.fixture
def listed(shim):
    return shim("twins")


def test_every_driver_has_a_twin(repository, listed):
    drivers = {path.stem for path in (repository / "firmware" / "drivers").glob("*.py")} - {"__init__"}
    assert set(listed.TWINS) | set(listed.PURE) == drivers
    assert not set(listed.TWINS) & set(listed.PURE)
    for twin in listed.TWINS.values():
        assert (repository / "simulator" / f"{twin}.py").exists(), twin


def test_every_twin_stands_for_a_driver(repository, listed):
    twins = {f"twins/{path.stem}" for path in (repository / "simulator" / "twins").glob("*.py")}
    assert twins - {"twins/__init__"} - {"twins/board"} == {
        twin for twin in listed.TWINS.values() if twin.startswith("twins/")
    }


def test_a_module_that_touches_no_part_takes_no_bus_and_no_pin(repository, listed):
    """What is said to need no twin has nothing to give one."""
    for name in listed.PURE:
        tree = ast.parse((repository / "firmware" / "drivers" / f"{name}.py").read_text(encoding="utf-8"))
        arguments = {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
        assert not arguments & {"bus", "uart", "pin", "wire", "adc", "i2c", "counter"}, name


def test_no_twin_imports_a_driver(repository):
    for path in (repository / "simulator" / "twins").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not [name for name in names if name.partition(".")[0] in ("drivers", "policy", "wire")], path
