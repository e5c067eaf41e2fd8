"""Runs the gateway's side of the serial line to a radio concentrator: its state, its datagrams, its reports.

Bytes of the line in, datagrams out; datagrams in, bytes for the line out. Sans-IO.

**The states.** CLOSED: no port. ASKING: the port is open, ASK is sent every RADIO_ASK_MS until HELLO names our session.
UP: datagrams cross. SILENT: nothing came for RADIO_SILENT_MS although health is reported every minute; ASK is sent
every RADIO_ASK_SLOWLY_MS. FOREIGN: it has another version of the protocol; ASK is sent as slowly, and nothing else. A
HELLO with another session than before means that it was reset: the datagrams in its places are lost, and CoAP repeats
them.

**Credits** (see `wire.radio`): a credit names the free places and the last number received; datagrams sent after that
number are subtracted. When credits stay away for RADIO_CREDIT_WAIT_MS while datagrams wait, ASK sends our last number,
which repairs what was lost.

Datagrams wait in a queue for each node, served in turn, so that one node's do not hold up the others'. A full queue
loses its oldest datagram; one that is too old is dropped too: CoAP has sent it again.
"""

from collections import OrderedDict
from collections.abc import Callable
from typing import Any, NamedTuple

from gateway.core import limits
from gateway.core.concentrator_update import ConcentratorUpdate
from wire import limits as wire_limits
from wire import radio, radio_update, slip
from wire.faults import WireFault

CLOSED = "closed"
ASKING = "asking"
UP = "up"
SILENT = "silent"
FOREIGN = "foreign"

# Events of the state machine.
OPENED = "opened"
GONE = "gone"
GREETED = "greeted"
UNKNOWN_VERSION = "unknown-version"
QUIET = "quiet"

# state: {event: next state}. Missing: nothing changes.
TABLE = {
    CLOSED: {OPENED: ASKING},
    ASKING: {GONE: CLOSED, GREETED: UP, UNKNOWN_VERSION: FOREIGN, QUIET: SILENT, OPENED: ASKING},
    UP: {GONE: CLOSED, UNKNOWN_VERSION: FOREIGN, QUIET: SILENT, OPENED: ASKING},
    SILENT: {GONE: CLOSED, GREETED: UP, UNKNOWN_VERSION: FOREIGN, OPENED: ASKING},
    FOREIGN: {GONE: CLOSED, GREETED: UP, QUIET: SILENT, OPENED: ASKING},
}

_COUNTERS = ("up", "down", "overflow", "expired", "too-long", "resets", "line-faults", "unknown-kinds", "asked")


class _Node(NamedTuple):
    """Holds a node's radio figures. `down`, `failed`: as the concentrator counts them, from 0 at each of its starts."""

    rssi_dbm: int
    up: int
    down: int
    failed: int


