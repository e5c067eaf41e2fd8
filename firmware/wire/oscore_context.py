"""Security contexts of OSCORE (RFC 8613 section 3): keys, common IV, nonces and associated data.

A Context never changes and its keys show in no repr. What does change is apart: the sender's sequence
(`oscore_sequence`) and the replay window (`oscore_window`). No context is ever copied or restored: the ID
Context names peer and generation, and whoever replaces a peer gets another one.
"""

from wire import ccm, hkdf
from wire.oscore_option import ID_BYTES_MAX, ID_CONTEXT_BYTES_MAX, PARTIAL_IV_BYTES_MAX

MASTER_SECRET_BYTES_MIN = 16
MASTER_BYTES_MAX = 64
_VERSION = 1
_ALGORITHM = 10  # AES-CCM-16-64-128 (RFC 9053 section 4.2)
# CBOR: [id, ID Context or null, 10, text, length]; and [1, [10], request kid, request Partial IV, options of class I]
# inside ["Encrypt0", h'', …].
_BYTES = 0x40
_TEXT = 0x60
_NULL = b"\xf6"
_INFO_HEAD = 0x85
_EXTERNAL_HEAD = bytes((0x85, _VERSION, 0x81, _ALGORITHM))
_NO_OPTIONS = b"\x40"
_ENCRYPT0_HEAD = b"\x83\x68Encrypt0\x40"


class Context:
    """What two peers share, as one of them sees it. Made by `derive` alone."""

    def __init__(self, sender_id, recipient_id, id_context, sender_key, recipient_key, common_iv):
        self.sender_id = sender_id
        self.recipient_id = recipient_id
        self.id_context = id_context
        self.sender_key = sender_key
        self.recipient_key = recipient_key
        self.common_iv = common_iv

    def __repr__(self):
        return f"Context(sender_id={self.sender_id!r}, recipient_id={self.recipient_id!r}, …)"


def derive(master_secret, *, master_salt=b"", sender_id, recipient_id, id_context=None) -> Context:
    """The Context of the peer that sends as `sender_id` (section 3.2.1). The two ids must differ (section
    3.3).

    A master secret serves one pair of peers: two nodes with the same would give their gateway one key twice.
    """
    assert MASTER_SECRET_BYTES_MIN <= len(master_secret) <= MASTER_BYTES_MAX, "master secret: 16 to 64 bytes"
    assert len(master_salt) <= MASTER_BYTES_MAX, "master salt: at most 64 bytes"
    assert len(sender_id) <= ID_BYTES_MAX and len(recipient_id) <= ID_BYTES_MAX, "ids: at most 7 bytes"
    assert sender_id != recipient_id, "sender and recipient must have different ids"
    assert id_context is None or len(id_context) <= ID_CONTEXT_BYTES_MAX, "ID Context: at most 16 bytes"
    key = hkdf.extract(master_salt, master_secret)
    return Context(
        sender_id,
        recipient_id,
        id_context,
        hkdf.expand(key, info(sender_id, id_context, "Key", ccm.KEY_BYTES), ccm.KEY_BYTES),
        hkdf.expand(key, info(recipient_id, id_context, "Key", ccm.KEY_BYTES), ccm.KEY_BYTES),
        hkdf.expand(key, info(b"", id_context, "IV", ccm.NONCE_BYTES), ccm.NONCE_BYTES),
    )


def info(identity, id_context, kind, length) -> bytes:
    """The `info` array of section 3.2.1. As in `aad` every length is below 24; six of these by the CBOR writer took a
    third of the turn in which a node agrees on keys."""
    named = _NULL if id_context is None else bytes((_BYTES | len(id_context),)) + id_context
    head = bytes((_INFO_HEAD, _BYTES | len(identity))) + identity + named
    return head + bytes((_ALGORITHM, _TEXT | len(kind))) + kind.encode() + bytes((length,))


def nonce(context, identity, partial_iv) -> bytes:
    """The AEAD nonce of the message that `identity` numbered `partial_iv` (section 5.2)."""
    plain = bytearray(ccm.NONCE_BYTES)
    plain[0] = len(identity)
    plain[1 + ID_BYTES_MAX - len(identity) : 1 + ID_BYTES_MAX] = identity
    plain[ccm.NONCE_BYTES - len(partial_iv) :] = partial_iv
    for index in range(ccm.NONCE_BYTES):
        plain[index] ^= context.common_iv[index]
    return bytes(plain)


def aad(request_kid, request_partial_iv) -> bytes:
    """The associated data of a request and of every response to it (section 5.4).

    No option of class I is defined, so their place is empty. Written without the CBOR writer, whose buffers
    took a sixth of a message's heap: every length here is below 24, so a head is one byte.
    """
    assert len(request_kid) <= ID_BYTES_MAX and len(request_partial_iv) <= PARTIAL_IV_BYTES_MAX
    kid = bytes((_BYTES | len(request_kid),)) + request_kid
    partial_iv = bytes((_BYTES | len(request_partial_iv),)) + request_partial_iv
    external = _EXTERNAL_HEAD + kid + partial_iv + _NO_OPTIONS
    return _ENCRYPT0_HEAD + bytes((_BYTES | len(external),)) + external
