"""A node's end of the protected link against a scripted gateway, with each interpreter's own AES: the handshake, a lost
answer, a gateway that starts anew, a forged hint, a request of the gateway's, the same datagrams everywhere."""

from binascii import hexlify
from hashlib import sha256

from wire import ccm, oscore, oscore_context
from wire import coap_message as messages
from wire.coap import Endpoint, Failed, Refused, Request
from wire.oscore_context import GATEWAY_ID, NODE_ID_BYTES, Pairing, Session, unwrap, usual_kid, wrap
from wire.oscore_link import NodeLink

try:
    from cryptolib import aes
except ImportError:
    print("this interpreter has no cryptolib")
    raise SystemExit(1)

CIPHER = ccm.CryptolibCipher(aes)

NODE = bytes((0x7C, 0x1F, 0x0A, 0x2C, 1, 0, 0, 1))
SECRET = sha256(b"secret").digest()[:16]
KID = usual_kid(NODE)
assert len(KID) in NODE_ID_BYTES


class Chance:
    def __init__(self):
        self.state = 1

    def __call__(self, bound):
        self.state = (self.state * 1103515245 + 12345) & 0x7FFFFFFF
        return (self.state >> 8) % bound


def hexed(data):
    return hexlify(data).decode()


class Gateway:
    """Answers as it must, from a script: no endpoint, no sessions, one node."""

    def __init__(self, name):
        self.pairing = Pairing(SECRET, GATEWAY_ID, KID)
        self.r2 = sha256(name).digest()[:8]
        self.session = None
        self.stored = {}  # as an endpoint remembers what it said

    def answer(self, datagram):
        """(What it says, what it was asked or None)"""
        if datagram not in self.stored:
            said, content = self.answer_once(datagram)
            self.stored[datagram] = said
            return said, content
        return self.stored[datagram], None

    def answer_once(self, datagram):
        message = messages.decode(datagram)
        header = oscore.header_of(message)
        nonces = unwrap(header.kid_context) if header.kid_context is not None else b""
        if len(nonces) == 8:
            _, exchange, _ = oscore.unprotect_request(
                self.pairing.context(nonces), message, CIPHER, window=oscore_context.NEW, kid_context=header.kid_context
            )
            plain = messages.Content(messages.UNAUTHORIZED, (), b"")
            context = self.pairing.context(self.r2 + nonces)
            sealed = oscore.protect_response(context, plain, CIPHER, exchange, kid_context=wrap(self.r2))
            return self.said(message, sealed), None
        if (nonces and nonces[:8] != self.r2) or (not nonces and self.session is None):
            return self.said(message, oscore.refusal("oscore-context")), None
        if nonces and (self.session is None or self.session.context.id_context != nonces):
            self.session = Session(self.pairing.context(nonces))
        content, exchange, self.session.window = oscore.unprotect_request(
            self.session.context, message, CIPHER, window=self.session.window, kid_context=self.session.kid_context
        )
        reply = messages.Content(messages.CHANGED, (), sha256(content.payload).digest()[:6])
        return self.said(message, oscore.protect_response(self.session.context, reply, CIPHER, exchange)), content

    def said(self, message, content):
        made = messages.Message(
            messages.ACK, content.code, message.message_id, message.token, content.options, content.payload
        )
        return messages.encode(made)

    def ask(self, number):
        content = messages.Content(messages.POST, ((messages.URI_PATH, b"c"),), b"on")
        sealed, self.exchange = oscore.protect_request(self.session.context, content, CIPHER, number=number)
        return messages.encode(
            messages.Message(messages.CON, sealed.code, number, b"g", sealed.options, sealed.payload)
        )


def shown(event):
    if isinstance(event, Failed):
        return "failed %d %s" % (event.exchange, event.reason)
    if isinstance(event, Request):
        return "request %d %s %s" % (event.code, [hexed(part) for part in event.path], hexed(event.payload))
    return "response %d %d %s" % (event.exchange, event.code, hexed(event.payload))


