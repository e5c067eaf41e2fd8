"""Heap bytes that one exchange costs, measured where the heap can be asked (MicroPython), with a ceiling.

Prints the same on every interpreter; with the argument `figures` also what was measured.
"""

import gc
import sys

from wire import coap
from wire import coap_message as messages

# 64-bit words; the chip has 32-bit words and needs a little more than half.
CHURN_BYTES_MAX = {
    "ask": 1700,
    "hear": 1200,
    "serve": 3000,
    "encode": 480,
    "decode": 880,
    "duplicate": 1480,
    "idle": 200,
}
PAYLOAD = bytes(48)  # a streetlight's readings


def measured(action, *arguments):
    """(result, bytes allocated by the second run: the first one fills interned names and growing tables)."""
    gc.collect()
    gc.disable()
    before = gc.mem_alloc() if hasattr(gc, "mem_alloc") else 0
    result = action(*arguments)
    churn = gc.mem_alloc() - before if hasattr(gc, "mem_alloc") else 0
    gc.enable()
    return result, churn


def asked(end, now_ms):
    end.request("gateway", messages.POST, (b"t",), PAYLOAD, content_format=60, now_ms=now_ms)
    return end.outgoing()[0][1]


def answered(end, datagram, now_ms):
    event = end.receive(datagram, "node", now_ms=now_ms)[0]
    end.respond(event.exchange, messages.CHANGED, b"\x0a", content_format=60, now_ms=now_ms)
    return end.outgoing()[0][1]


def turned(end, now_ms):
    end.poll(now_ms=now_ms)
    return end.deadline_ms()


def main(shown=False):
    node = coap.Endpoint(random_below=lambda bound: 7 % bound, first_message_id=1)
    gateway = coap.Endpoint(random_below=lambda bound: 7 % bound, first_message_id=1)
    figures = {}
    for now_ms in (1000, 2000, 3000):
        request, figures["ask"] = measured(asked, node, now_ms)
        answer, figures["serve"] = measured(answered, gateway, request, now_ms)
        _, figures["duplicate"] = measured(lambda: gateway.receive(request, "node", now_ms=now_ms))  # noqa: B023
        gateway.outgoing()
        events, figures["hear"] = measured(lambda: node.receive(answer, "gateway", now_ms=now_ms))  # noqa: B023
        assert events[0].code == messages.CHANGED
        _, figures["idle"] = measured(turned, node, now_ms)
    message, figures["decode"] = measured(messages.decode, request)
    _, figures["encode"] = measured(messages.encode, message)
    for name in sorted(figures):
        assert figures[name] <= CHURN_BYTES_MAX[name], (name, figures[name])
        if shown:
            print(name, figures[name], "bytes")


main("figures" in sys.argv)
print("churn is within its ceiling")
