"""Verifies Ed25519 signatures (RFC 8032) of the commune and its operators, and seals messages for OSCORE.

It must hold no key and make no decision: `policy.keyset` decides whose key counts.
"""

from collections.abc import Iterable

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESCCM

from wire import ccm, cose
from wire.faults import WireFault


def verify_ed25519(public_key: bytes, signature: bytes, data: bytes) -> bool:
    """Returns True when `signature` (64 bytes) of `data` holds under `public_key` (32 bytes). False for anything
    else."""
    if not cose.is_sound_key(public_key):
        return False
    if not isinstance(signature, bytes) or len(signature) != cose.SIGNATURE_BYTES:
        return False
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, data)
    except (InvalidSignature, ValueError):
        return False
    return True


class AesCcm:
    """Implements the cipher that `wire.ccm` needs. It holds no key."""

    def seal(self, key: bytes, nonce: bytes, aad: bytes, pieces: Iterable[bytes]) -> bytes:
        return AESCCM(key, ccm.TAG_BYTES).encrypt(nonce, b"".join(pieces), aad)

    def unseal(self, key: bytes, nonce: bytes, aad: bytes, sealed: bytes) -> bytes:
        try:
            return AESCCM(key, ccm.TAG_BYTES).decrypt(nonce, sealed, aad)
        except InvalidTag:
            raise WireFault("decrypt") from None
