"""Keeps a ledger of everything that is sealed: no key and nonce may ever serve two different messages.

It stands before `wire.ccm.seal`, which every protected message of either end goes through, and trusts neither end: it
knows neither sessions nor numbers. The same data under the same key and nonce is the same ciphertext and reveals
nothing new. Its memory is 16 bytes a message, in arrays, so that the growth of the process under test can be seen
beside it.
"""

from array import array
from collections.abc import Callable
from types import TracebackType
from typing import Any

from wire import ccm

_SLOTS_FIRST = 1 << 16


class SealedOnce:
    """Checks nonces while used as a context manager.

    `reused`: must stay zero. `is_watching`: False while a peer of the tests seals.
    """

    def __init__(self) -> None:
        self.sealed = 0
        self.reused = 0
        self.is_watching = True
        # Hashes, of key and nonce, and of the data (SipHash, PEP 456): nothing leaves this process. 0: a free place.
        self._names = array("q", bytes(8 * _SLOTS_FIRST))
        self._contents = array("q", bytes(8 * _SLOTS_FIRST))
        self._filled = 0
        self._real: Callable[..., bytes] = ccm.seal

    def __enter__(self) -> "SealedOnce":
        self._real = ccm.seal
        ccm.seal = self._seal
        return self

    def __exit__(self, kind: type[BaseException] | None, _error: BaseException | None, _: TracebackType | None) -> None:
        ccm.seal = self._real

    def check(self) -> None:
        """Raises AssertionError if a nonce was spent twice."""
        assert not self.reused, f"{self.reused} of {self.sealed} messages were sealed with a nonce that was spent"

    def _seal(self, cipher: Any, key: bytes, nonce: bytes, aad: bytes, plaintext: bytes | list[bytes]) -> bytes:
        if self.is_watching:
            self.sealed += 1
            content = b"".join(plaintext) if isinstance(plaintext, list) else bytes(plaintext)
            self._note(hash((bytes(key), bytes(nonce))) or 1, hash((bytes(aad), content)))
        return self._real(cipher, key, nonce, aad, plaintext)

    def _note(self, name: int, content: int) -> None:
        place = self._place(name)
        if self._names[place]:
            self.reused += self._contents[place] != content
            return
        self._names[place], self._contents[place] = name, content
        self._filled += 1
        if 2 * self._filled > len(self._names):
            self._grow()

    def _place(self, name: int) -> int:
        """Returns the slot that holds `name`, or a free one for it."""
        place = name % len(self._names)
        while self._names[place] not in (0, name):
            place = (place + 1) % len(self._names)
        return place

    def _grow(self) -> None:
        names, content = self._names, self._contents
        self._names = array("q", bytes(16 * len(names)))
        self._contents = array("q", bytes(16 * len(names)))
        for name, what in zip(names, content, strict=True):
            if name:
                place = self._place(name)
                self._names[place], self._contents[place] = name, what
