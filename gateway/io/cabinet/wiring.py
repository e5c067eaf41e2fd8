"""Describes the wiring of a cabinet: where contactors, contacts, meters and sensors are connected, as in gateway.toml.

    "gpio:17"  "!gpio:27"              a line of the chip; "!" inverts (low is active)
    "gpio:5/pull-up"  "/pull-down"     the chip's own resistor, for a contact without one
    "modbus:1/coil:0"                  an output of unit 1, by its address on the wire (from 0)
    "!modbus:1/input:3"                a discrete input
    "modbus:4/30001"                   a register by its number in manuals: 30001 to 39999 input (address = number -
                                       30001), 40001 to 49999 holding; also 300001 to 365536 and 400001 to 465536
    "modbus:4/30001:s16*0.1"           as s16, u32, s32 or f32 (high word first) instead of u16; times a factor
    "modbus:3/sdm120"                  an energy meter of a known kind (`meters`)

A register's value is in the natural unit of its quantity: lx, °C, V. `gateway.config.cabinet` checks the file and
makes a `CabinetWiring`; the ports of this folder serve it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

from gateway.core.cabinet import tic
from gateway.io.cabinet import limits
from gateway.io.cabinet.meters import METERS

COIL, INPUT = 1, 2  # Modbus function codes that read them
HOLDING, INPUT_REGISTER = 3, 4
REGISTERS = {"u16": 1, "s16": 1, "u32": 2, "s32": 2, "f32": 2}


class Gpio(NamedTuple):
    """Describes a line of the chip. `pull`: "pull-up", "pull-down" or None, as the board has it."""

    line: int
    inverted: bool = False
    pull: str | None = None


class Bit(NamedTuple):
    """Describes a coil or a discrete input. `function`: COIL or INPUT; `address` from 0."""

    unit: int
    function: int
    address: int
    inverted: bool = False


class Number(NamedTuple):
    """Describes a value in one or two registers. `function`: HOLDING or INPUT_REGISTER. Times `factor` it is in its
    natural unit."""

    unit: int
    function: int
    address: int
    kind: str = "u16"
    factor: Fraction = Fraction(1)


class Meter(NamedTuple):
    """Describes an energy meter whose registers are known by its kind."""

    unit: int
    kind: str


Output = Gpio | Bit
Input = Gpio | Bit
Point = Gpio | Bit | Number | Meter


@dataclass(frozen=True)
class FeederWiring:
    """Describes one feeder. `lamp_watts` 0: to be learned."""

    name: str
    lamps: int
    lamp_watts: int
    contactor: Output
    feedback: Input | None = None
    meter: Meter | None = None
    self_dimming: bool = False
    nodes: tuple[bytes, ...] = ()


@dataclass(frozen=True)
class CabinetWiring:
    """Describes a cabinet without faults. Latitude and longitude in 10^-4 degree, north and east positive. Ports are
    paths, None where there is none."""

    latitude_e4: int
    longitude_e4: int
    feeders: tuple[FeederWiring, ...]
    gpio: str | None = None
    modbus: str | None = None
    modbus_baud: int = 9600
    modbus_parity: str = "none"
    linky: str | None = None
    linky_mode: str = tic.HISTORIQUE
    watchdog: Gpio | None = None
    door: Input | None = None
    mains: Input | None = None
    switch_on: Input | None = None
    switch_off: Input | None = None
    photocell: Number | None = None
    temperature: Number | None = None
    ups: Number | None = None

    def points(self) -> Iterator[Point]:
        """Yields every point that is wired."""
        singles = (
            self.watchdog, self.door, self.mains, self.switch_on, self.switch_off,
            self.photocell, self.temperature, self.ups,
        )  # fmt: skip
        of_feeders = ((feeder.contactor, feeder.feedback, feeder.meter) for feeder in self.feeders)
        yield from (point for group in (singles, *of_feeders) for point in group if point is not None)


_GPIO = re.compile(r"(!?)gpio:([0-9]{1,3})(?:/(pull-up|pull-down))?")
_BIT = re.compile(r"(!?)modbus:([0-9]{1,3})/(coil|input):([0-9]{1,5})")
_NUMBER = re.compile(
    r"modbus:([0-9]{1,3})/([34])([0-9]{4,5})(?::([us]16|[us]32|f32))?(?:\*([0-9]{1,6}(?:\.[0-9]{1,6})?))?"
)
_METER = re.compile(r"modbus:([0-9]{1,3})/([a-z0-9]+)")
_ADDRESS_MAX = 0xFFFF


def parse(text: object) -> Point | None:
    """Returns the point that a text describes, or None."""
    if not isinstance(text, str):
        return None
    if match := _GPIO.fullmatch(text):
        line = int(match[2])
        return Gpio(line, bool(match[1]), match[3]) if line <= limits.GPIO_LINE_MAX else None
    point = _modbus(text)
    return point if point is not None and 1 <= point.unit <= limits.UNIT_MAX else None


def _modbus(text: str) -> Bit | Number | Meter | None:
    if match := _BIT.fullmatch(text):
        address = int(match[4])
        function = COIL if match[3] == "coil" else INPUT
        return Bit(int(match[2]), function, address, bool(match[1])) if address <= _ADDRESS_MAX else None
    if match := _NUMBER.fullmatch(text):
        return _number(int(match[1]), int(match[2]), int(match[3]), match[4] or "u16", Fraction(match[5] or 1))
    match = _METER.fullmatch(text)
    return Meter(int(match[1]), match[2]) if match and match[2] in METERS else None


def _number(unit: int, table: int, number: int, kind: str, factor: Fraction) -> Number | None:
    address = number - 1
    if not 0 <= address <= _ADDRESS_MAX + 1 - REGISTERS[kind] or not factor:
        return None
    return Number(unit, INPUT_REGISTER if table == 3 else HOLDING, address, kind, factor)
