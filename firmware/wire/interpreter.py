"""Names the image of an interpreter of our own, which some nodes hold beside their program (`esp32.two_updates`).

Its product is `interpreter-BUILD-MPY`: the name of the build, which is that of its board (`sys.implementation._build`),
and the version of bytecode that it runs. A node's loader and rescue are never updated, and an interpreter of another
version could import neither of them. A node asks for an image by its own version, so it is never offered another one.
The files of the image are whole pieces of `micropython.bin`, as ESP-IDF makes it.
"""

WORD = "interpreter"
_PREFIX = WORD + "-"
# A power cut costs a piece, a minute over the radio. Of smaller ones the manifest, 46 bytes each, would not fit into
# its block of flash where an OTA partition is full (77).
PIECE_BYTES = 32 * 1024


def product(build, mpy) -> str:
    """Returns the name for this build and version of bytecode, of which the low byte counts."""
    return _PREFIX + "%s-%d" % (build.lower(), mpy & 0xFF)


def is_product(product) -> bool:
    """Returns whether a product is an interpreter."""
    return product.startswith(_PREFIX)
