"""What a point may say."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.io.cabinet.wiring import COIL, HOLDING, INPUT, INPUT_REGISTER, Bit, Gpio, Meter, Number, parse


@pytest.mark.parametrize(
    ("text", "point"),
    [
        ("gpio:0", Gpio(0)),
        ("!gpio:27", Gpio(27, inverted=True)),
        ("!gpio:5/pull-up", Gpio(5, inverted=True, pull="pull-up")),
        ("gpio:511/pull-down", Gpio(511, pull="pull-down")),
        ("modbus:1/coil:0", Bit(1, COIL, 0)),
        ("!modbus:247/input:65535", Bit(247, INPUT, 65535, inverted=True)),
        ("modbus:4/30001", Number(4, INPUT_REGISTER, 0)),
        ("modbus:4/39999", Number(4, INPUT_REGISTER, 9998)),
        ("modbus:4/40002:s16*0.1", Number(4, HOLDING, 1, "s16", Fraction(1, 10))),
        ("modbus:4/365535:f32", Number(4, INPUT_REGISTER, 65534, "f32")),
        ("modbus:4/400001:u32*1000", Number(4, HOLDING, 0, "u32", Fraction(1000))),
        ("modbus:3/sdm120", Meter(3, "sdm120")),
        ("modbus:12/em111", Meter(12, "em111")),
    ],
)
def test_points_that_are(text, point):
    assert parse(text) == point


@pytest.mark.parametrize(
    "text",
    ["", "gpio", "gpio:", "gpio:512", "gpio:-1", "gpio:5/pull", "!!gpio:5", " gpio:5", "gpio:5\n", "GPIO:5",
     "gpio:\u0665", "modbus:0/coil:0", "modbus:248/coil:0", "modbus:1/coil:65536", "modbus:1/coil", "modbus:1/coils:0",
     "modbus:4/30000", "modbus:4/20001", "modbus:4/50001", "modbus:4/365537", "modbus:4/365536:f32",
     "modbus:4/30001:f64", "modbus:4/30001*0", "modbus:4/30001*", "modbus:4/30001*1e3", "!modbus:4/30001",
     "!modbus:3/sdm120", "modbus:3/sdm", "modbus:3/", None, 5, ["gpio:5"]],
)  # fmt: skip
def test_texts_that_are_no_point(text):
    assert parse(text) is None


@given(st.text(alphabet="gpiomdbus:/0123456789!coil*.f-", max_size=30))
def test_any_text_is_a_point_or_none(text):
    assert parse(text) is None or isinstance(parse(text), Gpio | Bit | Number | Meter)
