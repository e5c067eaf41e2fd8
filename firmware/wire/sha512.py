"""SHA-512 (FIPS 180-4), a block of 128 bytes at a time, for whoever may not stay away from a loop for long.

MicroPython has no SHA-512, and Ed25519 needs it. The constants are computed as the standard defines them: the first 64
bits of the fractional parts of the roots of the first primes.
"""

_MASK = (1 << 64) - 1
_BLOCK_BYTES = 128
_ROUNDS = 80


class Sha512:
    """Of `data`, which is not copied. Call `step` until it says True; then there is `digest`."""

    def __init__(self, data):
        self._data = data
        length = len(data)
        padding = b"\x80" + bytes((111 - length) % _BLOCK_BYTES) + (8 * length).to_bytes(16, "big")
        whole = length // _BLOCK_BYTES * _BLOCK_BYTES
        self._tail = bytes(data[whole:]) + padding
        self._whole = whole
        self._at = 0
        self._state = list(_FIRST)

    def step(self) -> bool:
        """One block; True when it was the last."""
        at = self._at
        if at < self._whole:
            block = self._data[at : at + _BLOCK_BYTES]
        else:
            block = self._tail[at - self._whole : at - self._whole + _BLOCK_BYTES]
        self._state = _compress(self._state, block)
        self._at = at + _BLOCK_BYTES
        return self._at == self._whole + len(self._tail)

    def digest(self) -> bytes:
        """64 bytes."""
        return b"".join([word.to_bytes(8, "big") for word in self._state])


def _compress(state, block):
    words = [int.from_bytes(block[index : index + 8], "big") for index in range(0, _BLOCK_BYTES, 8)]
    a, b, c, d, e, f, g, h = state
    for index in range(_ROUNDS):
        if index >= 16:
            first, second = words[(index - 15) & 15], words[(index - 2) & 15]
            first = _turn(first, 1) ^ _turn(first, 8) ^ first >> 7
            second = _turn(second, 19) ^ _turn(second, 61) ^ second >> 6
            words[index & 15] = words[index & 15] + first + words[(index - 7) & 15] + second & _MASK
        choice = e & f ^ (e ^ _MASK) & g
        one = h + (_turn(e, 14) ^ _turn(e, 18) ^ _turn(e, 41)) + choice + _ADDED[index] + words[index & 15]
        two = (_turn(a, 28) ^ _turn(a, 34) ^ _turn(a, 39)) + (a & b ^ a & c ^ b & c)
        h, g, f, e, d, c, b, a = g, f, e, d + one & _MASK, c, b, a, one + two & _MASK
    return [was + now & _MASK for was, now in zip(state, (a, b, c, d, e, f, g, h))]


def _turn(word, count):
    return word >> count | word << 64 - count & _MASK


def _primes(count):
    found = []
    candidate = 2
    while len(found) < count:
        if all(candidate % prime for prime in found):
            found.append(candidate)
        candidate += 1
    return found


def _root_bits(prime, power):
    """The first 64 bits behind the point of the root of this power: Newton's way, in integers."""
    square = prime << 64 * power
    guess = prime << 64
    while True:
        better = ((power - 1) * guess + square // guess ** (power - 1)) // power
        if better >= guess:
            return guess & _MASK
        guess = better


_ADDED = tuple([_root_bits(prime, 3) for prime in _primes(_ROUNDS)])
_FIRST = tuple([_root_bits(prime, 2) for prime in _primes(8)])
