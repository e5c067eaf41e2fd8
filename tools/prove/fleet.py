"""Runs many gateways in one process and one loop: real cores and real MQTT connections, on disks in memory.

Two hundred agents as processes would measure the machine they share. Here each gateway has the parts that
`gateway/agent.py` combines: a core, a journal on a simulated disk, a connection of its own to a real broker on the wall
clock; its one node sends CoAP to it without a network. Notes every attempt to connect and the wait before it, and must
judge nothing.
"""

import asyncio
import time
from functools import partial
from typing import Any, NamedTuple

from gateway.config import config
from gateway.core import limits
from gateway.core.bearers.connection import Connect, Drop
from gateway.core.custody.disk import Ticket
from gateway.core.gateway import Gateway, Send, Start
from gateway.core.uplink.batch import Publication
from gateway.io import clock
from gateway.io.crypto import verify_ed25519
from gateway.io.mqtt import BearerRoute, Connected, Disconnected, Message, MqttLink, PubAck
from simulator.checkers.delivery import DeliveryChecker
from simulator.hosts.keys import CIPHER, key_of, keyset_of
from simulator.rig.crowd import Sender
from simulator.world.chance import Prng
from simulator.world.disk import PendingSync, SimDisk

# paho waits with select(), which takes no descriptor above 1023; a connection has three of them.
FLEET_MAX = 300
_BATCH_AGE_S = 5
_COMMIT_MS = 50


class Attempt(NamedTuple):
    """Holds one attempt to connect. `due_ms`: when the core had planned it; a busy machine may be later. `waited_ms`:
    since the connection ended or the previous attempt failed; `waits`: the number of such waits before this one, since
    the last connection that lasted.
    """

    gateway: int
    at_ms: int
    due_ms: int
    waited_ms: int
    waits: int


