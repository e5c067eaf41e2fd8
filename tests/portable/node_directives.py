"""What the gateway tells a node: answers, silence, refusals and nonsense; the same on both interpreters."""

from node import limits
from node.directives import Directives
from wire import coap_message, directive
from wire.coap import Failed, Response
from wire.faults import WireFault

CODES = (directive.OUTDOOR_TEMPERATURE, directive.DROUGHT_LEVEL, directive.LOAD_SHED, directive.EXCEPTION)


class Link:
    era = 1
    asked = 0

    def request(self, peer, code, path, *, options, now_ms):
        self.asked += 1
        print("asks", path, [value for _, value in options])
        return self.asked


def show(told, now_ms):
    values = told.values(now_ms)
    shown = [(code, values[code]) for code in sorted(values)]
    # Sorted by hand: a change may have no value.
    changes = sorted([(code, -1 if value is None else value, for_s) for code, value, for_s in told.drain_changes()])
    print(now_ms, shown, changes, told.deadline_ms(now_ms))


link = Link()
told = Directives(
    link, peer="gateway", kind="irrigation", codes=CODES, spread_s=71, random_below=lambda bound: bound // 3
)
now_ms = (1 << 30) - 5000
answers = (
    (coap_message.CONTENT, directive.encode({7: (2, 604800), 8: (150, 1000), 1: (-350, 10800)})),
    (coap_message.CONTENT, directive.encode({7: (3, 604800), 9: (1, 900)})),
    (coap_message.UNAVAILABLE, b""),
    (coap_message.CONTENT, b"\xa1\x07\x82\x05\x01"),
    (None, b""),
    (coap_message.NOT_FOUND, b""),
    (coap_message.CONTENT, b"\xa2\x07\x82\x01\x18\x64\x0a\x80"),
    (coap_message.CONTENT, b"\xa0"),
)
for code, payload in answers:
    told.answered(now_ms)
    told.send(now_ms)
    show(told, now_ms)
    exchange = link.asked
    if code is None:
        happened = Failed("gateway", exchange, "timeout")
    else:
        happened = Response("gateway", exchange, code, None, payload, ())
    if told.is_ours(happened):
        told.handle(happened, now_ms + 700)
    show(told, now_ms + 700)
    now_ms += limits.DIRECTIVES_UNKNOWN_MS if code == coap_message.NOT_FOUND else limits.DIRECTIVES_EVERY_MS
show(told, now_ms + 1000 * directive.FOR_S_MAX)
print(sorted(told.counters.items()))

for payload in (
    b"",
    b"\x80",
    b"\xa1\x07\x01",
    b"\xa1\x61a\x82\x01\x01",
    b"\xa1\x08\x82\x19\x01\xf5\x01",
    b"\xa1\x07\x82\x01\x20",
):
    try:
        print(directive.decode(payload))
    except WireFault as fault:
        print(fault.reason)
for query in ((b"k=thermostat", b"c=306"), (b"c=ffffffffffffffff",), (b"c=g",), (b"k=\xff",), ()):
    try:
        print(directive.decode_question(query))
    except WireFault as fault:
        print(fault.reason)
