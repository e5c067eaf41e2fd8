"""Defines images of a program: the manifest, and the operations that an update asks of the file system.

**The manifest** lists the files of the program, with the digest of each. It is CBOR, signed as a whole.

    [product, number, text, [[path, size in bytes, SHA-256], ...]]

`number` rises with every image of a product and is never used twice; `text` is for people. Paths are inside the folder
that the image becomes; a path that could leave it is refused. The signature wraps these bytes (`wire.cose`, IMAGE_AAD);
since it covers the digests it covers the files.

**Operations.** An update (`concentrator.update`, `node.updating`) decides one small operation at a time, and the shell
that has files (`esp32.slot_files`, or `esp32.slot_rom` in a ROMFS partition) carries it out. An operation is a tuple
that begins with one of the words below. Paths are inside the folder that the chip does not run from.

Must not know who signs, where files are stored, or what they do.
"""

from collections import namedtuple

from wire import cbor
from wire.faults import WireFault

READ = "read"  # path, offset -> at most PIECE_BYTES, fewer at the end; empty when there is no such file
CLEAR = "clear"  # -> True when nothing is left, False when more is left, or the word of a fault
BEGIN = "begin"  # path -> "" or the word of a fault
WRITE = "write"  # data -> the same
END = "end"  # -> the same
CHOOSE = "choose"  # number -> whether it is written
CONFIRM = "confirm"  # number -> the same

# The word of a fault: the file system is full.
SPACE = "space"
_NO_SPACE = 28  # ENOSPC

MANIFEST_NAME = "manifest.bin"
# The part of a file to read back, or of a manifest to write, in one turn: it takes a few milliseconds. Received data
# comes in smaller pieces still; erasing a flash sector, 50 ms or so each 4 kB, is the driver's.
PIECE_BYTES = 512
# A file was received this often and still is not what was signed: the flash is worn out.
RECEIVED_MAX = 3

CONCENTRATOR = "concentrator"

Manifest = namedtuple("Manifest", ("product", "number", "text", "files"))
File = namedtuple("File", ("path", "size", "digest"))
Question = namedtuple("Question", ("number", "failed", "is_rescue"))
_RESCUE = b"r"

DIGEST_BYTES = 32
NUMBER_MAX = 0xFFFFFFFF
# Three flash sectors, some 220 modules; a node's application has 108. Nothing else bounds their number.
MANIFEST_BYTES_MAX = 3 * 4096
# A row has 42 bytes at least: a digest, a path of four characters, a size, and what CBOR puts before them.
_ROWS_MAX = MANIFEST_BYTES_MAX // 42
PATH_CHARS_MAX = 48
PATH_PARTS_MAX = 3
TEXT_CHARS_MAX = 16
# Twice the longest module as source.
FILE_BYTES_MAX = 64 * 1024
# An interpreter of our own: 77 pieces of 32 KiB and its manifest fill an OTA partition (firmware/interpreter). Programs
# are a fifth of that; where one has no room its update says so (SPACE).
IMAGE_BYTES_MAX = 0x268000

# A program that runs in place is one ROMFS image, sent in pieces of two flash sectors: 00.rom, 01.rom, ... Its product
# is the kind of node with ROM_SUFFIX.
ROM_PIECE_BYTES = 8192
ROM_SUFFIX = "-rom"
_ROM = ".rom"

_SUFFIXES = (".py", ".mpy", _ROM)
_PATH_CHARS = "abcdefghijklmnopqrstuvwxyz0123456789_"
_DEPTH_MAX = 4


def question(number, failed, is_rescue) -> list:
    """Returns the query of a node's question for a manifest: the number of the image that it starts from, that of the
    one that it gave up last (0: none), and whether it is in rescue mode."""
    query = [("n=%d" % number).encode()]
    if failed:
        query.append(("x=%d" % failed).encode())
    if is_rescue:
        query.append(_RESCUE)
    return query


