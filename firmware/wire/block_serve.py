"""A representation served by Block2 (RFC 7959 section 2.4) without any state: each request is answered alone.

The ETag holds the blocks together, so it must change with the bytes. A client that lost its place, its memory
or its address needs nothing of ours. Must not keep a request.
"""

from hashlib import sha256

from wire import block as blocks
from wire import coap_message as messages
from wire import limits
from wire.block import Block
from wire.faults import WireFault
from wire.oscore_inner import Content

_ETAG_BYTES = 8
_PIECE_BYTES = 1024


def digest_etag(source) -> bytes:
    """An ETag of the bytes themselves. It reads them all: keep it as long as they stay the same."""
    digest = sha256()
    for offset in range(0, source.size, _PIECE_BYTES):
        digest.update(source.read(offset, _PIECE_BYTES))
    return digest.digest()[:_ETAG_BYTES]


def serve(request, source, *, etag, szx=limits.BLOCK_LINK_SZX, content_format=None) -> Content:
    """The answer to a GET of `source` (as `block.Body`): the whole, a block, 2.03 or what is wrong.

    szx: of the largest block we send, whatever the client asks for.
    """
    try:
        asked = blocks.block_of(request.options, messages.BLOCK2)
    except WireFault as fault:
        return refusal(fault.reason)
    known = messages.option_values(request.options, messages.ETAG)
    if (asked is None or asked.number == 0) and etag in known:
        return Content(messages.VALID, ((messages.ETAG, etag),), b"")
    start = 0
    if asked is not None:
        start = asked.number << asked.szx + 4
        szx = min(szx, asked.szx)
    if start and start >= source.size:
        return Content(messages.BAD_REQUEST, (), b"No such block")
    size = blocks.block_bytes(szx)
    options = [(messages.ETAG, etag)]
    if content_format is not None:
        options.append((messages.CONTENT_FORMAT, messages.uint_bytes(content_format)))
    if asked is not None or source.size > size:
        block = Block(start >> szx + 4, start + size < source.size, szx)
        options.append((messages.BLOCK2, blocks.encode(block)))
    is_size_wanted = start == 0 and source.size > size
    if is_size_wanted or messages.option_values(request.options, messages.SIZE2):
        options.append((messages.SIZE2, messages.uint_bytes(source.size)))
    return Content(messages.CONTENT, tuple(options), source.read(start, size))


def refusal(reason) -> Content:
    """The answer to a broken Block option: SZX 7 is 4.00 (section 2.2), any other counts as unknown."""
    is_reserved = reason == "block-option-reserved"
    return Content(messages.BAD_REQUEST if is_reserved else messages.BAD_OPTION, (), b"")
