"""Writes firmware/boards/<kind>.py (constants, one name a fact, and what opens each part's driver) and boot_<kind>.py
(safe outputs, alone).

A constant is named PREFIX_KEY after its use and key in the node's file; keys for people or tools only are left out.
`open_<use>` imports the driver that the part's file names, and no other: so a board chooses its drivers, a program
loads those that it opens, and an image carries those of its board.
"""

from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any

from tools.hardware import schema
from tools.hardware.conflicts import class_of, instead_of, pins, prefix
from tools.hardware.files import uses

SOURCE = "hardware/nodes/{kind}.toml"

# Keys that become no constant of the firmware.
_FOR_PEOPLE = frozenset(
    ("use", "prefix", "description", "description_fr", "connector", "terminals", "fitted", "part", "needs")
)
# Kinds of use that another part, with another driver, can fill.
_WITH_PART = frozenset(("device", "onewire", "uart"))
# Facts that a driver gets under another name than in the board's file.
_DERIVED = {"front_end": "calibration"}
_FOR_TOOLS = frozenset(("safe_level", "enable_safe_level", "front_end", "bus", "charge_ma", "limit_ma"))


def board_text(kind: str, node: Mapping[str, Any], parts: Mapping[str, Mapping[str, Any]]) -> str:
    """Returns the board's module. `parts`: every file of hardware/parts by its stem."""
    blocks = [
        f'"""Generated from {SOURCE.format(kind=kind)} by tools/hardware: change that file, not this one."""',
        f'KIND = "{kind}"\nMODULE = "{node["chip"]["module"]}"',
    ]
    openings = []
    for name, use in uses(node).items():
        start = prefix(name, use)
        lines = [f"# {use['description']}"]
        if instead_of(use):
            lines.append(f"# Fitted instead of {prefix(instead_of(use), node[instead_of(use)])}.")
        lines += [f"{constant} = {value}" for constant, value in constants(start, use)]
        if name in schema.EVERY_NODE_HAS:  # the firmware reads these without checking what the board has
            absent = [key for key in schema.USES[use["use"]].pins if key not in use]
            lines += [f"{start}_{key.upper()} = None" for key in absent]
        blocks.append("\n".join(lines))
        if "front_end" in use:
            blocks.append("\n".join(_calibration_lines(start, use["front_end"])))
        part = parts.get(use.get("part", ""), {})
        if use["use"] in _WITH_PART and part.get("driver"):
            openings.append(opening(start, use, part))
    if "stand_in" in node:
        openings.append(STAND_IN.format(module=node["stand_in"], made=class_of(node["stand_in"])))
    return "\n\n".join(blocks) + "\n" + "".join(openings)


def opening(start: str, use: Mapping[str, Any], part: Mapping[str, Any]) -> str:
    """Returns the function that opens the driver of the part in this use."""
    if use["use"] == "device":
        template, line = OPEN_ON_BUS, f"bus, {start}_ADDRESS"
    elif use["use"] == "onewire":
        template, line = OPEN_ONEWIRE, f"OneWire(machine.Pin({start}_PIN))"
    else:
        template, line = OPEN_UART, "uart"
    facts = [_DERIVED.get(key, key) for key in part.get("facts", ())]
    return template.format(
        name=start.lower(),
        start=start,
        part=part["name"],
        module=part["driver"],
        made=class_of(part["driver"]),
        arguments=", ".join([line, *(f"{fact}={start}_{fact.upper()}" for fact in facts)]),
    )


