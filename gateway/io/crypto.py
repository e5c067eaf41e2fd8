"""Ed25519 (RFC 8032) for the gateway: verifies what the commune and its operators signed. AES blocks for OSCORE.

Must hold no key and make no decision: whose key counts is `policy.keyset`'s question.
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
    """The block cipher that `wire.ccm` asks for. It holds no key; data is a whole number of blocks."""

    def ecb(self, key: bytes, data: memoryview) -> None:
        """Every block of `data` is enciphered by itself, in its place."""
        # The key stream of CCM: blocks that never repeat, so ECB gives nothing away.
        encryptor = Cipher(AES(key), modes.ECB()).encryptor()
        data[:] = encryptor.update(data) + encryptor.finalize()

    def cbc_mac(self, key: bytes, data: memoryview) -> bytes:
        """The last block of `data` in CBC with an initial vector of zeros."""
        encryptor = Cipher(AES(key), modes.CBC(bytes(16))).encryptor()
        return (encryptor.update(data) + encryptor.finalize())[-16:]
