"""The text of firmware/boards/<kind>.py (constants, one name a fact) and boot_<kind>.py (safe outputs, alone).

Constants are PREFIX_KEY of the node's file; what is for people or for tools only is left out. Of drivers it names the
one that stands in for the application: imported there, it lies with that board's programs and no other's.
"""

from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any

from tools.hardware import schema
from tools.hardware.joints import instead_of, pins, prefix
from tools.hardware.reading import uses

SOURCE = "hardware/nodes/{kind}.toml"

# Not a constant of the firmware.
_FOR_PEOPLE = frozenset(("use", "prefix", "description", "description_fr", "connector", "terminals", "fitted", "part"))
# Where another part can stand, with another driver.
_WITH_PART = frozenset(("device", "onewire", "uart"))
_FOR_TOOLS = frozenset(("safe_level", "enable_safe_level", "front_end", "bus", "charge_ma", "limit_ma"))


def board_text(kind: str, node: Mapping[str, Any]) -> str:
    """The module of constants."""
    blocks = [
        f'"""Generated from {SOURCE.format(kind=kind)} by tools/hardware: change that file, not this one."""',
        f'KIND = "{kind}"\nMODULE = "{node["chip"]["module"]}"',
    ]
    for name, use in uses(node).items():
        lines = [f"# {use['description']}"]
        if instead_of(use):
            lines.append(f"# Fitted instead of {prefix(instead_of(use), node[instead_of(use)])}.")
        lines += [f"{constant} = {value}" for constant, value in constants(prefix(name, use), use)]
        if name in schema.EVERY_NODE_HAS:  # read without asking what this board has
            absent = [key for key in schema.USES[use["use"]].pins if key not in use]
            lines += [f"{prefix(name, use)}_{key.upper()} = None" for key in absent]
        blocks.append("\n".join(lines))
        if "front_end" in use:
            blocks.append("\n".join(_calibration_lines(prefix(name, use), use["front_end"])))
    text = "\n\n".join(blocks) + "\n"
    if "stand_in" not in node:
        return text
    module = node["stand_in"]
    return text + STAND_IN.replace("<MODULE>", module).replace("<CLASS>", schema.STAND_INS[module])


def constants(start: str, use: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """(name, value as Python) of every constant of a use."""
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
    """Register counts of a BL0942 per kV, kA, kW and MWh (CF_CNT).

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
    """(GPIO, level at boot, name of the use, key of the pin), bridges first: a coil must not be driven for a moment
    longer than the chip takes to start. A use that stands in for another does so with the same level."""
    found: list[tuple[int, int, str, str]] = []
    for name, use in uses(node).items():
        for key, (pin, _way) in pins(use).items():
            safe_key = schema.SAFE_KEYS.get((use["use"], key))
            if safe_key and pin not in [other[0] for other in found]:
                found.append((pin, use[safe_key], name, key))
    return sorted(found, key=lambda entry: node[entry[2]]["use"] != "bridge")


def boot_text(kind: str, node: Mapping[str, Any]) -> str:
    """The chip's boot.py for this kind."""
    lines = []
    for pin, level, name, key in safe_outputs(node):
        said = key.removesuffix("pin").rstrip("_")
        lines.append(f"    ({pin}, {level}),  # {name}{' ' + said if said else ''}")
    return BOOT.replace("<KIND>", kind).replace("<SAFE>", "\n".join(lines))


STAND_IN = '''

def stand_in():
    """What keeps this board's outputs safe where no application does and boot.py's levels are not enough."""
    from drivers.<MODULE> import <CLASS>

    return <CLASS>
'''

BOOT = '''"""Runs first after every reset of this kind of node, as boot.py: every output at its safe level.
Generated from hardware/nodes/<KIND>.toml by tools/hardware: change that file, not this one.

Must import nothing of ours, so that it works whatever else on the flash is damaged; must not decide or wait.
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
except BaseException:  # Ctrl-C: at the prompt that follows nobody would look after what is on
    from machine import reset

    reset()
'''
