"""Meters: registers to scaled integers, without a float's surprises."""

import struct
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.cabinet.equipment import FeederObservation
from gateway.io.cabinet import meters
from gateway.io.cabinet.meters import METERS, value_of
from wire import quantity, quantity_table


def words(packed):
    return list(struct.unpack(f">{len(packed) // 2}H", packed))


def f32(value):
    return words(struct.pack(">f", value))


def test_the_published_example_of_an_eastron_meter():
    # Eastron SDM320Y manual, page 42: "43 66 33 34 (Hex) = 230.2".
    assert meters.scaled(value_of(words(bytes.fromhex("43663334")), "f32"), 10, quantity.VOLTAGE) == 2302
    assert value_of(words(bytes.fromhex("42C80000")), "f32") == 100


@pytest.mark.parametrize("kind", METERS)
def test_every_kind_has_every_value_once_in_blocks_of_distinct_sizes(kind):
    blocks = METERS[kind]
    assert sorted(field.name for block in blocks for field in block.fields) == sorted(meters.NAMES)
    assert set(meters.NAMES) < set(FeederObservation._fields)
    assert len({block.size for block in blocks}) == len(blocks), "a late answer is told by its length"
    for block in blocks:
        assert block.size % 2 == 0 and block.size <= 50
        assert all(field.offset + 2 <= block.size for field in block.fields)


def test_an_eastron_block():
    block = METERS["sdm120"][0]
    registers = words(struct.pack(">f8xf8xf", 229.96, 1.9504, 447.05))
    # 447.05 is 447.04998779296875 in 32 bits.
    assert meters.read(block, registers) == {"voltage_dv": 2300, "current_ma": 1950, "power_dw": 4470}


def test_a_three_phase_eastron_block():
    registers = words(struct.pack(">f8xf4xf", 231.5, 12.25, 2817.5))
    assert meters.read(METERS["sdm630"][0], registers) == {"voltage_dv": 2315, "current_ma": 12250, "power_dw": 28175}


def test_a_carlo_gavazzi_block_has_its_low_word_first():
    registers = [2305, 0, 0x1170, 1, 0x86A0, 1]
    found = meters.read(METERS["em111"][0], registers)
    assert found == {"voltage_dv": 2305, "current_ma": 70_000, "power_dw": 100_000}
    assert meters.read(METERS["em111"][1], [12345, 0]) == {"energy_wh": 1_234_500}
    assert meters.read(METERS["em111"][0], [2305, 0, 0, 0, 0xFFFD, 0xFFFF])["power_dw"] == -3


def test_energy_is_exact_to_what_the_float_holds():
    block = METERS["sdm230"][1]
    assert meters.read(block, f32(16777.216)) == {"energy_wh": 16_777_217}, "16777.216796875 in 32 bits"
    assert meters.read(block, f32(0.0005)) == {"energy_wh": 1}, "a little more than half"


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf"), 3.4e38, -3.4e38, -450.0, 50_000.1])
def test_what_is_no_number_or_absurd_is_none(value):
    block = METERS["sdm120"][0]
    found = meters.read(block, f32(230.0) + [0] * 4 + f32(0.0) + [0] * 4 + f32(value))
    assert found == {"voltage_dv": 2300, "current_ma": 0, "power_dw": None}


def test_the_overflow_of_a_carlo_gavazzi_meter_is_none():
    found = meters.read(METERS["em111"][0], [0xFFFF, 0x7FFF] * 3)
    assert found == dict.fromkeys(("voltage_dv", "current_ma", "power_dw"))


@pytest.mark.parametrize(
    ("kind", "registers", "value"),
    [("u16", [65535], 65535), ("s16", [65535], -1), ("u32", [1, 2], 65538), ("s32", [65535, 65534], -2),
     ("s32le", [65534, 65535], -2), ("f32", [0xBFC0, 0], Fraction(-3, 2)), ("f32", [0x8000, 0], 0), ("f32", [0, 1],
     Fraction(1, 1 << 149))],
)  # fmt: skip
def test_kinds(kind, registers, value):
    assert value_of(registers, kind) == value


@given(st.floats(width=32, min_value=-10, max_value=50_000))
def test_a_float_is_rounded_once_to_the_nearest(value):
    found = meters.scaled(value_of(f32(value), "f32"), 10, quantity.POWER)
    assert abs(Fraction(value) * 10 - found) <= Fraction(1, 2)


@given(st.lists(st.integers(0, 65535), min_size=50, max_size=50), st.sampled_from(sorted(METERS)))
def test_any_registers_are_values_in_range_or_none(registers, kind):
    for block in METERS[kind]:
        for name, value in meters.read(block, registers).items():
            assert value is None or quantity_table.in_range(meters._QUANTITIES[name], value)
