"""Ed25519 (RFC 8032) for the gateway: verifies what the commune and its operators signed.

Must hold no private key and make no decision: whose key counts is `policy.authority`'s question.
"""

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from wire import cose


def verify_ed25519(public_key: bytes, signature: bytes, data: bytes) -> bool:
    """True when `signature` (64 bytes) of `data` holds under `public_key` (32 bytes). False for anything else."""
    if not cose.is_sound_key(public_key):
        return False
    if not isinstance(signature, bytes) or len(signature) != cose.SIGNATURE_BYTES:
        return False
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, data)
    except (InvalidSignature, ValueError):
        return False
    return True
