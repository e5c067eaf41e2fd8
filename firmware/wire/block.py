"""Implements block-wise transfers (RFC 7959): the Block option, a stateless server of Block2, and a client's download.

Block is a layer above OSCORE: Block2 and Size2 are class E, so a body is cut first and each block is protected as a
message of its own (RFC 8613 section 4.1.3.4.1). It all works on Content, so the same code serves a link without OSCORE.
There are no requests of several blocks (Block1): nothing that a node or a gateway accepts is longer than a datagram.
This module must not know CoAP's exchanges, keys or time: the caller sets timeouts and retries.

    answer = serve(request, source, etag=digest_etag(source))

    download = Download(request, total_max=...)
    send `download.request()`; give its response to `receive`; act on the event; until `is_over`

A failed exchange changes nothing: `request()` returns the same request again. A download keeps no bytes: the caller
puts each Part into a buffer or flash. It begins at 0 after a reboot: a node's files are small, and those it has whole
are not asked for again.

The layers below match each response to its request. A response that still contradicts its request comes from a faulty
peer and ends the transfer.
"""

from collections import namedtuple
from hashlib import sha256

from wire import coap_message as messages
from wire import limits
from wire.coap_message import Content
from wire.faults import WireFault

# number: of the block, counted in its own size. more: whether others follow. szx: 0 to 6 for 16 to 1024 bytes.
Block = namedtuple("Block", ("number", "more", "szx"))

# What `Download.receive` returns.
# payload: the bytes from `offset` on, which is the end of the Part before. is_last: nothing follows.
Part = namedtuple("Part", ("offset", "payload", "is_last"))
# The answer is an error or 2.03: the transfer is over.
Answered = namedtuple("Answered", ("content",))
# The transfer begins again at offset 0 and all that came before is void. reason: "changed" (another ETag), "refused"
# (no such block, or the peer no longer knows the transfer), "whole" (no Block2 where there was one).
Restarted = namedtuple("Restarted", ("reason",))
# The peer breaks RFC 7959, or sends more than the caller accepts. reason: one of REASONS or STOPS.
Stopped = namedtuple("Stopped", ("reason",))

SZX_MAX = 6
NUMBER_MAX = (1 << 20) - 1
# Why a Block option is malformed (reasons of a WireFault).
REASONS = ("block-option-length", "block-option-reserved", "block-option-repeated")
# Why an answer ends a transfer.
STOPS = (
    "block-number",  # not the block that was asked for
    "block-size",  # larger than asked for
    "block-cut",  # the payload's length contradicts its option
    "block-total",  # more than the caller accepts, or than 2^20 blocks
    "changed",
    "refused",
    "whole",  # reasons of a restart that was one too many
)

_OPTION_BYTES_MAX = 3
_SIZE_BYTES_MAX = 4
_ETAG_BYTES_MAX = 8
_MORE = 8
_REPEATED = object()
_RESERVED = 7
_ETAG_BYTES = 8
_PIECE_BYTES = 1024
# What a server may answer to a block beyond the end, or of a transfer that it has forgotten.
_NO_SUCH_BLOCK = (messages.BAD_REQUEST, messages.BAD_OPTION, messages.INCOMPLETE)


# --- the options ----------------------------------------------------------------------------------------------


def block_bytes(szx: int) -> int:
    return 16 << szx


def encode(block) -> bytes:
    """Returns the value of a Block option in the fewest bytes, none for 0/0/16."""
    assert 0 <= block.number <= NUMBER_MAX and 0 <= block.szx <= SZX_MAX
    return messages.uint_bytes(block.number << 4 | (_MORE if block.more else 0) | block.szx)


def decode(value) -> Block:
    """Returns the Block of an option's value; raises WireFault with one of REASONS."""
    if len(value) > _OPTION_BYTES_MAX:
        raise WireFault("block-option-length")
    bits = int.from_bytes(value, "big")
    if bits & _RESERVED == _RESERVED:
        raise WireFault("block-option-reserved")
    return Block(bits >> 4, bits & _MORE != 0, bits & _RESERVED)


def block_of(options, number):
    """Returns the Block of the option `number`, or None; raises WireFault for a malformed or a second one."""
    value = _single(options, number)
    if value is _REPEATED:
        raise WireFault("block-option-repeated")
    return None if value is None else decode(value)


def size_of(options, number):
    """Returns the size that the option `number` announces, or None. It is elective: a malformed one counts as
    absent."""
    value = _single(options, number)
    if value is None or value is _REPEATED or len(value) > _SIZE_BYTES_MAX:
        return None
    return int.from_bytes(value, "big")


def etag_of(options):
    """Returns the ETag of a response, or None. It is elective too: a malformed one counts as absent."""
    value = _single(options, messages.ETAG)
    if value is None or value is _REPEATED or not 0 < len(value) <= _ETAG_BYTES_MAX:
        return None
    return value


def _single(options, number):
    """Returns the value of the only option of this number, None, or _REPEATED. It allocates nothing: each block calls
    it several times."""
    single = None
    for found, value in options:
        if found == number:
            if single is not None:
                return _REPEATED
            single = value
    return single


# --- the server -----------------------------------------------------------------------------------------------


class Body:
    """Offers bytes in memory as the source of a transfer: `size` and `read`. For a file, write another class with these
    two."""

    def __init__(self, data):
        self._data = data
        self.size = len(data)

    def read(self, offset, length) -> bytes:
        """Returns `length` bytes from `offset` on; fewer only at the end."""
        return bytes(self._data[offset : offset + length])


