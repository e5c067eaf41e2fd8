"""Models an MQTT 5 broker with its worst properties: it acknowledges before the receiver has read, and may lose all.

Sessions outlive connections and queue what is published meanwhile. `forget` is a kill -9 with shipped settings:
connections drop, sessions and queues are gone, and so is everything that was acknowledged and not yet delivered. Topics
are matched whole or by the ingest's class filters; nothing more of MQTT is needed here, for the real broker runs in
`bocage live`.
"""

from collections import deque
from collections.abc import Callable
from typing import Protocol

from simulator.world.chance import Prng
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


class Session:
    """Holds what the broker keeps for a client id."""

    def __init__(self, matches: Callable[[str], bool]) -> None:
        self.matches = matches
        self.queue: deque[tuple[str, bytes]] = deque()
        self.dropped = 0


class Broker:
    """Models one MQTT broker. Client ids are names; a client is connected or not, its session may exist either way."""

    def __init__(self, world: World, prng: Prng) -> None:
        self._world = world
        self._prng = prng
        self._sessions: dict[str, Session] = {}
        self._connected: dict[str, Client] = {}
        self.alive = True
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
        self._world.after(60, self._pump, name)

    def disconnect(self, name: str) -> None:
        """Drops a client that is gone (power cut, orderly end, cut fibre found by keep-alive). The session stays."""
        self._connected.pop(name, None)

    def is_connected(self, name: str, client: Client) -> bool:
        """Returns True while this very client holds the session."""
        return self._connected.get(name) is client

    def publish(self, name: str, token: int, topic: str, payload: bytes) -> None:
        """Accepts QoS 1 from `name`: acknowledged, then queued for every session that matches."""
        self._world.after(self._delay_ms(), self._accept, name, token, topic, payload)

    def forget(self) -> None:
        """Acts as kill -9 with nothing on disk; the broker is down until `restart`."""
        self.alive = False
        self.forgotten += sum(len(session.queue) for session in self._sessions.values())
        self._sessions.clear()
        connected, self._connected = self._connected, {}
        for client in connected.values():
            self._world.after(self._delay_ms(), client.on_disconnected, "broker gone")

    def restart(self) -> None:
        self.alive = True

    def _accept(self, name: str, token: int, topic: str, payload: bytes) -> None:
        client = self._connected.get(name)
        if not self.alive or client is None:
            return
        self.accepted += 1
        self._later(client, name, client.on_puback, token, 0)
        for other, session in self._sessions.items():
            if session.matches(topic):
                if len(session.queue) >= _SESSION_QUEUE_MAX:
                    session.dropped += 1
                else:
                    session.queue.append((topic, payload))
                    self._world.after(self._delay_ms(), self._pump, other)

    def _pump(self, name: str) -> None:
        client = self._connected.get(name)
        session = self._sessions.get(name)
        if not self.alive or client is None or session is None:
            return
        while session.queue:
            topic, payload = session.queue.popleft()
            self._later(client, name, client.on_message, topic, payload)

    def _later(self, client: Client, name: str, action: Callable[..., None], *arguments: object) -> None:
        """Calls a client after the way down, if it is then still the connected one."""

        def deliver() -> None:
            if self._connected.get(name) is client:
                action(*arguments)

        self._world.after(FIBRE.delay_max_ms, deliver)

    def _delay_ms(self) -> int:
        return self._prng.between(FIBRE.delay_min_ms, FIBRE.delay_max_ms)
