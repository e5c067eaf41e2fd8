"""Watches every message that is sealed in this process: one key and nonce serve one message, ever (invariant 9)."""

from wire import ccm


class Nonces:
    """`sealed`: how many messages. A key and nonce that come again with anything else are an AssertionError."""

    def __init__(self, seal):
        self._seal = seal
        self._seen = {}
        self.sealed = 0

    def seal(self, cipher, key, nonce, aad, plaintext):
        used = self._seen.setdefault((key, nonce), (aad, plaintext))
        assert used == (aad, plaintext), "a nonce was used for two messages"
        self.sealed += 1
        return self._seal(cipher, key, nonce, aad, plaintext)


def watch_nonces(monkeypatch):
    """From now on, until the end of the test."""
    watched = Nonces(ccm.seal)
    monkeypatch.setattr(ccm, "seal", watched.seal)
    return watched
