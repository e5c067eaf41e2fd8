"""The frame codec against the published protocol and the frames of an independent implementation's tests."""

from binascii import hexlify, unhexlify
from pathlib import Path

import pytest

from heating import boiler

LINES = [
    line.split("|")
    for line in (Path(__file__).parent.parent / "vectors" / "opentherm.txt").read_text().splitlines()
    if line and not line.startswith("#")
]


def of(kind):
    return [line[1:] for line in LINES if line[0] == kind]


@pytest.mark.parametrize(("value_ck", "expected"), of("f88"))
def test_a_number_is_written_and_read_as_the_specification_does(value_ck, expected):
    assert boiler.f8_8(int(value_ck)) == int(expected, 16)
    assert boiler.from_f8_8(int(expected, 16)) == int(value_ck)


@pytest.mark.parametrize(("text", "kind", "number", "value", "_source"), of("frame"))
def test_a_frame_is_read_and_written_bit_by_bit(text, kind, number, value, _source):
    frame = boiler.decode_frame(unhexlify(text))
    assert frame == (getattr(boiler, kind), int(number), int(value, 16))
    assert hexlify(boiler.encode_frame(*frame)).decode().upper() == text


@pytest.mark.parametrize(("text", "_why"), of("bad"))
def test_a_damaged_frame_is_no_frame(text, _why):
    assert boiler.decode_frame(unhexlify(text)) is None


def test_every_single_bit_error_is_seen():
    sound = boiler.encode_frame(boiler.READ_ACK, boiler.FLOW_TEMPERATURE, 0x2B80)
    for bit in range(32):
        spoilt = bytearray(sound)
        spoilt[bit // 8] ^= 1 << bit % 8
        assert boiler.decode_frame(bytes(spoilt)) is None


def test_every_value_survives_the_way_through_its_hundredths():
    for value_ck in range(-4000, 12_700):
        assert boiler.from_f8_8(boiler.f8_8(value_ck)) == value_ck
