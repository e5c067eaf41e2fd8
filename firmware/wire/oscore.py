"""Protects requests and responses of CoAP end to end by OSCORE (RFC 8613), for nodes, gateways and the bench.

It has no I/O and no state: contexts never change, and the caller keeps windows and numbers. `cipher` is one
of `wire.ccm`. A message goes in as an object with `code`, `options` and `payload` and comes out as Content;
types, ids and tokens belong to CoAP and stay as they are. Bad bytes from a peer raise WireFault with one of REASONS and
change nothing; no reason carries data.

    request out   content, exchange = protect_request(…, number=…)
    request in    header = header_of(message), find the context by it, then content, exchange, window = …
    response out  content = protect_response(…, exchange)
    response in   content = unprotect_response(…, exchange)

**What is encrypted** (sections 4.1, 4.2 and 5.3). Class E, in the plaintext, is everything but the few options that a
proxy must read, which are class U. No option of class I is defined. Options that figure 5 lists as both E and U
(Max-Age, Block1 and 2, Size1 and 2, No-Response) are for the two ends here and so are class E; one of them found
outside is ignored.

Must not choose a context, answer a peer or keep a key.
"""

from collections import namedtuple

from wire import ccm, limits
from wire import coap_message as messages
from wire.coap_message import Content
from wire.faults import WireFault
from wire.oscore_context import (
    ID_BYTES_MAX,
    KID_CONTEXT_BYTES_MAX,
    PARTIAL_IV_BYTES_MAX,
    PARTIAL_IV_MAX,
    aad,
    nonce,
    window_allows,
    window_with,
)

# reason: (code, diagnostic payload) of the unprotected error response (section 8.2), or None where there is
# none.
_REFUSALS = {
    "oscore-missing": (messages.UNAUTHORIZED, b""),
    "oscore-option": (messages.BAD_OPTION, b"Failed to decode COSE"),
    "oscore-context": (messages.UNAUTHORIZED, b"Security context not found"),
    "oscore-replay": (messages.UNAUTHORIZED, b"Replay detected"),
    "decrypt": (messages.BAD_REQUEST, b"Decryption failed"),
    "oscore-inner": (messages.BAD_REQUEST, b""),
}
REASONS = tuple(sorted(_REFUSALS))

_CONTEXT_FLAG = 0x10
_KID_FLAG = 0x08
_PARTIAL_IV_BYTES = 0x07
_RESERVED = 0xE0

# Each is bytes, or None when it is not sent; an empty kid is sent.
Header = namedtuple("Header", ("partial_iv", "kid_context", "kid"))

HOP_LIMIT = 16  # RFC 8768
OBSERVE = 6
OUTER = (
    messages.URI_HOST,
    messages.URI_PORT,
    messages.OSCORE,
    HOP_LIMIT,
    messages.PROXY_URI,
    messages.PROXY_SCHEME,
)
# Proxy-Uri would show the path (section 4.1.3.3); observation (section 4.1.3.5) is not used.
_UNSUITED = (messages.PROXY_URI, messages.OSCORE, OBSERVE)


# The `handled_options` of an endpoint that only accepts OSCORE. Outer options are dropped unread (section 8.2 step 1),
# so a critical one among them gets no error response: a stranger could otherwise provoke one.
ANY_OUTSIDE = None

# The bytes of a CoAP header without a token: a plaintext has only the code of them (section 5.3).
_HEAD_BYTES = 4


class Exchange:
    """Holds what the response to a request needs, after the request was protected or unprotected. It holds no secret.

    `number`: the request's Partial IV. `nonce`: its AEAD nonce, which a response without a Partial IV uses (section
    8.3); the first response of appendix B.2 does so under another key than the request's. `bound`: the associated data
    of the request and of its responses.
    """

    def __init__(self, kid, partial_iv, request_nonce):
        self.bound = aad(kid, partial_iv)
        self.partial_iv = partial_iv
        self.nonce = request_nonce
        self.is_nonce_spent = False

    @property
    def number(self) -> int:
        return int.from_bytes(self.partial_iv, "big")


def protect_request(context, request, cipher, *, number, kid_context=None) -> tuple:
    """Protects a request; returns (Content, Exchange). `number` must be used once under this context (section 8.1).
    `kid_context`: the form in which to send the ID Context, which appendix B.2 wraps; None sends none."""
    pieces, options = pack(request)
    partial_iv = partial_iv_bytes(number)
    own_nonce = nonce(context, context.sender_id, partial_iv)
    exchange = Exchange(context.sender_id, partial_iv, own_nonce)
    header = Header(partial_iv, kid_context, context.sender_id)
    return _sealed(context, cipher, messages.POST, header, options, pieces, own_nonce, exchange), exchange


