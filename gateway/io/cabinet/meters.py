"""Describes energy meters by kind: which registers hold what, as data, and turns their values into scaled integers.

Every value leaves in the unit of `FeederObservation`: power 0.1 W, energy Wh, voltage 0.1 V, current mA. A float32 is
an exact fraction and so is a factor: the product is rounded once, to the nearest integer, ties to even. A value that is
no number or beyond the range of the quantity (`wire.quantity`) is None: an overflow, a reversed meter (-10 W and less),
noise.

Blocks of one meter differ in their sizes: an RTU answer contains its length and not its address, so a late answer can
be distinguished from the expected one.
"""

import math
import struct
from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

from gateway.io.cabinet import limits
from wire import quantity, quantity_table

_INPUT_REGISTER = 4
# Fields of FeederObservation, and their quantities.
_QUANTITIES = {
    "power_dw": quantity.POWER,
    "energy_wh": quantity.ENERGY,
    "voltage_dv": quantity.VOLTAGE,
    "current_ma": quantity.CURRENT,
}
NAMES = tuple(_QUANTITIES)


class Field(NamedTuple):
    """Describes one value of a block. `name` of FeederObservation; `offset` in registers from the block's first; `kind`
    as in `value_of`; `factor` from the register's unit to the name's."""

    name: str
    offset: int
    kind: str
    factor: Fraction


class Block(NamedTuple):
    """Describes the registers that one question reads."""

    function: int
    address: int
    size: int
    every_ms: int
    fields: tuple[Field, ...]


def _block(address: int, size: int, every_ms: int, *fields: tuple[str, int, str, Fraction]) -> Block:
    return Block(_INPUT_REGISTER, address, size, every_ms, tuple(Field(*field) for field in fields))


_X1000, _X10, _X100, _X1 = Fraction(1000), Fraction(10), Fraction(100), Fraction(1)

# Eastron SDM120 and SDM230: sdm120modbus_manual.pdf, SDM230-register.pdf (30001 V, 30007 A, 30013 W, 30073 import kWh);
# the same addresses in volkszaehler/mbmd meters/rs485/sdm120.go and sdm230.go. One read over the gaps is what ESPHome's
# sdm_meter does with all of this family.
_EASTRON_ONE_PHASE = (
    _block(0x0000, 14, limits.READ_EVERY_MS, ("voltage_dv", 0x00, "f32", _X10), ("current_ma", 0x06, "f32", _X1000),
           ("power_dw", 0x0C, "f32", _X10)),
    _block(0x0048, 2, limits.ENERGY_EVERY_MS, ("energy_wh", 0, "f32", _X1000)),
)  # fmt: skip
METERS = {
    "sdm120": _EASTRON_ONE_PHASE,
    "sdm230": _EASTRON_ONE_PHASE,
    # Eastron "SDM630Modbus Smart Meter Modbus Protocol Implementation" V1.8: 30043 average line to neutral volts, 30049
    # sum of line currents, 30053 total system power, 30073 total import kWh. An even count, at most 80.
    "sdm630": (
        _block(0x002A, 12, limits.READ_EVERY_MS, ("voltage_dv", 0, "f32", _X10), ("current_ma", 6, "f32", _X1000),
               ("power_dw", 10, "f32", _X10)),
        _block(0x0048, 2, limits.ENERGY_EVERY_MS, ("energy_wh", 0, "f32", _X1000)),
    ),
    # Carlo Gavazzi "EM100 Series and ET100 Series Modbus communication protocol", public version 4.0: INT32, low word
    # first; V·10, A·1000, W·10 at 0000h, 0002h, 0004h; kWh(+) TOT·10 at 0010h, which is 100 Wh; 7FFFFFFFh is overflow.
    "em111": (
        _block(0x0000, 6, limits.READ_EVERY_MS, ("voltage_dv", 0, "s32le", _X1), ("current_ma", 2, "s32le", _X1),
               ("power_dw", 4, "s32le", _X1)),
        _block(0x0010, 2, limits.ENERGY_EVERY_MS, ("energy_wh", 0, "s32le", _X100)),
    ),
}  # fmt: skip

_FORMATS = {"u16": ">H", "s16": ">h", "u32": ">I", "s32": ">i", "s32le": ">i", "f32": ">f"}


def value_of(registers: Sequence[int], kind: str) -> Fraction | None:
    """Returns the number in these registers (one for 16 bits, two for 32; high word first, but for "s32le"); None for
    NaN and the infinities."""
    words = reversed(registers) if kind == "s32le" else registers
    (number,) = struct.unpack(_FORMATS[kind], b"".join(word.to_bytes(2, "big") for word in words))
    return Fraction(number) if math.isfinite(number) else None


def scaled(number: Fraction | None, factor: Fraction | int, code: int) -> int | None:
    """Returns the nearest integer of `number` times `factor`; None outside the range of the quantity `code`."""
    value = None if number is None else round(number * factor)
    return value if value is not None and quantity_table.in_range(code, value) else None


def read(block: Block, registers: Sequence[int]) -> dict[str, int | None]:
    """Returns the fields of a block by name; None for a value that is no number or out of range."""
    return {
        field.name: scaled(
            value_of(registers[field.offset : field.offset + (1 if field.kind.endswith("16") else 2)], field.kind),
            field.factor,
            _QUANTITIES[field.name],
        )
        for field in block.fields
    }
