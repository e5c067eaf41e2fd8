"""Encrypts and decrypts by AES-CCM-16-64-128 (RFC 3610 with M = 8, L = 2; RFC 9053 section 4.2): 16-byte keys, 13-byte
nonces, 8-byte tags.

The caller passes the cipher, an object that holds no key, with two methods:

    seal(key, nonce, aad, pieces)    ciphertext and tag of the joined pieces
    unseal(key, nonce, aad, sealed)  the plaintext, or WireFault("decrypt"): nothing before the tag is verified

CPython has the whole of it in C (`gateway.io.crypto`); MicroPython's `cryptolib` has only blocks, and `CryptolibCipher`
makes the rest. A message of any length costs it two calls of C: one CBC run is the authentication, one ECB run over
prepared counters is the key stream. Python only XORs, piece by piece, and both runs share one buffer, since a node has
no heap for many copies of a message. There is no AES in Python: it would leak its key by its timing.
"""

from wire.faults import WireFault

KEY_BYTES = 16
NONCE_BYTES = 13
TAG_BYTES = 8
# Both lengths are written in two bytes (RFC 3610 section 2.2: larger associated data is coded otherwise).
PLAINTEXT_BYTES_MAX = 0xFFFF
AAD_BYTES_MAX = 0xFEFF

_BLOCK_BYTES = 16
_PIECE_BYTES = 64
_LENGTH_FLAGS = 1  # L - 1
_FLAGS = (TAG_BYTES - 2) // 2 << 3 | _LENGTH_FLAGS
_HAS_AAD = 0x40
_ECB = 1  # `cryptolib`'s numbers of its modes
_CBC = 2


class CryptolibCipher:
    """Makes the cipher above of `cryptolib.aes`, which the shell imports and passes in. It holds no key."""

    def __init__(self, aes):
        self._aes = aes

    def seal(self, key, nonce, aad, pieces):
        length = sum([len(piece) for piece in pieces])
        room = _room(len(aad), length)
        mac = self._mac(key, nonce, aad, pieces, length, room)
        stream = self._stream(key, nonce, length + TAG_BYTES, room)
        hidden = xor(mac, stream)
        _xor_into(stream, pieces)
        end = _BLOCK_BYTES + length
        stream[end : end + TAG_BYTES] = hidden
        return bytes(stream[_BLOCK_BYTES : end + TAG_BYTES])

    def unseal(self, key, nonce, aad, sealed):
        length = len(sealed) - TAG_BYTES
        room = _room(len(aad), length)
        stream = self._stream(key, nonce, length, room)
        mask = bytes(stream[:TAG_BYTES])
        _xor_into(stream, (memoryview(sealed)[:length],))
        plaintext = bytes(stream[_BLOCK_BYTES : _BLOCK_BYTES + length])
        if not is_equal(xor(self._mac(key, nonce, aad, (plaintext,), length, room), mask), sealed[length:]):
            raise WireFault("decrypt")
        return plaintext

    def _mac(self, key, nonce, aad, pieces, length, room):
        """Returns the first TAG_BYTES of the CBC-MAC over B_0, B_1 … (RFC 3610 section 2.2)."""
        assert len(aad) <= AAD_BYTES_MAX and length <= PLAINTEXT_BYTES_MAX
        start = _BLOCK_BYTES + (_padded(2 + len(aad)) if aad else 0)
        blocks = room[: start + _padded(length)]
        blocks[0] = _FLAGS | (_HAS_AAD if aad else 0)
        blocks[1:14] = nonce
        blocks[14] = length >> 8
        blocks[15] = length & 0xFF
        if aad:
            blocks[16] = len(aad) >> 8
            blocks[17] = len(aad) & 0xFF
            _fill(blocks, 18, start, (aad,))
        _fill(blocks, start, len(blocks), pieces)
        self._aes(key, _CBC, bytes(_BLOCK_BYTES)).encrypt(blocks, blocks)
        end = len(blocks) - _BLOCK_BYTES
        return bytes(blocks[end : end + TAG_BYTES])

    def _stream(self, key, nonce, length, room):
        """Returns S_0, which hides the tag, and the key stream behind it (section 2.3)."""
        blocks = room[: _BLOCK_BYTES + _padded(length)]
        for counter in range(len(blocks) // _BLOCK_BYTES):
            start = counter * _BLOCK_BYTES
            blocks[start] = _LENGTH_FLAGS
            blocks[start + 1 : start + 14] = nonce
            blocks[start + 14] = counter >> 8
            blocks[start + 15] = counter & 0xFF
        self._aes(key, _ECB).encrypt(blocks, blocks)
        return blocks


def seal(cipher, key: bytes, nonce: bytes, aad: bytes, plaintext) -> bytes:
    """Returns ciphertext and tag. `plaintext`: bytes, or a list of bytes to be joined. The caller must never use one
    nonce for two messages under one key."""
    assert len(key) == KEY_BYTES and len(nonce) == NONCE_BYTES
    return cipher.seal(key, nonce, aad, plaintext if isinstance(plaintext, list) else (plaintext,))


def unseal(cipher, key: bytes, nonce: bytes, aad: bytes, sealed: bytes) -> bytes:
    """Returns the plaintext, or raises WireFault("decrypt"): nothing is returned before the tag is verified."""
    assert len(key) == KEY_BYTES and len(nonce) == NONCE_BYTES
    if not 0 <= len(sealed) - TAG_BYTES <= PLAINTEXT_BYTES_MAX:
        raise WireFault("decrypt")
    return cipher.unseal(key, nonce, aad, sealed)


def is_equal(one: bytes, other: bytes) -> bool:
    """Returns whether both are the same, in a time that depends only on their length."""
    if len(one) != len(other):
        return False
    difference = 0
    for index in range(len(one)):
        difference |= one[index] ^ other[index]
    return difference == 0


def _room(aad_length, length):
    """Allocates the buffer that both runs use, one after the other."""
    head = _padded(2 + aad_length) if aad_length else 0
    return memoryview(bytearray(_BLOCK_BYTES + max(head + _padded(length), _padded(length + TAG_BYTES))))


def _fill(room, at, end, pieces):
    """Writes the pieces from `at` on, and zeros behind them up to `end`."""
    for piece in pieces:
        room[at : at + len(piece)] = piece
        at += len(piece)
    for index in range(at, end):
        room[index] = 0


def _padded(length):
    return (length + _BLOCK_BYTES - 1) // _BLOCK_BYTES * _BLOCK_BYTES


def xor(data, stream):
    """Returns the XOR of both, computed as long integers, whose XOR runs in C on both interpreters."""
    length = len(data)
    return (int.from_bytes(data, "big") ^ int.from_bytes(stream[:length], "big")).to_bytes(length, "big")


def _xor_into(stream, pieces):
    """XORs the pieces onto the key stream, in place, as long integers: their XOR runs in C on both interpreters."""
    at = _BLOCK_BYTES
    for piece in pieces:
        for start in range(0, len(piece), _PIECE_BYTES):
            part = piece[start : start + _PIECE_BYTES]
            end = at + len(part)
            mixed = int.from_bytes(part, "big") ^ int.from_bytes(stream[at:end], "big")
            stream[at:end] = mixed.to_bytes(len(part), "big")
            at = end
