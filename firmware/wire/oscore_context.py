"""Derives security contexts of OSCORE (RFC 8613 section 3): keys by HKDF, replay windows, and how two peers agree on
new keys.

A Context never changes and its repr shows no key. The parts that change are separate: the replay window, which is data
(a Window goes in, another comes out), and our next number, which a Session has.

No security context outlives a restart, and none is ever copied or restored. Client and server each put a nonce into the
ID Context (appendix B.2), so that keys are new whichever end restarted, was replaced or came back from a backup; nonces
are never read from a disk:

    client  request 1    keys of ID1            kid context: ID1, wrapped
    server  response 1   keys of R2 || ID1      kid context: R2, wrapped; 4.01
    client  request 2    keys of R2 || R3       kid context: R2 || R3, wrapped, until one response is valid
    server  response 2   the same; from here on each knows that the other is present now

ID1 and R3 begin with the client's boot number, which flash never gives twice, and a count within the boot: they are new
without relying on a random source. R2 is random. The inputs and outputs of this module are secret: they are kept and
shown nowhere else.
"""

from collections import namedtuple
from hashlib import sha256

from wire import cbor, ccm
from wire.faults import WireFault

# Section 3.3: nonce length (13) - 6. A node has 2 or 3 bytes, a gateway 1 (ARCHITECTURE, section 4).
ID_BYTES_MAX = 7
# Two nonces of 8 bytes (appendix B.2); appendix C.3 uses 8.
ID_CONTEXT_BYTES_MAX = 16
# As sent: appendix B.2 wraps it in a CBOR byte string. The one byte of its length could be up to 255.
KID_CONTEXT_BYTES_MAX = ID_CONTEXT_BYTES_MAX + 1
# Section 5.2: five bytes of Partial IV.
PARTIAL_IV_BYTES_MAX = 5
PARTIAL_IV_MAX = (1 << 40) - 1

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

HASH_BYTES = 32
# RFC 5869 section 2.3: the block counter is one byte.
OUTPUT_BYTES_MAX = 255 * HASH_BYTES
_BLOCK_BYTES = 64  # of SHA-256, for HMAC (RFC 2104)

# Section 3.2.2's default, and one machine word. The sender may be this many messages ahead of the oldest still
# accepted.
WINDOW_BITS = 32

# highest: the highest Partial IV accepted, -1 before the first. seen: bit n is set when highest - n was
# accepted.
Window = namedtuple("Window", ("highest", "seen"))

# Only for a context that has just been derived and has never received anything.
NEW = Window(-1, 0)

_SEEN_MASK = (1 << WINDOW_BITS) - 1

NONCE_BYTES = 8
# RFC 8613 appendix B.2 leaves the length to the client; the nonce of an independent client must leave room for R2.
NONCE_BYTES_MAX = ID_CONTEXT_BYTES_MAX - NONCE_BYTES
# A node's own nonces within one boot: half a million handshakes, one every half minute for half a year. Then it asks no
# more until it is restarted: a count that began again would repeat nonces. The 12 bits below the count are random, for
# a board whose flash refuses writes or is erased, and whose boot numbers therefore may repeat.
NONCES_MAX = 0xFFFFF
CHANCE_BITS = 12
# The one sender id of every gateway (ARCHITECTURE, section 4: one byte); nodes have two or three.
GATEWAY_ID = b"G"
NODE_ID_BYTES = (2, 3)


# --- HKDF with SHA-256 (RFC 5869) -----------------------------------------------------------------------------


def hmac_sha256(key: bytes, data: bytes) -> bytes:
    """Returns the HMAC (RFC 2104) of `data`."""
    if len(key) > _BLOCK_BYTES:
        key = sha256(key).digest()
    key = key + bytes(_BLOCK_BYTES - len(key))
    inner = sha256(ccm.xor(key, b"\x36" * _BLOCK_BYTES))
    inner.update(data)
    outer = sha256(ccm.xor(key, b"\x5c" * _BLOCK_BYTES))
    outer.update(inner.digest())
    return outer.digest()


def hkdf_extract(salt: bytes, secret: bytes) -> bytes:
    """Returns the pseudo-random key (section 2.2). An empty salt equals one of zeros: HMAC pads it."""
    return hmac_sha256(salt, secret)


def hkdf_expand(key: bytes, info: bytes, length: int) -> bytes:
    """Returns `length` bytes for the use that `info` names (section 2.3)."""
    assert 0 < length <= OUTPUT_BYTES_MAX
    output = b""
    block = b""
    counter = 1
    while len(output) < length:
        block = hmac_sha256(key, block + info + bytes((counter,)))
        output += block
        counter += 1
    return output[:length]


# --- contexts -------------------------------------------------------------------------------------------------