class World:
    def __init__(self, boot):
        self.now_ms = 0
        chance = Chance()
        end = Endpoint(random_below=chance, first_message_id=chance(0x10000), handled_options=oscore.ANY_OUTSIDE)
        pairing = Pairing(SECRET, KID, GATEWAY_ID)
        print(pairing)
        self.node = NodeLink(end, pairing, CIPHER, peer="gateway", boot=boot, random_below=chance)
        self.gateway = Gateway(b"one")
        self.lost = ()

    def note(self, events):
        for event in events:
            print(" ", shown(event))
            if isinstance(event, Request):
                self.node.respond(event.exchange, messages.CONTENT, b"lit", content_format=60, now_ms=self.now_ms)

    def pump(self):
        """Carry until both are silent; datagrams whose number is in `lost` get lost."""
        number = 0
        while True:
            self.note(self.node.poll(now_ms=self.now_ms))
            flying = self.node.outgoing()
            if not flying:
                print(" ", self.node.state, self.node.deadline_ms())
                return
            for _, datagram in flying:
                self.last = datagram
                print("  node", len(datagram), hexed(datagram))
                number += 1
                if number in self.lost or messages.decode(datagram).code >= 32:
                    continue
                said, content = self.gateway.answer(datagram)
                if content is not None:
                    print("  heard", content.code, len(content.options), hexed(content.payload))
                print("  gateway", hexed(said))
                number += 1
                if number not in self.lost:
                    self.note(self.node.receive(said, "gateway", now_ms=self.now_ms))

    def ask(self, payload, lost=()):
        print("ask", hexed(payload[:8]), lost)
        self.lost = lost
        outcome = self.node.request(
            "gateway", messages.POST, (b"t",), payload, content_format=60, now_ms=self.now_ms
        )
        print(" ", outcome.reason if isinstance(outcome, Refused) else outcome)
        self.pump()

    def wait(self):
        while self.node.deadline_ms() is not None:
            self.now_ms = max(self.now_ms + 1, self.node.deadline_ms())
            self.lost = ()
            self.pump()


world = World(7)
world.ask(b"first")
world.ask(b"second")
world.ask(b"request lost", (1,))
world.wait()
world.ask(b"answer lost", (2,))
world.wait()
world.gateway = Gateway(b"two")
world.ask(b"a gateway that starts anew")
world.ask(b"too long for a datagram" + bytes(220))
world.ask(b"too long for anything" + bytes(1400))
world.wait()
print("forged hints, again and again")
world.ask(b"hinted", (1,))
for _ in range(4):
    forged = world.gateway.said(messages.decode(world.last), oscore.refusal("oscore-context"))
    world.note(world.node.receive(forged, "gateway", now_ms=world.now_ms))
    world.lost = (1,)
    world.pump()
world.ask(b"well again")
print("the gateway asks")
for number in (0, 1, 1, 0):
    world.note(world.node.receive(world.gateway.ask(number), "gateway", now_ms=world.now_ms))
    for _, datagram in world.node.outgoing():
        message = messages.decode(datagram)
        content = oscore.unprotect_response(world.gateway.session.context, message, CIPHER, world.gateway.exchange)
        print("  answer", content.code, hexed(content.payload), hexed(datagram))
print("a silent gateway")
world.ask(b"nobody", (1,))
while world.node.deadline_ms() is not None:
    world.now_ms = world.node.deadline_ms()
    world.pump()
for name in sorted(world.node.counters):
    if world.node.counters[name]:
        print(name, world.node.counters[name])
print("each datagram of a handshake lost")
for place in range(1, 5):
    world = World(8)
    world.ask(b"lost", (place,))
    world.wait()
print("a damaged response 1")
for place in range(12):
    world = World(9 + place)
    end = world.node
    end.request("gateway", messages.POST, (b"t",), b"x", now_ms=0)
    said, _ = world.gateway.answer(end.outgoing()[0][1])
    damaged = bytearray(said)
    damaged[4 + place * (len(said) - 5) // 12] ^= 1 << place % 8
    world.note(end.receive(bytes(damaged), "gateway", now_ms=0))
    print(" ", end.state, end.counters["unauthentic"], end.deadline_ms())
