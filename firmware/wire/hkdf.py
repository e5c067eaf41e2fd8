"""HKDF with SHA-256 (RFC 5869) on `hashlib`: keys from a master secret.

Must keep nothing and show nothing: what goes in and comes out is secret.
"""

from hashlib import sha256

from wire.ccm import xor

HASH_BYTES = 32
# RFC 5869 section 2.3: the block counter is one byte.
OUTPUT_BYTES_MAX = 255 * HASH_BYTES
_BLOCK_BYTES = 64  # of SHA-256, for HMAC (RFC 2104)


def hmac_sha256(key: bytes, data: bytes) -> bytes:
    """HMAC (RFC 2104) of `data`."""
    if len(key) > _BLOCK_BYTES:
        key = sha256(key).digest()
    key = key + bytes(_BLOCK_BYTES - len(key))
    inner = sha256(xor(key, b"\x36" * _BLOCK_BYTES))
    inner.update(data)
    outer = sha256(xor(key, b"\x5c" * _BLOCK_BYTES))
    outer.update(inner.digest())
    return outer.digest()


def extract(salt: bytes, secret: bytes) -> bytes:
    """The pseudo-random key (section 2.2). An empty salt is one of zeros: HMAC pads it."""
    return hmac_sha256(salt, secret)


def expand(key: bytes, info: bytes, length: int) -> bytes:
    """`length` bytes for the use that `info` names (section 2.3)."""
    assert 0 < length <= OUTPUT_BYTES_MAX
    output = b""
    block = b""
    counter = 1
    while len(output) < length:
        block = hmac_sha256(key, block + info + bytes((counter,)))
        output += block
        counter += 1
    return output[:length]
