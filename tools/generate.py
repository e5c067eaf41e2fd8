"""Turns hardware facts (hardware/nodes/*.toml) into what the firmware reads, and says when that is stale.

Refuses pins that are used twice or that the chip needs for itself. Must not know drivers: it hands over
numbers. Run as `python -m tools.generate` after a change; `--check` writes nothing and exits with 1 when a
file differs.
"""

import argparse
import sys
import tomllib
from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
SOURCE = "hardware/nodes/streetlight.toml"
BOARD = "firmware/boards/streetlight.py"
BOOT = "firmware/esp32/boot.py"

_BEGIN = f"# --- generated from {SOURCE}\n"
_END = "# --- end of the generated part\n"

# ESP32-S3 data sheet 1.9, sections 2.3 and 3: what the chip needs itself.
_PIN_MAX = 48
_ABSENT = frozenset(range(22, 26))
_STRAPPING = frozenset((0, 3, 45, 46))
_USB = frozenset((19, 20))
_FLASH = frozenset(range(26, 33))
_OCTAL_PSRAM = frozenset(range(33, 38))
_MODULES = ("esp32-s3",)
_PSRAM = ("none", "quad", "octal")

# Every fact and the least and greatest it may be; None: a truth value.
_FACTS: dict[str, tuple[int, int] | None] = {
    "relay.pin": (0, _PIN_MAX),
    "relay.closed_level": (0, 1),
    "dimming.pin": (0, _PIN_MAX),
    "dimming.inverted": None,
    "dimming.frequency_hz": (100, 20_000),
    "bus.uart": (1, 2),
    "bus.tx_pin": (0, _PIN_MAX),
    "bus.rx_pin": (0, _PIN_MAX),
    "bus.enable_pin": (0, _PIN_MAX),
    "panel.button_pin": (0, _PIN_MAX),
    "panel.led_pin": (0, _PIN_MAX),
    "panel.led_lit_level": (0, 1),
    "meter.uart": (1, 2),
    "meter.tx_pin": (0, _PIN_MAX),
    "meter.rx_pin": (0, _PIN_MAX),
    "meter.baud": (4800, 38_400),
    "meter.front_end.shunt_microohm": (100, 100_000),
    "meter.front_end.divider_upper_ohm": (1000, 10_000_000),
    "meter.front_end.divider_lower_ohm": (10, 100_000),
    "meter.front_end.reference_mv": (1000, 1500),
}
_PINS = tuple(path for path in _FACTS if path.endswith("pin"))


def faults(plain: Mapping[str, Any]) -> list[str]:
    """What is wrong with the facts, one line each, with what to do."""
    found = []
    if _fact(plain, "chip.module") not in _MODULES:
        found.append(f"chip.module: is not known; give one of {', '.join(_MODULES)}")
    if _fact(plain, "chip.psram") not in _PSRAM:
        found.append(f"chip.psram: is not known; give one of {', '.join(_PSRAM)}")
    for path, bounds in _FACTS.items():
        found += _fact_faults(path, _fact(plain, path), bounds)
    return found or _pin_faults(plain)


def _fact(plain: Mapping[str, Any], path: str) -> Any:
    value: Any = plain
    for name in path.split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def _fact_faults(path: str, value: Any, bounds: tuple[int, int] | None) -> list[str]:
    if bounds is None:
        return [] if isinstance(value, bool) else [f"{path}: is not true or false; give one of them"]
    low, high = bounds
    if isinstance(value, int) and not isinstance(value, bool) and low <= value <= high:
        return []
    return [f"{path}: is {value!r}; give an integer from {low} to {high}"]


def _pin_faults(plain: Mapping[str, Any]) -> list[str]:
    found = []
    users: dict[int, str] = {}
    for path in _PINS:
        pin = _fact(plain, path)
        reason = _reserved(pin, _fact(plain, "chip.psram"))
        if reason:
            found.append(f"{path}: GPIO {pin} {reason}; choose another")
        if pin in users:
            found.append(f"{path}: GPIO {pin} is {users[pin]} already; choose another")
        users.setdefault(pin, path)
    if _fact(plain, "bus.uart") == _fact(plain, "meter.uart"):
        found.append("bus.uart: is the meter's; choose the other")
    return found


