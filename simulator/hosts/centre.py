"""Runs the centre of a simulated territory: the real warehouse on SQLite, and a control centre that grants leases.

Both are clients of the modelled broker. The real control daemon is `tools/centre/control/daemon.py`; here commands come
signed from a story, and nothing is kept.
"""

from collections.abc import Iterable

from simulator.hosts.keys import WAREHOUSE
from simulator.world.broker import Broker, gateway_of
from simulator.world.chance import Prng, Streams
from simulator.world.time import World
from tools.centre.ingest.warehouse import Warehouse, cabinet_of
from wire import command, topic
from wire.faults import WireFault

_NAME = "ingest"
_COMMIT_MS = (5, 60)
_RECONNECT_MS = 2_000


class Centre:
    """Runs one ingest process. It may stop and start; the warehouse stays, as a database does."""

    def __init__(self, world: World, prng: Prng, broker: Broker, path: str = ":memory:") -> None:
        self._world = world
        self._delays = Streams(prng)  # by gateway
        self._broker = broker
        self.warehouse = Warehouse(path, synchronous="OFF")
        self._running = False
        self._life = 0
        self.batches = 0
        self.bytes = 0

    def bind(self, nodes: Iterable[bytes], insee: str, name: str) -> None:
        """Lets a cabinet speak for its nodes before they are first heard, as who installs them does: a lamp whose
        feeder is dark all day would else be a stranger's who names it first."""
        self.warehouse.bind(list(nodes), cabinet_of(insee, name), alone=False, now_s=self._world.unix_s)

    def start(self) -> None:
        self._running = True
        self._life += 1
        self._broker.connect(_NAME, self, _is_upward)

    def stop(self) -> None:
        """Kills the ingest process: what was received and not committed is gone; the broker keeps the session."""
        self._running = False
        self._life += 1
        self._broker.disconnect(_NAME)

    # --- broker.Client --------------------------------------------------------------------------------------

    def on_connected(self, receive_max: int) -> None:
        """Needs no action here: the session's subscription lasts."""

    def on_disconnected(self, why: str) -> None:
        self._world.after(_RECONNECT_MS, self._reconnect, self._life)

    def on_puback(self, token: int, reason_code: int) -> None:
        """Needs no action here: a gateway sends again what no receipt answers."""

    def on_message(self, name: str, payload: bytes) -> None:
        # The chance of each gateway is its own: how long one has to wait says nothing of another.
        delay_ms = self._delays[gateway_of(name)].between(*_COMMIT_MS)
        self._world.after(delay_ms, self._commit, self._life, name, payload)

    def on_stranger(self, name: str, payload: bytes) -> None:
        """Accepts a message of a stranger who has a cabinet's certificate; the answer is his, and is of no interest."""
        if self._running:
            self.warehouse.accept(name, payload, received_unix_s=self._world.unix_s)

    def _reconnect(self, life: int) -> None:
        if self._running and life == self._life:
            self._broker.connect(_NAME, self, _is_upward)

    def _commit(self, life: int, name: str, payload: bytes) -> None:
        if life != self._life:
            return
        self.batches += 1
        self.bytes += len(payload)
        for answer in self.warehouse.accept(name, payload, received_unix_s=self._world.unix_s):
            self._broker.publish(_NAME, 0, answer.topic, WAREHOUSE.payload(answer))


def _is_upward(name: str) -> bool:
    return name.split("/")[2] in (topic.TELEMETRY, topic.EVENT)


CONTROL = "control"
_LEASE_S_MAX = 1_800


class Control:
    """Runs the control centre's process. `stop` and `start` as its machine does; gateways then live on their policy."""

    def __init__(self, world: World, broker: Broker) -> None:
        self._world = world
        self._broker = broker
        self._running = False
        self._life = 0
        self.granted = 0
        self.outcomes: list[command.Outcome] = []

    def start(self) -> None:
        self._running = True
        self._life += 1
        self._broker.connect(CONTROL, self, _is_from_gateway)

    def stop(self) -> None:
        self._running = False
        self._life += 1
        self._broker.disconnect(CONTROL)

    def send(self, insee: str, gateway: str, signed: bytes) -> None:
        """Sends a signed command; while the centre is away it is not sent."""
        if self._running:
            self._broker.publish(CONTROL, 0, topic.build(topic.COMMAND, insee, gateway), signed)

    # --- broker.Client ------------------------------------------------------------------------------------------

    def on_connected(self, receive_max: int) -> None:
        """Needs no action here: the session's subscription lasts."""

    def on_disconnected(self, why: str) -> None:
        self._world.after(_RECONNECT_MS, self._reconnect, self._life)

    def on_puback(self, token: int, reason_code: int) -> None:
        """Needs no action here: a gateway asks again."""

    def on_message(self, name: str, payload: bytes) -> None:
        try:
            reply = command.decode_reply(payload)
        except WireFault:
            return
        if isinstance(reply, command.Outcome):
            self.outcomes.append(reply)
            return
        self.granted += 1
        grant = command.encode_grant(command.Grant(reply.nonce, min(reply.duration_s, _LEASE_S_MAX)))
        place = topic.parse(name)
        self._broker.publish(CONTROL, 0, topic.build(topic.COMMAND, place.insee, place.gateway), grant)

    def _reconnect(self, life: int) -> None:
        if self._running and life == self._life:
            self._broker.connect(CONTROL, self, _is_from_gateway)


def _is_from_gateway(name: str) -> bool:
    return name.split("/")[2] == topic.OUTCOME
