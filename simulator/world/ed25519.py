"""Ed25519 (RFC 8032, section 5.1) in plain Python, so that a simulated commune signs and its cabinet verifies without a
package to install: the same bytes as everybody else's. A few milliseconds a signature.

Not for real keys: it takes no care of timing. The gateway's own verifier is `gateway.io.crypto`.
"""

from hashlib import sha512

_P = 2**255 - 19
_ORDER = 2**252 + 27742317777372353535851937790883648493
_D = -121665 * pow(121666, -1, _P) % _P
_ROOT = pow(2, (_P - 1) // 4, _P)

# Extended coordinates (X, Y, Z, T): x = X/Z, y = Y/Z, xy = T/Z.
Point = tuple[int, int, int, int]
_NEUTRAL: Point = (0, 1, 1, 0)


def public_key(secret: bytes) -> bytes:
    """The 32 bytes that verify what the 32 bytes `secret` sign."""
    return _compress(_times(_expand(secret)[0], _BASE))


def sign(secret: bytes, data: bytes) -> bytes:
    """64 bytes; the same for the same data."""
    scalar, prefix = _expand(secret)
    public = _compress(_times(scalar, _BASE))
    nonce = int.from_bytes(sha512(prefix + data).digest(), "little") % _ORDER
    commitment = _compress(_times(nonce, _BASE))
    answer = (nonce + _challenge(commitment, public, data) * scalar) % _ORDER
    return commitment + answer.to_bytes(32, "little")


def verify(public: bytes, signature: bytes, data: bytes) -> bool:
    """Whether the signature holds; false for anything that is none."""
    if len(public) != 32 or len(signature) != 64:
        return False
    key, commitment = _decompress(public), _decompress(signature[:32])
    answer = int.from_bytes(signature[32:], "little")
    if key is None or commitment is None or answer >= _ORDER:
        return False
    expected = _add(commitment, _times(_challenge(signature[:32], public, data), key))
    return _same(_times(answer, _BASE), expected)


def _expand(secret: bytes) -> tuple[int, bytes]:
    assert len(secret) == 32
    digest = sha512(secret).digest()
    scalar = int.from_bytes(digest[:32], "little") & ((1 << 254) - 8) | 1 << 254
    return scalar, digest[32:]


def _challenge(commitment: bytes, public: bytes, data: bytes) -> int:
    return int.from_bytes(sha512(commitment + public + data).digest(), "little") % _ORDER


def _add(one: Point, other: Point) -> Point:
    a = (one[1] - one[0]) * (other[1] - other[0]) % _P
    b = (one[1] + one[0]) * (other[1] + other[0]) % _P
    c = 2 * one[3] * other[3] * _D % _P
    d = 2 * one[2] * other[2] % _P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % _P, g * h % _P, f * g % _P, e * h % _P


def _times(scalar: int, point: Point) -> Point:
    total = _NEUTRAL
    while scalar:
        if scalar & 1:
            total = _add(total, point)
        point = _add(point, point)
        scalar >>= 1
    return total


def _same(one: Point, other: Point) -> bool:
    return not ((one[0] * other[2] - other[0] * one[2]) % _P or (one[1] * other[2] - other[1] * one[2]) % _P)


def _x_of(y: int, sign_bit: int) -> int | None:
    square = (y * y - 1) * pow(_D * y * y + 1, -1, _P) % _P
    x = pow(square, (_P + 3) // 8, _P)
    if (x * x - square) % _P:
        x = x * _ROOT % _P
    if (x * x - square) % _P or (not x and sign_bit):
        return None
    return _P - x if x & 1 != sign_bit else x


def _compress(point: Point) -> bytes:
    inverse = pow(point[2], -1, _P)
    x, y = point[0] * inverse % _P, point[1] * inverse % _P
    return (y | (x & 1) << 255).to_bytes(32, "little")


def _decompress(data: bytes) -> Point | None:
    y = int.from_bytes(data, "little")
    sign_bit, y = y >> 255, y & ((1 << 255) - 1)
    x = _x_of(y, sign_bit) if y < _P else None
    return None if x is None else (x, y, 1, x * y % _P)


def _base() -> Point:
    y = 4 * pow(5, -1, _P) % _P
    x = _x_of(y, 0)
    assert x is not None
    return x, y, 1, x * y % _P


_BASE = _base()