class Context:
    """Holds the keys and ids that two peers share, from the side of one of them. Only `derive` makes it."""

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
    """Returns the Context for the peer that sends as `sender_id` (section 3.2.1). The two ids must differ (section
    3.3).

    A master secret serves one pair of peers: two nodes with the same secret would give their gateway one key twice.
    """
    assert MASTER_SECRET_BYTES_MIN <= len(master_secret) <= MASTER_BYTES_MAX, "master secret: 16 to 64 bytes"
    assert len(master_salt) <= MASTER_BYTES_MAX, "master salt: at most 64 bytes"
    assert len(sender_id) <= ID_BYTES_MAX and len(recipient_id) <= ID_BYTES_MAX, "ids: at most 7 bytes"
    assert sender_id != recipient_id, "sender and recipient must have different ids"
    assert id_context is None or len(id_context) <= ID_CONTEXT_BYTES_MAX, "ID Context: at most 16 bytes"
    key = hkdf_extract(master_salt, master_secret)
    return Context(
        sender_id,
        recipient_id,
        id_context,
        hkdf_expand(key, info(sender_id, id_context, "Key", ccm.KEY_BYTES), ccm.KEY_BYTES),
        hkdf_expand(key, info(recipient_id, id_context, "Key", ccm.KEY_BYTES), ccm.KEY_BYTES),
        hkdf_expand(key, info(b"", id_context, "IV", ccm.NONCE_BYTES), ccm.NONCE_BYTES),
    )


def info(identity, id_context, kind, length) -> bytes:
    """Returns the `info` array of section 3.2.1. As in `aad` every length is below 24; with the CBOR writer, six of
    these arrays took a third of the turn in which a node agrees on keys."""
    named = _NULL if id_context is None else bytes((_BYTES | len(id_context),)) + id_context
    head = bytes((_INFO_HEAD, _BYTES | len(identity))) + identity + named
    return head + bytes((_ALGORITHM, _TEXT | len(kind))) + kind.encode() + bytes((length,))


def nonce(context, identity, partial_iv) -> bytes:
    """Returns the AEAD nonce of message number `partial_iv` of the sender `identity` (section 5.2)."""
    plain = bytearray(ccm.NONCE_BYTES)
    plain[0] = len(identity)
    plain[1 + ID_BYTES_MAX - len(identity) : 1 + ID_BYTES_MAX] = identity
    plain[ccm.NONCE_BYTES - len(partial_iv) :] = partial_iv
    return ccm.xor(plain, context.common_iv)


def aad(request_kid, request_partial_iv) -> bytes:
    """Returns the associated data of a request and of every response to it (section 5.4).

    No option of class I is defined, so their place is empty. The CBOR writer is not used, since its buffers took a
    sixth of a message's heap: every length here is below 24, so a head is one byte.
    """
    assert len(request_kid) <= ID_BYTES_MAX and len(request_partial_iv) <= PARTIAL_IV_BYTES_MAX
    kid = bytes((_BYTES | len(request_kid),)) + request_kid
    partial_iv = bytes((_BYTES | len(request_partial_iv),)) + request_partial_iv
    external = _EXTERNAL_HEAD + kid + partial_iv + _NO_OPTIONS
    return _ENCRYPT0_HEAD + bytes((_BYTES | len(external),)) + external


# --- replay windows (sections 3.2.2 and 7.4) ------------------------------------------------------------------


def window_allows(window, number: int) -> bool:
    """Returns whether the Partial IV `number` may still be accepted."""
    if number > window.highest:
        return True
    age = window.highest - number
    return age < WINDOW_BITS and not window.seen >> age & 1


def window_with(window, number: int):
    """Returns the Window after the message `number`, whose tag was verified."""
    assert window_allows(window, number)
    ahead = number - window.highest
    if ahead <= 0:
        return Window(window.highest, window.seen | 1 << -ahead)
    if ahead >= WINDOW_BITS:
        return Window(number, 1)
    return Window(number, (window.seen << ahead | 1) & _SEEN_MASK)


# --- what a node and its gateway share (appendix B.2) ---------------------------------------------------------


class Pairing:
    """Holds the master secret and ids of a node and its gateway, from the side of one of them. Its repr shows no
    secret.

    master_secret: the node's 16 to 64 bytes, known only to it and its gateway. own_id, peer_id: OSCORE ids.
    """

    def __init__(self, master_secret, own_id, peer_id):
        self._master_secret = master_secret
        self.own_id = own_id
        self.peer_id = peer_id

    def __repr__(self):
        return f"Pairing(own_id={self.own_id!r}, peer_id={self.peer_id!r}, …)"

    def context(self, id_context):
        """Returns the Context with these nonces as its ID Context."""
        return derive(self._master_secret, sender_id=self.own_id, recipient_id=self.peer_id, id_context=id_context)


class Session:
    """Holds the keys that both peers have agreed on, our next number and the peer's window. It is only in RAM, by
    design."""

    def __init__(self, context):
        self.context = context
        self.kid_context = wrap(context.id_context)
        self.window = NEW
        self.number = 0

    def next_number(self) -> int:
        """Returns the number of the next message of ours that needs one."""
        number = self.number
        self.number = number + 1
        return number


def usual_kid(node: bytes) -> bytes:
    """Returns a node's default OSCORE id, from its node id: the byte that names the bench that minted it, and its last
    two bytes."""
    return node[4:5] + node[6:8]


def wrap(nonces: bytes) -> bytes:
    """Returns the nonces as a CBOR byte string, which is how appendix B.2 has them in the kid context."""
    return cbor.encode(nonces, ID_CONTEXT_BYTES_MAX + 1)


def unwrap(kid_context) -> bytes:
    """Returns the nonces of a kid context; raises WireFault("oscore-context") when it is no CBOR byte string."""
    try:
        nonces = cbor.decode(kid_context)
    except WireFault:
        nonces = None
    if not isinstance(nonces, bytes):
        raise WireFault("oscore-context")
    return nonces
