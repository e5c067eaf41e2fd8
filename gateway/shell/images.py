"""Stores signed programs as files: for the nodes of a district, and for the cabinet's radio concentrator.

    "BOCI", the length of what follows in four bytes, a COSE_Sign1 of the manifest (`wire.image`), the files' bytes

The signature covers the manifest, which holds every file's digest: verifying both verifies everything. Files are
written whole, by rename, by `bocage gateway images` and `concentrator`; the running agent checks the two folders every
few seconds and needs no restart.

* `images` holds one file for each kind of node, and beside it the plan of the campaign that brings it to them. The
  agent serves those that are whole and verifies no signature: every node does that under its own keys, and a file that
  was altered here is refused by all of them.
* `concentrator` holds `image.bin`, whose signature the agent verifies again before it sends the image over the line,
  for a user who can write there need not be the signer; and `failed.json`, which names an image that was tried in vain
  and why: it is not offered again until another one comes.

It must not decide whether an image is newer than the running one: only the device knows.
"""

import json
import struct
from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path

from gateway.core.campaigns.campaign import Plan
from gateway.core.concentrator_update import FAILED, ConcentratorUpdate, Image
from gateway.core.link.images import NodeImage
from gateway.io import files
from gateway.io.crypto import verify_ed25519
from gateway.shell import campaign_plans
from wire import cose, image
from wire.faults import WireFault

_HEAD = ">4sI"
_MAGIC = b"BOCI"
_SIGNED_BYTES_MAX = image.MANIFEST_BYTES_MAX + cose.SIGN1_OVERHEAD_BYTES
FILE_BYTES_MAX = 8 + _SIGNED_BYTES_MAX + image.IMAGE_BYTES_MAX
NODE_FOLDER, CONCENTRATOR_FOLDER = "images", "concentrator"
_SUFFIX = ".img"
# Kinds of node in one district, with some spare; each is held in memory.
NODE_IMAGES_MAX = 8
_PRODUCT_CHARS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789_-")
PRODUCT_CHARS_MAX = 24
_IMAGE, _FAILED = "image.bin", "failed.json"
_FAILED_BYTES_MAX = 1024


class ImageError(Exception):
    """Reports why a file is no image that may be used. `reason`: a stable word."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason
        self.detail = detail


def pack(signed: bytes, contents: Sequence[bytes]) -> bytes:
    """Returns the bytes of the file. `signed`: the COSE_Sign1; `contents` in the manifest's order."""
    return struct.pack(_HEAD, _MAGIC, len(signed)) + signed + b"".join(contents)


def verify(data: bytes, keys: Sequence[bytes], *, product: str = image.CONCENTRATOR) -> Image:
    """Returns the image in a file's bytes; ImageError unless a key (Ed25519, 32 bytes) has signed it for this
    product."""
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
    # Only now is any content trusted.
    try:
        manifest = image.decode(message.payload)
    except WireFault as fault:
        raise ImageError("manifest", fault.reason) from None
    if manifest.product != product:
        raise ImageError("product", manifest.product)
    digest = sha256(message.payload).digest()
    return Image(digest, message.payload, manifest.number, manifest.text, files_of(manifest, rest))


def files_of(manifest: image.Manifest, rest: bytes) -> tuple[bytes, ...]:
    """Returns the files that a manifest describes; ImageError if they differ from it."""
    contents = []
    for file in manifest.files:
        content, rest = rest[: file.size], rest[file.size :]
        if sha256(content).digest() != file.digest:
            raise ImageError("digest", file.path)
        contents.append(content)
    if rest:
        raise ImageError("form", "trailing")
    return tuple(contents)


def split(data: bytes) -> tuple[bytes, bytes]:
    """Returns (the COSE_Sign1, the files' bytes); ImageError."""
    head = struct.calcsize(_HEAD)
    if len(data) > FILE_BYTES_MAX:
        raise ImageError("form", "too-long")
    if len(data) < head:
        raise ImageError("form", "truncated")
    magic, length = struct.unpack(_HEAD, data[:head])
    if magic != _MAGIC or length > len(data) - head:
        raise ImageError("form", "truncated" if magic == _MAGIC else "magic")
    return data[head : head + length], data[head + length :]


def read(path: Path) -> bytes:
    """Returns a file's bytes, cut at one more than an image may have. OSError."""
    with path.open("rb") as file:
        return file.read(FILE_BYTES_MAX + 1)


# --- programs for nodes ---------------------------------------------------------------------------------------------


def parse_node_image(data: bytes) -> NodeImage:
    """Returns the image in a file's bytes; ImageError if it is cut short, damaged, or for no node."""
    signed, rest = split(data)
    try:
        message = cose.sign1_decode(signed, bytes_max=image.MANIFEST_BYTES_MAX + cose.SIGN1_OVERHEAD_BYTES)
        manifest = image.decode(message.payload)
    except WireFault as fault:
        raise ImageError("manifest", fault.reason) from None
    product = manifest.product
    if product == image.CONCENTRATOR or not is_product(product):
        raise ImageError("product", product)
    return NodeImage(product, manifest.number, manifest.text, signed, files_of(manifest, rest))


def is_product(word: str) -> bool:
    """Returns whether this can name a kind of node: it becomes the name of a file."""
    return 0 < len(word) <= PRODUCT_CHARS_MAX and set(word) <= _PRODUCT_CHARS