def header_of(message):
    """Returns the Header of a protected message; raises WireFault when it does not have exactly one sound OSCORE
    option."""
    values = messages.option_values(message.options, messages.OSCORE)
    if not values:
        raise WireFault("oscore-missing")
    if len(values) != 1 or not message.payload:
        raise WireFault("oscore-option")
    return decode_header(values[0])


def unprotect_request(context, request, cipher, *, window, kid_context=None, header=None) -> tuple:
    """Verifies a request that `context.recipient_id` sent; returns (Content, Exchange, Window after it) (section 8.2).
    `kid_context`: the form in which it may carry the ID Context, if not as the ID Context itself. `header`: its Header,
    where the caller has read it."""
    if header is None:
        header = header_of(request)
    if header.kid is None or header.partial_iv is None:
        raise WireFault("oscore-option")
    _check_peer(context, header, kid_context)
    peer_nonce = nonce(context, header.kid, header.partial_iv)
    exchange = Exchange(header.kid, header.partial_iv, peer_nonce)
    if not window_allows(window, exchange.number):
        raise WireFault("oscore-replay")
    content = _opened(context, cipher, request, peer_nonce, exchange)
    if content.code >> 5 != 0:
        raise WireFault("oscore-inner")
    return content, exchange, window_with(window, exchange.number)


def protect_response(context, response, cipher, exchange, *, number=None, kid_context=None):
    """Protects a response and returns its Content (section 8.3). `kid_context`: sent along, for appendix B.2.

    Without `number` it uses the request's nonce, which may serve one response.
    """
    pieces, options = pack(response)
    if number is None:
        assert not exchange.is_nonce_spent, "this response needs a number of its own"
        exchange.is_nonce_spent = True
        header = Header(None, kid_context, None)
        used = exchange.nonce
    else:
        header = Header(partial_iv_bytes(number), kid_context, None)
        used = nonce(context, context.sender_id, header.partial_iv)
    return _sealed(context, cipher, messages.CHANGED, header, options, pieces, used, exchange)


def unprotect_response(context, response, cipher, exchange, *, kid_context=None) -> Content:
    """Verifies the response to the request of `exchange` and returns its Content (section 8.4). `kid_context`: as for a
    request.

    An unprotected error raises "oscore-missing": it is only a hint, since any stranger may have sent it.
    """
    header = header_of(response)
    _check_peer(context, header, kid_context)
    used = exchange.nonce
    if header.partial_iv is not None:
        used = nonce(context, context.recipient_id, header.partial_iv)
    content = _opened(context, cipher, response, used, exchange)
    if content.code >> 5 not in (2, 4, 5):
        raise WireFault("oscore-inner")
    return content


def refusal(reason: str) -> Content:
    """Returns the unprotected error response for `reason`, never to be cached (section 8.2). A stranger gets no
    response."""
    code, diagnostic = _REFUSALS[reason]
    return Content(code, ((messages.MAX_AGE, b""),), diagnostic)


def _check_peer(context, header, kid_context):
    if header.kid is not None and header.kid != context.recipient_id:
        raise WireFault("oscore-context")
    expected = context.id_context if kid_context is None else kid_context
    if header.kid_context is not None and header.kid_context != expected:
        raise WireFault("oscore-context")


def _sealed(context, cipher, code, header, options, pieces, used_nonce, exchange):
    messages.insert_option(options, messages.OSCORE, encode_header(header))
    return Content(code, tuple(options), ccm.seal(cipher, context.sender_key, used_nonce, exchange.bound, pieces))


def _opened(context, cipher, message, used_nonce, exchange):
    plaintext = ccm.unseal(cipher, context.recipient_key, used_nonce, exchange.bound, message.payload)
    return unpack(plaintext, message.options)


# --- the OSCORE option: the compressed header (section 6.1) ----------------------------------------------------
# One header has one encoding: reserved bits, a Partial IV that is not the shortest and left-over bytes are refused.


def partial_iv_bytes(number: int) -> bytes:
    """Returns a Partial IV in the fewest bytes, one for zero (section 5.2)."""
    assert 0 <= number <= PARTIAL_IV_MAX
    size = 1
    while number >> 8 * size:
        size += 1
    return number.to_bytes(size, "big")


