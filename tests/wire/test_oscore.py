"""What OSCORE protects, what it leaves outside, and what each end must refuse (RFC 8613 sections 4 to 8)."""

import pytest

from gateway.io.crypto import AesCcm
from wire import ccm, limits, oscore, oscore_context
from wire import coap_message as messages
from wire.coap_message import Content
from wire.faults import WireFault
from wire.oscore import Header, encode_header

CIPHER = AesCcm()
SECRET = bytes(range(100, 116))
ID_CONTEXT = b"node7\x01"
NODE = oscore_context.derive(SECRET, sender_id=b"\0\7", recipient_id=b"g", id_context=ID_CONTEXT)
GATEWAY = oscore_context.derive(SECRET, sender_id=b"g", recipient_id=b"\0\7", id_context=ID_CONTEXT)
STRANGER = oscore_context.derive(bytes(16), sender_id=b"\0\x08", recipient_id=b"g", id_context=ID_CONTEXT)

POST = Content(messages.POST, ((messages.URI_PATH, b"t"), (messages.CONTENT_FORMAT, b"\x3c")), b"\x81\x01")
ANSWER = Content(messages.CHANGED, (), b"")


def ask(request=POST, number=5, context=NODE, **named):
    return oscore.protect_request(context, request, CIPHER, number=number, **named)


def hear(content, window=oscore_context.NEW, context=GATEWAY):
    return oscore.unprotect_request(context, content, CIPHER, window=window)


def reason(act, *arguments, **named):
    with pytest.raises(WireFault) as fault:
        act(*arguments, **named)
    return fault.value.reason


def with_option(content, value):
    options = [(number, old) for number, old in content.options if number != messages.OSCORE]
    messages.insert_option(options, messages.OSCORE, value)
    return Content(content.code, tuple(options), content.payload)


# --- option classes (section 4.1) ---

# All of RFC 8613 figure 5 that is not observation, with Hop-Limit and Echo of later RFCs.
INNER = (1, 4, 5, 8, 11, 12, 14, 15, 17, 20, 23, 27, 28, 60, 252, 258)
OUTER = (3, 7, 16, 39)


def test_a_request_shows_only_what_a_proxy_must_read():
    options = tuple((number, bytes((number & 0xFF,))) for number in sorted(INNER[:8] + OUTER))
    request = Content(messages.FETCH, options, b"payload")
    content, _ = ask(request)
    assert content.code == messages.POST
    assert [number for number, _ in content.options] == sorted((*OUTER, messages.OSCORE))
    assert hear(content)[0] == request


def test_a_response_shows_only_what_a_proxy_must_read():
    asked, (_, heard, _) = ask()[1], hear(ask()[0])
    response = Content(messages.CONTENT, tuple((number, b"1") for number in INNER), b"answer")
    content = oscore.protect_response(GATEWAY, response, CIPHER, heard)
    assert content.code == messages.CHANGED and content.options == ((messages.OSCORE, b""),)
    assert oscore.unprotect_response(NODE, content, CIPHER, asked) == response


@pytest.mark.parametrize("number", [messages.PROXY_URI, messages.OSCORE, oscore.OBSERVE])
def test_what_must_not_be_protected_so_is_refused(number):
    assert reason(ask, Content(messages.GET, ((number, b"x"),), b"")) == "oscore-unsuited"


def test_a_message_that_cannot_be_sent_is_not_protected():
    assert reason(ask, Content(messages.POST, (), bytes(limits.COAP_UDP_DATAGRAM_BYTES_MAX))) == "too-long"


@pytest.mark.parametrize("number", [number for number in INNER if number not in (3, 7)])
def test_an_encrypted_option_that_stands_outside_counts_for_nothing(number):
    content, _ = ask(Content(messages.GET, (), b""))
    options = list(content.options)
    messages.insert_option(options, number, b"forged")
    assert hear(Content(content.code, tuple(options), content.payload))[0].options == ()


@pytest.mark.parametrize("number", [*OUTER, messages.PROXY_URI, messages.OSCORE])
def test_an_outer_option_inside_is_refused(number):
    plaintext = (
        bytes((messages.GET,))
        + messages.encode(messages.Message(messages.CON, messages.GET, 0, b"", ((number, b"x"),), b""))[4:]
    )
    assert reason(hear, sealed_by_node(plaintext)) == "oscore-inner"


