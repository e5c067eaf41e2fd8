"""What two peers share for good, and how they agree on fresh keys after a start of either (RFC 8613 appendix B.2).

No security context outlives a start. Client and server each put a nonce into the ID Context, so that keys are new
whoever restarted, was replaced or came back from a backup; nothing about nonces is ever read from a disk:

    client  request 1    keys of ID1            kid context: ID1, wrapped
    server  response 1   keys of R2 || ID1      kid context: R2, wrapped; 4.01
    client  request 2    keys of R2 || R3       kid context: R2 || R3, wrapped, until one response has held
    server  response 2   the same; from here on both know that the other is there now

ID1 and R3 begin with the client's boot number, which flash never gives twice, and a count within the boot: they
are new without any faith in a random source. R2 is random.
"""

from wire import cbor
from wire.faults import WireFault
from wire.oscore_context import derive
from wire.oscore_option import ID_CONTEXT_BYTES_MAX
from wire.oscore_window import NEW

NONCE_BYTES = 8
# RFC 8613 appendix B.2 leaves the length to the client; what an independent one sends must leave room for R2.
NONCE_BYTES_MAX = ID_CONTEXT_BYTES_MAX - NONCE_BYTES
# A node's own within one boot: half a million handshakes, one every half minute for half a year, then it asks no more
# until it is started again: a count that began anew would repeat nonces. The 12 bits below the count are chance, for a
# board whose flash takes no writes, or is erased, and whose boots therefore may come again.
NONCES_MAX = 0xFFFFF
CHANCE_BITS = 12
# The one sender id of every gateway (ARCHITECTURE, section 4: one byte); nodes have two or three.
GATEWAY_ID = b"G"
NODE_ID_BYTES = (2, 3)


class Pairing:
    """A node and its gateway, as one of them sees it. The secret shows in no repr.

    master_secret: 16 to 64 bytes of one node's, known to it and its gateway alone. own_id, peer_id: OSCORE ids.
    """

    def __init__(self, master_secret, own_id, peer_id):
        self._master_secret = master_secret
        self.own_id = own_id
        self.peer_id = peer_id

    def __repr__(self):
        return f"Pairing(own_id={self.own_id!r}, peer_id={self.peer_id!r}, …)"

    def context(self, id_context):
        """The Context under these nonces."""
        return derive(self._master_secret, sender_id=self.own_id, recipient_id=self.peer_id, id_context=id_context)


class Session:
    """The keys that both have agreed on, our next number and the peer's window. RAM only, by design."""

    def __init__(self, context):
        self.context = context
        self.kid_context = wrap(context.id_context)
        self.window = NEW
        self.number = 0

    def take(self) -> int:
        """The number of the next message of ours that needs one."""
        number = self.number
        self.number = number + 1
        return number


def usual_kid(node: bytes) -> bytes:
    """The OSCORE id that a node gets where nothing speaks against it: who minted the id, and its last two bytes."""
    return node[4:5] + node[6:8]


def wrap(nonces: bytes) -> bytes:
    """As a CBOR byte string, which is how appendix B.2 has them in the kid context."""
    return cbor.encode(nonces, ID_CONTEXT_BYTES_MAX + 1)


def unwrap(kid_context) -> bytes:
    """The nonces; WireFault("oscore-context") for anything else."""
    try:
        nonces = cbor.decode(kid_context)
    except WireFault:
        nonces = None
    if not isinstance(nonces, bytes):
        raise WireFault("oscore-context")
    return nonces
