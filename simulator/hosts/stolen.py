"""Models a stranger who has one lamp's key: from beside the cabinet it floods it with alarms, events and readings.

It speaks the real protocol, under the lamp's name and a boot of its own, and agrees on keys anew whenever the lamp has
done so. It keeps no record: what the gateway does not acknowledge it never sends again.
"""

from collections.abc import Iterable, Sequence

from gateway.core import limits
from simulator.hosts.gateway import GatewayHost
from simulator.hosts.keys import key_of, paired_link
from simulator.hosts.node import NodeHost, Tap
from simulator.world.chance import Prng
from simulator.world.network import LinkQuality, Radio
from simulator.world.time import World
from wire import cbor, coap_message, event, quantity, record
from wire import limits as wire_limits
from wire.coap import Refused, Response
from wire.oscore_context import GATEWAY_ID, Pairing
from wire.record import UNSET, EventBody, Record, Stamp

# A payload a second is more in half an hour than an honest node makes in months.
_EVERY_MS = 1_000
_RECORDS = 7
_NEAR = LinkQuality(0, 0, 5, 80, 0, 0)
_DAY_MS = 86_400_000
# Of alarms and events together: one of the two is beyond its share then.
_EXCESS = limits.FAIR_USE_ALARMS_A_DAY + limits.FAIR_USE_EVENTS_A_DAY
# No lamp starts so often.
_BOOT = 1 << 31
_BODIES: tuple[EventBody | dict[int, int], ...] = (
    EventBody(event.LAMP_FAILURE, True, None),
    EventBody(event.LEVEL_CHANGED, None, [100, 0, "policy", 1]),
    {quantity.VOLTAGE: 2300},
)
# A sequence whose bytes occur in nothing else of a record.
_MARK = 0x5A5A5A5A
_NUMBER_BYTES_MAX = 9


class KeyThief:
    """Floods the gateway of one lamp between `start` and `stop`. `radio` and `settings` are what a gateway's shell
    needs of a peer; `tap` is told of each record, as by a node. `secret`: in place of the lamp's own."""

    def __init__(
        self, world: World, prng: Prng, gateway: GatewayHost, lamp: NodeHost, tap: Tap, secret: bytes | None = None
    ) -> None:
        self._world = world
        self._gateway = gateway
        self._tap = tap
        self.radio, self.settings = Radio(world, prng.split("radio"), _NEAR), lamp.settings
        self.gateway = gateway.options.gateway
        self.node = lamp.settings.node
        key = key_of(self.node)
        pairing = Pairing(key.master_secret if secret is None else secret, key.kid, GATEWAY_ID)
        self._link = paired_link(pairing, self.settings.gateway, boot=_BOOT, random_below=prng.randrange)
        self._sequence = 0
        self._asked: dict[int, range] = {}  # by exchange, the sequences in it
        # Alarms and events acknowledged in one day of one life of the gateway, which begin its counts anew.
        self._events = 0
        self._counted_in = (0, 0)
        self.exceeded_s: int | None = None  # since when (Unix s) the gateway has reason to tell of it
        self._is_active = False
        self.unheard: set[tuple[bytes, int, int]] = set()  # sent, and not acknowledged as far as it knows

    def start(self) -> None:
        self._is_active = True
        self._turn()

    def stop(self) -> None:
        self._is_active = False

    def receive(self, datagram: bytes, peer: object) -> None:
        """Accepts a datagram from the gateway."""
        self._note(self._link.receive(datagram, peer, now_ms=self._world.now_ms))
        self._send()

    def _turn(self) -> None:
        if not self._is_active:
            return
        now_ms = self._world.now_ms
        self._note(self._link.poll(now_ms=now_ms))
        sequences = range(self._sequence, self._sequence + _RECORDS)
        self._sequence += _RECORDS
        if len(self._asked) < wire_limits.COAP_REQUESTS_PER_PEER_MAX:  # a link that waits for as many takes no more
            self._ask(sequences, now_ms)
        self._send()
        self._world.after(_EVERY_MS, self._turn)

    def _ask(self, sequences: range, now_ms: int) -> None:
        payload = _encoded(sequences, now_ms, _kind(sequences[0]))
        exchange = self._link.request(
            self.settings.gateway, coap_message.POST, (b"t",), b"".join(payload), now_ms=now_ms
        )
        assert not isinstance(exchange, Refused), exchange
        self._asked[exchange] = sequences
        for sequence, data in zip(sequences, payload, strict=True):
            self._tap(self.node, _BOOT, "made", sequence, data)
            self.unheard.add((self.node, _BOOT, sequence))

    def _note(self, events: Iterable[object]) -> None:
        for happened in events:
            sequences = self._asked.pop(getattr(happened, "exchange", -1), ())
            if isinstance(happened, Response) and happened.code == coap_message.CHANGED:
                self._count(sequences)
                for sequence in sequences:
                    self._tap(self.node, _BOOT, "acknowledged", sequence, b"")
                    self.unheard.discard((self.node, _BOOT, sequence))

    def _count(self, sequences: Sequence[int]) -> None:
        counted_in = self._gateway.boot, self._world.now_ms // _DAY_MS
        if counted_in != self._counted_in:
            self._events, self._counted_in = 0, counted_in
        self._events += len(sequences) if isinstance(_BODIES[_kind(sequences[0])], EventBody) else 0
        if self._events > _EXCESS and self.exceeded_s is None:
            self.exceeded_s = self._world.unix_s

    def _send(self) -> None:
        for _, datagram in self._link.outgoing():
            self.radio.carry(datagram, self._gateway.receive, self)


def _kind(first: int) -> int:
    """Returns the place in `_BODIES` of what a payload that begins with this sequence says, again and again."""
    return first // _RECORDS % len(_BODIES)


def _encoded(sequences: Sequence[int], now_ms: int, kind: int) -> list[bytes]:
    """Returns a record for each sequence; only the number differs, so that all else is encoded once."""
    made = record.encode(Record(_BOOT, _MARK, Stamp(UNSET, now_ms // 1000, 0), _BODIES[kind]))
    before, after = made.split(cbor.encode(_MARK))
    return [before + cbor.encode(sequence, _NUMBER_BYTES_MAX) + after for sequence in sequences]