def sealed_by_node(plaintext, number=5):
    """A request whose plaintext the node's own code would not make."""
    piv = bytes((number,))
    nonce = oscore_context.nonce(NODE, NODE.sender_id, piv)
    payload = ccm.seal(CIPHER, NODE.sender_key, nonce, oscore_context.aad(NODE.sender_id, piv), plaintext)
    value = encode_header(Header(piv, None, NODE.sender_id))
    return Content(messages.POST, ((messages.OSCORE, value),), payload)


@pytest.mark.parametrize(
    "plaintext",
    [b"", b"\0", b"\x44", b"\xe1", b"\x01\xff", b"\x01\xf0", b"\x01" + b"\x10" * 17, b"\x01\x7dx"],
    ids=["nothing", "empty", "response", "signal", "marker", "nibble", "options", "cut"],
)
def test_a_plaintext_that_is_no_request_is_refused(plaintext):
    assert reason(hear, sealed_by_node(plaintext)) == "oscore-inner"


def test_outer_options_count_too():
    content, _ = ask(Content(messages.GET, ((messages.URI_PATH, b""),) * 16, b""))
    assert len(hear(content)[0].options) == 16
    options = ((messages.URI_HOST, b"h"), *content.options)
    assert reason(hear, Content(content.code, options, content.payload)) == "oscore-inner"


# --- contexts and headers ---


def test_ids_are_sent_in_requests_and_the_id_context_on_demand():
    header = oscore.header_of(ask()[0])
    assert header == Header(b"\5", None, b"\0\7")
    assert oscore.header_of(ask(kid_context=ID_CONTEXT)[0]).kid_context == ID_CONTEXT
    assert hear(ask(kid_context=ID_CONTEXT)[0])[0] == POST


def test_another_context_is_refused():
    assert reason(hear, ask(context=STRANGER)[0]) == "oscore-context"
    other = encode_header(Header(b"\5", b"other", NODE.sender_id))
    assert reason(hear, with_option(ask()[0], other)) == "oscore-context"
    elsewhere = oscore_context.derive(SECRET, sender_id=b"g", recipient_id=b"\0\7", id_context=b"node7\x02")
    assert reason(hear, ask()[0], context=elsewhere) == "decrypt"


@pytest.mark.parametrize("header", [Header(None, None, b"\0\7"), Header(b"\5", None, None), Header(None, None, None)])
def test_a_request_needs_kid_and_partial_iv(header):
    assert reason(hear, with_option(ask()[0], encode_header(header))) == "oscore-option"


def test_a_message_needs_one_oscore_option_and_a_payload():
    content, asked = ask()
    assert reason(hear, Content(content.code, (), content.payload)) == "oscore-missing"
    assert reason(hear, Content(content.code, content.options * 2, content.payload)) == "oscore-option"
    assert reason(hear, Content(content.code, content.options, b"")) == "oscore-option"
    clear = Content(messages.UNAUTHORIZED, ((messages.MAX_AGE, b""),), b"Replay detected")
    assert reason(oscore.unprotect_response, NODE, clear, CIPHER, asked) == "oscore-missing"


@pytest.mark.parametrize(
    "named",
    [
        {"master_secret": bytes(15)},
        {"master_secret": bytes(65)},
        {"sender_id": bytes(8)},
        {"recipient_id": b"a"},
        {"id_context": bytes(17)},
        {"master_salt": bytes(65)},
    ],
    ids=lambda named: next(iter(named)),
)
def test_a_context_that_is_not_sound_is_our_bug(named):
    with pytest.raises(AssertionError):
        oscore_context.derive(**{"master_secret": SECRET, "sender_id": b"a", "recipient_id": b"b"} | named)


def test_ids_of_seven_bytes_and_of_none_work():
    node = oscore_context.derive(SECRET, sender_id=b"1234567", recipient_id=b"")
    gateway = oscore_context.derive(SECRET, sender_id=b"", recipient_id=b"1234567")
    content, asked = ask(context=node, number=(1 << 40) - 1)
    opened, heard, _ = hear(content, context=gateway)
    assert opened == POST
    answer = oscore.protect_response(gateway, ANSWER, CIPHER, heard, number=0)
    assert oscore.unprotect_response(node, answer, CIPHER, asked) == ANSWER


