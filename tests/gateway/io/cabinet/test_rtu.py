"""One exchange: published bytes, and whatever a line may do instead of answering."""

import struct
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.io import clock
from gateway.io.cabinet import limits, rtu
from tests.support.examples import examples


class ScriptedPort:
    """Has of pyserial's port what an exchange uses. `script` gives what comes in upon a question, in pieces."""

    baudrate = 9600

    def __init__(self, *pieces, before=b"", babbles=False):
        self.pieces, self.waiting, self.babbles = list(pieces), before, babbles
        self.asked, self.timeout = b"", None

    @property
    def in_waiting(self):
        return len(self.waiting)

    def write(self, data):
        self.asked += data

    def read(self, size):
        if self.asked and self.pieces and not self.waiting:
            self.waiting = self.pieces.pop(0)
        if not self.waiting:
            time.sleep(min(self.timeout, 0.02))
            self.waiting = b"\x03\x04\x55" * 50 if self.babbles else b""
        data, self.waiting = self.waiting[:size], self.waiting[size:]
        return data


def with_crc(frame):
    """A CRC of our own making: Modbus over serial line 1.02, section 6.2.2."""
    crc = 0xFFFF
    for byte in frame:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ 0xA001 if crc & 1 else crc >> 1
    return frame + struct.pack("<H", crc)


@pytest.fixture(autouse=True)
def short(monkeypatch):
    monkeypatch.setattr(limits, "RTU_ANSWER_MS", 120)
    monkeypatch.setattr(limits, "RTU_BABBLE_MS", 60)


def test_a_published_exchange_with_holding_registers():
    # Eastron SDM320Y manual, page 42: "Read hold register, for example: pulse 1 output width".
    port = ScriptedPort(bytes.fromhex("0103 0442 C800 006F B5"))
    assert struct.pack(">2H", *rtu.read(port, 1, 3, 0x0C, 2)) == struct.pack(">f", 100.0)
    assert port.asked == bytes.fromhex("0103 000C 0002 0408")


def test_a_published_answer_with_input_registers():
    # The same page: 230.2 V.
    port = ScriptedPort(bytes.fromhex("0104 0443 6633 341B 38"))
    assert struct.unpack(">f", struct.pack(">2H", *rtu.read(port, 1, 4, 0, 2)))[0] == pytest.approx(230.2)


def test_the_published_bits_of_the_modbus_protocol():
    # "MODBUS application protocol" 1.1b3, section 6.1: coils 20 to 38 of the example are CD 6B 05.
    port = ScriptedPort(with_crc(bytes.fromhex("1101 03CD 6B05")))
    bits = rtu.read(port, 0x11, 1, 0x13, 0x13)
    assert port.asked == with_crc(bytes.fromhex("1101 0013 0013"))
    assert bits == [1, 0, 1, 1, 0, 0, 1, 1, 1, 1, 0, 1, 0, 1, 1, 0, 1, 0, 1]


def test_a_coil_is_written():
    # Section 6.5: output 173 on.
    port = ScriptedPort(with_crc(bytes.fromhex("1105 00AC FF00")))
    assert rtu.write_coil(port, 0x11, 0xAC, True) == [1]
    assert port.asked == with_crc(bytes.fromhex("1105 00AC FF00"))


def test_a_refusal_is_told_with_its_code():
    with pytest.raises(rtu.RefusedError, match="exception code 2") as caught:
        rtu.read(ScriptedPort(with_crc(bytes.fromhex("018402"))), 1, 4, 0, 2)
    assert caught.value.code == 2


GOOD = with_crc(bytes.fromhex("0304 0443 6633 34"))
ECHO = with_crc(bytes.fromhex("0304 0000 0002"))


@pytest.mark.parametrize(
    "pieces",
    [
        [GOOD[:1], GOOD[1:4], GOOD[4:]],
        [ECHO + GOOD],
        [b"\x00\xff\x03\x04\x04noise" + GOOD],
        [with_crc(bytes.fromhex("0404 0443 6633 34")), GOOD],  # another unit
        [with_crc(bytes.fromhex("0304 0243 66")), GOOD],  # another length: an answer to an earlier question
        [with_crc(bytes.fromhex("0303 0443 6633 34")), GOOD],  # another function
        [GOOD[:-1] + b"\x00", GOOD],
        [GOOD + b"more"],
    ],
)
def test_the_answer_is_found_among_what_else_comes_in(pieces):
    assert rtu.read(ScriptedPort(*pieces), 3, 4, 0, 2) == [0x4366, 0x3334]


def test_what_came_before_the_question_is_no_answer():
    with pytest.raises(rtu.NoAnswerError, match=rtu.SILENCE):
        rtu.read(ScriptedPort(before=GOOD), 3, 4, 0, 2)


@pytest.mark.parametrize("pieces", [[GOOD[:-1]], [GOOD[:-1] + b"\x00"], [ECHO], [b"\xff" * 600]])
def test_garbage_is_not_silence(pieces):
    with pytest.raises(rtu.NoAnswerError, match=rtu.GARBAGE):
        rtu.read(ScriptedPort(*pieces), 3, 4, 0, 2)


def test_a_line_that_babbles_is_not_listened_to_for_longer_than_the_answer_may_take():
    start_ms = clock.monotonic_ms()
    with pytest.raises(rtu.NoAnswerError, match=rtu.GARBAGE):
        rtu.read(ScriptedPort(babbles=True), 3, 4, 0, 2)
    assert clock.monotonic_ms() - start_ms < 5000


def test_it_does_not_look_at_the_wall_clock(monkeypatch):
    def stepped():
        raise AssertionError("the wall clock steps by years in a cabinet that has just found the time")

    monkeypatch.setattr(time, "time", stepped)
    assert rtu.read(ScriptedPort(GOOD), 3, 4, 0, 2) == [0x4366, 0x3334]
    with pytest.raises(rtu.NoAnswerError):
        rtu.read(ScriptedPort(), 3, 4, 0, 2)


@examples(times=2)
@given(st.binary(max_size=300), st.sampled_from([1, 2, 3, 4, 5]))
def test_any_bytes_are_an_answer_or_none(data, function):
    found = rtu._find(data, 3, function, 9)
    assert found is None or found.function_code & 0x7F == function


@given(st.binary(max_size=40), st.binary(max_size=40))
def test_a_good_answer_in_noise_is_found_or_another_that_verifies(before, after):
    assert rtu._find(before + GOOD + after, 3, 4, 9) is not None
