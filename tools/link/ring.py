"""Keys of nodes, and the sessions that a capture shows them agree on (RFC 8613 appendix B.2; `wire.oscore_pairing`).

Node and gateway put a nonce each into the ID Context, in the open: who has the node's key and saw that exchange can
open what follows. A capture that begins later opens from the node's next start on. For reading alone.
"""

from collections.abc import Iterator, Sequence

from gateway.core.link.sessions import NodeKey
from wire import oscore
from wire.faults import WireFault
from wire.oscore_option import Header
from wire.oscore_pairing import GATEWAY_ID, NONCE_BYTES, NONCE_BYTES_MAX, Pairing, unwrap

# Of each node: the session that stands, and those that answers under way still belong to.
SESSIONS_MAX = 4


class Node:
    """One node's key and the sessions it was seen to have, the latest last."""

    def __init__(self, key: NodeKey) -> None:
        self.kid = key.kid
        self.as_gateway = Pairing(key.master_secret, GATEWAY_ID, key.kid)
        self.as_node = Pairing(key.master_secret, key.kid, GATEWAY_ID)
        self.sessions: list[bytes] = []

    def agreed(self, nonces: bytes) -> None:
        """A request under these nonces held."""
        if nonces in self.sessions:
            self.sessions.remove(nonces)
        self.sessions = [*self.sessions, nonces][-SESSIONS_MAX:]


class Ring:
    """The nodes whose keys were given."""

    def __init__(self, keys: Sequence[NodeKey] = ()) -> None:
        self._nodes = [Node(key) for key in keys]

    def candidates(self, header: Header) -> Iterator[tuple[Node, bytes, oscore.Context]]:
        """(node, nonces, context that opens a request of this header), the likeliest first."""
        for node in self._nodes:
            if header.kid == node.kid:
                for nonces in _nonces(node, header):
                    yield node, nonces, node.as_gateway.context(nonces)
            elif header.kid == GATEWAY_ID:
                for nonces in _nonces(node, header):
                    yield node, nonces, node.as_node.context(nonces)


def is_first(nonces: bytes) -> bool:
    """Whether these are the node's alone: request 1, which agrees on nothing yet."""
    return NONCE_BYTES <= len(nonces) <= NONCE_BYTES_MAX


def offered(node: Node, id1: bytes, header: Header) -> oscore.Context | None:
    """The context of response 1, by the gateway's nonce in it; None if it has none."""
    try:
        return node.as_node.context(unwrap(header.kid_context or b"") + id1)
    except (WireFault, AssertionError):
        return None


def _nonces(node: Node, header: Header) -> list[bytes]:
    if header.kid_context is None:
        return node.sessions[::-1]
    try:
        return [unwrap(header.kid_context)]
    except WireFault:
        return []