def test_secrets_show_nowhere():
    secrets = (SECRET, NODE.sender_key, NODE.recipient_key, NODE.common_iv)
    shown = [repr(NODE), str(NODE), repr(ask()), repr(vars(ask()[1])), repr(CIPHER), repr(oscore.REASONS)]
    same_ids = {"sender_id": b"", "recipient_id": b""}
    for act in (lambda: hear(ask()[0], context=STRANGER), lambda: oscore_context.derive(SECRET, **same_ids)):
        with pytest.raises((WireFault, AssertionError)) as raised:
            act()
        shown.append(repr(raised.value) + str(raised.value))
    for text in shown:
        for secret in secrets:
            assert secret.hex() not in text and repr(secret) not in text and repr(bytearray(secret)) not in text


# --- replay and nonces ---


def test_a_request_is_taken_once():
    content, _ = ask()
    _, _, window = hear(content)
    assert reason(hear, content, window) == "oscore-replay"
    _, _, later = hear(ask(number=6)[0], window)
    assert later == (6, 0b11)


def test_a_forged_number_does_not_move_the_window():
    content, _ = ask()
    forged = with_option(content, encode_header(Header(b"\xff\xff", None, NODE.sender_id)))
    assert reason(hear, forged) == "decrypt"
    assert hear(content)[2] == (5, 1)


def test_a_response_belongs_to_its_request():
    _, asked = ask()
    _, other = ask(number=6)
    _, heard, _ = hear(ask()[0])
    for number in (None, 3):
        answer = oscore.protect_response(GATEWAY, ANSWER, CIPHER, heard, number=number)
        assert oscore.unprotect_response(NODE, answer, CIPHER, asked) == ANSWER
        assert reason(oscore.unprotect_response, NODE, answer, CIPHER, other) == "decrypt"
        assert reason(oscore.unprotect_response, STRANGER, answer, CIPHER, asked) == "decrypt"


def test_a_request_is_no_response_and_comes_not_back():
    content, asked = ask()
    assert reason(oscore.unprotect_response, NODE, content, CIPHER, asked) == "oscore-context"
    assert reason(hear, content, context=NODE) == "oscore-context"
    inside = Content(messages.GET, (), b"")
    _, heard, _ = hear(content)
    answer = oscore.protect_response(GATEWAY, inside, CIPHER, heard)
    assert reason(oscore.unprotect_response, NODE, answer, CIPHER, asked) == "oscore-inner"


def test_the_requests_nonce_serves_one_response():
    _, heard, _ = hear(ask()[0])
    oscore.protect_response(GATEWAY, ANSWER, CIPHER, heard)
    with pytest.raises(AssertionError, match="number of its own"):
        oscore.protect_response(GATEWAY, ANSWER, CIPHER, heard)
    oscore.protect_response(GATEWAY, ANSWER, CIPHER, heard, number=9)


# --- error responses (section 8.2) ---


@pytest.mark.parametrize("why", oscore.REASONS)
def test_an_error_response_is_unprotected_and_never_cached(why):
    content = oscore.refusal(why)
    assert content.options == ((messages.MAX_AGE, b""),) and content.code >> 5 == 4
    told = {
        "oscore-option": (messages.BAD_OPTION, b"Failed to decode COSE"),
        "oscore-context": (messages.UNAUTHORIZED, b"Security context not found"),
        "oscore-replay": (messages.UNAUTHORIZED, b"Replay detected"),
        "decrypt": (messages.BAD_REQUEST, b"Decryption failed"),
    }
    assert (content.code, content.payload) == told.get(why, (content.code, b""))


def test_telemetry_of_eight_readings_takes_eighty_bytes():
    # The record at its worst (firmware/README.md), a Content-Format, a node id of three bytes, a token of four.
    node = oscore_context.derive(SECRET, sender_id=b"\0\0\7", recipient_id=b"g")
    request = Content(messages.POST, ((messages.URI_PATH, b"t"), (messages.CONTENT_FORMAT, b"\x3c")), bytes(48))
    content, _ = ask(request, number=65535, context=node)
    datagram = messages.encode(
        messages.Message(messages.CON, content.code, 1, bytes(4), content.options, content.payload)
    )
    assert len(datagram) <= 80
