"""Lists what a hardware file may hold: every key of a part, a module, a node and its uses, with bounds. Tables only.

A node's file is a list of *uses*: what a pin, a UART or an address is for. A new kind of use is one entry of USES, and
names for its constants if `KEY_pin` is not enough (tools/hardware/board_text.py). Must not judge one use by another:
that is tools/hardware/conflicts.py.
"""

from typing import NamedTuple

TEXT = "text"
TEXTS = "texts"
WHOLE = "whole"
TRUTH = "truth"
NUMBERS = "numbers"
TABLE = "table"
TABLES = "tables"

# How a use drives or reads a pin: what the chip must be able to do there.
OUT = "out"
IN = "in"
BOTH = "both"
ADC = "adc"

PIN_MAX = 48


class Field(NamedTuple):
    """Describes one key: its kind, the least and greatest whole number, or the words that a text may be."""

    kind: str
    low: int = 0
    high: int = 0
    words: tuple[str, ...] = ()
    needed: bool = True


class Use(NamedTuple):
    """Describes one kind of use: its keys, the direction of those that are pins, and the words that people read."""

    fields: dict[str, Field]
    pins: dict[str, str]
    name_fr: str
    name: str


def whole(low: int, high: int, *, needed: bool = True) -> Field:
    """Makes the Field of a whole number within bounds."""
    return Field(WHOLE, low, high, needed=needed)


def word(*words: str) -> Field:
    """Makes the Field of one of some texts."""
    return Field(TEXT, words=words)


_PIN = whole(0, PIN_MAX)
_LEVEL = whole(0, 1)
_OPTION = Field(TEXT, needed=False)

# Keys that every use may have.
COMMON = {
    "use": Field(TEXT),
    "description": Field(TEXT),
    "description_fr": Field(TEXT),
    "part": _OPTION,
    # Quantities that the firmware needs from a sensor here, by their names in wire.quantity: the part must measure
    # them.
    "needs": Field(TEXTS, needed=False),
    # Prefix of the constants in firmware/boards; the name of the use when absent.
    "prefix": _OPTION,
    # "option", or "instead of NAME"; always fitted when absent.
    "fitted": _OPTION,
    "connector": _OPTION,
    "terminals": Field(TEXTS, needed=False),
}

USES = {
    "output": Use(
        {
            "pin": _PIN,
            "safe_level": Field(WHOLE, 0, 1, needed=False),
            # The level that closes a relay's fed contact, or that lights a lamp.
            "closed_level": Field(WHOLE, 0, 1, needed=False),
            "active_level": Field(WHOLE, 0, 1, needed=False),
            # Where the output switches on a converter: the voltage that it charges to, and the current there.
            "full_mv": whole(1000, 40_000, needed=False),
            "charge_ma": whole(1, 5000, needed=False),
        },
        {"pin": OUT},
        "sortie",
        "output",
    ),
    "pwm": Use(
        {
            "pin": _PIN,
            "safe_level": Field(WHOLE, 0, 1, needed=False),
            "inverted": Field(TRUTH),
            "hz": whole(100, 20_000),
        },
        {"pin": OUT},
        "sortie MLI",
        "PWM output",
    ),
    "input": Use(
        {"pin": _PIN, "pull": word("up", "down", "none"), "active_level": _LEVEL}, {"pin": IN}, "entrée", "input"
    ),
    # An ADC input behind a divider; `upper_ohm` 0: no divider.
    "analog": Use(
        {
            "pin": _PIN,
            "upper_ohm": whole(0, 10_000_000),
            "lower_ohm": whole(100, 10_000_000),
            # The store whose voltage it measures: a capacitor, or a cell.
            "microfarad": whole(1, 1_000_000, needed=False),
            "capacity_mah": whole(100, 100_000, needed=False),
        },
        {"pin": ADC},
        "entrée analogique",
        "analogue input",
    ),
    "pulse": Use({"pin": _PIN, "unit": whole(0, 7), "hz_max": whole(1, 10_000)}, {"pin": IN}, "compteur", "counter"),
    "i2c": Use(
        {"scl_pin": _PIN, "sda_pin": _PIN, "hz": whole(10_000, 400_000)},
        {"scl_pin": BOTH, "sda_pin": BOTH},
        "bus I2C",
        "I2C bus",
    ),
    "device": Use(
        {
            "bus": Field(TEXT),
            "address": whole(0x08, 0x77),
            "shunt_microohm": whole(100, 1_000_000, needed=False),
            # Which output of a converter with several.
            "output": whole(0, 7, needed=False),
        },
        {},
        "composant I2C",
        "I2C device",
    ),
    "onewire": Use({"pin": _PIN}, {"pin": BOTH}, "bus 1-Wire", "1-Wire bus"),
    "uart": Use(
        {
            "uart": whole(0, 2),
            "tx_pin": _PIN,
            "rx_pin": _PIN,
            "baud": whole(1200, 921_600, needed=False),
            "enable_pin": whole(0, PIN_MAX, needed=False),
            "enable_safe_level": Field(WHOLE, 0, 1, needed=False),
            "front_end": Field(TABLE, needed=False),
        },
        {"tx_pin": OUT, "rx_pin": IN, "enable_pin": OUT},
        "UART",
        "UART",
    ),
    "bridge": Use(
        {
            "in1_pin": _PIN,
            "in2_pin": _PIN,
            "safe_level": Field(WHOLE, 0, 1, needed=False),
            "pulse_ms": whole(5, 500),
            # The current that its limit lets through, even into a short.
            "limit_ma": whole(100, 10_000),
            # The number of valves behind it: one, or as many as a selector can address.
            "count": whole(1, 8),
        },
        {"in1_pin": OUT, "in2_pin": OUT},
        "pont en H",
        "H-bridge",
    ),
}

