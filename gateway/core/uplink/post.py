"""Publications: a batch made into one MQTT message, and the messages whose PUBACK is outstanding.

Receive Maximum is the broker's bound on what one connection may have unacknowledged (MQTT 5 section 3.3.4);
clients ignore it, so it is kept here. Decides nothing about what goes or when.
"""

import zlib
from typing import NamedTuple

from gateway.core.custody.stream import Stream
from gateway.core.uplink import pack
from gateway.core.uplink.sending import Gathered
from wire import event, senml, topic

# A question that waited longer in a broker's queue has been asked again by then.
_QUESTION_EXPIRY_S = 300


class Publication(NamedTuple):
    """One MQTT publication at QoS 1; `token` comes back with its PUBACK."""

    token: int
    topic: str
    payload: bytes
    retain: bool = False
    expiry_s: int | None = None  # the broker forgets it then: for questions, never for records


class Post:
    """See the module. `gateway` is the 8-byte id in the envelope."""

    def __init__(self, gateway: bytes, insee: str, name: str) -> None:
        self._gateway = gateway
        self._topics = {lane: topic.build(_class_of(lane), insee, name) for lane in event.LANES}
        self._token = 0
        self._receive_max = 0
        self._unacked: set[int] = set()

    def begin(self, receive_max: int) -> None:
        """A new connection knows nothing of the messages of the last one."""
        self._receive_max = receive_max
        self._unacked.clear()

    def has_room(self, window: int) -> bool:
        """Whether one more may go, where `window` may be unacknowledged and the broker takes Receive Maximum."""
        return len(self._unacked) < min(window, self._receive_max)

    def is_idle(self) -> bool:
        """Whether no PUBACK is outstanding."""
        return not self._unacked

    def acknowledged(self, token: int) -> None:
        """A PUBACK has come."""
        self._unacked.discard(token)

    def give_up(self) -> None:
        """PUBACKs that have not come will not: their places are needed."""
        self._unacked.clear()

    def publish(self, stream: Stream, oldest: int, gathered: Gathered) -> Publication:
        """The message that carries a batch; without positions it is a question."""
        batch = senml.Batch(
            self._gateway, stream.epoch, stream.lane, gathered.first, gathered.last, oldest, gathered.items
        )
        body = _deflate(pack.assemble(batch, gathered.entries))
        self._token += 1
        self._unacked.add(self._token)
        expiry_s = None if gathered.last >= gathered.first else _QUESTION_EXPIRY_S
        return Publication(self._token, self._topics[stream.lane], body, expiry_s=expiry_s)


def _class_of(lane: str) -> str:
    return topic.TELEMETRY if lane == event.TELEMETRY else topic.EVENT


def _deflate(data: bytes) -> bytes:
    """Raw deflate (RFC 1951): standard library at both ends, no header to pay for."""
    # Level 6 of 9: a quarter of a drain's time; level 3 would take half of that and cost 8 % more bytes.
    compressor = zlib.compressobj(6, zlib.DEFLATED, -15)
    return compressor.compress(data) + compressor.flush()
