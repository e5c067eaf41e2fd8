"""Models an MQTT 5 broker with its worst properties: it acknowledges before the receiver has read, and may lose all.

Sessions outlive connections and queue what is published meanwhile. `forget` is a kill -9 with shipped settings:
connections drop, sessions and queues are gone, and so is everything that was acknowledged and not yet delivered. In a
stranger's hands (`meddle`) it passes on what the stranger wants. Topics
are matched whole or by the ingest's class filters; nothing more of MQTT is needed here, for the real broker runs in
`bocage live`.

Gateways meet here and nowhere else. What happens to the messages of one of them, delays and a full queue included,
depends on no other, so that a territory may be split by gateway over several processes (see `simulator.processes`).
"""

from collections import deque
from collections.abc import Callable, Iterable
from typing import Protocol

from simulator.world.chance import Prng, Streams
from simulator.world.network import FIBRE
from simulator.world.time import World

RECEIVE_MAX = 20
_SESSION_QUEUE_MAX = 1000


class Client(Protocol):
    """Declares what the broker calls on a client while it is connected."""

    def on_connected(self, receive_max: int) -> None: ...
    def on_disconnected(self, why: str) -> None: ...
    def on_puback(self, token: int, reason_code: int) -> None: ...
    def on_message(self, topic: str, payload: bytes) -> None: ...


# Returns what is passed on, (topic, payload) each, in place of a message that was accepted.
Meddle = Callable[[str, bytes], Iterable[tuple[str, bytes]]]


class Session:
    """Holds what the broker keeps for a client id: a queue for each gateway whose messages it receives."""

    def __init__(self, matches: Callable[[str], bool]) -> None:
        self.matches = matches
        self.queues: dict[str, deque[tuple[str, bytes]]] = {}
        self.dropped = 0


class Broker:
    """Models one MQTT broker. Client ids are names; a client is connected or not, its session may exist either way."""

    def __init__(self, world: World, prng: Prng) -> None:
        self._world = world
        self._delays = Streams(prng)  # by gateway or client
        self._sessions: dict[str, Session] = {}
        self._connected: dict[str, Client] = {}
        self.alive = True
        self.meddle: Meddle | None = None
        self.forgotten = 0
        self.accepted = 0

    def connect(self, name: str, client: Client, matches: Callable[[str], bool]) -> None:
        """Accepts a connection and answers later with on_connected or on_disconnected."""
        if not self.alive:
            self._world.after(50, client.on_disconnected, "connection refused")
            return
        session = self._sessions.setdefault(name, Session(matches))
        session.matches = matches
        previous = self._connected.get(name)
        if previous is not None and previous is not client:
            self._world.after(FIBRE.delay_max_ms, previous.on_disconnected, "session taken over")
        self._connected[name] = client
        self._later(client, name, client.on_connected, RECEIVE_MAX)
        for gateway in session.queues:
            self._world.after(60, self._pump, name, gateway)

    def disconnect(self, name: str) -> None:
        """Drops a client that is gone (power cut, orderly end, cut fibre found by keep-alive). The session stays."""
        self._connected.pop(name, None)

    def is_connected(self, name: str, client: Client) -> bool:
        """Returns True while this very client holds the session."""
        return self._connected.get(name) is client

    def publish(self, name: str, token: int, topic: str, payload: bytes) -> None:
        """Accepts QoS 1 from `name`: acknowledged, then queued for every session that matches."""
        gateway = gateway_of(topic)
        self._world.after(self._delay_ms(gateway), self._accept, name, gateway, token, topic, payload)

    def forget(self) -> None:
        """Acts as kill -9 with nothing on disk; the broker is down until `restart`."""
        self.alive = False
        self.forgotten += sum(
            len(queue) for session in self._sessions.values() for queue in session.queues.values()
        )
        self._sessions.clear()
        connected, self._connected = self._connected, {}
        for name, client in connected.items():
            self._world.after(self._delay_ms(name), client.on_disconnected, "broker gone")

    def restart(self) -> None:
        self.alive = True

    def _accept(self, name: str, gateway: str, token: int, topic: str, payload: bytes) -> None:
        client = self._connected.get(name)
        if not self.alive or client is None:
            return
        self.accepted += 1
        self._later(client, name, client.on_puback, token, 0)
        for one in ((topic, payload),) if self.meddle is None else self.meddle(topic, payload):
            self._queue(gateway, *one)

    def _queue(self, gateway: str, topic: str, payload: bytes) -> None:
        for other, session in self._sessions.items():
            if session.matches(topic):
                queue = session.queues.setdefault(gateway, deque())
                if len(queue) >= _SESSION_QUEUE_MAX:
                    session.dropped += 1
                else:
                    queue.append((topic, payload))
                    self._world.after(self._delay_ms(gateway), self._pump, other, gateway)

    def _pump(self, name: str, gateway: str) -> None:
        client = self._connected.get(name)
        session = self._sessions.get(name)
        if not self.alive or client is None or session is None:
            return
        queue = session.queues.get(gateway, ())
        while queue:
            topic, payload = queue.popleft()
            self._later(client, name, client.on_message, topic, payload)

    def _later(self, client: Client, name: str, action: Callable[..., None], *arguments: object) -> None:
        """Calls a client after the way down, if it is then still the connected one."""

        def deliver() -> None:
            if self._connected.get(name) is client:
                action(*arguments)

        self._world.after(FIBRE.delay_max_ms, deliver)

    def _delay_ms(self, of: str) -> int:
        """Draws a delay from the chance of one gateway or client."""
        return self._delays[of].between(FIBRE.delay_min_ms, FIBRE.delay_max_ms)


def gateway_of(topic: str) -> str:
    """Returns the commune and the name of the gateway that a topic is of."""
    return "/".join(topic.split("/")[-2:])
