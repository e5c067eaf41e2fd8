"""No driver is without its twin, no twin without its driver, and no twin takes a fact from a driver.

The twin of `drivers/NAME` is `simulator/twins/NAME`; the others are in ELSEWHERE.
"""

import ast

# Modules of firmware/drivers that touch no part.
PURE = frozenset(("crc", "sensor"))
# Driver -> its twin below simulator/, where that is no file of the driver's name: one twin for all plain pins, a twin
# that a process of its own runs, a board's stand-in whose twin is that of the part it drives.
ELSEWHERE = {
    "analog": "twins/pins",
    "bl0942": "shims/bench_bl0942",
    "contact": "twins/pins",
    "dali_bridge": "shims/bench_dali",
    "dimmer": "shims/bench_lamp",
    "frost_heat": "twins/gp8403",
    "i2c_bus": "twins/i2c",
    "lamp_light": "shims/bench_dali",
    "latching_valves": "twins/valves",
    "opentherm_bridge": "twins/otgw",
    "pulses": "twins/pins",
    "shutter": "twins/valves",
    "temperature": "shims/esp32",
}


def modules(folder):
    return {path.stem for path in folder.glob("*.py")} - {"__init__"}


def twin_of(driver):
    return ELSEWHERE.get(driver, f"twins/{driver}")


def test_every_driver_has_a_twin(repository):
    for driver in modules(repository / "firmware" / "drivers") - PURE:
        assert (repository / "simulator" / f"{twin_of(driver)}.py").exists(), driver


def test_every_twin_stands_for_a_driver(repository):
    drivers = modules(repository / "firmware" / "drivers") - PURE
    twins = {f"twins/{name}" for name in modules(repository / "simulator" / "twins") - {"board"}}
    assert twins <= {twin_of(driver) for driver in drivers}
    assert set(ELSEWHERE) <= drivers


def test_a_module_that_touches_no_part_takes_no_bus_and_no_pin(repository):
    """What is said to need no twin has nothing to give one."""
    for name in PURE:
        tree = ast.parse((repository / "firmware" / "drivers" / f"{name}.py").read_text(encoding="utf-8"))
        arguments = {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
        assert not arguments & {"bus", "uart", "pin", "wire", "adc", "i2c", "counter"}, name


def test_no_twin_imports_a_driver(repository):
    for path in (repository / "simulator" / "twins").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not [name for name in names if name.partition(".")[0] in ("drivers", "policy", "wire")], path