class Concentrator:
    """Runs the line to one concentrator. `session`: drawn at our start, not 0. A peer is (`name`, MAC).

    `log(event, **details)` is called with changes for the operator: found, reset, silent, foreign. `update` shares
    the line, behind the datagrams.
    """

    def __init__(
        self,
        *,
        session: int,
        now_ms: int,
        name: str = "radio",
        channel: int | None = None,
        log: Callable[..., None] = lambda _event, **_details: None,
    ) -> None:
        assert 0 < session <= radio.SESSION_MAX
        self.state = CLOSED
        self.hello: radio.Hello | None = None
        self.update = ConcentratorUpdate(lambda event, **details: log(event, name=name, **details))
        self.counters = dict.fromkeys(_COUNTERS, 0)
        self._session, self._name, self._channel, self._log = session, name, channel, log
        self._decoder = slip.Decoder(radio.BODY_BYTES_MAX)
        self._number = 0  # number of the last DOWN
        self._credit: radio.Credit | None = None
        self._waiting: OrderedDict[bytes, list[tuple[bytes, int]]] = OrderedDict()
        self._waiting_count = 0
        self._nodes: OrderedDict[bytes, _Node] = OrderedDict()
        self._health: list[int] = []
        self._heard_ms = self._ask_ms = now_ms
        self._sent_ms = now_ms
        self._tune = False

    # --- the line -------------------------------------------------------------------------------------------------

    def opened(self, *, now_ms: int) -> None:
        """Notes that the port is open, and makes an ASK due."""
        self._decoder.reset()
        self._credit = None
        self._heard_ms = self._ask_ms = now_ms
        self._step(OPENED)

    def closed(self) -> None:
        self._credit = None
        self._step(GONE)

    def receive(self, data: bytes, *, now_ms: int) -> list[tuple[Any, bytes]]:
        """Accepts bytes of the line; returns [(peer, datagram)]."""
        arrived: list[tuple[Any, bytes]] = []
        for body in self._decoder.feed(data):
            if body[0] in radio_update.TOLD:
                self._heard_ms = now_ms
                self.update.on_body(body, now_ms=now_ms)
                continue
            try:
                message = radio.decode(body)
            except WireFault as fault:
                self.counters["unknown-kinds" if fault.reason == "kind" else "line-faults"] += 1
                continue
            self._heard_ms = now_ms
            if isinstance(message, radio.Up):
                self._on_up(message, arrived)
            elif isinstance(message, radio.Hello):
                self._on_hello(message, now_ms)
            elif isinstance(message, radio.Credit):
                self._credit = message
            elif isinstance(message, radio.Health):
                self._health = message.values
            elif isinstance(message, radio.Peers):
                self._on_peers(message)
            else:
                self.counters["unknown-kinds"] += 1  # a message only we send: an echo
        if self.state == SILENT and self._heard_ms == now_ms:
            self._ask_ms = now_ms  # it answers again
        return arrived

    def send(self, peer: Any, datagram: bytes, *, now_ms: int) -> bool:
        """Queues a datagram until the concentrator has a place for it; False when it cannot be sent at all."""
        mac = peer[1]
        if not 0 < len(datagram) <= wire_limits.DATAGRAM_BYTES_MAX:
            self.counters["too-long"] += 1
            return False
        queue = self._waiting.setdefault(mac, [])
        if len(queue) == limits.RADIO_QUEUE_MAX or self._waiting_count == limits.RADIO_WAITING_MAX:
            self._drop(mac if queue else next(iter(self._waiting)), "overflow")
            queue = self._waiting.setdefault(mac, [])
        queue.append((bytes(datagram), now_ms))
        self._waiting_count += 1
        if self._waiting_count == 1:
            self._sent_ms = now_ms
        return True

    def poll(self, *, now_ms: int) -> list[bytes]:
        """Returns the frames for the line, in order."""
        self._expire(now_ms)
        if self.state != CLOSED and now_ms - self._heard_ms >= limits.RADIO_SILENT_MS:
            self._step(QUIET)
        frames = []
        if self._asks(now_ms):
            self.counters["asked"] += 1
            slowly = self.state in (SILENT, FOREIGN)
            self._ask_ms = now_ms + (limits.RADIO_ASK_SLOWLY_MS if slowly else limits.RADIO_ASK_MS)
            self._sent_ms = now_ms
            frames.append(slip.encode(radio.ask(self._session, self._number)))
        if self.state != UP:
            return frames
        if self._tune:
            self._tune = False
            assert self._channel is not None
            frames.append(slip.encode(radio.channel(self._channel)))
        while self._waiting and self._places() > 0:
            frames.append(self._down())
            self._sent_ms = now_ms
        if body := self.update.poll(now_ms=now_ms):
            frames.append(slip.encode(body))
        return frames

    def deadline_ms(self) -> int | None:
        """Returns when `poll` is due without an event."""
        if self.state == CLOSED:
            return None
        due_ms = self._heard_ms + limits.RADIO_SILENT_MS
        if self.state != UP:
            return min(due_ms, self._ask_ms) if self.state != SILENT else self._ask_ms
        if self._waiting:
            due_ms = min(due_ms, self._sent_ms + limits.RADIO_CREDIT_WAIT_MS)
        update_ms = self.update.deadline_ms()
        return due_ms if update_ms is None else min(due_ms, update_ms)

    def waiting(self) -> int:
        return self._waiting_count

    def rssi_dbm(self, mac: bytes) -> int | None:
        """Returns how strongly a node was last received."""
        node = self._nodes.get(mac)
        return None if node is None else node.rssi_dbm

    def health(self) -> dict[str, Any]:
        """Returns plain data for the status: our figures, and the concentrator's last report."""
        ours = {"state": self.state, "waiting": self._waiting_count, "nodes": len(self._nodes), **self.counters}
        health = dict(zip(radio.HEALTH_NAMES, self._health, strict=False))
        hello = self.hello
        greeting = {} if hello is None else {"channel": hello.channel, "cause": hello.cause, "firmware": hello.firmware}
        health.update(self.update.health())
        return {**ours, **greeting, "frames": dict(self._decoder.counters), "concentrator": health}

    # --- messages of the concentrator -----------------------------------------------------------------------------

    def _on_up(self, message: radio.Up, arrived: list[tuple[Any, bytes]]) -> None:
        self.counters["up"] += 1
        node = self._nodes.get(message.mac, _Node(0, 0, 0, 0))
        self._keep(message.mac, node._replace(rssi_dbm=message.rssi_dbm, up=node.up + 1))
        arrived.append(((self._name, message.mac), message.datagram))

    def _on_hello(self, hello: radio.Hello, now_ms: int) -> None:
        if hello.version != radio.VERSION:
            if self._step(UNKNOWN_VERSION):
                self._log("concentrator-foreign", name=self._name, version=hello.version)
            return
        before, self.hello = self.hello, hello
        if before is None or before.session != hello.session:
            self.update.on_start()
        if before is not None and before.session != hello.session:
            self.counters["resets"] += 1
            self._credit = None
            self._log("concentrator-reset", name=self._name, cause=hello.cause)
        if hello.heard != self._session:
            self._credit = None
            self._ask_ms = now_ms  # it does not know us yet
            if self.state == UP:
                self._step(OPENED)
            return
        self._tune = self._channel is not None and hello.channel != self._channel
        if self._step(GREETED):
            self._log("concentrator-up", name=self._name, firmware=hello.firmware, channel=hello.channel)

    def _on_peers(self, message: radio.Peers) -> None:
        for peer in message.peers:
            node = self._nodes.get(peer.mac)
            if node is not None:
                self._nodes[peer.mac] = node._replace(down=peer.down, failed=peer.failed)

    def _keep(self, mac: bytes, node: _Node) -> None:
        self._nodes[mac] = node
        self._nodes.move_to_end(mac)
        if len(self._nodes) > limits.RADIO_NODES_MAX:
            self._nodes.popitem(last=False)

    def _step(self, happening: str) -> bool:
        """Applies an event to the state; returns whether the state has changed."""
        before = self.state
        self.state = TABLE[before].get(happening, before)
        if self.state == SILENT and before != SILENT:
            self._log("concentrator-silent", name=self._name)
        return self.state != before

    # --- messages to the concentrator -------------------------------------------------------------------------------

    def _asks(self, now_ms: int) -> bool:
        if self.state == CLOSED:
            return False
        if self.state != UP:
            return now_ms >= self._ask_ms
        if self.update.asks(now_ms=now_ms):
            return True
        return bool(self._waiting) and self._places() <= 0 and now_ms - self._sent_ms >= limits.RADIO_CREDIT_WAIT_MS

    def _places(self) -> int:
        """Returns how many datagrams the concentrator can certainly accept now."""
        if self._credit is None:
            return 0
        return self._credit.free - (self._number - self._credit.number & radio.NUMBER_MASK)

    def _down(self) -> bytes:
        mac, queue = next(iter(self._waiting.items()))
        datagram, _ = queue.pop(0)
        self._waiting_count -= 1
        if queue:
            self._waiting.move_to_end(mac)  # the next node's turn
        else:
            del self._waiting[mac]
        self._number = self._number + 1 & radio.NUMBER_MASK
        self.counters["down"] += 1
        return slip.encode(radio.down(self._number, mac, datagram))

    def _drop(self, mac: bytes, why: str) -> None:
        """Drops the oldest datagram of a node."""
        queue = self._waiting[mac]
        queue.pop(0)
        self._waiting_count -= 1
        if not queue:
            del self._waiting[mac]
        self.counters[why] += 1

    def _expire(self, now_ms: int) -> None:
        for mac in list(self._waiting):
            while mac in self._waiting and now_ms - self._waiting[mac][0][1] > limits.RADIO_WAIT_MAX_MS:
                self._drop(mac, "expired")
