"""Encodes and decodes CoAP messages (RFC 7252 section 3), bounded, for both ends of every bearer.

This module handles one datagram at a time. It must not know exchanges, peers, time or what a request means; `wire.coap`
does. A malformed datagram is a returned `Fault`, never an exception, and the fault still carries type and message id
when the first four bytes were readable, because a malformed confirmable message may be rejected (section 4.2).
"""

from collections import namedtuple

from wire import limits
from wire.faults import WireFault

# Types (section 3).
CON = 0
NON = 1
ACK = 2
RST = 3

# Codes: class << 5 | detail (section 12.1). 0.00 is a message without request or response.
EMPTY = 0x00
GET = 0x01
POST = 0x02
PUT = 0x03
DELETE = 0x04
FETCH = 0x05  # RFC 8132
VALID = 0x43
CHANGED = 0x44
CONTENT = 0x45
CONTINUE = 0x5F  # RFC 7959
BAD_REQUEST = 0x80
UNAUTHORIZED = 0x81
BAD_OPTION = 0x82
FORBIDDEN = 0x83
NOT_FOUND = 0x84
METHOD_NOT_ALLOWED = 0x85
INCOMPLETE = 0x88  # RFC 7959
REQUEST_TOO_LARGE = 0x8D
INTERNAL_ERROR = 0xA0
UNAVAILABLE = 0xA3
PROXYING_NOT_SUPPORTED = 0xA5

# The first three bits of a code: a request, or a response: success, client error, server error.
CLASSES = (0, 2, 4, 5)

# Option numbers (section 5.10). An odd number is critical: an end that does not understand it must not act.
URI_HOST = 3
ETAG = 4
URI_PORT = 7
OSCORE = 9  # RFC 8613
URI_PATH = 11
CONTENT_FORMAT = 12
MAX_AGE = 14
URI_QUERY = 15
ACCEPT = 17
BLOCK2 = 23  # RFC 7959
BLOCK1 = 27
SIZE2 = 28
PROXY_URI = 35
PROXY_SCHEME = 39
SIZE1 = 60
ECHO = 252  # RFC 9175

# (number, shortest value, longest value, may be repeated): what `wire.coap` understands by itself. A value out of its
# bounds, or a second one of an option that may not be repeated, counts as an option that is not understood (sections
# 5.4.3, 5.4.5).
_UNDERSTOOD = (
    (URI_HOST, 1, 255, False),  # we serve one name on one port: accepted, without effect
    (URI_PORT, 0, 2, False),
    (URI_PATH, 0, 255, True),
    (CONTENT_FORMAT, 0, 2, False),
    (URI_QUERY, 0, 255, True),
    (ACCEPT, 0, 2, False),  # the application answers 4.06
    (ECHO, 1, 40, False),
)

_HEADER_BYTES = 4
_VERSION = 1
_TOKEN_BYTES_MAX = 8
_MARKER = 0xFF
MARKER = b"\xff"  # the same as bytes, to put before a payload
# Sections 3 and 3.1: a nibble of 13 adds one byte and 13, a nibble of 14 adds two bytes and 269, 15 is
# reserved.
_ONE_BYTE = 13
_TWO_BYTES = 14
_TWO_BYTES_BASE = 269
_OPTION_NUMBER_MAX = 0xFFFF

# type: one of CON, NON, ACK, RST. code, message_id: integers. token, payload: bytes. options: ((number,
# bytes), …) in ascending order of number.
Message = namedtuple("Message", ("type", "code", "message_id", "token", "options", "payload"))
# The content of a message, without type, id and token; a Message has these fields too, as have the Request and Response
# of `wire.coap`. The `payload` of a message to be sent under OSCORE may be a list of bytes to be joined.
Content = namedtuple("Content", ("code", "options", "payload"))
# reason: one of REASONS. type, message_id: as above, or None when they could not be read.
Fault = namedtuple("Fault", ("reason", "type", "message_id"))

