"""Bodies received by Block1 (RFC 7959 section 2.5), put together in memory: one of each peer, few in all.

Bodies come in order or not at all: a gap, an overlap, another request in between or a body that we forgot is
4.08, and block 0 always begins anew. A block that comes twice (its answer was lost) is answered again and
counts once; so is the last one, from the answer that was given, because the request must not run twice. It
must not act on a request, and it answers nothing by Block2.

**What an attacker gets.** Every peer pays with its own place. At most `bodies_max` × (`body_max` + 1 kB)
bytes are held, whatever Size1 claims: it may only refuse early. An unfinished body keeps its place until
`wait_ms` after its last new block: while all are taken, others hear 5.03 with the wait. A finished one makes
room at once.
"""

from collections import namedtuple

from wire import block as blocks
from wire import coap_message as messages
from wire import limits
from wire.block import Block
from wire.block_serve import refusal
from wire.faults import WireFault
from wire.oscore_inner import Content

# For the application: `content` has the whole body as payload, and no Block1 or Size1. It answers through
# `Receiver.answer`. block: the last Block1, or None for a request without one.
Whole = namedtuple("Whole", ("peer", "content", "block"))

# Every request that is received adds one to exactly one of these, or to REFUSED_AS.
TAKEN_AS = ("unblocked", "blocks", "repeated")
REFUSED_AS = (
    "block-option",  # broken
    "block-cut",  # a payload that is not what its option says
    "incomplete",  # 4.08
    "too-large",  # 4.13
    "busy",  # 5.03: no place, or the answer to the last block is not given yet
)
OTHER_COUNTERS = ("begun", "finished", "replaced", "expired")


class _Incoming:
    """A body under way, or the answer to one that is finished."""

    reply = None
    is_finished = False
    last = None  # (where the last block began, whether others follow it, its payload)

    def __init__(self, key):
        self.key = key
        self.body = bytearray()
        self.due_ms = 0


class Receiver:
    """Bodies under way, by peer (any hashable value). `counters`: {name: integer}."""

    def __init__(
        self,
        *,
        szx=limits.BLOCK_LINK_SZX,
        body_max=limits.BLOCK_BODY_BYTES_MAX,
        bodies_max=limits.BLOCK_BODIES_MAX,
        wait_ms=limits.BLOCK_BODY_WAIT_MS,
    ):
        self.counters = dict.fromkeys(TAKEN_AS + REFUSED_AS + OTHER_COUNTERS, 0)
        self._szx = szx
        self._body_max = body_max
        self._bodies_max = bodies_max
        self._wait_ms = wait_ms
        self._incoming = {}

    def receive(self, peer, content, *, now_ms):
        """A request: Whole when it is complete, else the Content to answer it with."""
        self.forget_expired(now_ms=now_ms)
        try:
            block = blocks.block_of(content.options, messages.BLOCK1)
        except WireFault as fault:
            self._count("block-option")
            return refusal(fault.reason)
        if block is None:
            self._count("unblocked")
            return Whole(peer, content, None)
        size = blocks.block_bytes(block.szx)
        length = len(content.payload)
        if length > size or (block.more and length != size):
            self._count("block-cut")
            return Content(messages.BAD_REQUEST, (), b"")
        key = blocks.request_key(content)
        start = block.number << block.szx + 4
        if start == 0:
            refused = self._begin(peer, key, content, now_ms)
            if refused is not None:
                return refused
        incoming = self._incoming.get(peer)
        if incoming is None or incoming.key != key:
            return self._refuse_gap()
        if start and incoming.last == (start, block.more, content.payload):
            return self._repeat(incoming, block)
        if incoming.is_finished or start != len(incoming.body):
            return self._refuse_gap()
        return self._append(peer, incoming, block, content, now_ms)

    def answer(self, whole, content) -> Content:
        """`content` as the answer to `whole`; a repetition of its last block will get the same."""
        if whole.block is None:
            return content
        options = list(content.options)
        acked = Block(whole.block.number, False, min(whole.block.szx, self._szx))
        messages.insert_option(options, messages.BLOCK1, blocks.encode(acked))
        reply = Content(content.code, tuple(options), content.payload)
        incoming = self._incoming.get(whole.peer)
        if incoming is not None and incoming.is_finished and incoming.key == blocks.request_key(whole.content):
            incoming.reply = reply
        return reply

    def forget_expired(self, *, now_ms):
        """Free the places whose time is over. `receive` does it too."""
        for peer in [peer for peer, incoming in self._incoming.items() if incoming.due_ms <= now_ms]:
            if not self._incoming.pop(peer).is_finished:
                self._count("expired")

    def deadline_ms(self):
        """When the next place is over, or None."""
        earliest = None
        for incoming in self._incoming.values():
            if earliest is None or incoming.due_ms < earliest:
                earliest = incoming.due_ms
        return earliest

    def _begin(self, peer, key, content, now_ms):
        """A place for a body; or the refusal."""
        claimed = blocks.size_of(content.options, messages.SIZE1)
        if claimed is not None and claimed > self._body_max:
            return self._refuse_length()
        known = self._incoming.pop(peer, None)
        if known is not None and not known.is_finished:
            self._count("replaced")
        if len(self._incoming) >= self._bodies_max and not self._evict_finished():
            self._count("busy")
            wait_s = (self.deadline_ms() - now_ms + 999) // 1000
            return Content(messages.UNAVAILABLE, ((messages.MAX_AGE, messages.uint_bytes(wait_s)),), b"")
        self._count("begun")
        self._incoming[peer] = _Incoming(key)
        return None

    def _evict_finished(self):
        """Of the finished ones the nearest to its end."""
        chosen = None
        for peer, incoming in self._incoming.items():
            if incoming.is_finished and (chosen is None or incoming.due_ms < self._incoming[chosen].due_ms):
                chosen = peer
        if chosen is None:
            return False
        del self._incoming[chosen]
        return True

    def _repeat(self, incoming, block):
        if not incoming.is_finished:
            self._count("repeated")
            return self._continue(block)
        if incoming.reply is None:
            self._count("busy")
            return Content(messages.UNAVAILABLE, ((messages.MAX_AGE, b"\x01"),), b"")
        self._count("repeated")
        return incoming.reply

    def _append(self, peer, incoming, block, content, now_ms):
        if len(incoming.body) + len(content.payload) > self._body_max:
            del self._incoming[peer]
            return self._refuse_length()
        self._count("blocks")
        incoming.last = (len(incoming.body), block.more, content.payload)
        incoming.due_ms = now_ms + self._wait_ms
        incoming.body.extend(content.payload)
        if block.more:
            return self._continue(block)
        self._count("finished")
        payload = bytes(incoming.body)
        incoming.body = None
        incoming.is_finished = True
        options = [option for option in content.options if option[0] not in (messages.BLOCK1, messages.SIZE1)]
        return Whole(peer, Content(content.code, tuple(options), payload), block)

    def _continue(self, block):
        acked = Block(block.number, True, min(block.szx, self._szx))
        return Content(messages.CONTINUE, ((messages.BLOCK1, blocks.encode(acked)),), b"")

    def _refuse_gap(self):
        self._count("incomplete")
        return Content(messages.INCOMPLETE, (), b"")

    def _refuse_length(self):
        self._count("too-large")
        return Content(messages.REQUEST_TOO_LARGE, ((messages.SIZE1, messages.uint_bytes(self._body_max)),), b"")

    def _count(self, name):
        self.counters[name] += 1
