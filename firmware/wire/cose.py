"""Encodes and decodes signed messages: the part of COSE (RFC 9052) that policies, key sets and commands need, without
the mathematics.

COSE_Sign1 (section 4.2, tag 18) has one signature, COSE_Sign (section 4.1, tag 98) several. One form of each is
accepted: the tag is present, the payload is attached, the unprotected headers are empty, a signature is Ed25519 (EdDSA,
algorithm -8, RFC 9053 section 2.2) of 64 bytes, and its protected header is `{1: -8, 4: kid}` and nothing else. So a
message has one encoding, and no header travels unsigned. `external_aad` keeps the uses apart: bytes signed as a command
never verify as a policy.

The caller passes the functions that sign and verify, and decides which keys to trust. Bytes from a peer raise WireFault
and nothing else.
"""

from collections import namedtuple
from hashlib import sha256

from wire import cbor
from wire.faults import WireFault

# The payload and protected headers as bytes; `signatures`: a tuple of Signature, exactly one in a COSE_Sign1.
Signed = namedtuple("Signed", ("signatures", "payload", "protected"))
# protected: the signer's own header in a COSE_Sign; None in a COSE_Sign1, whose header is the message's.
Signature = namedtuple("Signature", ("kid", "signature", "protected"))

POLICY_AAD = b"bocage policy"
COMMAND_AAD = b"bocage command"
KEYS_AAD = b"bocage keys"
IMAGE_AAD = b"bocage image"
RECEIPT_AAD = b"bocage receipt"

SIGN1_FIRST_BYTE = 0xD2
_SIGN1_TAG = b"\xd2"
_SIGN_TAG = b"\xd8\x62"
_ALGORITHM = 1
_KID = 4
_EDDSA = -8

KID_BYTES = 8
PUBLIC_KEY_BYTES = 32
SIGNATURE_BYTES = 64
# No more people than this sign one key set.
SIGNATURES_MAX = 8
# What tag, headers, heads and the signature add to the longest payload, rounded up from 87 bytes.
SIGN1_OVERHEAD_BYTES = 96
# One signature of several, rounded up from 83 bytes; and what precedes the signatures.
SIGNER_BYTES = 96
SIGN_HEAD_BYTES = 16
_HEADER_BYTES_MAX = 64

_FIELD = (1 << 255) - 19
_Y_MASK = (1 << 255) - 1
_ORDER_8 = 0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826
# y of the points whose order divides 8. Under such a key (all zeros is one) anyone can make signatures that verify, and
# RFC 8032 section 5.1.7 accepts them. `tests/wire/test_cose.py` derives them from the curve.
_SMALL_ORDER = (0, 1, _ORDER_8, _FIELD - _ORDER_8, _FIELD - 1)
# The first 8 bytes of the public keys of all Ed25519 vectors of RFC 8032 (sections 7.1 to 7.3): their private keys are
# printed there, and examples are copied. The sign is in the last byte, so that a negated key is found as well. One
# constant, for a chip keeps each in a block of its own. `tests/vectors/published_keys.txt` has the private keys.
_PUBLISHED_BYTES = 8
_PUBLISHED = (
    b"\xd7\x5a\x98\x01\x82\xb1\x0a\xb7"
    b"\x3d\x40\x17\xc3\xe8\x43\x89\x5a"
    b"\xfc\x51\xcd\x8e\x62\x18\xa1\xa3"
    b"\x27\x81\x17\xfc\x14\x4c\x72\x34"
    b"\xec\x17\x2b\x93\xad\x5e\x56\x3b"
    b"\xdf\xc9\x42\x5e\x4f\x96\x8f\x7f"
    b"\x0f\x1d\x12\x74\x94\x3b\x91\x41"
)
_DEPTH_MAX = 4  # message > signatures > signature > header


def kid_of(public_key) -> bytes:
    """Returns the short name of a public key: the first 8 bytes of its SHA-256. It finds a key; it proves nothing."""
    return sha256(public_key).digest()[:KID_BYTES]


def is_sound_key(public_key) -> bool:
    """Returns False for bytes that are no Ed25519 public key, and for a key under which a signature proves nothing:
    one of small order, or one whose private key is published."""
    if not isinstance(public_key, bytes) or len(public_key) != PUBLIC_KEY_BYTES:
        return False
    y = int.from_bytes(public_key, "little") & _Y_MASK
    if y >= _FIELD or y in _SMALL_ORDER:
        return False
    return _PUBLISHED.find(public_key[:_PUBLISHED_BYTES]) % _PUBLISHED_BYTES != 0


def sign1_decode(data, *, bytes_max) -> Signed:
    """Returns the `Signed` of a COSE_Sign1 of at most `bytes_max` bytes, not verified; raises WireFault otherwise."""
    fields = _content(data, _SIGN1_TAG, bytes_max)
    protected, unprotected, payload, signature = fields
    if not isinstance(protected, bytes):
        raise WireFault("cose-form")
    return Signed((_signature(protected, unprotected, signature, None),), payload, protected)


