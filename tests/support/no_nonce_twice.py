"""A test, or a part of one, in which no nonce may be spent twice."""

from contextlib import contextmanager

from simulator.checkers.nonces import SealedOnce


@contextmanager
def no_nonce_twice():
    with SealedOnce() as ledger:
        yield ledger
    ledger.check()
