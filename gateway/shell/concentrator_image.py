"""An image of a radio concentrator as one file, and whether it may be trusted.

    "BOCI", the length of what follows in four bytes, a COSE_Sign1 of the manifest (`wire.image`), the files' bytes

The signature stands around the manifest, which holds every file's digest: whoever verified both has verified all. Must
not decide whether an image is newer than what runs: that is known on the line only.
"""

import struct
from collections.abc import Sequence
from hashlib import sha256

from gateway.core.concentrator_update import Image
from gateway.io.crypto import verify_ed25519
from wire import cose, image
from wire.faults import WireFault

_HEAD = ">4sI"
_MAGIC = b"BOCI"
_SIGNED_BYTES_MAX = image.MANIFEST_BYTES_MAX + cose.SIGN1_OVERHEAD_BYTES
FILE_BYTES_MAX = 8 + _SIGNED_BYTES_MAX + image.IMAGE_BYTES_MAX


class ImageError(Exception):
    """Why a file is no image that may be used. `reason`: a stable word."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason
        self.detail = detail


def pack(signed: bytes, files: Sequence[bytes]) -> bytes:
    """The file. `signed`: the COSE_Sign1; `files` in the manifest's order."""
    return struct.pack(_HEAD, _MAGIC, len(signed)) + signed + b"".join(files)


def verify(data: bytes, keys: Sequence[bytes], *, product: str = image.CONCENTRATOR) -> Image:
    """The image in a file's bytes, if one of `keys` (Ed25519, 32 bytes) has signed it for this product; ImageError."""
    signed, rest = split(data)
    try:
        message = cose.sign1_decode(signed, bytes_max=_SIGNED_BYTES_MAX)
    except WireFault as fault:
        raise ImageError("form", fault.reason) from None
    signature = message.signatures[0]
    known = [key for key in keys if cose.kid_of(key) == signature.kid]
    if not known:
        raise ImageError("signer", signature.kid.hex())
    to_be_signed = cose.to_be_signed(message, cose.IMAGE_AAD)
    if not any(verify_ed25519(key, signature.signature, to_be_signed) for key in known):
        raise ImageError("signature")
    # Only now is anything believed.
    try:
        manifest = image.decode(message.payload)
    except WireFault as fault:
        raise ImageError("manifest", fault.reason) from None
    if manifest.product != product:
        raise ImageError("product", manifest.product)
    files = files_of(manifest, rest)
    digest = sha256(message.payload).digest()
    return Image(digest, message.payload, manifest.number, manifest.text, files)


def files_of(manifest: image.Manifest, rest: bytes) -> tuple[bytes, ...]:
    """The files behind a manifest, as it says; ImageError."""
    files = []
    for file in manifest.files:
        content, rest = rest[: file.size], rest[file.size :]
        if sha256(content).digest() != file.digest:
            raise ImageError("digest", file.path)
        files.append(content)
    if rest:
        raise ImageError("form", "trailing")
    return tuple(files)


def split(data: bytes) -> tuple[bytes, bytes]:
    """(the COSE_Sign1, the files' bytes); ImageError."""
    head = struct.calcsize(_HEAD)
    if len(data) > FILE_BYTES_MAX:
        raise ImageError("form", "too-long")
    if len(data) < head:
        raise ImageError("form", "truncated")
    magic, length = struct.unpack(_HEAD, data[:head])
    if magic != _MAGIC or length > len(data) - head:
        raise ImageError("form", "truncated" if magic == _MAGIC else "magic")
    return data[head : head + length], data[head + length :]
