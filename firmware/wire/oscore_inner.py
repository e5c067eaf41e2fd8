"""What OSCORE encrypts of a message and what stays outside (RFC 8613 sections 4.1, 4.2 and 5.3).

Class E (in the plaintext): everything but the few options that a proxy must read, which are class U. No
option of class I is defined. Options that RFC 8613 figure 5 lists as both E and U (Max-Age, Block1 and 2,
Size1 and 2, No-Response) speak between the two ends here and so are class E; one of them found outside
counts for nothing. Must not know keys.
"""

from collections import namedtuple

from wire import coap_message as messages
from wire import limits
from wire.faults import WireFault

# The part of a message that OSCORE sees. A `Message`, and the Request and Response of `wire.coap`, have
# these too. `payload` of what is packed may be a list of bytes that make it together.
Content = namedtuple("Content", ("code", "options", "payload"))

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


# The `handled_options` of an endpoint that speaks OSCORE alone. What stands outside is dropped unseen (section 8.2
# step 1), so a critical option there is no reason for a word: a stranger who puts one would get it.
ANY_OUTSIDE = None

# What may stand before and behind the inner code in a plaintext of its own: a CoAP header without a token.
_HEAD_BYTES = 4
_NO_ID = 0


def pack(content) -> tuple:
    """(plaintext as a list of pieces, outer options) of a request or response; WireFault for what must not be
    protected so. The payload is in it as it came: where messages are made a node's heap is fullest."""
    inner = []
    outer = []
    for number, value in content.options:
        # Proxy-Uri would show the path (section 4.1.3.3); observation (section 4.1.3.5) is not used.
        if number in (messages.PROXY_URI, messages.OSCORE, OBSERVE):
            raise WireFault("oscore-unsuited")
        (outer if number in OUTER else inner).append((number, value))
    message = messages.Message(messages.CON, content.code, _NO_ID, b"", inner, b"")
    encoded = messages.encode(message, limits.COAP_UDP_DATAGRAM_BYTES_MAX)
    if isinstance(encoded, messages.Fault):
        raise WireFault(encoded.reason)
    pieces = [encoded[1:2], encoded[_HEAD_BYTES:]]
    if content.payload:
        pieces.append(messages.MARKER)
        pieces.extend(content.payload if isinstance(content.payload, list) else (content.payload,))
    if _HEAD_BYTES - 1 + sum([len(piece) for piece in pieces]) > limits.COAP_UDP_DATAGRAM_BYTES_MAX:
        raise WireFault("too-long")
    return pieces, outer


def unpack(plaintext, outer_options) -> Content:
    """The Content that both ends mean. Raises WireFault("oscore-inner") for a plaintext that is no message.

    An option of class U inside, or one of class E outside, was put there by nobody whom the context names:
    the first is refused, the second dropped (section 8.2 step 1, section 8.4 step 1).
    """
    if not plaintext:
        raise WireFault("oscore-inner")
    datagram = bytes((messages.CON | 0x40, plaintext[0], 0, 0)) + plaintext[1:]
    message = messages.decode(datagram, _HEAD_BYTES + len(plaintext))
    if isinstance(message, messages.Fault) or message.code == messages.EMPTY:
        raise WireFault("oscore-inner")
    options = list(message.options)
    for number, _ in options:
        if number in OUTER:
            raise WireFault("oscore-inner")
    for number, value in outer_options:
        if number in OUTER and number != messages.OSCORE:
            messages.insert_option(options, number, value)
    if len(options) > limits.COAP_OPTIONS_MAX:
        raise WireFault("oscore-inner")
    return Content(message.code, tuple(options), message.payload)


def vouched(content) -> Content:
    """The same without what stood outside: anybody may have put that there, and we serve no proxy."""
    inner = tuple([option for option in content.options if option[0] not in OUTER])
    return Content(content.code, inner, content.payload)
