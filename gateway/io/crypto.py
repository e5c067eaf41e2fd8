"""Verifies Ed25519 signatures (RFC 8032) of the commune and its operators, and ciphers AES blocks for OSCORE.

It must hold no key and make no decision: `policy.keyset` decides whose key counts.
"""

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.ciphers import Cipher, modes
from cryptography.hazmat.primitives.ciphers.algorithms import AES

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


class AesBlocks:
    """Implements the block cipher that `wire.ccm` needs. It holds no key; data is a whole number of blocks."""

    def ecb(self, key: bytes, data: memoryview) -> None:
        """Enciphers every block of `data` by itself, in place."""
        # The key stream of CCM: blocks that never repeat, so ECB gives nothing away.
        encryptor = Cipher(AES(key), modes.ECB()).encryptor()
        data[:] = encryptor.update(data) + encryptor.finalize()

    def cbc_mac(self, key: bytes, data: memoryview) -> bytes:
        """Returns the last block of `data` in CBC with an initial vector of zeros."""
        encryptor = Cipher(AES(key), modes.CBC(bytes(16))).encryptor()
        return (encryptor.update(data) + encryptor.finalize())[-16:]