def constants(start: str, use: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yields (name, value as Python) of every constant of a use."""
    if "part" in use and use["use"] in _WITH_PART:
        yield f"{start}_PART", f'"{use["part"]}"'
    for key, value in use.items():
        if key in _FOR_PEOPLE or key in _FOR_TOOLS:
            continue
        # BUS_UART, not BUS_UART_NUMBER: the key is the thing.
        text = f'"{value}"' if isinstance(value, str) else f"0x{value:02X}" if key == "address" else repr(value)
        yield f"{start}_{key.upper()}", text


def _calibration_lines(start: str, front_end: Mapping[str, Any]) -> Iterator[str]:
    yield f"# {front_end['description']}"
    yield "# Register counts per kV, kA, kW and MWh."
    yield f"{start}_CALIBRATION = {calibration(front_end)}"


def calibration(front_end: Mapping[str, int]) -> tuple[int, int, int, int]:
    """Returns the register counts of a BL0942 per kV, kA, kW and MWh (CF_CNT).

    Data sheet 1.06, chapter 2, with pin voltages in mV and the reference in V: V_RMS = 73989 v / ref,
    I_RMS = 305978 i / ref, WATT = 3537 v i / ref², and one CF count for every 1638.4 · 256 WATT seconds.
    """
    reference = Fraction(front_end["reference_mv"], 1000)
    lower, upper = front_end["divider_lower_ohm"], front_end["divider_upper_ohm"]
    mv_per_volt = Fraction(1000 * lower, lower + upper)
    mv_per_ampere = Fraction(front_end["shunt_microohm"], 1000)
    per_watt = 3537 * mv_per_volt * mv_per_ampere / reference**2
    counts = (
        1000 * 73989 * mv_per_volt / reference,
        1000 * 305978 * mv_per_ampere / reference,
        1000 * per_watt,
        per_watt * 3_600_000_000 / (Fraction(16384, 10) * 256),
    )
    volts, amperes, watts, energy = (round(count) for count in counts)
    return volts, amperes, watts, energy


def safe_outputs(node: Mapping[str, Any]) -> list[tuple[int, int, str, str]]:
    """Lists (GPIO, level at boot, name of the use, key of the pin), bridges first: a coil must not be driven for longer
    than the chip takes to start. Of a use and its alternative, which have the same level, the first is listed."""
    found: list[tuple[int, int, str, str]] = []
    for name, use in uses(node).items():
        for key, (pin, _way) in pins(use).items():
            safe_key = schema.SAFE_KEYS.get((use["use"], key))
            if safe_key and pin not in [other[0] for other in found]:
                found.append((pin, use[safe_key], name, key))
    return sorted(found, key=lambda entry: node[entry[2]]["use"] != "bridge")


def boot_text(kind: str, node: Mapping[str, Any]) -> str:
    """Returns the chip's boot.py for this kind."""
    lines = []
    for pin, level, name, key in safe_outputs(node):
        signal = key.removesuffix("pin").rstrip("_")
        lines.append(f"    ({pin}, {level}),  # {name}{' ' + signal if signal else ''}")
    return BOOT.replace("<KIND>", kind).replace("<SAFE>", "\n".join(lines))


OPEN_ON_BUS = '''

def open_{name}(bus):
    """Opens the driver of the {part}. `bus` is a drivers.i2c_bus.Bus."""
    from drivers.{module} import {made}

    return {made}({arguments})
'''

OPEN_ONEWIRE = '''

def open_{name}(machine):
    """Opens the driver of the {part}."""
    from onewire import OneWire

    from drivers.{module} import {made}

    return {made}({arguments})
'''

# Reads return at once with what has arrived.
OPEN_UART = '''

def open_{name}(machine):
    """Opens the driver of the {part}."""
    from drivers.{module} import {made}

    uart = machine.UART(
        {start}_UART, baudrate={start}_BAUD, timeout=0, tx={start}_TX_PIN, rx={start}_RX_PIN
    )
    return {made}({arguments})
'''

STAND_IN = '''

def stand_in():
    """Returns the class that keeps this board's outputs safe where no application does and boot.py's levels are not
    enough."""
    from drivers.{module} import {made}

    return {made}
'''

BOOT = '''"""Runs first after every reset of this kind of node, as boot.py: every output at its safe level.
Generated from hardware/nodes/<KIND>.toml by tools/hardware: change that file, not this one.

Must import nothing of ours, so that it works even if all else on the flash is damaged; must not decide or wait.
"""

KIND = "<KIND>"
# (GPIO, level)
SAFE = (
<SAFE>
)


def safe_outputs():
    """Plain pin levels. One pin that refuses does not keep the others from theirs."""
    for number, level in SAFE:
        try:
            from machine import Pin

            Pin(number, Pin.OUT, value=level)
        except Exception as error:
            print("boot: output", number, "is not safe:", repr(error))


try:
    safe_outputs()
except BaseException:  # Ctrl-C: at the prompt that follows nothing would look after what is on
    from machine import reset

    reset()
'''
