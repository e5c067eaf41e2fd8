"""A representation fetched by Block2 (RFC 7959 section 2.4), one request at a time, resumable after a reboot.

    download = Download(request, total_max=…)
    send `download.request()`; give its response to `receive`; act on the event; until `is_over`

An exchange that failed changes nothing: `request()` gives the same again. No bytes are kept: each Part goes
to where the caller wants it, a buffer or flash. Who stores `offset` and `etag` behind each Part may give them
to a new Download after a reboot and goes on there; without an ETag nothing says that both halves belong
together, so such a transfer begins at 0.

A response is bound to its request by the layers below. What contradicts the request all the same comes from a
broken peer and ends the transfer. Must not know time: patience and retries are the caller's.
"""

from collections import namedtuple

from wire import block as blocks
from wire import coap_message as messages
from wire import limits
from wire.block import Answered, Block, Restarted, Stopped
from wire.faults import WireFault
from wire.oscore_inner import Content

# payload: the bytes from `offset` on, which is the end of the Part before. is_last: nothing follows.
Part = namedtuple("Part", ("offset", "payload", "is_last"))

# To ask again from the start is harmless for these alone.
_REPEATABLE = (messages.GET, messages.FETCH)
# What a server may say to a block beyond the end, or in the middle of what it has forgotten.
_NO_SUCH_BLOCK = (messages.BAD_REQUEST, messages.BAD_OPTION, messages.INCOMPLETE)


class Download:
    """One transfer. Read `offset`, `etag`, `size` (what Size2 said, or None), `response` (the first one) and
    `is_over`.

    request: Content without Block and Size options; its payload goes with block 0 only. szx: of the largest
    block we ask for. is_early: the first request asks too; otherwise the server chooses its first size.
    """

    def __init__(self, request, *, total_max, szx=limits.BLOCK_LINK_SZX, is_early=True, offset=0, etag=None):
        assert 0 <= szx <= blocks.SZX_MAX and 0 <= offset <= total_max
        assert not offset or etag, "without an ETag nothing says what the first half belonged to"
        self.offset = offset
        self.etag = etag
        self.size = None
        self.response = None
        self.is_over = False
        self._request = request
        self._total_max = total_max
        self._szx = szx
        self._is_asking = is_early or offset > 0
        self._is_bound = etag is not None
        self._restarts = 0

    def request(self) -> Content:
        """What to send now. The caller gives its response to `receive` before it asks for another."""
        assert not self.is_over
        options = list(self._request.options)
        if self._is_asking:
            wanted = Block(self.offset >> self._szx + 4, False, self._szx)
            messages.insert_option(options, messages.BLOCK2, blocks.encode(wanted))
            if self.response is None:
                messages.insert_option(options, messages.SIZE2, b"")
        payload = b"" if self.offset else self._request.payload
        return Content(self._request.code, tuple(options), payload)

    def receive(self, response):
        """Part, Restarted, Answered or Stopped; the last two end it, as does the last Part."""
        assert not self.is_over
        if response.code >> 5 != 2 or response.code == messages.VALID:
            if self.offset and response.code in _NO_SUCH_BLOCK:
                return self._restart("refused")
            return self._end(Answered(response))
        # One that comes without the ETag of the first is as foreign as one with another (section 2.4).
        if self._is_bound and blocks.etag_of(response.options) != self.etag:
            return self._restart("changed")
        try:
            block = blocks.block_of(response.options, messages.BLOCK2)
        except WireFault as fault:
            return self._end(Stopped(fault.reason))
        if block is None:
            return self._take_whole(response)
        wrong = self._contradiction(block, len(response.payload))
        if wrong is not None:
            return self._end(Stopped(wrong))
        return self._take(response, block)

    def _take_whole(self, response):
        """A server that serves no blocks, or need not."""
        if self.offset:
            return self._restart("whole")
        if len(response.payload) > self._total_max:
            return self._end(Stopped("block-total"))
        self._learn(response)
        self.offset = len(response.payload)
        return self._end(Part(0, response.payload, True))

    def _contradiction(self, block, length):
        """What the block says against what was asked, or None."""
        size = blocks.block_bytes(block.szx)
        if self._is_asking and block.szx > self._szx:
            return "block-size"
        if block.number << block.szx + 4 != self.offset >> self._szx + 4 << self._szx + 4:
            return "block-number"
        if length > size or (block.more and length != size):
            return "block-cut"
        return None

    def _take(self, response, block):
        start = block.number << block.szx + 4
        end = start + len(response.payload)
        # After a resume at any byte, a block may lie before what we have, when the server makes it smaller
        # than asked: a Part without bytes, and the next request is right. The last one may not.
        if not block.more and end < self.offset:
            return self._end(Stopped("block-cut"))
        self._learn(response)
        told = self.size if self.size is not None and block.more else 0
        if end > self._total_max or told > self._total_max:
            return self._end(Stopped("block-total"))
        self._szx = min(self._szx, block.szx)
        if block.more and end >> self._szx + 4 > blocks.NUMBER_MAX:
            return self._end(Stopped("block-total"))
        skipped = min(self.offset - start, len(response.payload))
        payload = response.payload[skipped:] if skipped else response.payload
        part = Part(self.offset, payload, not block.more)
        self.offset = max(self.offset, end)
        self._is_asking = True
        return part if block.more else self._end(part)

    def _learn(self, response):
        """The first response of a run binds all others to its ETag."""
        told = blocks.size_of(response.options, messages.SIZE2)
        if told is not None:
            self.size = told
        if self.response is None:
            self.response = Content(response.code, response.options, b"")
        self.etag = blocks.etag_of(response.options)
        self._is_bound = True

    def _restart(self, reason):
        self._restarts += 1
        if self._restarts > limits.BLOCK_RESTARTS_MAX or self._request.code not in _REPEATABLE:
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