def _reserved(pin: int, psram: str) -> str:
    if pin in _ABSENT:
        return "does not exist on the ESP32-S3"
    if pin in _STRAPPING:
        return "is a strapping pin: its level at reset chooses how the chip boots"
    if pin in _USB:
        return "is a USB pin: the console of the board"
    if pin in _FLASH:
        return "belongs to flash and PSRAM"
    if psram == "octal" and pin in _OCTAL_PSRAM:
        return "belongs to octal PSRAM"
    return ""


def calibration(front_end: Mapping[str, int]) -> tuple[int, int, int, int]:
    """Register counts per kV, kA, kW and MWh (CF_CNT).

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


def board_text(plain: Mapping[str, Any]) -> str:
    """The text of firmware/boards/streetlight.py."""
    relay, dimming, bus, meter = plain["relay"], plain["dimming"], plain["bus"], plain["meter"]
    panel = plain["panel"]
    return f'''"""Generated from {SOURCE} by tools/generate.py: change that file, not this one."""

# {relay["description"]}
RELAY_PIN = {relay["pin"]}
RELAY_CLOSED_LEVEL = {relay["closed_level"]}

# {dimming["description"]}
DIM_PIN = {dimming["pin"]}
DIM_INVERTED = {dimming["inverted"]}
DIM_HZ = {dimming["frequency_hz"]}

# {bus["description"]}
BUS_UART = {bus["uart"]}
BUS_TX_PIN = {bus["tx_pin"]}
BUS_RX_PIN = {bus["rx_pin"]}
BUS_ENABLE_PIN = {bus["enable_pin"]}

# {panel["description"]}
BUTTON_PIN = {panel["button_pin"]}
LED_PIN = {panel["led_pin"]}
LED_LIT_LEVEL = {panel["led_lit_level"]}

# {meter["description"]}
METER_UART = {meter["uart"]}
METER_TX_PIN = {meter["tx_pin"]}
METER_RX_PIN = {meter["rx_pin"]}
METER_BAUD = {meter["baud"]}

# {meter["front_end"]["description"]}
# Register counts per kV, kA, kW and MWh.
METER_CALIBRATION = {calibration(meter["front_end"])}
'''


def boot_text(plain: Mapping[str, Any], present: str) -> str:
    """The text of boot.py with its generated part renewed."""
    before, begin, rest = present.partition(_BEGIN)
    _, end, after = rest.partition(_END)
    if not begin or not end:
        raise ValueError(f"{BOOT} has lost the lines that frame its generated part")
    relay, dimming = plain["relay"], plain["dimming"]
    full = 0 if dimming["inverted"] else 1
    pins = f"SAFE = (({relay['pin']}, {relay['closed_level']}), ({dimming['pin']}, {full}))\n"
    return f"{before}{begin}# (GPIO, level that leaves the lamp fully lit)\n{pins}{end}{after}"


def texts(root: Path) -> dict[Path, str]:
    """What every generated file should hold. ValueError with all faults when the facts are refused."""
    plain = tomllib.loads((root / SOURCE).read_text(encoding="utf-8"))
    if found := faults(plain):
        raise ValueError("\n".join(f"{SOURCE}: {fault}" for fault in found))
    boot = root / BOOT
    return {root / BOARD: board_text(plain), boot: boot_text(plain, boot.read_text(encoding="utf-8"))}


def main(argv: Sequence[str] | None = None, *, root: Path = ROOT) -> int:
    """The exit status."""
    parser = argparse.ArgumentParser(prog="python -m tools.generate", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 when a file is stale")
    args = parser.parse_args(argv)
    try:
        wanted = texts(root)
    except (OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    stale = [path for path, text in wanted.items() if not _holds(path, text)]
    for path in stale:
        if args.check:
            print(f"{path.relative_to(root)} is stale: run python -m tools.generate", file=sys.stderr)
        else:
            path.write_text(wanted[path], encoding="utf-8")
            print(f"wrote {path.relative_to(root)}")
    return 1 if stale and args.check else 0


def _holds(path: Path, text: str) -> bool:
    return path.exists() and path.read_text(encoding="utf-8") == text


if __name__ == "__main__":
    sys.exit(main())
