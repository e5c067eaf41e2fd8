"""Keeps the warehouse's own key, by which gateways know its receipts, and signs with it.

The communes' key sets name the public half (`bocage policy keyset --warehouse`). The private half can make gateways
free records that no warehouse holds, so it stays on the ingest's machine, readable by the ingest alone. Processes that
share a warehouse share its key.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway.language import N_
from tools.centre.ingest.warehouse import Answer
from wire import cose, receipt


class Unusable(Exception):
    """States why a file is not used as the key: a message with {path}."""


class ReceiptKey(NamedTuple):
    """Holds a key (Ed25519): its public half, its short name, and the function that signs with it."""

    public: bytes
    kid: bytes
    sign: Callable[[bytes], bytes]

    def payload(self, answer: Answer) -> bytes:
        """Returns an answer as it is published."""
        return receipt.encode(answer.message, self.kid, self.sign)


def key_of(private: Ed25519PrivateKey) -> ReceiptKey:
    public = private.public_key().public_bytes_raw()
    return ReceiptKey(public, cose.kid_of(public), private.sign)


def default_path(database: str) -> Path:
    """Returns where the key of a warehouse is: beside its file."""
    return Path(f"{database}.receipts.pem")


def load_or_make(path: Path) -> ReceiptKey:
    """Returns the key in a PEM file, which is made where there is none. OSError; Unusable for another content, or a
    file that others may read."""
    if not path.exists():
        _make(path)
    if path.stat().st_mode & 0o077:
        raise Unusable(N_("--receipt-key {path}: others may read it; chmod 600, or let a new one be made"))
    try:
        private = serialization.load_pem_private_key(path.read_bytes(), None)
    except (ValueError, TypeError):  # no PEM, or under a passphrase
        private = None
    if not isinstance(private, Ed25519PrivateKey):
        raise Unusable(N_("--receipt-key {path}: is no Ed25519 key (PEM, without passphrase)"))
    return key_of(private)


def _make(path: Path) -> None:
    """Writes a new key, whole or not at all: of two processes that start at once, both use the first's."""
    pem = Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(pem)
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