def digest_etag(source) -> bytes:
    """Returns an ETag computed from the bytes. It reads them all, so the caller keeps the ETag while they do not
    change."""
    digest = sha256()
    for offset in range(0, source.size, _PIECE_BYTES):
        digest.update(source.read(offset, _PIECE_BYTES))
    return digest.digest()[:_ETAG_BYTES]


def serve(request, source, *, etag, szx=limits.BLOCK_LINK_SZX, content_format=None) -> Content:
    """Returns the answer to a GET of `source` (a Body): all of it, a block, 2.03 or an error. No state is kept between
    requests: the ETag shows which blocks belong together, so it must change with the bytes.

    szx: the size code of the largest block that is sent, even if the client asks for larger ones.
    """
    try:
        asked = block_of(request.options, messages.BLOCK2)
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
    size = block_bytes(szx)
    options = [(messages.ETAG, etag)]
    if content_format is not None:
        options.append((messages.CONTENT_FORMAT, messages.uint_bytes(content_format)))
    if asked is not None or source.size > size:
        block = Block(start >> szx + 4, start + size < source.size, szx)
        options.append((messages.BLOCK2, encode(block)))
    is_size_wanted = start == 0 and source.size > size
    if is_size_wanted or messages.option_values(request.options, messages.SIZE2):
        options.append((messages.SIZE2, messages.uint_bytes(source.size)))
    return Content(messages.CONTENT, tuple(options), source.read(start, size))


def refusal(reason) -> Content:
    """Returns the answer to a broken Block option: 4.00 for SZX 7 (section 2.2), else 4.02, as for an unknown
    option."""
    is_reserved = reason == "block-option-reserved"
    return Content(messages.BAD_REQUEST if is_reserved else messages.BAD_OPTION, (), b"")


# --- the client -----------------------------------------------------------------------------------------------


class Download:
    """Fetches one body by Block2 (section 2.4), one request at a time. `offset`, `etag`, `size` (as Size2 announced it,
    or None), `response` (the first one) and `is_over` are its state for the caller.

    request: the Content of a GET without Block and Size options. szx: the size code of the largest block to ask for,
    from the first request on.
    """

    def __init__(self, request, *, total_max, szx=limits.BLOCK_LINK_SZX):
        assert 0 <= szx <= SZX_MAX
        self.offset = 0
        self.etag = None
        self.size = None
        self.response = None
        self.is_over = False
        self._request = request
        self._total_max = total_max
        self._szx = szx
        self._is_bound = False
        self._restarts = 0

    def request(self) -> Content:
        """Returns the request to send now. The caller passes its response to `receive` before it calls this again."""
        assert not self.is_over
        options = list(self._request.options)
        wanted = Block(self.offset >> self._szx + 4, False, self._szx)
        messages.insert_option(options, messages.BLOCK2, encode(wanted))
        if self.response is None:
            messages.insert_option(options, messages.SIZE2, b"")
        return Content(self._request.code, tuple(options), b"")

    def receive(self, response):
        """Returns Part, Restarted, Answered or Stopped; the last two end the transfer, as does the last Part."""
        assert not self.is_over
        if response.code >> 5 != 2 or response.code == messages.VALID:
            if self.offset and response.code in _NO_SUCH_BLOCK:
                return self._restart("refused")
            return self._end(Answered(response))
        # A response without the ETag of the first does not belong to it, like one with another ETag (section 2.4).
        if self._is_bound and etag_of(response.options) != self.etag:
            return self._restart("changed")
        try:
            block = block_of(response.options, messages.BLOCK2)
        except WireFault as fault:
            return self._end(Stopped(fault.reason))
        if block is None:
            return self._accept_whole(response)
        wrong = self._contradiction(block, len(response.payload))
        if wrong is not None:
            return self._end(Stopped(wrong))
        return self._accept(response, block)

    def _accept_whole(self, response):
        """Accepts a response that holds the whole body."""
        if self.offset:
            return self._restart("whole")
        if len(response.payload) > self._total_max:
            return self._end(Stopped("block-total"))
        self._learn(response)
        self.offset = len(response.payload)
        return self._end(Part(0, response.payload, True))

    def _contradiction(self, block, length):
        """Returns how the block contradicts the request, or None."""
        size = block_bytes(block.szx)
        if block.szx > self._szx:
            return "block-size"
        if block.number << block.szx + 4 != self.offset:
            return "block-number"
        if length > size or (block.more and length != size):
            return "block-cut"
        return None

    def _accept(self, response, block):
        end = self.offset + len(response.payload)
        self._learn(response)
        announced = self.size if self.size is not None and block.more else 0
        if end > self._total_max or announced > self._total_max:
            return self._end(Stopped("block-total"))
        self._szx = block.szx
        if block.more and end >> self._szx + 4 > NUMBER_MAX:
            return self._end(Stopped("block-total"))
        part = Part(self.offset, response.payload, not block.more)
        self.offset = end
        return part if block.more else self._end(part)

    def _learn(self, response):
        """Binds all later responses to the ETag of the first."""
        size = size_of(response.options, messages.SIZE2)
        if size is not None:
            self.size = size
        if self.response is None:
            self.response = Content(response.code, response.options, b"")
        self.etag = etag_of(response.options)
        self._is_bound = True

    def _restart(self, reason):
        self._restarts += 1
        if self._restarts > limits.BLOCK_RESTARTS_MAX:
            return self._end(Stopped(reason))
        self.offset = 0
        self.etag = None
        self.size = None
        self.response = None
        self._is_bound = False
        return Restarted(reason)

    def _end(self, event):
        self.is_over = True
        return event
