"""The check of what people signed, at the centre: Ed25519 (RFC 8032), as the gateway does it.

Whose key counts is the question of `policy.authority` and of a policy's operators; the gateway has the last word. The
gateway's own check is not imported: the centre stands without it.
"""

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from wire import cose


def verify(public_key: bytes, signature: bytes, data: bytes) -> bool:
    """True when `signature` of `data` holds under `public_key`; False for anything else."""
    if not cose.is_sound_key(public_key):
        return False
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, data)
    except (InvalidSignature, ValueError):
        return False
    return True