class Cabinet:
    """Runs one gateway with one node; around the core is what the agent has around it, less the parts without a role
    here."""

    def __init__(self, number: int, broker_port: int, fleet: "Fleet", prng: Prng) -> None:
        checked = config.check(_plain(number, broker_port), insecure=True)
        now_ms = clock.monotonic_ms()
        node = bytes.fromhex("7c1f0a2c03") + number.to_bytes(3, "big")
        self._number = number
        self._fleet = fleet
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._journal_disk = SimDisk(prng.split("card"), on_pending=partial(self._pending, state=False))
        self._state_disk = SimDisk(prng.split("state"), on_pending=partial(self._pending, state=True))
        self.core = Gateway(
            checked.core._replace(keyset=keyset_of(checked.core.insee, fleet.warehouse)),
            Start(prng.bits64().to_bytes(8, "big"), 1, "power-on"),
            journal_disk=self._journal_disk,
            state_disk=self._state_disk,
            keys=[key_of(node)],
            cipher=CIPHER,
            random_below=prng.randrange,
            verify=verify_ed25519,
            now_ms=now_ms,
        )
        self._link = MqttLink(checked.mqtt, self._post)
        self._sender = Sender(node, 1, prng.split("node"), fleet.delivery)
        self._is_open = True
        self._connected_ms: int | None = None
        self._ended_ms = self._due_ms = now_ms
        self._waits = -1

    def start(self) -> None:
        now_ms = clock.monotonic_ms()
        self.core.start(now_ms=now_ms)
        self.core.on_clock(time.time_ns() // 1_000_000, 1, now_ms=now_ms)
        self._turn()

    def speak(self, *, may_make: bool) -> None:
        """Lets the node make a payload, if its last one is acknowledged, and sends what is due."""
        now_ms = clock.monotonic_ms()
        for datagram in self._sender.turn(now_ms=now_ms, may_make=may_make):
            self.core.on_datagram(datagram, None, now_ms=now_ms)
        self._turn()

    @property
    def is_connected(self) -> bool:
        return self.core.bearers.connection.active is not None

    @property
    def is_idle(self) -> bool:
        """Returns True when nothing of the node is on its way."""
        return self._sender.idle()

    def close(self) -> None:
        self._is_open = False
        if self._timer is not None:
            self._timer.cancel()
        self._link.close()

    # --- the turn -----------------------------------------------------------------------------------------------

    def _turn(self) -> None:
        if not self._is_open:
            return
        now_ms = clock.monotonic_ms()
        self.core.poll(now_ms=now_ms)
        for effect in self.core.drain_effects():
            self._carry_out(effect, now_ms)
        if self._timer is not None:
            self._timer.cancel()
        delay_ms = max(0, self.core.deadline_ms(now_ms=now_ms) - clock.monotonic_ms())
        self._timer = self._loop.call_later(delay_ms / 1000, self._turn)

    def _carry_out(self, effect: Any, now_ms: int) -> None:
        if isinstance(effect, Send):
            self._sender.receive(effect.datagram, now_ms=now_ms)
        elif isinstance(effect, Publication):
            self._link.publish(effect.token, effect.topic, effect.payload, effect.retain, effect.expiry_s)
        elif isinstance(effect, Connect):
            waited_ms = now_ms - self._ended_ms
            self._fleet.attempts.append(Attempt(self._number, now_ms, self._due_ms, waited_ms, self._waits))
            self._link.connect(self.core.connection_topics(), BearerRoute(effect.bearer))
        elif isinstance(effect, Drop):
            self._link.drop(effect.bearer)

    # --- events -------------------------------------------------------------------------------------------------

    def _post(self, posted: Any) -> None:
        """Passes an event to the loop; called in the connection's thread."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._on_posted, posted)

    def _on_posted(self, posted: Any) -> None:
        now_ms = clock.monotonic_ms()
        for event in self._link.accept(posted):
            if isinstance(event, Connected):
                self._connected_ms = now_ms
                self.core.on_connected(event.receive_max, event.bearer, now_ms=now_ms)
            elif isinstance(event, Disconnected):
                self._ended(event, now_ms)
            elif isinstance(event, Message):
                self.core.on_message(event.topic, event.payload, now_ms=now_ms)
            elif isinstance(event, PubAck):
                self.core.on_puback(event.token, event.reason_code, now_ms=now_ms)
        self._turn()

    def _ended(self, event: Disconnected, now_ms: int) -> None:
        lasted = self._connected_ms is not None and now_ms - self._connected_ms >= limits.UPLINK_STABLE_MS
        self._waits = 0 if lasted else self._waits + 1
        self._connected_ms = None
        self._ended_ms = now_ms
        self.core.on_disconnected(event.why, event.bearer, now_ms=now_ms)
        due_ms = self.core.bearers.connection.deadline_ms()
        assert due_ms is not None, "a gateway that would never connect again"
        self._due_ms = due_ms

    def _pending(self, pending: PendingSync, *, state: bool) -> None:
        self._loop.call_later(pending.latency_ms / 1000, self._synced, pending.ticket, state)

    def _synced(self, ticket: Ticket, state: bool) -> None:
        disk, tell = (
            (self._state_disk, self.core.on_state_synced) if state else (self._journal_disk, self.core.on_synced)
        )
        tell(ticket, disk.complete(ticket), now_ms=clock.monotonic_ms())
        self._turn()


class Fleet:
    """Runs the gateways, and records what they do. It must be made and used in a running loop."""

    def __init__(self, count: int, broker_port: int, warehouse: bytes, prng: Prng) -> None:
        """`warehouse`: the public key of the ingest's receipts."""
        self.warehouse = warehouse
        self.delivery = DeliveryChecker()
        self.attempts: list[Attempt] = []
        self.cabinets = [
            Cabinet(number, broker_port, self, prng.split(f"gateway-{number}")) for number in range(1, count + 1)
        ]

    def start(self) -> None:
        for cabinet in self.cabinets:
            cabinet.start()

    def speak(self, *, may_make: bool) -> None:
        """Lets every node send once."""
        for cabinet in self.cabinets:
            cabinet.speak(may_make=may_make)

    def all_connected(self) -> bool:
        return all(cabinet.is_connected for cabinet in self.cabinets)

    def all_idle(self) -> bool:
        return all(cabinet.is_idle for cabinet in self.cabinets)

    def close(self) -> None:
        for cabinet in self.cabinets:
            cabinet.close()


def _plain(number: int, broker_port: int) -> dict[str, Any]:
    """Returns a configuration with the shipped delays of reconnection, and short times elsewhere."""
    return {
        "gateway": {
            "id": f"7c1f0a2cff{number:06x}",
            "insee": "49007",
            "name": f"cab-{number}",
            "data": "/nowhere",
        },
        "link": {"bind": "127.0.0.1:5683", "commit_ms": _COMMIT_MS},
        "uplink": {"broker": f"127.0.0.1:{broker_port}", "batch_age_s": _BATCH_AGE_S},
    }
