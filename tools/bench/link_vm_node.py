"""Runs on a MicroPython VM or on CPython, for tools.bench.link: a telemetry message through a node's end of the link.

`link_message` is all of it, request, datagram and the answer opened, with the CoAP machine below; `clear_message` the
same with the machine alone; `handshake` what a start costs once, its bytes those of request 1, response 1 and of what
request 2 is longer by. Prints lines as `link_vm.py` does.
"""

# mypy: ignore-errors
# The modules of MicroPython are not those that mypy knows.

import gc
import time

from wire import ccm, oscore, oscore_context
from wire import coap_message as messages
from wire.coap import Endpoint
from wire.oscore_context import GATEWAY_ID, Pairing, Session, unwrap, wrap
from wire.oscore_link import NodeLink

REPEATS = 200
ALLOCATED_OVER = 8
RECORD = bytes(range(48))  # a streetlight's record of 8 readings at its worst
ANSWER = bytes(12)
KID = b"\1\0\7"
SECRET = bytes(range(16))
R2 = b"gateways"
NUMBER = 40000  # of a lamp that has been lit for a year: two bytes

try:
    from cryptolib import aes

    CIPHER = ccm.CryptolibCipher(aes)
    now_us, elapsed_us = time.ticks_us, time.ticks_diff
except ImportError:
    from gateway.io.crypto import AesBlocks

    CIPHER = AesBlocks()

    def now_us():
        return time.perf_counter_ns() / 1000

    def elapsed_us(end, start):
        return end - start


def endpoint():
    return Endpoint(random_below=lambda bound: bound // 3, first_message_id=1, handled_options=oscore.ANY_OUTSIDE)


def encoded_response(message, content):
    made = messages.Message(
        messages.ACK, content.code, message.message_id, message.token, content.options, content.payload
    )
    return messages.encode(made)


class Clear:
    """The CoAP machine alone, and who answers."""

    def __init__(self):
        self.end = endpoint()

    def ask(self):
        self.end.request("g", messages.POST, (b"t",), RECORD, now_ms=0)
        return self.end.outgoing()[0][1]

    def answer(self, datagram):
        return encoded_response(messages.decode(datagram), messages.Content(messages.CHANGED, (), ANSWER))

    def receive_answer(self, datagram):
        assert self.end.receive(datagram, "g", now_ms=0)[0].payload == ANSWER


class Protected(Clear):
    """A node's link, and a gateway that answers as it must."""

    def __init__(self):
        self.end = NodeLink(
            endpoint(), Pairing(SECRET, KID, GATEWAY_ID), CIPHER, peer="g", boot=7, random_below=lambda bound: 0
        )
        self.pairing = Pairing(SECRET, GATEWAY_ID, KID)
        self.session = None

    def answer_first(self, datagram):
        message = messages.decode(datagram)
        kid_context = oscore.header_of(message).kid_context
        id1 = unwrap(kid_context)
        _, exchange, _ = oscore.unprotect_request(
            self.pairing.context(id1), message, CIPHER, window=oscore_context.NEW, kid_context=kid_context
        )
        plain = messages.Content(messages.UNAUTHORIZED, (), b"")
        context = self.pairing.context(R2 + id1)
        sealed = oscore.protect_response(context, plain, CIPHER, exchange, kid_context=wrap(R2))
        return encoded_response(message, sealed)

    def answer(self, datagram):
        message = messages.decode(datagram)
        kid_context = oscore.header_of(message).kid_context
        if self.session is None:
            self.session = Session(self.pairing.context(unwrap(kid_context)))
        _, exchange, self.session.window = oscore.unprotect_request(
            self.session.context, message, CIPHER, window=self.session.window, kid_context=kid_context
        )
        reply = messages.Content(messages.CHANGED, (), ANSWER)
        return encoded_response(message, oscore.protect_response(self.session.context, reply, CIPHER, exchange))

    def receive_first(self, datagram):
        assert not self.end.receive(datagram, "g", now_ms=0)
        return self.end.outgoing()[0][1]


def heap():
    return gc.mem_alloc() if hasattr(gc, "mem_alloc") else 0


def costs(act, *words):
    """(result, microseconds, heap bytes): the collector is off, so nothing is given back."""
    before, start = heap(), now_us()
    result = act(*words)
    end, after = now_us(), heap()
    return result, elapsed_us(end, start), after - before


def measure(name, peers):
    """Many messages, of which only the node's own share counts."""
    us = taken = encoded = 0
    for number in range(REPEATS):
        gc.collect()
        gc.disable()
        datagram, asking_us, asking = costs(peers.ask)
        answer = peers.answer(datagram)
        _, hearing_us, hearing = costs(peers.receive_answer, answer)
        gc.enable()
        us += asking_us + hearing_us
        if number >= REPEATS - ALLOCATED_OVER:
            taken += asking + hearing
        encoded = max(encoded, len(datagram))
    print(name, int(us / REPEATS), taken // ALLOCATED_OVER, encoded)


def agree():
    """The cost of a start: what the handshake takes beyond the message that it is for."""
    peers = Protected()
    gc.collect()
    gc.disable()
    first, asking_us, asking = costs(peers.ask)
    offer = peers.answer_first(first)
    second, hearing_us, hearing = costs(peers.receive_first, offer)
    gc.enable()
    peers.receive_answer(peers.answer(second))
    plain = peers.ask()
    peers.receive_answer(peers.answer(plain))
    return peers, asking_us + hearing_us, asking + hearing, len(first) + len(offer) + len(second) - len(plain)


measure("clear_message", Clear())
agree()
protected, taken_us, heap_bytes, handshake_bytes = agree()
print("handshake", int(taken_us), heap_bytes, handshake_bytes)
protected.end._session.number = NUMBER
measure("link_message", protected)
