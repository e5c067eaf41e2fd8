"""Models what a stranger can say who has opened a cabinet and has its certificate and its id.

It connects to the broker as that cabinet and speaks about the nodes of all others: gaps that would excuse any loss,
anchors that would date years of records wrongly, alarms, and records under numbers that the nodes are about to use. And
it tries a key of its own under the name of a lamp of each other cabinet. What it does to each is drawn from a chance of
its own, and its messages go past the cabinet's own to the ingest, so nothing of it depends on which other cabinets a
process simulates.
"""

from collections.abc import Callable, Iterable

from simulator.hosts.gateway import GatewayHost
from simulator.hosts.keys import key_of
from simulator.hosts.node import NodeHost
from simulator.hosts.stolen import KeyThief
from simulator.world.chance import Prng
from simulator.world.time import World
from tools.centre.ingest import intake
from wire import event, quantity, senml, topic
from wire.record import SYNCED, EventBody, Record, Stamp

_RECORDS = 40
_AHEAD_MAX = 120
_UPTIME_MAX_S = 86_400
_ANCHOR_YEARS_S = 10 * 365 * 86_400
# A boot of the cabinet itself that is far above its own, so that none of its records has the same number.
_OWN_BOOT = 1 << 31


class OpenedCabinet:
    """Holds the identity of the cabinet. `send(topic, payload)` hands a message to the ingest."""

    def __init__(
        self, world: World, prng: Prng, gateway: bytes, insee: str, name: str, send: Callable[[str, bytes], None]
    ) -> None:
        self._world = world
        self._prng = prng
        self._gateway = gateway
        self._place = insee, name
        self._send = send
        self._sequence = 0

    def schedule(
        self,
        from_s: int,
        to_s: int,
        hosts: Iterable[NodeHost],
        gateways: Iterable[GatewayHost],
        next_sequence: Callable[[bytes, int], int],
    ) -> None:
        """Schedules that it speaks once about each node of another gateway, and tries a key of its own under the name
        of such a gateway's first node meanwhile. `next_sequence(node, boot)`: the number that the node will use."""
        by_node = {host.settings.node: host for host in hosts}
        for gateway in gateways:
            if gateway.options.gateway == self._gateway or not gateway.nodes:
                continue
            for node in gateway.nodes:
                self._schedule_words(by_node[node], from_s, to_s, next_sequence)
            prng = self._prng.split(gateway.options.gateway.hex())
            # What were believed of it, the node has not made.
            secret = key_of(self._gateway).master_secret
            thief = KeyThief(self._world, prng, gateway, by_node[gateway.nodes[0]], lambda *_: None, secret)
            self._world.at(1000 * from_s, thief.start)
            self._world.at(1000 * to_s, thief.stop)

    def _schedule_words(
        self, host: NodeHost, from_s: int, to_s: int, next_sequence: Callable[[bytes, int], int]
    ) -> None:
        node = host.settings.node
        prng = self._prng.split(node.hex())

        def send_lies() -> None:
            self.send_lies(node, host.boot, next_sequence(node, host.boot), prng)

        self._world.at(1000 * prng.between(from_s, to_s), send_lies)

    def send_lies(self, about: bytes, boot: int, sequence: int, prng: Prng) -> None:
        """Says everything that is false about a node: `boot` is its newest, `sequence` the one that it will use
        next."""
        epoch = prng.bits64().to_bytes(8, "big")
        stamp = Stamp(SYNCED, self._world.unix_s, 1)
        uptime_s = prng.randrange(_UPTIME_MAX_S)
        words = [
            self._own([about, one, 0, None, "full"], event.GAP, stamp) for one in range(max(1, boot - 1), boot + 1)
        ]
        words.append(self._own([about, boot, uptime_s, stamp.seconds - _ANCHOR_YEARS_S, 0], event.ANCHOR, stamp))
        records = [
            senml.Item(about, Record(boot, sequence + number, stamp, {quantity.VOLTAGE: prng.randrange(3000)}))
            for number in sorted(prng.pick(_RECORDS, _AHEAD_MAX))
        ]
        failure = EventBody(event.LAMP_FAILURE, True, None)
        alarm = senml.Item(about, Record(boot, sequence + _AHEAD_MAX, stamp, failure))
        for lane, items in ((event.EVENT, words), (event.TELEMETRY, records), (event.ALARM, [alarm])):
            kind = topic.TELEMETRY if lane == event.TELEMETRY else topic.EVENT
            pack = senml.encode_pack(senml.Batch(self._gateway, epoch, lane, 0, len(items) - 1, 0, 0, items))
            self._send(topic.build(kind, *self._place), intake.deflate(pack))

    def _own(self, detail: list[object], code: int, stamp: Stamp) -> senml.Item:
        self._sequence += 1
        return senml.Item(self._gateway, Record(_OWN_BOOT, self._sequence, stamp, EventBody(code, None, detail)))