def sign_decode(data, *, bytes_max) -> Signed:
    """Returns the `Signed` of a COSE_Sign of at most `bytes_max` bytes, not verified; raises WireFault otherwise.

    Two signatures with one kid are refused: no key counts twice.
    """
    protected, unprotected, payload, signers = _content(data, _SIGN_TAG, bytes_max)
    if protected != b"":
        raise WireFault("cose-header")
    _check_unprotected(unprotected)
    if not isinstance(signers, list) or not 0 < len(signers) <= SIGNATURES_MAX:
        raise WireFault("cose-signatures")
    signatures = []
    for fields in signers:
        if not isinstance(fields, list) or len(fields) != 3 or not isinstance(fields[0], bytes):
            raise WireFault("cose-form")
        signatures.append(_signature(fields[0], fields[1], fields[2], fields[0]))
    if len({one.kid for one in signatures}) != len(signatures):
        raise WireFault("cose-signatures")
    return Signed(tuple(signatures), payload, b"")


def to_be_signed(message: Signed, external_aad: bytes, index: int = 0) -> bytes:
    """Returns the bytes that the signature number `index` covers (Sig_structure, RFC 9052 section 4.4)."""
    signer = message.signatures[index].protected
    if signer is None:
        return _sign1_structure(message.protected, external_aad, message.payload)
    return _sign_structure(message.protected, signer, external_aad, message.payload)


def sign1_encode(payload: bytes, kid: bytes, external_aad: bytes, sign) -> bytes:
    """Returns a COSE_Sign1 of `payload`. `sign(bytes)` returns the 64-byte signature of the key whose short name is
    `kid`."""
    protected = _header(kid)
    signature = _signed(sign, _sign1_structure(protected, external_aad, payload))
    bytes_max = len(payload) + SIGN1_OVERHEAD_BYTES
    return _SIGN1_TAG + cbor.encode([protected, {}, payload, signature], bytes_max)


def sign_encode(payload: bytes, signers, external_aad: bytes) -> bytes:
    """Returns a COSE_Sign of `payload`. `signers`: (kid, sign) of each, in the order of the message."""
    signatures = []
    for kid, sign in signers:
        signatures.append(_new_signature(payload, kid, external_aad, sign))
    return _sign_message(payload, signatures)


def sign_append(message: Signed, kid: bytes, external_aad: bytes, sign) -> bytes:
    """Returns the COSE_Sign `message` with one more signature after the others: people sign one after the other."""
    assert all(one.kid != kid for one in message.signatures)
    more = _new_signature(message.payload, kid, external_aad, sign)
    return _sign_message(message.payload, list(message.signatures) + [more])


def _new_signature(payload, kid, external_aad, sign):
    protected = _header(kid)
    return Signature(kid, _signed(sign, _sign_structure(b"", protected, external_aad, payload)), protected)


def _sign_message(payload, signatures):
    assert 0 < len(signatures) <= SIGNATURES_MAX
    bytes_max = len(payload) + SIGN_HEAD_BYTES + SIGNER_BYTES * len(signatures)
    signers = [[one.protected, {}, one.signature] for one in signatures]
    return _SIGN_TAG + cbor.encode([b"", {}, payload, signers], bytes_max)


def _content(data, tag, bytes_max):
    """Returns the four fields after the tag; the payload is checked to be bytes."""
    if len(data) > bytes_max:
        raise WireFault("too-long")
    if bytes(data[: len(tag)]) != tag:
        raise WireFault("cose-tag")
    fields = cbor.decode(data[len(tag) :], bytes_max=bytes_max, depth_max=_DEPTH_MAX)
    if not isinstance(fields, list) or len(fields) != 4:
        raise WireFault("cose-form")
    if not isinstance(fields[2], bytes):
        raise WireFault("cose-payload")
    return fields


def _signature(header, unprotected, signature, protected):
    _check_unprotected(unprotected)
    if not isinstance(signature, bytes) or len(signature) != SIGNATURE_BYTES:
        raise WireFault("cose-signature")
    return Signature(_kid_in(header), signature, protected)


def _check_unprotected(unprotected):
    if not isinstance(unprotected, dict) or unprotected:
        raise WireFault("cose-header")


def _kid_in(header):
    """Returns the kid of a protected header. A further header, `crit` included, means a form that we do not read."""
    fields = cbor.decode(header, bytes_max=_HEADER_BYTES_MAX, depth_max=2)
    if not isinstance(fields, dict) or fields.get(_ALGORITHM) != _EDDSA:
        raise WireFault("cose-algorithm")
    kid = fields.get(_KID)
    if not isinstance(kid, bytes) or len(kid) != KID_BYTES:
        raise WireFault("cose-kid")
    if len(fields) != 2:
        raise WireFault("cose-header")
    return kid


def _header(kid):
    assert len(kid) == KID_BYTES
    return cbor.encode({_ALGORITHM: _EDDSA, _KID: kid}, _HEADER_BYTES_MAX)


def _signed(sign, data):
    signature = sign(data)
    assert len(signature) == SIGNATURE_BYTES
    return signature


def _sign1_structure(protected, external_aad, payload):
    return _structure(["Signature1", protected, external_aad, payload])


def _sign_structure(protected, signer, external_aad, payload):
    return _structure(["Signature", protected, signer, external_aad, payload])


def _structure(fields):
    bytes_max = 64  # words and heads
    for field in fields[1:]:
        bytes_max += len(field)
    return cbor.encode(fields, bytes_max)
