"""A ledger of everything that is sealed: no key and nonce may ever serve two different messages.

It stands before `wire.ccm.seal`, which every protected message of either end goes through, and believes nobody: it
knows neither sessions nor numbers. The same data under the same key and nonce is the same ciphertext and tells nothing
new.
"""

from hashlib import sha256

from wire import ccm


class SealedOnce:
    """Use it as a context; `reused` counts what must not be, `sealed` all messages. Memory: a digest a message."""

    def __init__(self):
        self.sealed = 0
        self.reused = 0
        self.keys = set()
        self._seen = {}

    def __enter__(self):
        self._real = ccm.seal
        ccm.seal = self._seal
        return self

    def __exit__(self, *exception):
        ccm.seal = self._real
        if exception[0] is None:
            assert not self.reused, f"{self.reused} of {self.sealed} messages were sealed with a nonce that was spent"

    def _seal(self, cipher, key, nonce, aad, plaintext):
        self.sealed += 1
        self.keys.add(bytes(key))
        said = sha256(bytes(aad) + b"/" + bytes(plaintext)).digest()
        known = self._seen.setdefault((bytes(key), bytes(nonce)), said)
        self.reused += known != said
        return self._real(cipher, key, nonce, aad, plaintext)
