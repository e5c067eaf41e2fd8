"""Encodes and decodes the messages between gateway and radio concentrator about a new image, on the line and in the
form of `wire.radio`.

OFFER names an image by the SHA-256 of its manifest. WANT answers it, and every chunk that was written: the part to send
next (file 0 is the manifest, file n the n-th of its list), or that the image is complete, or why it is refused. One
chunk is under way at a time, so that the line stays free for datagrams. ACTIVATE starts the complete image. STATE
follows each HELLO: the image that runs, whether it is on trial, and the number of the last image that failed its trial.

An end that does not know these kinds counts them as unknown and continues: an old concentrator never sends STATE and is
offered nothing. Must not know what is in an image.
"""

import struct
from collections import namedtuple

from wire.faults import WireFault

# Concentrator to gateway.
STATE = 0x06
WANT = 0x07
TOLD = (STATE, WANT)
# Gateway to concentrator.
OFFER = 0x84
CHUNK = 0x85
ACTIVATE = 0x86
ASKED = (OFFER, CHUNK, ACTIVATE)

DIGEST_BYTES = 32
TAG_BYTES = 4  # the first bytes of the digest: they name the image of a message
# It takes 17 ms on the line at 115,200 baud, and is a fraction of a flash page.
CHUNK_BYTES_MAX = 192

# STATE's phases.
CONFIRMED = "confirmed"
TRIAL = "trial"
FIXED = "fixed"  # started without the loader: there is no second place for an image
PHASES = (CONFIRMED, TRIAL, FIXED)

# WANT's answers. The first three are no failures.
NEXT = "next"
READY = "ready"
BUSY = "busy"  # on trial: the other place holds the image to fall back to
ANSWERS = (
    NEXT,
    READY,
    BUSY,
    "fixed",  # no second place
    "number",  # not above what ran before
    "product",
    "manifest",  # no manifest, or not the one that was offered
    "path",
    "size",
    "space",  # the file system is full
    "write",  # the file system refuses
    "digest",  # the bytes read back are not those written
    "state",  # the choice of the next start could not be written
)
UNKNOWN = "unknown"  # an answer of a newer concentrator

State = namedtuple("State", ("number", "phase", "failed"))
Want = namedtuple("Want", ("tag", "answer", "file", "offset"))
Offer = namedtuple("Offer", ("digest", "number", "size"))
Chunk = namedtuple("Chunk", ("tag", "file", "offset", "data"))
Activate = namedtuple("Activate", ("tag",))

_STATE = ">IBI"
_WANT = ">4sBBI"
_OFFER = ">32sIH"
_CHUNK = ">4sBI"


def state(number, phase, failed) -> bytes:
    return bytes((STATE,)) + struct.pack(_STATE, number, PHASES.index(phase), failed)


def want(tag, answer, file=0, offset=0) -> bytes:
    return bytes((WANT,)) + struct.pack(_WANT, tag, ANSWERS.index(answer), file, offset)


def offer(digest, number, size) -> bytes:
    return bytes((OFFER,)) + struct.pack(_OFFER, digest, number, size)


def chunk(tag, file, offset, data) -> bytes:
    return bytes((CHUNK,)) + struct.pack(_CHUNK, tag, file, offset) + data


def activate(tag) -> bytes:
    return bytes((ACTIVATE,)) + tag


def decode(body):
    """Returns one of the tuples above; raises WireFault: `kind`, `short` or `long`."""
    kind, rest = body[0], body[1:]
    if kind == STATE:
        number, phase, failed = _head(_STATE, rest)
        return State(number, PHASES[phase] if phase < len(PHASES) else FIXED, failed)
    if kind == WANT:
        tag, answer, file, offset = _head(_WANT, rest)
        return Want(tag, ANSWERS[answer] if answer < len(ANSWERS) else UNKNOWN, file, offset)
    if kind == OFFER:
        return Offer(*_head(_OFFER, rest))
    if kind == CHUNK:
        data = rest[struct.calcsize(_CHUNK) :]
        if len(data) > CHUNK_BYTES_MAX:
            raise WireFault("long")
        tag, file, offset = _head(_CHUNK, rest)
        return Chunk(tag, file, offset, data)
    if kind == ACTIVATE:
        return Activate(*_head(">4s", rest))
    raise WireFault("kind")


def _head(layout, rest):
    """Returns the fields at the beginning of `rest`; a newer end may append some."""
    size = struct.calcsize(layout)
    if len(rest) < size:
        raise WireFault("short")
    return struct.unpack(layout, rest[:size])
