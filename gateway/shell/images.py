"""The folder `images` of the agent's data: programs for nodes, one file a product, as `bocage link image` makes them.

Put there whole, by rename, by `bocage gateway images`; the agent looks every few seconds and serves what is sound. It
judges no signature: every node does that itself, under its own keys, and a file that somebody changed here is refused
by all of them. What is looked at is that the file is whole, so that a street does not fetch what it cannot use.
"""

from collections.abc import Callable
from pathlib import Path

from gateway.core.link.images import NodeImage
from gateway.io import files
from gateway.shell.concentrator_image import FILE_BYTES_MAX, ImageError, files_of, split
from wire import cose, image
from wire.faults import WireFault

FOLDER = "images"
SUFFIX = ".img"
# Kinds of node in one district, and then some; each is held in memory.
IMAGES_MAX = 8
_PRODUCT_CHARS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-")
PRODUCT_CHARS_MAX = 24


def parse(data: bytes) -> NodeImage:
    """The image in a file's bytes; ImageError for what is cut short, damaged, or for no node."""
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
    """Whether this can be the name of a kind of node: it becomes the name of a file."""
    return 0 < len(word) <= PRODUCT_CHARS_MAX and set(word) <= _PRODUCT_CHARS


class NodeImageStore:
    """`look` is called every few seconds; `serve` gets all images that are sound when that has changed."""

    def __init__(self, data: Path, serve: Callable[[list[NodeImage]], None], say: Callable[..., None]) -> None:
        self._folder = data / FOLDER
        self._serve = serve
        self._say = say
        self._seen: object = ()

    def look(self) -> None:
        """Read the folder again when something in it is another."""
        seen = _state(self._folder)
        if seen == self._seen:
            return
        self._seen = seen
        images = []
        for path in paths(self._folder)[:IMAGES_MAX]:
            try:
                images.append(parse(read(path)))
            except ImageError as error:
                self._say("node-image-refused", file=path.name, reason=error.reason, detail=error.detail)
            except OSError as error:
                self._say("node-image-refused", file=path.name, reason="read", detail=str(error))
        self._serve(images)
        self._say("node-images", images={one.product: one.number for one in images})


def paths(folder: Path) -> list[Path]:
    """The images' files, sorted; none when the folder cannot be read."""
    try:
        return sorted(path for path in folder.iterdir() if path.suffix == SUFFIX)
    except OSError:
        return []


def read(path: Path) -> bytes:
    """A file's bytes, one more than an image may have at most. OSError."""
    with path.open("rb") as file:
        return file.read(FILE_BYTES_MAX + 1)


def put(data: Path, product: str, content: bytes) -> None:
    """Bring an image in place of the product's last one. OSError."""
    folder = data / FOLDER
    if not folder.exists():
        folder.mkdir(mode=0o700, parents=True)
        files.give(folder)
    files.write(folder / (product + SUFFIX), content, gives=True)


def withdraw(data: Path, product: str) -> bool:
    """Take a product's image away; False if there is none. OSError."""
    path = data / FOLDER / (product + SUFFIX)
    was_there = path.exists()
    path.unlink(missing_ok=True)
    if was_there:
        files.sync_folder(path.parent)
    return was_there


def _state(folder: Path) -> object:
    """Something that changes when a file does."""
    seen = []
    for path in paths(folder):
        try:
            found = path.stat()
        except OSError:
            continue
        seen.append((path.name, found.st_ctime_ns, found.st_size, found.st_ino))
    return tuple(seen)
