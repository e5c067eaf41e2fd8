"""Verifies Ed25519 signatures (RFC 8032 section 5.1.7) in small steps: a node, whose loop must go on turning, needs
some two hundred turns for one. Only public values are handled, so the time may depend on them; there is no signing.

The equation is the one without the cofactor, and the commitment is compared as bytes, so a signature that is valid here
is valid everywhere. The caller must refuse keys of small order (`wire.cose.is_sound_key`).

SHA-512 (FIPS 180-4) is here too, since MicroPython has none: a step computes a tenth of a block of 128 bytes. Its
constants are the first 64 bits of the fractional parts of the roots of the first primes: written down, because
computing them takes a chip half a second.
"""

_P = (1 << 255) - 19
_ORDER = (1 << 252) + 27742317777372353535851937790883648493
# -121665 / 121666, a root of -1, and the base point: written down, because computing each takes a chip a quarter of a
# second.
_D = 0x52036CEE2B6FFE738CC740797779E89800700A4D4141D8AB75EB4DCA135978A3
_ROOT = 0x2B8324804FC1DF0B2B4D00993DFBD7A72F431806AD2FE478C4EE1B274A0EA0B0
_BASE_X = 0x216936D3CD6E53FEC0A4E231FDD6DC5C692CC7609525A7B2C9562D608F25D51A
_BASE_Y = 0x6666666666666666666666666666666666666666666666666666666666666658
_BASE = (_BASE_X, _BASE_Y, 1, _BASE_X * _BASE_Y % _P)
_NEUTRAL = (0, 1, 1, 0)
# Bits in one step: of a scalar, at two additions a bit; of an exponent, at two multiplications a bit.
_STEP_BITS = 2
_POWER_STEP_BITS = 16
_BITS = 256


class Verification:
    """Verifies one signature (64 bytes) over `data` under `public` (32 bytes). Call `step` until it returns True or
    False."""

    def __init__(self, public, signature, data):
        self._public = public
        self._signature = signature
        self._hash = Sha512(signature[:32] + public + data)
        self._answer = int.from_bytes(signature[32:], "little")
        self._steps = self._verify() if len(public) == 32 and len(signature) == 64 and self._answer < _ORDER else None

    def step(self):
        """Returns None while there is more to do; then whether the signature is valid."""
        if self._steps is None:
            return False
        return next(self._steps)

    def _verify(self):
        while not self._hash.step():
            yield None
        challenge = int.from_bytes(self._hash.digest(), "little") % _ORDER
        yield None
        key = yield from _decompress(self._public)
        if key is None:
            while True:
                yield False
        negative = (_P - key[0], key[1], 1, _P - key[3])
        both = _add(_BASE, negative)
        yield None
        total = _NEUTRAL
        for bit in range(_BITS - 1, -1, -1):
            total = _add(total, total)
            if self._answer >> bit & 1:
                total = _add(total, both if challenge >> bit & 1 else _BASE)
            elif challenge >> bit & 1:
                total = _add(total, negative)
            if bit % _STEP_BITS == 0:
                yield None
        inverse = yield from _power(total[2], _P - 2)
        x, y = total[0] * inverse % _P, total[1] * inverse % _P
        holds = (y | (x & 1) << 255).to_bytes(32, "little") == bytes(self._signature[:32])
        while True:
            yield holds


def _add(one, other):
    """Adds two points (RFC 8032 section 5.1.4); the formula is complete, so it also doubles a point."""
    a = (one[1] - one[0]) * (other[1] - other[0]) % _P
    b = (one[1] + one[0]) * (other[1] + other[0]) % _P
    c = 2 * one[3] * other[3] * _D % _P
    d = 2 * one[2] * other[2] % _P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % _P, g * h % _P, f * g % _P, e * h % _P


def _power(base, exponent):
    """Computes a power modulo the field's prime, in steps."""
    result = 1
    for bit in range(_BITS - 1, -1, -1):
        result = result * result % _P
        if exponent >> bit & 1:
            result = result * base % _P
        if bit % _POWER_STEP_BITS == 0:
            yield None
    return result


