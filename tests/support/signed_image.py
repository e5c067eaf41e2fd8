"""Images of a concentrator, signed by a key that a gateway knows or by a stranger's."""

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway.shell.images import pack
from wire import cose

SIGNER = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
KEY = SIGNER.public_key().public_bytes_raw()
STRANGER = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
OTHER_KEY = STRANGER.public_key().public_bytes_raw()


def signed(one, signer=SIGNER, *, aad=cose.IMAGE_AAD, kid=None):
    kid = cose.kid_of(signer.public_key().public_bytes_raw()) if kid is None else kid
    return pack(cose.sign1_encode(one.manifest, kid, aad, signer.sign), one.files)
