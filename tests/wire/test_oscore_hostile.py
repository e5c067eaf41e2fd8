"""A hostile peer: whatever it does to datagrams, only WireFault comes out, and no window moves."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.io.crypto import AesCcm
from tests.support.examples import examples
from wire import ccm, oscore, oscore_context
from wire import coap_message as messages
from wire.coap_message import Content
from wire.faults import WireFault

CIPHER = AesCcm()
SECRET = bytes(range(16))
NODE = oscore_context.derive(SECRET, sender_id=b"\0\7", recipient_id=b"g", id_context=b"ctx")
GATEWAY = oscore_context.derive(SECRET, sender_id=b"g", recipient_id=b"\0\7", id_context=b"ctx")
REQUEST = Content(messages.POST, ((3, b"host"), (11, b"c"), (15, b"n=1")), b"light 0")
RESPONSE = Content(messages.CHANGED, ((252, b"12345678"),), b"done")
WINDOW = oscore_context.Window(3, 0b1011)


def datagram(content):
    return messages.encode(messages.Message(messages.CON, content.code, 7, b"tok", content.options, content.payload))


ASKED_CONTENT, ASKED = oscore.protect_request(NODE, REQUEST, CIPHER, number=9, kid_context=NODE.id_context)
GOOD_REQUEST = datagram(ASKED_CONTENT)
_, HEARD, _ = oscore.unprotect_request(GATEWAY, ASKED_CONTENT, CIPHER, window=WINDOW)
GOOD_RESPONSES = tuple(
    datagram(oscore.protect_response(GATEWAY, RESPONSE, CIPHER, HEARD, number=number)) for number in (None, 77)
)


def attack(data, window=WINDOW):
    """What both ends make of one datagram: (Content or None of the server, and of the client). Faults are known."""
    message = messages.decode(data, 2000)
    if isinstance(message, messages.Fault):
        return None, None
    results = []
    for act in (
        lambda: oscore.unprotect_request(GATEWAY, message, CIPHER, window=window)[0],
        lambda: oscore.unprotect_response(NODE, message, CIPHER, ASKED),
    ):
        try:
            results.append(act())
        except WireFault as fault:
            assert fault.reason in oscore.REASONS
            assert oscore.refusal(fault.reason).code >> 5 == 4
            results.append(None)
    assert window == WINDOW
    return tuple(results)


def test_what_is_good_is_taken():
    assert attack(GOOD_REQUEST) == (REQUEST, None)
    assert [attack(data) for data in GOOD_RESPONSES] == [(None, RESPONSE)] * 2


@pytest.mark.parametrize("good", [GOOD_REQUEST, *GOOD_RESPONSES], ids=["request", "response", "response-own-number"])
def test_no_truncation_and_no_flip_passes_as_something_else(good):
    for length in range(len(good)):
        assert attack(good[:length]) == (None, None)
    for bit in range(len(good) * 8):
        damaged = bytearray(good)
        damaged[bit // 8] ^= 1 << bit % 8
        for content in attack(bytes(damaged)):
            # Uri-Host is outside and unprotected (class U); all the rest of what is taken is what was sent.
            if content is not None:
                inside = [option for option in content.options if option[0] not in (3, 7, 16, 35, 39)]
                sent = REQUEST if good is GOOD_REQUEST else RESPONSE
                assert (content.code, content.payload) == (sent.code, sent.payload)
                assert inside == [option for option in sent.options if option[0] != 3]


@examples(times=40)
@given(st.binary(max_size=120))
def test_random_bytes(data):
    assert attack(data) == (None, None)


OPTIONS = st.lists(st.tuples(st.integers(0, 300), st.binary(max_size=300)), max_size=20)


@examples(times=20)
@given(OPTIONS, st.binary(max_size=40), st.binary(max_size=300))
def test_any_options_with_any_ciphertext(options, value, payload):
    options = tuple(sorted([*options, (messages.OSCORE, value)], key=lambda option: option[0]))
    message = Content(messages.POST, options, payload)
    with pytest.raises(WireFault) as fault:
        oscore.unprotect_request(GATEWAY, message, CIPHER, window=WINDOW)
    assert fault.value.reason in oscore.REASONS
    with pytest.raises(WireFault):
        oscore.unprotect_response(NODE, message, CIPHER, ASKED)


@examples(times=20)
@given(st.binary(max_size=80))
def test_a_peer_with_the_key_cannot_break_it_either(plaintext):
    piv = b"\x50"
    nonce = oscore_context.nonce(NODE, NODE.sender_id, piv)
    bound = oscore_context.aad(NODE.sender_id, piv)
    payload = ccm.seal(CIPHER, NODE.sender_key, nonce, bound, plaintext)
    value = oscore.encode_header(oscore.Header(piv, None, NODE.sender_id))
    message = Content(messages.POST, ((messages.OSCORE, value),), payload)
    try:
        content, _, _ = oscore.unprotect_request(GATEWAY, message, CIPHER, window=WINDOW)
    except WireFault as fault:
        assert fault.reason == "oscore-inner"
    else:
        assert 1 <= content.code < 32


def test_reordered_repeated_and_late_requests_are_taken_once_each():
    seed = 20261126
    generator = random.Random(seed)
    sent = [oscore.protect_request(NODE, REQUEST, CIPHER, number=number)[0] for number in range(200)]
    arriving = sorted(list(enumerate(sent)) * 3, key=lambda pair: pair[0] + generator.uniform(0, 40))
    window, taken = oscore_context.NEW, []
    for number, content in arriving:
        before = window
        try:
            _, exchange, window = oscore.unprotect_request(GATEWAY, content, CIPHER, window=window)
            taken.append(exchange.number)
            assert exchange.number == number
        except WireFault as fault:
            assert fault.reason == "oscore-replay" and window is before
    assert len(taken) == len(set(taken)) > 150, seed
