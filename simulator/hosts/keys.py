"""Makes the keys of simulated nodes, people and the warehouse from their names, so that every run has the same.

No real key is made this way.
"""

from collections.abc import Callable, Hashable, Iterable
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway.core.link.sessions import NodeKey
from gateway.io.crypto import AesCcm
from policy.keyset import KeySet
from tools.centre.ingest import receipts
from wire import oscore
from wire.coap import Endpoint
from wire.coap_exchange import Timing, bearer_timing
from wire.oscore_context import GATEWAY_ID, Pairing, usual_kid
from wire.oscore_link import NodeLink

CIPHER = AesCcm()
WAREHOUSE = receipts.key_of(Ed25519PrivateKey.from_private_bytes(sha256(b"simulated warehouse").digest()))

KEY_HOLDERS = ("maire", "premier adjoint", "secrétaire de mairie")


def holder_key(insee: str, holder: str) -> Ed25519PrivateKey:
    """Returns the key of a person of a commune."""
    return Ed25519PrivateKey.from_private_bytes(sha256(f"simulated/{insee}/{holder}".encode()).digest())


def keyset_of(insee: str, warehouse: bytes = WAREHOUSE.public) -> KeySet:
    """Returns the key set that was installed by hand; `warehouse`: whose receipts count."""
    keys = tuple((holder_key(insee, holder).public_key().public_bytes_raw(), holder) for holder in KEY_HOLDERS)
    return KeySet(1, insee, 2, keys, ((warehouse, "entrepôt"),))


def key_of(node: bytes) -> NodeKey:
    """Returns the key of a node as its gateway holds it."""
    return NodeKey(node, usual_kid(node), sha256(b"simulated " + node).digest()[:16])


def pairing_of(node: bytes) -> Pairing:
    """Returns the same key as the node holds it."""
    key = key_of(node)
    return Pairing(key.master_secret, key.kid, GATEWAY_ID)


def keys_of(nodes: Iterable[bytes]) -> list[NodeKey]:
    return [key_of(node) for node in nodes]


def link_of(
    node: bytes,
    peer: Hashable,
    *,
    boot: int,
    random_below: Callable[[int], int],
    timing: Timing | None = None,
) -> NodeLink:
    """Returns a node's end of the link to the gateway `peer`, with a simulated key."""
    return paired_link(pairing_of(node), peer, boot=boot, random_below=random_below, timing=timing)


def paired_link(
    pairing: Pairing,
    peer: Hashable,
    *,
    boot: int,
    random_below: Callable[[int], int],
    timing: Timing | None = None,
) -> NodeLink:
    """Returns a node's end of the link with the pairing of its settings."""
    endpoint = Endpoint(
        random_below=random_below,
        first_message_id=random_below(0x10000),
        timing=timing or bearer_timing(),
        handled_options=oscore.ANY_OUTSIDE,
    )
    return NodeLink(endpoint, pairing, CIPHER, peer=peer, boot=boot, random_below=random_below)


def settings_of(node: bytes) -> dict[str, str]:
    """Returns the two lines of a key in a node's settings."""
    key = key_of(node)
    return {"kid": key.kid.hex(), "master_secret": key.master_secret.hex()}