def encode_header(header: Header) -> bytes:
    """Returns the option's value; empty when all fields are None."""
    flags = 0
    value = b""
    if header.partial_iv is not None:
        assert 0 < len(header.partial_iv) <= PARTIAL_IV_BYTES_MAX
        flags = len(header.partial_iv)
        value = header.partial_iv
    if header.kid_context is not None:
        assert len(header.kid_context) <= KID_CONTEXT_BYTES_MAX
        flags |= _CONTEXT_FLAG
        value = value + bytes((len(header.kid_context),)) + header.kid_context
    if header.kid is not None:
        assert len(header.kid) <= ID_BYTES_MAX
        flags |= _KID_FLAG
        value = value + header.kid
    return bytes((flags,)) + value if flags else b""


def decode_header(value: bytes) -> Header:
    """Returns the Header of an option's value; raises WireFault("oscore-option")."""
    if not value:
        return Header(None, None, None)
    flags = value[0]
    size = flags & _PARTIAL_IV_BYTES
    if flags == 0 or flags & _RESERVED or size > PARTIAL_IV_BYTES_MAX or len(value) < 1 + size:
        raise WireFault("oscore-option")
    cursor = 1 + size
    partial_iv = value[1:cursor] if size else None
    if size > 1 and value[1] == 0:
        raise WireFault("oscore-option")
    kid_context = None
    if flags & _CONTEXT_FLAG:
        if len(value) == cursor:
            raise WireFault("oscore-option")
        end = cursor + 1 + value[cursor]
        if len(value) < end or value[cursor] > KID_CONTEXT_BYTES_MAX:
            raise WireFault("oscore-option")
        kid_context = value[cursor + 1 : end]
        cursor = end
    rest = value[cursor:]
    if not flags & _KID_FLAG:
        if rest:
            raise WireFault("oscore-option")
        return Header(partial_iv, kid_context, None)
    if len(rest) > ID_BYTES_MAX:
        raise WireFault("oscore-option")
    return Header(partial_iv, kid_context, rest)


# --- what is encrypted and what stays outside ------------------------------------------------------------------


def pack(content) -> tuple:
    """Returns (plaintext as a list of pieces, outer options) of a request or response; raises WireFault for an option
    that must not be protected this way. The payload is not copied: a node's heap is fullest when messages are made."""
    inner = []
    outer = []
    for number, value in content.options:
        if number in _UNSUITED:
            raise WireFault("oscore-unsuited")
        (outer if number in OUTER else inner).append((number, value))
    pieces = [bytes((content.code,)), messages.encode_options(inner)]
    if content.payload:
        pieces.append(messages.MARKER)
        pieces.extend(content.payload if isinstance(content.payload, list) else (content.payload,))
    size = _HEAD_BYTES - 1
    for piece in pieces:
        size += len(piece)
    if size > limits.COAP_UDP_DATAGRAM_BYTES_MAX:
        raise WireFault("too-long")
    return pieces, outer


def unpack(plaintext, outer_options) -> Content:
    """Returns the Content of a plaintext and the outer options; raises WireFault("oscore-inner") for a plaintext that
    is no message.

    The peer that the context names does not put an option of class U inside or one of class E outside: the first is
    refused, the second dropped (section 8.2 step 1, section 8.4 step 1).
    """
    options = None
    if plaintext and plaintext[0] != messages.EMPTY and plaintext[0] >> 5 in messages.CLASSES:
        try:
            options, payload = messages.decode_options(plaintext, 1)
        except WireFault:
            options = None
    if options is None:
        raise WireFault("oscore-inner")
    options = list(options)
    for number, _ in options:
        if number in OUTER:
            raise WireFault("oscore-inner")
    for number, value in outer_options:
        if number in OUTER and number != messages.OSCORE:
            messages.insert_option(options, number, value)
    if len(options) > limits.COAP_OPTIONS_MAX:
        raise WireFault("oscore-inner")
    return Content(plaintext[0], tuple(options), payload)


def vouched(content) -> Content:
    """Returns the Content without the outer options: a stranger may have added them, and we serve no proxy."""
    for number, _ in content.options:
        if number in OUTER:
            inner = tuple([option for option in content.options if option[0] not in OUTER])
            return Content(content.code, inner, content.payload)
    return content
