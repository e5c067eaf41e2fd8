"""A body sent by Block1 (RFC 7959 section 2.5), one block after the other, resumable after a reboot.

    upload = Upload(request, source, request_tag=…)
    send `upload.request()`; give its response to `receive`; act on the event; until `is_over`

An exchange that failed changes nothing: `request()` gives the same again, and a receiver takes a repeated
block for one. A body of one block goes as an ordinary request. Who stores `offset` and `request_tag` behind
each Acked may give them to a new Upload after a reboot; a server that has forgotten says 4.08 and the upload
begins again.

**Request-Tag** (RFC 9175 section 3.5.1). OSCORE says that a block is genuine, not which upload it belongs to:
who holds one back could slip it into a later upload of the same resource. So every run, restarts included,
has a tag of its own, which the server keeps apart without knowing it. It costs 4 to 5 bytes a block.

What follows an upload by Block2 is a Download whose first response is the upload's Answered.
"""

from collections import namedtuple

from wire import block as blocks
from wire import coap_message as messages
from wire import limits
from wire.block import Answered, Block, Restarted, Stopped
from wire.faults import WireFault
from wire.oscore_inner import Content

# The peer has all before `offset`.
Acked = namedtuple("Acked", ("offset",))

REQUEST_TAG_BYTES_MAX = 8


class Upload:
    """One transfer. Read `offset`, `request_tag` and `is_over`.

    request: Content without payload, Block and Size options. source: as `block.Body`. szx: of the largest
    block we send. request_tag: bytes that no other upload of this peer has under its security context, nor
    the BLOCK_RESTARTS_MAX numbers after them; None where there is no such context (a link in the clear).
    """

    def __init__(self, request, source, *, szx=limits.BLOCK_LINK_SZX, offset=0, request_tag=None):
        assert 0 <= szx <= blocks.SZX_MAX
        assert offset == 0 or (offset < source.size and offset % blocks.block_bytes(0) == 0)
        assert request_tag is None or 0 < len(request_tag) <= REQUEST_TAG_BYTES_MAX
        while offset % blocks.block_bytes(szx):
            szx -= 1
        self.offset = offset
        self.request_tag = request_tag
        self.is_over = False
        self._request = request
        self._source = source
        self._szx = szx
        self._is_blocked = offset > 0 or source.size > blocks.block_bytes(szx)
        self._restarts = 0

    @property
    def options(self) -> tuple:
        """The request's options without Block and Size, as every block carries them."""
        if self.request_tag is None or not self._is_blocked:
            return self._request.options
        options = list(self._request.options)
        messages.insert_option(options, messages.REQUEST_TAG, self.request_tag)
        return tuple(options)

    def request(self) -> Content:
        """What to send now. The caller gives its response to `receive` before it asks for another."""
        assert not self.is_over
        payload = self._source.read(self.offset, self._length)
        if not self._is_blocked:
            return Content(self._request.code, self.options, payload)
        options = list(self.options)
        sent = Block(self._number, not self._is_last, self._szx)
        messages.insert_option(options, messages.BLOCK1, blocks.encode(sent))
        if not self.offset:
            messages.insert_option(options, messages.SIZE1, messages.uint_bytes(self._source.size))
        return Content(self._request.code, tuple(options), payload)

    def receive(self, response):
        """Acked, Restarted, Answered or Stopped; the last two end it."""
        assert not self.is_over
        try:
            block = blocks.block_of(response.options, messages.BLOCK1)
        except WireFault as fault:
            return self._end(Stopped(fault.reason))
        if response.code == messages.INCOMPLETE and self._is_blocked:
            return self._restart("incomplete", response)
        if response.code == messages.REQUEST_TOO_LARGE and self._may_shrink(response, block):
            self._szx = min(self._szx, block.szx)
            self._is_blocked = True
            return self._restart("too-large", response)
        if response.code >> 5 != 2:
            return self._end(Answered(response))
        if self._is_last:
            is_odd = response.code == messages.CONTINUE
            return self._end(Stopped("block-continue") if is_odd else Answered(response))
        return self._go_on(block)

    def _go_on(self, block):
        """2.31, or the last word on this block from a server that takes each for itself (section 3.2)."""
        if block is None:
            return self._end(Stopped("block-missing"))
        if block.number != self._number:
            return self._end(Stopped("block-number"))
        if block.szx > self._szx:
            return self._end(Stopped("block-size"))
        self.offset += self._length
        self._szx = block.szx
        if self._number > blocks.NUMBER_MAX:
            return self._end(Stopped("block-total"))
        return Acked(self.offset)

    def _may_shrink(self, response, block):
        """Whether a 4.13 asks for smaller blocks (section 2.9.3) and not for a smaller body."""
        bound = blocks.size_of(response.options, messages.SIZE1)
        if block is None or (bound and bound < self._source.size):
            return False
        return block.szx < self._szx or not self._is_blocked

    def _restart(self, reason, response):
        """At 0, under the next tag. A server that refuses for ever has the last word itself."""
        self._restarts += 1
        if self._restarts > limits.BLOCK_RESTARTS_MAX:
            return self._end(Answered(response))
        self.offset = 0
        if self.request_tag is not None:
            size = len(self.request_tag)
            tag = int.from_bytes(self.request_tag, "big") + 1 & (1 << 8 * size) - 1
            self.request_tag = tag.to_bytes(size, "big")
        return Restarted(reason)

    @property
    def _length(self):
        return blocks.block_bytes(self._szx) if self._is_blocked else self._source.size

    @property
    def _number(self):
        return self.offset >> self._szx + 4

    @property
    def _is_last(self):
        return self.offset + self._length >= self._source.size

    def _end(self, event):
        self.is_over = True
        return event
