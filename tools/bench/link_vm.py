"""Runs on a MicroPython VM or on CPython, for tools.bench.link: what OSCORE adds to one telemetry message.

Prints lines `name microseconds allocated encoded`: time of one call, heap bytes it took (0 where that is not known),
bytes of its datagram. The collector is off while heap is measured, so nothing is given back.
"""

# mypy: ignore-errors
# The modules of MicroPython are not those that mypy knows.

import gc
import time

from wire import ccm, oscore, oscore_context
from wire import coap_message as messages
from wire.coap_message import Content

REPEATS = 300
RECORD = bytes(range(48))  # a streetlight's record of 8 readings at its worst
TOKEN = b"tokn"

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


SECRET = bytes(range(16))
NODE = oscore_context.derive(SECRET, sender_id=b"\0\0\7", recipient_id=b"g", id_context=b"node7\1")
GATEWAY = oscore_context.derive(SECRET, sender_id=b"g", recipient_id=b"\0\0\7", id_context=b"node7\1")
REQUEST = Content(messages.POST, ((messages.URI_PATH, b"t"), (messages.CONTENT_FORMAT, b"\x3c")), RECORD)
RESPONSE = Content(messages.CHANGED, (), bytes(8))
ASKED, EXCHANGE = oscore.protect_request(NODE, REQUEST, CIPHER, number=40000)
HEARD = oscore.unprotect_request(GATEWAY, ASKED, CIPHER, window=oscore_context.NEW)[1]
ANSWERED = oscore.protect_response(GATEWAY, RESPONSE, CIPHER, HEARD)


def datagram(content):
    whole = messages.Message(messages.CON, content.code, 7, TOKEN, content.options, content.payload)
    return messages.encode(whole)


def clear_request():
    return datagram(REQUEST)


def protected_request():
    return datagram(oscore.protect_request(NODE, REQUEST, CIPHER, number=40000)[0])


def opened_request():
    oscore.unprotect_request(GATEWAY, ASKED, CIPHER, window=oscore_context.NEW)
    return b""


def protected_response():
    return datagram(oscore.protect_response(GATEWAY, RESPONSE, CIPHER, HEARD, number=7))


def opened_response():
    oscore.unprotect_response(NODE, ANSWERED, CIPHER, EXCHANGE)
    return b""


def derived():
    oscore_context.derive(SECRET, sender_id=b"\0\0\7", recipient_id=b"g", id_context=b"node7\1")
    return b""


def allocated(act):
    if not hasattr(gc, "mem_alloc"):
        return 0
    gc.collect()
    gc.disable()
    before = gc.mem_alloc()
    act()
    after = gc.mem_alloc()
    gc.enable()
    return after - before


for act in (clear_request, protected_request, opened_request, protected_response, opened_response, derived):
    encoded = len(act())
    taken = allocated(act)
    start = now_us()
    for _ in range(REPEATS):
        act()
    print(act.__name__, int(elapsed_us(now_us(), start) / REPEATS), taken, encoded)
