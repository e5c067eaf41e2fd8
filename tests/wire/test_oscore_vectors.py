"""OSCORE against every vector of RFC 8613 appendix C, each from both ends; its option has one encoding for each header
(section 6.1)."""

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.io.crypto import AesCcm
from tests.support.examples import examples
from wire import coap_message as messages
from wire import oscore, oscore_context
from wire.faults import WireFault
from wire.oscore import Header, partial_iv_bytes

CIPHER = AesCcm()


def value(text):
    return None if text == "none" else b"" if text == "-" else bytes.fromhex(text)


@pytest.fixture(scope="module")
def vectors(repository):
    """{kind: [(fields, expected)]}"""
    kinds = {}
    for line in (repository / "tests" / "vectors" / "oscore.txt").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            fields, expected = (part.split() for part in line.split(" => "))
            kinds.setdefault(fields[0], []).append((fields[1:], expected))
    assert {kind: len(of) for kind, of in kinds.items()} == {"derive": 3, "info": 4, "request": 3, "response": 2}
    return kinds


def contexts(vectors, name):
    """(client's, server's)"""
    ((fields, _),) = [one for one in vectors["derive"] if one[0][0] == name]
    secret, salt, client, server, id_context = map(value, fields[1:])
    shared = {"master_salt": salt, "id_context": id_context}
    return (
        oscore_context.derive(secret, sender_id=client, recipient_id=server, **shared),
        oscore_context.derive(secret, sender_id=server, recipient_id=client, **shared),
    )


def request_of(vectors, name):
    ((fields, expected),) = [one for one in vectors["request"] if one[0][0] == name]
    return contexts(vectors, fields[1]), int(fields[2]), fields[3], expected


def whole(message, content):
    return messages.encode(
        messages.Message(
            message.type, content.code, message.message_id, message.token, content.options, content.payload
        )
    ).hex()


def plain(text):
    return messages.decode(bytes.fromhex(text))


def test_derivation_of_keys_and_nonces(vectors):
    for fields, expected in vectors["derive"]:
        client_key, server_key, common_iv, client_nonce, server_nonce = map(value, expected)
        client, server = contexts(vectors, fields[0])
        assert (client.sender_key, client.recipient_key) == (client_key, server_key)
        assert (server.sender_key, server.recipient_key) == (server_key, client_key)
        for context in (client, server):
            assert context.common_iv == common_iv
            assert oscore_context.nonce(context, client.sender_id, b"\0") == client_nonce
            assert oscore_context.nonce(context, server.sender_id, b"\0") == server_nonce


def test_the_info_of_each_key(vectors):
    for (_, identity, id_context, kind, length), (expected,) in vectors["info"]:
        assert oscore_context.info(value(identity), value(id_context), kind, int(length)).hex() == expected


@pytest.mark.parametrize("name", ["C.4", "C.5", "C.6"])
def test_requests(vectors, name):
    (client, server), number, unprotected, (protected, aad, nonce) = request_of(vectors, name)
    message = plain(unprotected)
    assert oscore_context.aad(client.sender_id, partial_iv_bytes(number)).hex() == aad
    assert oscore_context.nonce(client, client.sender_id, partial_iv_bytes(number)).hex() == nonce
    kid_context = client.id_context if name == "C.6" else None
    content, _ = oscore.protect_request(client, message, CIPHER, number=number, kid_context=kid_context)
    assert whole(message, content) == protected
    opened, exchange, window = oscore.unprotect_request(server, plain(protected), CIPHER, window=oscore_context.NEW)
    assert whole(message, opened) == unprotected
    assert exchange.number == number and window == (number, 1)


@pytest.mark.parametrize("index", [0, 1], ids=["C.7", "C.8"])
def test_responses(vectors, index):
    (_, to, number, unprotected), (protected,) = vectors["response"][index]
    number = None if number == "none" else int(number)
    (client, server), request_number, request, (protected_request, _, _) = request_of(vectors, to)
    _, asked = oscore.protect_request(client, plain(request), CIPHER, number=request_number)
    _, heard, _ = oscore.unprotect_request(server, plain(protected_request), CIPHER, window=oscore_context.NEW)
    message = plain(unprotected)
    content = oscore.protect_response(server, message, CIPHER, heard, number=number)
    assert whole(message, content) == protected
    assert whole(message, oscore.unprotect_response(client, plain(protected), CIPHER, asked)) == unprotected


@given(st.binary(max_size=7), st.binary(min_size=1, max_size=5))
def test_the_associated_data_is_what_an_independent_encoder_writes(kid, partial_iv):
    external = cbor2.dumps([1, [10], kid, partial_iv, b""])
    assert oscore_context.aad(kid, partial_iv) == cbor2.dumps(["Encrypt0", b"", external])


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


@examples(times=2)
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
