"""A node and a gateway that talk through two real endpoints under OSCORE, and what passes between them."""

from gateway.io.crypto import AesCcm
from wire import coap, oscore, oscore_context, quantity, record
from wire import coap_message as messages
from wire.coap_message import Content
from wire.record import EventBody, Record, Stamp

SECRET, SALT, ID_CONTEXT = bytes(range(32, 48)), b"saltsalt", b"ctx-1"
NODE_ID, GATEWAY_ID = b"\x00\x07", b"g"
NODE, GATEWAY = ("10.0.0.7", 40_001), ("10.0.0.1", 5683)
SECRET_FIELDS = {"master_secret": SECRET, "master_salt": SALT, "id_context": ID_CONTEXT}
START_NS = 1_795_561_200_123_456_789
FORMAT = (messages.CONTENT_FORMAT, b"\x3c")
ANSWER = record.encode_answer(record.Answer(1_795_561_203, 2, None, 0))
CIPHER = AesCcm()


def contexts():
    """(the node's, the gateway's)."""
    shared = {"master_salt": SALT, "id_context": ID_CONTEXT}
    node = oscore_context.derive(SECRET, sender_id=NODE_ID, recipient_id=GATEWAY_ID, **shared)
    return node, oscore_context.derive(SECRET, sender_id=GATEWAY_ID, recipient_id=NODE_ID, **shared)


def readings(sequence):
    return Record(3, sequence, Stamp(record.SYNCED, 1_795_561_200, 2), {quantity.POWER: 357, quantity.TEMPERATURE: -5})


BOOT = Record(3, 0, Stamp(record.UNSET, 12, 0), EventBody(1, None, [2, None, "power-on", "streetlight", "0.1.0"]))
ALARM = Record(3, 2, Stamp(record.SYNCED, 1_795_561_201, 2), EventBody(64, True, {quantity.POWER: 0}))


class Traffic:
    """`passed`: [(time_ns, source, destination, datagram, what was protected in it or None)], in order."""

    def __init__(self):
        self.now_ms, self.passed, self._inside = 0, [], {}
        self.node_context, self.gateway_context = contexts()
        self.node, self.gateway = (self._endpoint(seed) for seed in (1, 7))
        self.window, self.number, self.open = oscore_context.NEW, 0, None

    def _endpoint(self, seed):
        draws = iter(range(seed * 1_000_003, 1 << 40, 7919))
        return coap.Endpoint(
            random_below=lambda bound: next(draws) % bound,
            first_message_id=seed * 9001,
            handled_options=(messages.OSCORE,),
        )

    def ask(self, path, payload, *, code=messages.POST, confirmable=True, with_id_context=False):
        """The node's protected request; the datagrams stop before the gateway's answer, which `answer` gives."""
        options = ((messages.URI_PATH, path), *((FORMAT,) if payload else ()))
        content = Content(code, options, payload)
        protected, exchange = oscore.protect_request(
            self.node_context, content, CIPHER, number=self.number, with_id_context=with_id_context
        )
        self._inside[protected.payload] = content
        self.number += 1
        self.node.request(
            GATEWAY, protected.code, (), protected.payload, options=protected.options, confirmable=confirmable,
            now_ms=self.now_ms,
        )  # fmt: skip
        (request,) = self._carry()
        opened, self.open, self.window = oscore.unprotect_request(
            self.gateway_context, request, CIPHER, window=self.window
        )
        assert opened == content
        self._respond_to, self._exchange = request.exchange, exchange

    def answer(self, content, *, after_ms=0, number=None):
        """The gateway's protected answer, `after_ms` later."""
        for _ in range(after_ms // 100):
            self.now_ms += 100
            self._carry()
        sealed = oscore.protect_response(self.gateway_context, content, CIPHER, self.open, number=number)
        self._inside[sealed.payload] = content
        self.gateway.respond(self._respond_to, sealed.code, sealed.payload, options=sealed.options, now_ms=self.now_ms)
        (response,) = self._carry()
        assert oscore.unprotect_response(self.node_context, response, CIPHER, self._exchange) == content

    def _carry(self):
        events = []
        while True:
            for end in (self.node, self.gateway):
                events += end.poll(now_ms=self.now_ms)
            sent = [(NODE, self.gateway, out) for out in self.node.outgoing()]
            sent += [(GATEWAY, self.node, out) for out in self.gateway.outgoing()]
            if not sent:
                return events
            for source, receiver, (destination, datagram) in sent:
                self.now_ms += 1
                content = self._inside.get(messages.decode(datagram).payload)
                self.passed.append((START_NS + self.now_ms * 1_000_000, source, destination, datagram, content))
                events += receiver.receive(datagram, source, now_ms=self.now_ms)


def an_hour(*, always_with_id_context=False):
    """A boot with its Echo, telemetry, an alarm whose answer comes late, a message that wants no acknowledgement, a GET
    that finds nothing."""
    traffic = Traffic()
    always = {"with_id_context": always_with_id_context}
    stored = Content(messages.CHANGED, (FORMAT,), ANSWER)
    traffic.ask(b"b", record.encode(BOOT), with_id_context=True)
    traffic.answer(Content(messages.UNAUTHORIZED, ((messages.ECHO, b"12345678"),), b""), number=0)
    traffic.ask(b"b", record.encode(BOOT), with_id_context=True)
    traffic.answer(stored)
    traffic.ask(b"t", record.encode(readings(1)) + record.encode(readings(2)), **always)
    traffic.answer(stored)
    traffic.ask(b"e", record.encode(ALARM), **always)
    traffic.answer(stored, after_ms=2000)
    traffic.ask(b"t", record.encode(readings(3)), confirmable=False, **always)
    traffic.answer(stored)
    traffic.ask(b"none", b"", code=messages.GET, **always)
    traffic.answer(Content(messages.NOT_FOUND, (), b"no such thing"))
    return traffic.passed
