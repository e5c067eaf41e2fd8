"""OSCORE against every vector of RFC 8613 appendix C, each from both ends."""

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.io.crypto import AesBlocks
from wire import coap_message as messages
from wire import oscore, oscore_context
from wire.oscore import partial_iv_bytes

CIPHER = AesBlocks()


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
    content, _ = oscore.protect_request(client, message, CIPHER, number=number, with_id_context=name == "C.6")
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
