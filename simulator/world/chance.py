"""Draws seeded chance, split by name: a new draw in one part of the world disturbs no other part.

SplitMix64 (Steele, Lea, Flood 2014) in integers, so that a seed gives the same world on every machine and Python
version.
"""

from hashlib import sha256

_MASK = 0xFFFF_FFFF_FFFF_FFFF
_STEP = 0x9E37_79B9_7F4A_7C15


class Prng:
    """Is a stream of chance. `split("name")` gives an independent stream that depends only on this one's seed."""

    def __init__(self, seed: int | str) -> None:
        self._seed = str(seed)
        self._state = int.from_bytes(sha256(self._seed.encode()).digest()[:8], "big")

    def split(self, name: object) -> "Prng":
        return Prng(f"{self._seed}/{name}")

    def bits64(self) -> int:
        return self.randrange(_MASK + 1)

    def randrange(self, stop: int, /) -> int:
        """Returns an integer in [0, stop). The bias of a 64-bit remainder is below 2^-32 for every stop used here, and
        none for 2^64."""
        mixed = self._state = (self._state + _STEP) & _MASK
        mixed = ((mixed ^ (mixed >> 30)) * 0xBF58_476D_1CE4_E5B9) & _MASK
        mixed = ((mixed ^ (mixed >> 27)) * 0x94D0_49BB_1331_11EB) & _MASK
        return (mixed ^ (mixed >> 31)) % stop

    def between(self, low: int, high: int) -> int:
        """Returns an integer in [low, high]."""
        return low + self.randrange(high - low + 1)

    def chance(self, permille: int) -> bool:
        return self.randrange(1000) < permille

    def around(self, centre: int, deviation: int) -> int:
        """Draws a bell-shaped value (sum of four uniform ones, the quarters of one number of 64 bits).

        Its standard deviation is about `deviation`, and it is never beyond 3.5 of them.
        """
        bits = self.bits64()
        quarters = (bits & 0xFFFF) + (bits >> 16 & 0xFFFF) + (bits >> 32 & 0xFFFF) + (bits >> 48)
        return centre + (quarters - 0x1FFFE) * 7 * deviation // 0x3FFFC

    def pick(self, count: int, total: int) -> list[int]:
        """Returns `count` different integers below `total`, ascending."""
        chosen: set[int] = set()
        while len(chosen) < min(count, total):
            chosen.add(self.randrange(total))
        return sorted(chosen)


class Streams(dict[str, Prng]):
    """Holds a stream of chance for each name, split from one stream when its name first comes."""

    def __init__(self, prng: Prng) -> None:
        super().__init__()
        self._prng = prng

    def __missing__(self, name: str) -> Prng:
        stream = self[name] = self._prng.split(name)
        return stream