class NodeImageStore:
    """Watches the folder of node images. Call `poll` every few seconds; `serve` gets all sound images and the plans of
    their campaigns after a change."""

    def __init__(
        self, data: Path, serve: Callable[[list[NodeImage], list[Plan]], None], log: Callable[..., None]
    ) -> None:
        self._folder = data / NODE_FOLDER
        self._serve = serve
        self._log = log
        self._seen: object = ()

    def poll(self) -> None:
        """Reads the folder again when something in it has changed."""
        seen = _state(node_image_paths(self._folder) + _plan_paths(self._folder))
        if seen == self._seen:
            return
        self._seen = seen
        images = []
        for path in node_image_paths(self._folder)[:NODE_IMAGES_MAX]:
            try:
                images.append(parse_node_image(read(path)))
            except ImageError as error:
                self._log("node-image-refused", file=path.name, reason=error.reason, detail=error.detail)
            except OSError as error:
                self._log("node-image-refused", file=path.name, reason="read", detail=str(error))
        plans = []
        for path in _plan_paths(self._folder)[:NODE_IMAGES_MAX]:
            try:
                plans.append(campaign_plans.read(path))
            except (ValueError, KeyError, TypeError) as error:
                self._log("node-image-refused", file=path.name, reason="plan", detail=str(error))
            except OSError as error:
                self._log("node-image-refused", file=path.name, reason="read", detail=str(error))
        self._serve(images, plans)
        told = {one.product: one.number for one in plans if not one.is_stopped}
        self._log("node-images", images={one.product: one.number for one in images}, campaigns=told)


def node_image_paths(folder: Path) -> list[Path]:
    """Returns the images' files, sorted; none when the folder cannot be read."""
    return _paths(folder, _SUFFIX)


def _plan_paths(folder: Path) -> list[Path]:
    return _paths(folder, campaign_plans.SUFFIX)


def _paths(folder: Path, suffix: str) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if path.suffix == suffix)
    except OSError:
        return []


def path_of(folder: Path, product: str) -> Path:
    """Returns where the image of a product is."""
    return folder / (product + _SUFFIX)


def put_node_image(data: Path, product: str, content: bytes) -> None:
    """Put an image in the place of the product's last one, whose campaign ends. OSError."""
    _withdraw(data / NODE_FOLDER, product + campaign_plans.SUFFIX)
    _put(data / NODE_FOLDER, product + _SUFFIX, content)


def withdraw_node_image(data: Path, product: str) -> bool:
    """Remove a product's image and its campaign; False if there is none. OSError."""
    _withdraw(data / NODE_FOLDER, product + campaign_plans.SUFFIX)
    return _withdraw(data / NODE_FOLDER, product + _SUFFIX)


# --- the program of the concentrator --------------------------------------------------------------------------------


class ConcentratorStore:
    """Watches the folder of the concentrator's image. Call `poll` every few seconds; `log` writes a line of the log."""

    def __init__(self, data: Path, keys: Sequence[bytes], update: ConcentratorUpdate, log: Callable[..., None]) -> None:
        self._folder = data / CONCENTRATOR_FOLDER
        self._keys = keys
        self._update = update
        self._log = log
        self._seen: object = None
        self._remembered = ""

    def poll(self) -> None:
        """Loads an image that has changed; remembers one that has failed."""
        seen = _state([self._folder / _IMAGE])
        if seen != self._seen:
            self._seen = seen
            self._load()
        image = self._update.image
        if image is not None and self._update.state == FAILED and self._remembered != image.digest.hex():
            self._remember(image.digest.hex(), self._update.why)

    def _load(self) -> None:
        image, why = None, ""
        try:
            image = verify(read(self._folder / _IMAGE), self._keys)
            why = _failures(self._folder).get(image.digest.hex(), "")
        except FileNotFoundError:
            pass
        except ImageError as error:
            self._log("concentrator-image-refused", reason=error.reason, detail=error.detail)
        except OSError as error:
            self._log("concentrator-image-refused", reason="read", detail=str(error))
        self._remembered = image.digest.hex() if image is not None and why else ""
        self._update.offer(image, why)

    def _remember(self, digest: str, why: str) -> None:
        self._remembered = digest
        try:
            files.write(self._folder / _FAILED, json.dumps({digest: why}).encode(), gives=True)
        except OSError as error:
            # After the next start it is offered once more, which the concentrator survives.
            self._log("concentrator-image-refused", reason="write", detail=str(error))


def put_concentrator_image(data: Path, content: bytes) -> None:
    """Puts an image into the folder. OSError."""
    _put(data / CONCENTRATOR_FOLDER, _IMAGE, content)


def withdraw_concentrator_image(data: Path) -> bool:
    """Remove the image, and forget a failure of it; False if there is none. OSError."""
    was_there = _withdraw(data / CONCENTRATOR_FOLDER, _IMAGE)
    (data / CONCENTRATOR_FOLDER / _FAILED).unlink(missing_ok=True)
    return was_there


def _failures(folder: Path) -> dict[str, str]:
    """Returns {digest of a manifest: why it failed}; empty for a damaged file."""
    found = files.read_object(folder / _FAILED, _FAILED_BYTES_MAX)
    return {str(digest): str(why) for digest, why in found.items()}


# --- the folders ----------------------------------------------------------------------------------------------------


def _put(folder: Path, name: str, content: bytes) -> None:
    if not folder.exists():
        folder.mkdir(mode=0o700, parents=True)
        files.give(folder)
    files.write(folder / name, content, gives=True)


def _withdraw(folder: Path, name: str) -> bool:
    was_there = (folder / name).exists()
    (folder / name).unlink(missing_ok=True)
    if was_there:
        files.sync_folder(folder)
    return was_there


def _state(paths: Sequence[Path]) -> object:
    """Returns a value that changes when one of the files does, or the right to read it."""
    seen = []
    for path in paths:
        try:
            found = path.stat()
        except OSError:
            continue
        seen.append((path.name, found.st_ctime_ns, found.st_size, found.st_ino))
    return tuple(seen)