REASONS = (
    "too-short",  # no whole header, or the token is cut
    "too-long",  # longer than a datagram of the bearer
    "version",  # section 3: must be silently ignored
    "token-length",
    "reserved-code",
    "empty-with-content",  # section 4.1: an empty message ends after its id
    "type-and-code",  # table 1: for instance a request inside an acknowledgement
    "option-nibble",
    "option-cut",
    "option-number",
    "option-length",
    "options-count",
    "empty-payload",  # section 3: a marker must be followed by at least one byte
)


def decode(datagram, datagram_max=limits.DATAGRAM_BYTES_MAX):
    """Returns `datagram` (bytes) as a Message, or a Fault. No bytes raise; no reference to `datagram` is kept."""
    if len(datagram) < _HEADER_BYTES:
        return Fault("too-short", None, None)
    if datagram[0] >> 6 != _VERSION:
        return Fault("version", None, None)
    kind = datagram[0] >> 4 & 3
    message_id = datagram[2] << 8 | datagram[3]
    try:
        if len(datagram) > datagram_max:
            raise WireFault("too-long")
        start = _HEADER_BYTES + _checked_token_length(datagram, kind)
        options, payload = decode_options(datagram, start)
    except WireFault as fault:
        return Fault(fault.reason, kind, message_id)
    return Message(kind, datagram[1], message_id, datagram[_HEADER_BYTES:start], options, payload)


def _checked_token_length(datagram, kind):
    """Returns the token length of the header, once type and code are a pair of table 1."""
    token_length = datagram[0] & 15
    code = datagram[1]
    if token_length > _TOKEN_BYTES_MAX:
        raise WireFault("token-length")
    if code == EMPTY:
        if len(datagram) > _HEADER_BYTES or token_length:
            raise WireFault("empty-with-content")
        if kind == NON:
            raise WireFault("type-and-code")
        return 0
    if code >> 5 not in CLASSES:
        raise WireFault("reserved-code")
    if kind == RST or (kind == ACK and code >> 5 == 0):
        raise WireFault("type-and-code")
    if len(datagram) < _HEADER_BYTES + token_length:
        raise WireFault("too-short")
    return token_length


def decode_options(datagram, cursor):
    """Returns the options from `cursor` on, and the payload behind them (empty when there is none); raises
    WireFault."""
    options = []
    number = 0
    size = len(datagram)
    while cursor < size:
        head = datagram[cursor]
        cursor += 1
        if head == _MARKER:
            if cursor == size:
                raise WireFault("empty-payload")
            return tuple(options), datagram[cursor:]
        delta, length = head >> 4, head & 15
        if delta >= _ONE_BYTE:
            delta = _extended(datagram, cursor, delta)
            cursor += _extension_bytes(delta)
        if length >= _ONE_BYTE:
            length = _extended(datagram, cursor, length)
            cursor += _extension_bytes(length)
        number += delta
        if number > _OPTION_NUMBER_MAX:
            raise WireFault("option-number")
        if length > limits.COAP_OPTION_BYTES_MAX:
            raise WireFault("option-length")
        if cursor + length > size:
            raise WireFault("option-cut")
        if len(options) == limits.COAP_OPTIONS_MAX:
            raise WireFault("options-count")
        options.append((number, datagram[cursor : cursor + length]))
        cursor += length
    return tuple(options), b""


def _extended(datagram, cursor, nibble):
    if nibble > _TWO_BYTES:
        raise WireFault("option-nibble")
    if cursor + nibble - _ONE_BYTE >= len(datagram):
        raise WireFault("option-cut")
    if nibble == _ONE_BYTE:
        return datagram[cursor] + _ONE_BYTE
    return (datagram[cursor] << 8 | datagram[cursor + 1]) + _TWO_BYTES_BASE


def _extension_bytes(value):
    return 1 if value < _TWO_BYTES_BASE else 2


