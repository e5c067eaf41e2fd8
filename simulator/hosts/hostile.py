"""Models what a broker can do when a stranger has it: swallow and cut batches, forge and replay receipts.

The forged receipts are as good as they get without the warehouse's key: right gateway, right positions, the right
digest of a batch that was swallowed. What happens to the messages of one gateway depends on no other (see
`simulator.world.broker`).
"""

from collections import deque
from collections.abc import Callable
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from simulator.hosts.keys import WAREHOUSE
from simulator.world.broker import Broker, gateway_of
from simulator.world.chance import Prng, Streams
from tools.centre.ingest import intake, receipts
from wire import cbor, receipt, topic

_STRANGER = receipts.key_of(Ed25519PrivateKey.from_private_bytes(sha256(b"simulated stranger").digest()))
_REPLAYED_MAX = 8
_REPLAYED_PERMILLE = 250
# Of the receipts that are forged, in turn: no signature at all, a stranger's, a stranger's under the warehouse's name.
_UNSIGNED, _STRANGERS, _FORGERIES = 0, 1, 3


def hand_over(broker: Broker, prng: Prng) -> tuple[Callable[[], None], Callable[[], None]]:
    """Returns what gives the broker to a stranger, and what gives it back to its owner."""
    hostility = _Hostility(prng)
    return (lambda: setattr(broker, "meddle", hostility)), (lambda: setattr(broker, "meddle", None))


class _Hostility:
    """Decides what becomes of each message; it is a `simulator.world.broker.Meddle`."""

    def __init__(self, prng: Prng) -> None:
        self._chances = Streams(prng)  # by gateway
        self._heard: dict[str, deque[bytes]] = {}

    def __call__(self, name: str, payload: bytes) -> list[tuple[str, bytes]]:
        gateway, kind = gateway_of(name), name.split("/")[2]
        chance = self._chances[gateway]
        if kind == topic.RECEIPT:
            heard = self._heard.setdefault(gateway, deque(maxlen=_REPLAYED_MAX))
            heard.append(payload)
            return [(name, payload), *((name, old) for old in heard if chance.chance(_REPLAYED_PERMILLE))]
        if kind not in (topic.TELEMETRY, topic.EVENT):
            return [(name, payload)]
        passed = ((name, payload), (name, payload[:-1]), None)[chance.randrange(3)]
        forged = self._forged(payload, chance.randrange(_FORGERIES))
        answer = name.replace(f"/{kind}/", f"/{topic.RECEIPT}/", 1)
        return [*([] if passed is None else [passed]), (answer, forged)]

    def _forged(self, payload: bytes, how: int) -> bytes:
        envelope = intake.peek(payload)
        assert envelope is not None, "a gateway's own batch"
        end = envelope.last + 1
        if how == _UNSIGNED:
            return cbor.encode([1, envelope.epoch, envelope.lane, end], 64)
        made = envelope.receipt(end, payload)
        return receipt.encode(made, _STRANGER.kid if how == _STRANGERS else WAREHOUSE.kid, _STRANGER.sign)