def decode_question(query) -> Question:
    """Returns the Question; what is absent or malformed is None, or not in rescue. Raises nothing."""
    found = {}
    for word in query:
        name, value = word[:2], word[2:]
        if name in (b"n=", b"x=") and 0 < len(value) <= 10 and value.isdigit():
            found[name] = int(value)
    return Question(found.get(b"n="), found.get(b"x="), _RESCUE in query)


def encode(manifest) -> bytes:
    """Returns the bytes of the manifest, to be signed."""
    files = [list(file) for file in manifest.files]
    return cbor.encode([manifest.product, manifest.number, manifest.text, files], MANIFEST_BYTES_MAX)


def decode(data) -> Manifest:
    """Returns the Manifest; raises WireFault: `manifest`, `path`, `size`, or a reason of `cbor`. The caller checks the
    product."""
    fields = cbor.decode(data, bytes_max=MANIFEST_BYTES_MAX, items_max=_ROWS_MAX, depth_max=_DEPTH_MAX)
    if not isinstance(fields, list) or len(fields) != 4:
        raise WireFault("manifest")
    product, number, text, rows = fields
    if not isinstance(product, str) or not isinstance(text, str) or len(text) > TEXT_CHARS_MAX:
        raise WireFault("manifest")
    if not cbor.is_integer(number) or not 0 < number <= NUMBER_MAX:
        raise WireFault("manifest")
    if not isinstance(rows, list) or not rows:
        raise WireFault("manifest")
    files = [_file(row) for row in rows]
    if len({file.path for file in files}) != len(files):
        raise WireFault("path")
    if sum([file.size for file in files]) > IMAGE_BYTES_MAX:
        raise WireFault("size")
    return Manifest(product, number, text, files)


def kind_of(product) -> str:
    """Returns the kind of node that a product is for, however its programs are stored."""
    return product[: -len(ROM_SUFFIX)] if product.endswith(ROM_SUFFIX) else product


def rom_path(index) -> str:
    """Returns the path of a piece of a ROMFS image."""
    return "%02d" % index + _ROM


def rom_index(path):
    """Returns the index of the piece that a path names, or None."""
    digits = path[: -len(_ROM)]
    return int(digits) if digits.isdigit() and path == rom_path(int(digits)) else None


def is_path(path) -> bool:
    """Returns whether this path names a module or a piece inside the image's folder and cannot name anything else."""
    if not isinstance(path, str) or len(path) > PATH_CHARS_MAX:
        return False
    suffix = ""
    for known in _SUFFIXES:
        if path.endswith(known):
            suffix = known
    if not suffix:
        return False
    parts = path[: -len(suffix)].split("/")
    return len(parts) <= PATH_PARTS_MAX and all(_is_part(part) for part in parts)


def _is_part(part):
    return bool(part) and all(char in _PATH_CHARS for char in part)


def _file(row):
    if not isinstance(row, list) or len(row) != 3:
        raise WireFault("manifest")
    path, size, digest = row
    if not is_path(path):
        raise WireFault("path")
    if not cbor.is_integer(size) or not 0 <= size <= FILE_BYTES_MAX:
        raise WireFault("size")
    if not isinstance(digest, bytes) or len(digest) != DIGEST_BYTES:
        raise WireFault("manifest")
    return File(path, size, digest)


class Carrier:
    """Carries out one operation at a time by the methods of a subclass. `choose(number)` and `confirm(number)` are the
    loader's. An OSError of a method is a result."""

    def __init__(self, choose, confirm):
        self._choose = choose
        self._confirm = confirm
        self._actions = {
            READ: self._read,
            CLEAR: self._clear,
            BEGIN: self._begin,
            WRITE: self._write,
            END: self._end,
        }

    def do(self, operation):
        """Does one operation and returns its result."""
        what = operation[0]
        if what == CHOOSE:
            return self._choose(operation[1])
        if what == CONFIRM:
            return self._confirm(operation[1])
        try:
            return self._actions[what](*operation[1:])
        except OSError as error:
            if what == READ:
                return b""
            return SPACE if error.errno == _NO_SPACE else "write"
