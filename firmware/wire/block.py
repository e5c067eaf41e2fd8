"""What both ends of a block-wise transfer need (RFC 7959): the Block options, and bodies read by pieces.

Block stands above OSCORE: Block1, Block2, Size1 and Size2 are class E, so a body is cut first and each block
is protected as a message of its own (RFC 8613 section 4.1.3.4.1). All of it works on Content, so the same
code serves a link in the clear. Clients are `block_download` and `block_upload`, servers `block_serve` and
`block_receive`. Must not know CoAP's exchanges, keys or time.
"""

from collections import namedtuple

from wire import coap_message as messages
from wire.faults import WireFault

# number: of the block, counted in its own size. more: whether others follow. szx: 0 to 6 for 16 to 1024
# bytes.
Block = namedtuple("Block", ("number", "more", "szx"))

# What a transfer's `receive` returns.
# The answer is the last word of the peer: an error, or what an upload came to.
Answered = namedtuple("Answered", ("content",))
# It begins again at offset 0: whatever came before is void. reason: "changed" (another ETag), "refused" (no
# such block, or the peer no longer knows), "whole" (no Block2 where there was one), "incomplete" (4.08),
# "too-large" (4.13 for a block of that size).
Restarted = namedtuple("Restarted", ("reason",))
# The peer does not keep to RFC 7959, or there is more than we take: one of REASONS or STOPS.
Stopped = namedtuple("Stopped", ("reason",))

SZX_MAX = 6
NUMBER_MAX = (1 << 20) - 1
# A broken option (of a WireFault).
REASONS = ("block-option-length", "block-option-reserved", "block-option-repeated")
# An answer that breaks the order of a transfer.
STOPS = (
    "block-number",  # not the block that was asked for or sent
    "block-size",  # larger than asked for
    "block-cut",  # a payload that is not what its option says
    "block-missing",  # no Block1 in the answer to one block of several
    "block-continue",  # 2.31 where nothing follows
    "block-total",  # more than the caller takes, or than 2^20 blocks
    "changed",
    "refused",
    "whole",  # reasons of a restart that was one too many, or is not possible
)

_OPTION_BYTES_MAX = 3
_SIZE_BYTES_MAX = 4
_ETAG_BYTES_MAX = 8
_MORE = 8
_REPEATED = object()
_RESERVED = 7
# RFC 7252 section 5.4.2: such a number says that the option is no part of what names a request.
_NO_CACHE_KEY_MASK = 0x1E
_NO_CACHE_KEY = 0x1C


def block_bytes(szx: int) -> int:
    """The size of a block."""
    return 16 << szx


def encode(block) -> bytes:
    """A Block option's value: the shortest, none for 0/0/16."""
    assert 0 <= block.number <= NUMBER_MAX and 0 <= block.szx <= SZX_MAX
    return messages.uint_bytes(block.number << 4 | (_MORE if block.more else 0) | block.szx)


def decode(value) -> Block:
    """The Block that an option's value says. WireFault for one that says none."""
    if len(value) > _OPTION_BYTES_MAX:
        raise WireFault("block-option-length")
    said = int.from_bytes(value, "big")
    if said & _RESERVED == _RESERVED:
        raise WireFault("block-option-reserved")
    return Block(said >> 4, said & _MORE != 0, said & _RESERVED)


def block_of(options, number):
    """The Block1 or Block2 (`number`) among the options, or None. WireFault for a broken or a second one."""
    value = _single(options, number)
    if value is _REPEATED:
        raise WireFault("block-option-repeated")
    return None if value is None else decode(value)


def size_of(options, number):
    """What Size1 or Size2 (`number`) says, or None: it is elective, so a broken one counts as absent."""
    value = _single(options, number)
    if value is None or value is _REPEATED or len(value) > _SIZE_BYTES_MAX:
        return None
    return int.from_bytes(value, "big")


def etag_of(options):
    """The ETag of a response, or None: an elective option as well."""
    value = _single(options, messages.ETAG)
    if value is None or value is _REPEATED or not 0 < len(value) <= _ETAG_BYTES_MAX:
        return None
    return value


def _single(options, number):
    """The value of the one option of this number, None, or _REPEATED. It allocates nothing: a block asks
    often."""
    single = None
    for found, value in options:
        if found == number:
            if single is not None:
                return _REPEATED
            single = value
    return single


def request_key(content):
    """What all blocks of one request have in common (RFC 7959 section 2.5): equal for two of the same.

    Request-Tag (RFC 9175 section 3) is part of it, as is every option of which we know nothing.
    """
    named = [content.code]
    for number, value in content.options:
        if number in (messages.BLOCK1, messages.BLOCK2):
            continue
        if number & _NO_CACHE_KEY_MASK != _NO_CACHE_KEY:
            named.append((number, value))
    return tuple(named)


class Body:
    """Bytes as a source: `size` in all, and `read`. A file on flash is another class with the same two."""

    def __init__(self, data):
        self._data = data
        self.size = len(data)

    def read(self, offset, length) -> bytes:
        """At most `length` bytes from `offset` on; fewer only at the end."""
        return bytes(self._data[offset : offset + length])
