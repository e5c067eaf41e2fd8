"""The OSCORE option: one encoding for each header, and every other value refused (RFC 8613 section 6.1)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wire import oscore, oscore_context
from wire.faults import WireFault
from wire.oscore import Header

HEADERS = st.builds(
    Header,
    st.none() | st.integers(0, oscore_context.PARTIAL_IV_MAX).map(oscore.partial_iv_bytes),
    st.none() | st.binary(max_size=16),
    st.none() | st.binary(max_size=7),
)


# The first four have the forms of RFC 8613 section 6.3.
@pytest.mark.parametrize(
    ("value", "header"),
    [
        ("090525", Header(b"\x05", None, b"\x25")),
        ("190504443d5c9e25", Header(b"\x05", b"\x44\x3d\x5c\x9e", b"\x25")),
        ("0900", Header(b"\x00", None, b"")),
        ("190504443d5c9e", Header(b"\x05", b"\x44\x3d\x5c\x9e", b"")),
        ("", Header(None, None, None)),
        ("0107", Header(b"\x07", None, None)),
    ],
)
def test_examples(value, header):
    assert oscore.decode_header(bytes.fromhex(value)) == header
    assert oscore.encode_header(header).hex() == value


@given(HEADERS)
def test_a_header_comes_back(header):
    assert oscore.decode_header(oscore.encode_header(header)) == header


@given(st.binary(max_size=30))
def test_a_value_is_the_encoding_of_its_header_or_is_refused(value):
    try:
        header = oscore.decode_header(value)
    except WireFault as fault:
        assert fault.reason == "oscore-option"
    else:
        assert oscore.encode_header(header) == value


@pytest.mark.parametrize(
    "value",
    [
        "00",
        "20",
        "40",
        "80",
        "06010203040506",
        "070102030405060708",
        "02",
        "0201",
        "020001",
        "010500",
        "10",
        "1004aabb",
        "1012" + "aa" * 18,
        "08" + "aa" * 8,
    ],
)
def test_other_values_are_refused(value):
    with pytest.raises(WireFault, match="oscore-option"):
        oscore.decode_header(bytes.fromhex(value))


@pytest.mark.parametrize(("number", "value"), [(0, "00"), (255, "ff"), (256, "0100"), ((1 << 40) - 1, "ff" * 5)])
def test_a_partial_iv_is_as_short_as_it_can_be(number, value):
    assert oscore.partial_iv_bytes(number).hex() == value


@pytest.mark.parametrize("number", [-1, 1 << 40])
def test_no_other_number_is_a_partial_iv(number):
    with pytest.raises(AssertionError):
        oscore.partial_iv_bytes(number)
