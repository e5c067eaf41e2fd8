"""Runs on a MicroPython VM or on CPython, for `bocage bench link`: the costs of OSCORE for one telemetry message.

A message passes a node's whole end of the link: `link_message` is all of it, request, datagram and the answer opened,
with the CoAP machine below; `clear_message` the same with the machine alone; `handshake` what each start costs, its
bytes those of request 1, of response 1 and of the additional length of request 2.

Prints lines `name microseconds allocated encoded`: time of one call, heap bytes it took (0 where that is not known),
bytes of its datagram. The collector is off while heap is measured, so no memory is freed.
"""

# mypy: ignore-errors
# The modules of MicroPython are not those that mypy knows.

import gc
import time

from wire import ccm, oscore, oscore_context
from wire import coap_message as messages
from wire.coap import Endpoint
from wire.coap_message import Content
from wire.oscore_context import GATEWAY_ID, Pairing, Session, unwrap, wrap
from wire.oscore_link import NodeLink

REPEATS = 200
ALLOCATED_OVER = 8
RECORD = bytes(range(48))  # a streetlight's record of 8 readings at its worst
ANSWER = bytes(12)
KID = b"\1\0\7"
R2 = b"gateways"
NUMBER = 40000  # the sequence number of a lamp that has been lit for a year: two bytes

try:
    from cryptolib import aes

    CIPHER = ccm.CryptolibCipher(aes)
    now_us, elapsed_us = time.ticks_us, time.ticks_diff
except ImportError:
    from gateway.io.crypto import AesCcm

    CIPHER = AesCcm()

    def now_us():
        return time.perf_counter_ns() / 1000

    def elapsed_us(end, start):
        return end - start


SECRET = bytes(range(16))


def endpoint():
    return Endpoint(random_below=lambda bound: bound // 3, first_message_id=1, handled_options=oscore.ANY_OUTSIDE)


def encoded_response(message, content):
    made = messages.Message(
        messages.ACK, content.code, message.message_id, message.token, content.options, content.payload
    )
    return messages.encode(made)


class Clear:
    """Holds the CoAP machine alone, and its answering side."""

    def __init__(self):
        self.end = endpoint()

    def ask(self):
        self.end.request("g", messages.POST, (b"t",), RECORD, now_ms=0)
        return self.end.outgoing()[0][1]

    def answer(self, datagram):
        return encoded_response(messages.decode(datagram), Content(messages.CHANGED, (), ANSWER))

    def receive_answer(self, datagram):
        assert self.end.receive(datagram, "g", now_ms=0)[0].payload == ANSWER


class Protected(Clear):
    """Holds a node's link, and a gateway that answers as the protocol demands."""

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
        plain = Content(messages.UNAUTHORIZED, (), b"")
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
        reply = Content(messages.CHANGED, (), ANSWER)
        return encoded_response(message, oscore.protect_response(self.session.context, reply, CIPHER, exchange))

    def receive_first(self, datagram):
        assert not self.end.receive(datagram, "g", now_ms=0)
        return self.end.outgoing()[0][1]


def heap():
    return gc.mem_alloc() if hasattr(gc, "mem_alloc") else 0


def costs(act, *words):
    """Returns (result, microseconds, heap bytes) of a call; the collector must be off, so that no memory is freed."""
    before, start = heap(), now_us()
    result = act(*words)
    end, after = now_us(), heap()
    return result, elapsed_us(end, start), after - before


def measure(name, peers):
    """Prints the mean cost of many messages; only the node's own share counts."""
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
    """Returns the cost of a start: what the handshake takes in addition to the message that needs it."""
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
