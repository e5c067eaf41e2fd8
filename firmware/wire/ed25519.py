"""Whether an Ed25519 signature holds (RFC 8032 section 5.1.7), in small steps: a node that must go on turning its loop
verifies over some two hundred turns. For what is public alone: it takes no care of timing, and there is no signing.

The equation is the one without the cofactor, and the commitment is compared as bytes, so a signature that holds here
holds everywhere. Keys of small order are the caller's to refuse (`wire.cose.is_sound_key`).
"""

from wire.sha512 import Sha512

_P = (1 << 255) - 19
_ORDER = (1 << 252) + 27742317777372353535851937790883648493
# -121665 / 121666, a root of -1, and the base point: written down, for each takes a chip a quarter of a second.
_D = 0x52036CEE2B6FFE738CC740797779E89800700A4D4141D8AB75EB4DCA135978A3
_ROOT = 0x2B8324804FC1DF0B2B4D00993DFBD7A72F431806AD2FE478C4EE1B274A0EA0B0
_BASE_X = 0x216936D3CD6E53FEC0A4E231FDD6DC5C692CC7609525A7B2C9562D608F25D51A
_BASE_Y = 0x6666666666666666666666666666666666666666666666666666666666666658
_BASE = (_BASE_X, _BASE_Y, 1, _BASE_X * _BASE_Y % _P)
_NEUTRAL = (0, 1, 1, 0)
# Of a scalar in one step, two additions a bit; of an exponent, two multiplications a bit.
_STEP_BITS = 2
_POWER_STEP_BITS = 16
_BITS = 256


class Verification:
    """Of one signature (64 bytes) over `data` under `public` (32 bytes). Call `step` until it gives True or False."""

    def __init__(self, public, signature, data):
        self._public = public
        self._signature = signature
        self._hash = Sha512(signature[:32] + public + data)
        self._answer = int.from_bytes(signature[32:], "little")
        self._steps = self._verify() if len(public) == 32 and len(signature) == 64 and self._answer < _ORDER else None

    def step(self):
        """None while there is more to do; then whether it holds."""
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
    """RFC 8032 section 5.1.4: complete, so it doubles as well."""
    a = (one[1] - one[0]) * (other[1] - other[0]) % _P
    b = (one[1] + one[0]) * (other[1] + other[0]) % _P
    c = 2 * one[3] * other[3] * _D % _P
    d = 2 * one[2] * other[2] % _P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % _P, g * h % _P, f * g % _P, e * h % _P


def _power(base, exponent):
    """What `pow` gives modulo the field's prime, in steps."""
    result = 1
    for bit in range(_BITS - 1, -1, -1):
        result = result * result % _P
        if exponent >> bit & 1:
            result = result * base % _P
        if bit % _POWER_STEP_BITS == 0:
            yield None
    return result


def _decompress(data):
    """The point of these 32 bytes, or None, in steps: section 5.1.3."""
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
