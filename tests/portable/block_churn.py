"""Heap bytes that one block costs, measured where the heap can be asked (MicroPython), with a ceiling.

Blocks of 128 bytes, above CoAP and OSCORE. Prints the same on every interpreter; with the argument `figures`
also what was measured.
"""

import gc
import sys

from wire import coap_message as messages
from wire.block import Body, Download, serve
from wire.coap_message import Content

# 64-bit words; the chip has 32-bit words and needs a little more than half.
CHURN_BYTES_MAX = {
    "download asks": 500,
    "download hears": 250,
    "server answers": 1300,
}
PATH = ((messages.URI_PATH, b"p"),)
BODY = Body(bytes(4000))
ETAG = b"12345678"


def measured(action, *arguments):
    """(result, bytes allocated)."""
    gc.collect()
    gc.disable()
    before = gc.mem_alloc() if hasattr(gc, "mem_alloc") else 0
    result = action(*arguments)
    churn = gc.mem_alloc() - before if hasattr(gc, "mem_alloc") else 0
    gc.enable()
    return result, churn


def main(shown=False):
    download = Download(Content(messages.GET, PATH, b""), total_max=4000)
    figures = {}
    for turn in range(20):
        request, figures["download asks"] = measured(download.request)
        answer, figures["server answers"] = measured(lambda: serve(request, BODY, etag=ETAG))  # noqa: B023
        part, figures["download hears"] = measured(download.receive, answer)
        assert part.offset == 128 * turn and len(part.payload) == 128
    for name in sorted(figures):
        if shown:
            print(name, figures[name], "bytes")
        assert figures[name] <= CHURN_BYTES_MAX[name], (name, figures[name])


main("figures" in sys.argv)
print("churn is within its ceiling")
