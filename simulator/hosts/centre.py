"""The centre of a simulated territory: the real warehouse on SQLite behind a client of the modelled
broker."""

from simulator.world.broker import Broker
from simulator.world.chance import Prng
from simulator.world.time import World
from tools.centre.ingest.warehouse import Warehouse
from wire import topic

_NAME = "ingest"
_COMMIT_MS = (5, 60)
_RECONNECT_MS = 2_000


class Centre:
    """One ingest process. It may stop and start; the warehouse stays, as a database does."""

    def __init__(self, world: World, prng: Prng, broker: Broker, path: str = ":memory:") -> None:
        self._world = world
        self._prng = prng
        self._broker = broker
        self.warehouse = Warehouse(path, synchronous="OFF")
        self._running = False
        self._life = 0
        self.batches = 0
        self.bytes = 0

    def start(self) -> None:
        self._running = True
        self._life += 1
        self._broker.connect(_NAME, self, _is_upward)

    def stop(self) -> None:
        """kill: what was received and not committed is gone; the broker keeps the session."""
        self._running = False
        self._life += 1
        self._broker.disconnect(_NAME)

    # --- broker.Client --------------------------------------------------------------------------------------

    def on_connected(self, receive_max: int) -> None:
        """Nothing to do: the session's subscription stands."""

    def on_disconnected(self, why: str) -> None:
        self._world.after(_RECONNECT_MS, self._reconnect, self._life)

    def on_puback(self, token: int, reason_code: int) -> None:
        """A watermark that is lost will be asked for."""

    def on_message(self, name: str, payload: bytes) -> None:
        self._world.after(self._prng.between(*_COMMIT_MS), self._commit, self._life, name, payload)

    def _reconnect(self, life: int) -> None:
        if self._running and life == self._life:
            self._broker.connect(_NAME, self, _is_upward)

    def _commit(self, life: int, name: str, payload: bytes) -> None:
        if life != self._life:
            return
        self.batches += 1
        self.bytes += len(payload)
        for publication in self.warehouse.take(name, payload, received_unix_s=self._world.unix_s):
            self._broker.publish(_NAME, 0, publication.topic, publication.payload)


def _is_upward(name: str) -> bool:
    return name.split("/")[2] in (topic.TELEMETRY, topic.EVENT)