# The uses whose pins drive something, and the key that holds their level at boot.
SAFE_KEYS = {("output", "pin"): "safe_level", ("pwm", "pin"): "safe_level"}
SAFE_KEYS[("uart", "enable_pin")] = "enable_safe_level"
SAFE_KEYS[("bridge", "in1_pin")] = SAFE_KEYS[("bridge", "in2_pin")] = "safe_level"

# The uses that firmware/esp32 expects on every board: name -> kind of use.
EVERY_NODE_HAS = {"bus": "uart", "i2c": "i2c", "button": "input", "led": "output"}

FRONT_END = {
    "description": Field(TEXT),
    "shunt_microohm": whole(100, 100_000),
    "divider_upper_ohm": whole(1000, 10_000_000),
    "divider_lower_ohm": whole(10, 100_000),
    "reference_mv": whole(1000, 1500),
}

PART = {
    "name": Field(TEXT),
    "maker": Field(TEXT),
    "data_sheet": Field(TEXT),
    "bus": word("i2c", "onewire", "uart", "pins"),
    "addresses": Field(NUMBERS, 0x08, 0x77, needed=False),
    "baud": Field(NUMBERS, 1200, 921_600, needed=False),
    "supply": Field(TEXT),
    # Module of firmware/drivers; empty: a plain pin or bytes, which need none.
    "driver": Field(TEXT),
    # Keys of a use that the driver needs to know about this board: it gets each as an argument of this name.
    "facts": Field(TEXTS, needed=False),
    # Quantities that a sensor gives, by their names in wire.quantity.
    "measures": Field(TEXTS, needed=False),
    # For a part that drives something and is controlled over a bus: what it does at power-on, before a program commands
    # it.
    "power_on": _OPTION,
    "power_on_fr": _OPTION,
    "description": Field(TEXT),
    "description_fr": Field(TEXT),
}

_RANGES = Field(NUMBERS, 0, PIN_MAX)
_RANGES_OPTION = Field(NUMBERS, 0, PIN_MAX, needed=False)

MODULE = {
    "name": Field(TEXT),
    "maker": Field(TEXT),
    "data_sheet": Field(TEXT),
    "description": Field(TEXT),
    "description_fr": Field(TEXT),
    "ram_kib": whole(64, 8192),
    "flash_mib": whole(2, 64),
    "psram": Field(TEXTS, words=("quad", "octal")),
    "pins": _RANGES,
    "strapping": _RANGES,
    "usb": _RANGES,
    "console": _RANGES,
    "flash": _RANGES,
    "quad_psram": _RANGES_OPTION,
    "octal_psram": _RANGES_OPTION,
    "input_only": _RANGES,
    "noisy_at_reset": _RANGES,
    "adc1": _RANGES,
    "adc2": _RANGES,
    "uarts": whole(1, 3),
    "console_uart": whole(0, 2),
    "pulse_counters": whole(0, 8),
}

# Modules of firmware/drivers that keep a board's outputs safe where no application does.
STAND_INS = ("frost_heat", "lamp_light", "shutter")

NODE = {
    "title": Field(TEXT),
    "title_en": Field(TEXT),
    "chip": Field(TABLE),
    # Given where plain levels at boot are not enough to make the outputs safe.
    "stand_in": Field(TEXT, words=STAND_INS, needed=False),
    # Where the board gets its power; absent: a use names the terminals of its battery.
    "supply": Field(TABLE, needed=False),
    "bench": Field(TABLE, needed=False),
}
SUPPLY = {
    "connector": Field(TEXT),
    "terminals": Field(TEXTS),
    "description": Field(TEXT),
    "description_fr": Field(TEXT),
}
CHIP = {"module": Field(TEXT), "psram": Field(TEXT)}
# tools/bench/node_cases.py reads it.
BENCH = {"settings": Field(TABLE), "sample": Field(TABLE)}