def encode(message, datagram_max=limits.DATAGRAM_BYTES_MAX):
    """Returns `message` as bytes, or Fault("too-long") if it does not fit. Fields out of their domain are our bug:
    asserted."""
    kind, code, message_id, token, options, payload = message
    assert len(token) <= _TOKEN_BYTES_MAX and kind in (CON, NON, ACK, RST)
    out = bytearray((_VERSION << 6 | kind << 4 | len(token), code, message_id >> 8, message_id & 0xFF))
    out += token
    _add_encoded(out, options)
    if len(out) + (1 + len(payload) if payload else 0) > datagram_max:
        return Fault("too-long", kind, message_id)
    # No second buffer of the whole size: most messages of a node are made when its heap is fullest.
    return b"".join((bytes(out), MARKER, payload)) if payload else bytes(out)


def encode_options(options):
    """Returns options as bytes, without what stands around them in a message."""
    out = bytearray()
    _add_encoded(out, options)
    return bytes(out)


def _add_encoded(out, options):
    previous = 0
    for number, value in options:
        assert previous <= number <= _OPTION_NUMBER_MAX, "options must ascend"
        delta, length = number - previous, len(value)
        if delta < _ONE_BYTE and length < _ONE_BYTE:
            out.append(delta << 4 | length)
        else:
            out.append(_nibble(delta) << 4 | _nibble(length))
            out += _extension(delta) + _extension(length)
        out += value
        previous = number


def _nibble(value):
    """Returns the value itself, or 13 or 14 by the number of its extension bytes."""
    return value if value < _ONE_BYTE else _ONE_BYTE - 1 + _extension_bytes(value)


def _extension(value):
    if value < _ONE_BYTE:
        return b""
    base = _ONE_BYTE if value < _TWO_BYTES_BASE else _TWO_BYTES_BASE
    return (value - base).to_bytes(_extension_bytes(value), "big")


def empty(kind, message_id):
    """Returns the four bytes of an empty message: an acknowledgement (ACK), a rejection (RST) or a ping (CON)."""
    return bytes((_VERSION << 6 | kind << 4, EMPTY, message_id >> 8, message_id & 0xFF))


def insert_option(options, number, value):
    """Inserts one option into a list in ascending order, after those of the same number."""
    place = len(options)
    while place and options[place - 1][0] > number:
        place -= 1
    options.insert(place, (number, value))


def add_options(chosen, content_format, options):
    """Inserts the Content-Format and the options into `chosen`, a list of (number, value) in ascending order."""
    if content_format is not None:
        insert_option(chosen, CONTENT_FORMAT, uint_bytes(content_format))
    for number, value in options:
        insert_option(chosen, number, value)


def uint_bytes(value):
    """Returns a non-negative integer in the fewest bytes, none for zero (section 3.2)."""
    size = 0
    rest = value
    while rest:
        size += 1
        rest >>= 8
    return value.to_bytes(size, "big")


def option_values(options, number):
    """Returns the values of every option of this number, in order."""
    values = ()
    for found, value in options:
        if found == number:
            values += (value,)
    return values


def content_format(options):
    """Returns the Content-Format (section 5.10.3), or None: it is elective, so an invalid one counts as absent."""
    for number, value in options:
        if number == CONTENT_FORMAT:
            return int.from_bytes(value, "big") if len(value) <= 2 else None
    return None


def refused_option(options, handled=()):
    """Returns the first critical option that forbids acting on the message, or None (section 5.4.1).

    `handled`: the numbers that a layer above handles, with any value (OSCORE, Block); None: all numbers.
    """
    if handled is None:
        return None
    previous = -1
    for number, value in options:
        if number & 1 and number not in handled:
            bounds = [bounds for bounds in _UNDERSTOOD if bounds[0] == number]
            if not bounds or not bounds[0][1] <= len(value) <= bounds[0][2]:
                return number
            if number == previous and not bounds[0][3]:
                return number
        previous = number
    return None
