"""Frames on a serial line: every body comes back, and nothing but a frame does, whatever stands around it."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.examples import examples
from wire import slip
from wire.slip import Decoder, crc16, encode

BODIES = st.binary(min_size=1, max_size=250)


def test_the_crc_is_the_catalogues():
    assert crc16(b"123456789") == 0x906E  # CRC-16/X-25 in every catalogue of CRCs
    assert crc16(b"") == 0


def test_escapes_are_those_of_rfc_1055():
    assert encode(b"\xc0\xdb")[:5] == b"\xc0\xdb\xdc\xdb\xdd"


@given(st.lists(BODIES, max_size=6), st.randoms(use_true_random=False))
def test_bodies_come_back_however_the_bytes_are_cut(bodies, random):
    line = b"".join(encode(body) for body in bodies)
    decoder, found = Decoder(250), []
    while line:
        cut = random.randint(1, len(line))
        found += decoder.feed(line[:cut])
        line = line[cut:]
    assert found == bodies and decoder.counters["frames"] == len(bodies)


@examples(times=2)
@given(st.binary(max_size=600), BODIES)
def test_a_frame_after_garbage_is_whole(garbage, body):
    decoder = Decoder(250)
    before = decoder.feed(garbage)
    assert decoder.feed(encode(body))[-1:] == [body]
    assert all(len(found) <= 250 for found in before)


@given(BODIES, st.data())
def test_a_flipped_bit_is_found(body, data):
    framed = bytearray(encode(body))
    at = data.draw(st.integers(1, len(framed) - 2))
    framed[at] ^= 1 << data.draw(st.integers(0, 7))
    assert body not in Decoder(250).feed(bytes(framed))


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"\xc0\x01\xc0", "short"),
        (b"\xc0\x01\x02\x03\xc0", "crc"),
        (b"\xc0\xdb\x00\x01\x02\xc0", "escape"),
        (b"\xc0\x01\x02\x03\xdb\xc0", "escape"),
        (encode(bytes(11)), "long"),
    ],
)
def test_what_is_dropped_is_counted_once(line, reason):
    decoder = Decoder(10)
    assert decoder.feed(line) == []
    assert {name: count for name, count in decoder.counters.items() if count} == {reason: 1}


def test_silence_between_frames_is_no_frame():
    decoder = Decoder(10)
    assert decoder.feed(b"\xc0" * 50) == [] and not any(decoder.counters.values())


def test_a_reset_forgets_the_half_of_a_frame():
    decoder = Decoder(10)
    decoder.feed(encode(b"half")[:3])
    decoder.reset()
    assert decoder.feed(encode(b"new")[1:]) == [b"new"]


def test_megabytes_of_noise_leave_no_more_than_a_frame():
    random, decoder = Random(5), Decoder(250)
    accepted = sum(len(decoder.feed(random.randbytes(4096))) for _ in range(64))
    # One frame in 65,536 of noise has the right CRC: the layer above does not believe the line.
    assert accepted < 10 and len(decoder._raw) <= 2 * 252
    assert slip.Decoder(250).feed(b"") == []
