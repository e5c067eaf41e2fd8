"""Heap bytes that one block costs, measured where the heap can be asked (MicroPython), with a ceiling.

Blocks of 128 bytes, above CoAP and OSCORE. Prints the same on every interpreter; with the argument `figures`
also what was measured.
"""

import gc
import sys

from wire import coap_message as messages
from wire.block import Body
from wire.block_download import Download
from wire.block_receive import Receiver
from wire.block_serve import serve
from wire.block_upload import Upload
from wire.oscore_inner import Content

# 64-bit words; the chip has 32-bit words and needs a little more than half.
CHURN_BYTES_MAX = {
    "download asks": 500,
    "download hears": 250,
    "server answers": 1300,
    "upload asks": 1000,
    "upload hears": 200,
    "receiver answers": 1500,
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
    upload = Upload(Content(messages.PUT, PATH, b""), BODY, request_tag=b"tag1")
    receiver = Receiver()
    figures = {}
    for turn in range(20):
        request, figures["download asks"] = measured(download.request)
        answer, figures["server answers"] = measured(lambda: serve(request, BODY, etag=ETAG))  # noqa: B023
        part, figures["download hears"] = measured(download.receive, answer)
        assert part.offset == 128 * turn and len(part.payload) == 128
        request, figures["upload asks"] = measured(upload.request)
        answer, cost = measured(lambda: receiver.receive("a", request, now_ms=turn))  # noqa: B023
        # A body that grows is moved now and then: the dearest block counts.
        figures["receiver answers"] = max(cost, figures.get("receiver answers", 0)) if turn > 1 else 0
        _, figures["upload hears"] = measured(upload.receive, answer)
        assert upload.offset == 128 * (turn + 1)
    for name in sorted(figures):
        if shown:
            print(name, figures[name], "bytes")
        assert figures[name] <= CHURN_BYTES_MAX[name], (name, figures[name])


main("figures" in sys.argv)
print("churn is within its ceiling")