def _decompress(data):
    """Computes the point of these 32 bytes, or None, in steps (section 5.1.3)."""
    y = int.from_bytes(data, "little")
    sign, y = y >> 255, y & (1 << 255) - 1
    if y >= _P:
        return None
    above, below = (y * y - 1) % _P, (_D * y * y + 1) % _P
    root = yield from _power(above * pow(below, 7, _P) % _P, (_P - 5) // 8)
    x = above * pow(below, 3, _P) * root % _P
    square = below * x * x % _P
    if square != above:
        if square != _P - above and not (square == 0 and above == 0):
            return None
        x = x * _ROOT % _P
    if x == 0 and sign:
        return None
    if x & 1 != sign:
        x = _P - x
    return x, y, 1, x * y % _P


# --- SHA-512 --------------------------------------------------------------------------------------------------

_MASK = (1 << 64) - 1
_BLOCK_BYTES = 128
_ROUNDS = 80
# Rounds in one step.
_STEP_ROUNDS = 8

# Sixteen digits and a space each: 80 integers of this size would be 6 kB for the collector to look at.
_ADDED = (
    "428a2f98d728ae22 7137449123ef65cd b5c0fbcfec4d3b2f e9b5dba58189dbbc 3956c25bf348b538 59f111f1b605d019 "
    "923f82a4af194f9b ab1c5ed5da6d8118 d807aa98a3030242 12835b0145706fbe 243185be4ee4b28c 550c7dc3d5ffb4e2 "
    "72be5d74f27b896f 80deb1fe3b1696b1 9bdc06a725c71235 c19bf174cf692694 e49b69c19ef14ad2 efbe4786384f25e3 "
    "0fc19dc68b8cd5b5 240ca1cc77ac9c65 2de92c6f592b0275 4a7484aa6ea6e483 5cb0a9dcbd41fbd4 76f988da831153b5 "
    "983e5152ee66dfab a831c66d2db43210 b00327c898fb213f bf597fc7beef0ee4 c6e00bf33da88fc2 d5a79147930aa725 "
    "06ca6351e003826f 142929670a0e6e70 27b70a8546d22ffc 2e1b21385c26c926 4d2c6dfc5ac42aed 53380d139d95b3df "
    "650a73548baf63de 766a0abb3c77b2a8 81c2c92e47edaee6 92722c851482353b a2bfe8a14cf10364 a81a664bbc423001 "
    "c24b8b70d0f89791 c76c51a30654be30 d192e819d6ef5218 d69906245565a910 f40e35855771202a 106aa07032bbd1b8 "
    "19a4c116b8d2d0c8 1e376c085141ab53 2748774cdf8eeb99 34b0bcb5e19b48a8 391c0cb3c5c95a63 4ed8aa4ae3418acb "
    "5b9cca4f7763e373 682e6ff3d6b2b8a3 748f82ee5defb2fc 78a5636f43172f60 84c87814a1f0ab72 8cc702081a6439ec "
    "90befffa23631e28 a4506cebde82bde9 bef9a3f7b2c67915 c67178f2e372532b ca273eceea26619c d186b8c721c0c207 "
    "eada7dd6cde0eb1e f57d4f7fee6ed178 06f067aa72176fba 0a637dc5a2c898a6 113f9804bef90dae 1b710b35131c471b "
    "28db77f523047d84 32caab7b40c72493 3c9ebe0a15c9bebc 431d67c49c100d4c 4cc5d4becb3e42b6 597f299cfc657e2a "
    "5fcb6fab3ad6faec 6c44198c4a475817"
)
# fmt: off
_FIRST = (
    0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b, 0xa54ff53a5f1d36f1, 0x510e527fade682d1,
    0x9b05688c2b3e6c1f, 0x1f83d9abfb41bd6b, 0x5be0cd19137e2179,
)
# fmt: on


class Sha512:
    """Hashes `data`, which is not copied. Call `step` until it returns True; then call `digest`."""

    def __init__(self, data):
        self._data = data
        length = len(data)
        padding = b"\x80" + bytes((111 - length) % _BLOCK_BYTES) + (8 * length).to_bytes(16, "big")
        whole = length // _BLOCK_BYTES * _BLOCK_BYTES
        self._tail = bytes(data[whole:]) + padding
        self._whole = whole
        self._at = 0
        self._state = _FIRST
        self._words = None
        self._work = _FIRST
        self._round = 0

    def step(self) -> bool:
        """Computes some rounds of a block; returns True when they were the last."""
        if not self._round:
            at = self._at
            if at < self._whole:
                block = self._data[at : at + _BLOCK_BYTES]
            else:
                block = self._tail[at - self._whole : at - self._whole + _BLOCK_BYTES]
            self._words = [int.from_bytes(block[index : index + 8], "big") for index in range(0, _BLOCK_BYTES, 8)]
        self._work = _rounds(self._work, self._words, self._round)
        self._round += _STEP_ROUNDS
        if self._round < _ROUNDS:
            return False
        self._round = 0
        self._work = self._state = [was + now & _MASK for was, now in zip(self._state, self._work)]
        self._at += _BLOCK_BYTES
        return self._at == self._whole + len(self._tail)

    def digest(self) -> bytes:
        """Returns the 64 bytes of the hash."""
        return b"".join([word.to_bytes(8, "big") for word in self._state])


def _rounds(state, words, first):
    """Returns the state after _STEP_ROUNDS rounds; `words` are the block's, extended in place."""
    a, b, c, d, e, f, g, h = state
    for index in range(first, first + _STEP_ROUNDS):
        if index >= 16:
            early, late = words[(index - 15) & 15], words[(index - 2) & 15]
            early = _turn(early, 1) ^ _turn(early, 8) ^ early >> 7
            late = _turn(late, 19) ^ _turn(late, 61) ^ late >> 6
            words[index & 15] = words[index & 15] + early + words[(index - 7) & 15] + late & _MASK
        choice = e & f ^ (e ^ _MASK) & g
        added = int(_ADDED[17 * index : 17 * index + 16], 16)
        one = h + (_turn(e, 14) ^ _turn(e, 18) ^ _turn(e, 41)) + choice + added + words[index & 15]
        two = (_turn(a, 28) ^ _turn(a, 34) ^ _turn(a, 39)) + (a & b ^ a & c ^ b & c)
        h, g, f, e, d, c, b, a = g, f, e, d + one & _MASK, c, b, a, one + two & _MASK
    return a, b, c, d, e, f, g, h


def _turn(word, count):
    return word >> count | word << 64 - count & _MASK
