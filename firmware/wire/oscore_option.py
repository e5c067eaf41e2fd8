"""The OSCORE option (RFC 8613 section 6.1): the compressed header of a protected message.

Must not know keys or contexts. One header has one encoding: reserved bits, a Partial IV that is not the
shortest and bytes that belong to nothing are refused with WireFault("oscore-option").
"""

from collections import namedtuple

from wire.faults import WireFault

# Section 3.3: nonce length (13) - 6. A node has 2 or 3 bytes, a gateway 1 (ARCHITECTURE, section 4).
ID_BYTES_MAX = 7
# Two nonces of 8 bytes (appendix B.2); appendix C.3 uses 8.
ID_CONTEXT_BYTES_MAX = 16
# As it travels: appendix B.2 wraps it in a CBOR byte string. One byte of length could say 255.
KID_CONTEXT_BYTES_MAX = ID_CONTEXT_BYTES_MAX + 1
# Section 5.2: five bytes of Partial IV.
PARTIAL_IV_BYTES_MAX = 5
PARTIAL_IV_MAX = (1 << 40) - 1

_CONTEXT_FLAG = 0x10
_KID_FLAG = 0x08
_PARTIAL_IV_BYTES = 0x07
_RESERVED = 0xE0

# Each is bytes, or None when it is not sent; an empty kid is one.
Header = namedtuple("Header", ("partial_iv", "kid_context", "kid"))


def partial_iv_bytes(number: int) -> bytes:
    """A Partial IV in the fewest bytes, one for zero (section 5.2)."""
    assert 0 <= number <= PARTIAL_IV_MAX
    size = 1
    while number >> 8 * size:
        size += 1
    return number.to_bytes(size, "big")


def encode(header: Header) -> bytes:
    """The option's value; empty when there is nothing to say."""
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


def decode(value: bytes) -> Header:
    """The Header that `value` says."""
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
