"""What the node link costs the gateway: messages a second of one core, with a district of nodes under their own keys.

The nodes are real ones (`wire.oscore_link`), prepared beforehand; only the gateway's time counts: a datagram goes in,
is opened, is answered, and the datagram of the answer comes out. No socket and no disk.
"""

from time import thread_time
from typing import Any

from gateway.core.link.link import Link
from gateway.core.link.sessions import NodeKey
from gateway.io.crypto import AesBlocks
from simulator.hosts.keys import CIPHER, key_of
from simulator.world.chance import Prng
from wire import coap_message as messages
from wire import oscore
from wire.coap import Endpoint
from wire.oscore_context import GATEWAY_ID, Pairing
from wire.oscore_link import NodeLink

CONTEXTS = 500
ROUNDS = 20
_PREFIX = bytes.fromhex("7c1f0a2c01")
_RECORD = bytes(range(48))  # a streetlight's record of 8 readings at its worst
_ANSWER = bytes(12)
_GATEWAY = "gateway"
# Between two rounds: a node may ask 40 times a second.
_ROUND_MS = 1000


class District:
    """Nodes and their gateway. `busy_s`: the gateway's time so far."""

    def __init__(self, count: int) -> None:
        prng = Prng("district")
        nodes = [_PREFIX + number.to_bytes(3, "big") for number in range(count)]
        # The usual id of a node has two bytes of the serial; here the serial is the id.
        keys: list[NodeKey] = [key_of(node)._replace(kid=node[5:8]) for node in nodes]
        self.link = Link(keys, AesBlocks(), random_below=prng.randrange, ack_timeout_ms=4000)
        self.nodes = [_node_of(key, prng) for key in keys]
        self.busy_s = 0.0
        self.now_ms = 0

    def round(self) -> int:
        """Each node says one thing and gets its answer, after a handshake if it has no keys; messages answered."""
        self.now_ms += _ROUND_MS
        for node in self.nodes:
            node.request(_GATEWAY, messages.POST, (b"t",), _RECORD, now_ms=self.now_ms)
        answered = 0
        while flying := [(number, data) for number, node in enumerate(self.nodes) for _, data in node.outgoing()]:
            begun = thread_time()
            answers: list[Any] = []
            for number, data in flying:
                for asked in self.link.receive(data, number, now_ms=self.now_ms):
                    self.link.respond(asked.exchange, messages.CHANGED, _ANSWER, now_ms=self.now_ms)
                answers += self.link.outgoing()
            self.busy_s += thread_time() - begun
            for number, data in answers:
                answered += len(self.nodes[number].receive(data, _GATEWAY, now_ms=self.now_ms))
        return answered


def _node_of(key: NodeKey, prng: Prng) -> NodeLink:
    end = Endpoint(
        random_below=prng.randrange,
        first_message_id=prng.randrange(0x10000),
        handled_options=oscore.ANY_OUTSIDE,
    )
    pairing = Pairing(key.master_secret, key.kid, GATEWAY_ID)
    return NodeLink(end, pairing, CIPHER, peer=_GATEWAY, boot=1, random_below=prng.randrange)


def measure(contexts: int = CONTEXTS, rounds: int = ROUNDS) -> dict[str, Any]:
    """{"contexts", "messages", "messages_per_s", "us_per_message", "us_per_agreement"}."""
    district = District(contexts)
    first = district.round()
    agreeing_s, district.busy_s = district.busy_s, 0.0
    count = sum(district.round() for _ in range(rounds))
    assert (first, count) == (contexts, contexts * rounds), "every message is answered"
    assert district.link.sessions.counters == {"handshakes": contexts, "agreed": contexts, "keys-unknown": 0}
    per_message_s = district.busy_s / count
    return {
        "contexts": contexts,
        "messages": count,
        "messages_per_s": round(1 / per_message_s),
        "us_per_message": round(1e6 * per_message_s),
        # Request 1 and its answer, and what request 2 costs beyond any other.
        "us_per_agreement": round(1e6 * (agreeing_s / contexts - per_message_s)),
    }
