"""Holds the wiring that the installation guide draws and the wizard offers: what is connected to which point.

There are two ways to the contactors: a relay module on the RS-485 bus (unit 1: eight relays, eight inputs), or relays
on the lines of a Raspberry Pi, and contacts that close to ground. Meters are on the bus in both. The door's contact is
closed while the door is shut, so that a cut wire reads as an open door. A cabinet may be wired otherwise; then the
answers differ.
"""

from typing import NamedTuple

MODULE_UNIT = 1
# The meter of the first feeder is unit 10, of the second 11, and so on: as the bench of the simulator has them.
METER_UNIT_FIRST = 10
METER_KIND = "sdm120"
BAUD = 9600


class Wiring(NamedTuple):
    """Holds points by field of [cabinet]; contactors and their feedback by feeder, in order."""

    contactors: tuple[str, ...]
    feedbacks: tuple[str, ...]
    points: dict[str, str]


MODULE = Wiring(
    contactors=tuple(f"modbus:{MODULE_UNIT}/coil:{number}" for number in range(4)),
    feedbacks=tuple(f"modbus:{MODULE_UNIT}/input:{number}" for number in range(4)),
    points={
        "door": f"!modbus:{MODULE_UNIT}/input:4",
        "mains": f"modbus:{MODULE_UNIT}/input:5",
        "switch_on": f"modbus:{MODULE_UNIT}/input:6",
        "switch_off": f"modbus:{MODULE_UNIT}/input:7",
    },
)
LINES = Wiring(
    contactors=("gpio:17", "gpio:23", "gpio:16", "gpio:26"),
    feedbacks=("!gpio:27/pull-up", "!gpio:24/pull-up", "!gpio:20/pull-up", "!gpio:21/pull-up"),
    points={
        "door": "gpio:5/pull-up",
        "mains": "!gpio:6/pull-up",
        "switch_on": "!gpio:13/pull-up",
        "switch_off": "!gpio:19/pull-up",
    },
)
# The pulse to the timer relay is the Pi's own in both: it must end with the agent, though a module holds its outputs.
WATCHDOG = "gpio:22"
# The Pi's UART (line 15, pin 10) behind an optocoupler.
LINKY = "/dev/ttyAMA0"


def meter(feeder: int) -> str:
    """Returns the meter of a feeder, counted from 0."""
    return f"modbus:{METER_UNIT_FIRST + feeder}/{METER_KIND}"
