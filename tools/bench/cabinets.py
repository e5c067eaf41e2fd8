"""Connects many cabinets to a broker in one process, each over TLS 1.3 with its own certificate, for benchmarks.

What a cabinet sends comes from a `Source`: batches that were made before (`MadeBatches`), or the uplink of a real
gateway (`tools.bench.drain`). Each has a connection as a gateway's: MQTT 5, QoS 1, a session that lasts, its receipts
on its own topic. Real gateways have a processor each; here all share one, so its time is told apart.
"""

import random
import select
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from gateway.core import limits
from gateway.core.custody import entry
from gateway.core.custody.stream import Stream
from gateway.core.uplink.batch import GatheredBatch, Packer, Publication, Publisher
from gateway.io.crypto import verify_ed25519
from simulator.rig.rig import RigError
from tools.bench import street
from tools.centre import mqtt
from tools.centre.mqtt import BrokerAddress
from wire import event, receipt, record, topic
from wire.receipt import Receipt, Rejected

INSEE = "49007"
# Longer than any cabinet's attempts to reach the broker are apart (UPLINK_RECONNECT_LAST_MS).
_TIMEOUT_S = 180
_POLL_S = 0.05
# As telemetry in `gateway.core.uplink`: four places of the window are the alarms'.
_WINDOW = limits.UPLINK_WINDOW_MAX - limits.UPLINK_ALARM_WINDOW


def name_of(cabinet: int) -> str:
    """Returns the name of a cabinet in its topics; its certificate has the commune before it."""
    return f"cab-{cabinet}"


def account_of(cabinet: int) -> str:
    return f"{INSEE}-{name_of(cabinet)}"


def gateway_of(cabinet: int) -> bytes:
    return street.TERRITORY + b"\x01" + cabinet.to_bytes(3, "big")


def node_of(cabinet: int, place: int) -> bytes:
    """Returns the id of a light: those of a cabinet were made in one series."""
    return street.TERRITORY + b"\x02" + (cabinet << 12 | place).to_bytes(3, "big")


def lights(cabinet: int, count: int) -> list[record.Record]:
    """Returns a record of each light of a cabinet, with eight readings; see `Reports`."""
    return [item.record for item in street.street(count, seed=cabinet)]


def reported(made: record.Record, turn: int, begun_s: int) -> record.Record:
    """Returns a light's record of turn `turn`, a quarter of an hour after that of the turn before."""
    later = street.PERIOD_S * turn
    stamp = made.stamp._replace(seconds=begun_s + made.stamp.seconds % street.PERIOD_S + later)
    return made._replace(sequence=made.sequence + turn, stamp=stamp)


class Source(Protocol):
    """Is what one cabinet sends, and hears in answer."""

    gateway: bytes

    def due(self) -> list[Publication]: ...
    def acknowledged(self, token: int) -> None: ...
    def receive(self, message: Receipt | Rejected) -> None: ...
    def is_done(self) -> bool: ...


class MadeBatches:
    """Sends batches that were made before: telemetry of `count` lights, a record of each in these turns, in the order
    and the envelopes of a gateway. The next goes when a receipt frees a place, or with `is_plain`, where no ingest
    answers, a PUBACK of the broker."""

    def __init__(self, cabinet: int, count: int, turns: range, begun_s: int, *, is_plain: bool) -> None:
        self.gateway = gateway_of(cabinet)
        self.held = 0  # records that the warehouse has
        self._is_plain = is_plain
        self._ahead: dict[int, int] = {}  # by token, the records of a batch under way
        self._waiting = deque(_batches(cabinet, count, turns, begun_s))

    def due(self) -> list[Publication]:
        found = []
        while self._waiting and len(self._ahead) < _WINDOW:
            publication, last = self._waiting.popleft()
            self._ahead[publication.token] = last
            found.append(publication)
        return found

    def acknowledged(self, token: int) -> None:
        if self._is_plain:
            self.held = self._ahead.pop(token) + 1

    def receive(self, message: Receipt | Rejected) -> None:
        assert isinstance(message, Receipt), message
        self.held = message.next_position
        self._ahead = {token: last for token, last in self._ahead.items() if last >= self.held}

    def is_done(self) -> bool:
        return not self._waiting and not self._ahead


def _batches(cabinet: int, count: int, turns: range, begun_s: int) -> Iterator[tuple[Publication, int]]:
    """Returns each batch, with its last position; other turns are of another epoch."""
    packer, publisher = Packer(), Publisher(gateway_of(cabinet), INSEE, name_of(cabinet))
    stream = Stream(random.Random(f"{cabinet} {turns}").randbytes(8), event.TELEMETRY)
    made, first = lights(cabinet, count), 0
    for turn in turns:
        for at in range(0, count, limits.UPLINK_BATCH_RECORDS_MAX):
            items = []
            entries = 0
            for place, one in enumerate(made[at : at + limits.UPLINK_BATCH_RECORDS_MAX], at):
                data = record.encode(reported(one, turn, begun_s))
                piece, pieces = packer.convert(entry.encode(entry.Entry(node_of(cabinet, place), data)))
                items.append(piece)
                entries += pieces
            gathered = GatheredBatch(first, first + len(items) - 1, items, entries, None)
            yield publisher.publish(stream, 0, gathered, 0), gathered.last
            first = gathered.last + 1


class Line:
    """Holds the connection of one cabinet. `keys`: those whose receipts count; each is verified as a gateway does."""

    def __init__(self, address: BrokerAddress, cabinet: int, source: Source, keys: Sequence[bytes]) -> None:
        self.source = source
        self.is_open = False  # the broker has accepted the subscription
        self._may_send = False
        self._address, self._keys = address, keys
        self._topic = topic.build(topic.RECEIPT, INSEE, name_of(cabinet))
        self._tokens: dict[int, int] = {}  # by paho's message id
        self.client = mqtt.new_client(address)
        self.client.on_connect = self._on_connect
        self.client.on_subscribe = self._on_subscribe
        self.client.on_publish = self._on_publish
        self.client.on_message = self._on_message

    def connect(self) -> None:
        """Opens the connection; what the broker answers is read by `serve`."""
        mqtt.connect(self.client, self._address)

    def start(self) -> None:
        """Begins to send."""
        self._may_send = True
        self.send()

    def send(self) -> None:
        """Publishes what is due, and writes what waits."""
        for one in self.source.due() if self._may_send else ():
            properties = None
            if one.expiry_s is not None:
                properties = Properties(PacketTypes.PUBLISH)
                properties.MessageExpiryInterval = one.expiry_s
            self._tokens[self.client.publish(one.topic, one.payload, qos=1, properties=properties).mid] = one.token
        while self.client.want_write() and self.client.loop_write() == 0:
            pass

    def read(self) -> None:
        """Reads what has come; what TLS has deciphered already makes no socket readable."""
        pending = 1
        while pending:
            result = self.client.loop_read()
            if result != 0:
                raise RigError(f"the broker ended the connection of {self._address.client_id}: {result.name}")
            socket: Any = self.client.socket()
            pending = socket.pending()

    def _on_connect(self, client, _userdata, _flags, _reason, _properties) -> None:
        client.subscribe(self._topic, 1)

    def _on_subscribe(self, _client, _userdata, _mid, reasons, _properties) -> None:
        if any(reason.is_failure for reason in reasons):
            raise RigError(f"{self._address.client_id} may not subscribe to {self._topic}")
        self.is_open = True

    def _on_publish(self, _client, _userdata, mid, reason, _properties) -> None:
        if reason.is_failure:
            raise RigError(f"{self._address.client_id} may not publish: {reason}")
        token = self._tokens.pop(mid, None)
        if token is not None:
            self.source.acknowledged(token)

    def _on_message(self, client, _userdata, message) -> None:
        client.ack(message.mid, message.qos)
        self.source.receive(receipt.opened(message.payload, self.source.gateway, self._keys, verify_ed25519))


def serve(lines: Sequence[Line], until: Callable[[], bool]) -> None:
    """Sends and receives on all lines that are connected, until `until` says so. RigError when nothing moves."""
    poll = select.epoll()
    served: dict[int, Line] = {}
    moved_s = swept_s = time.monotonic()
    while not until():
        for line in lines:
            socket = line.client.socket()
            if socket is not None and served.get(socket.fileno()) is not line:
                served[socket.fileno()] = line
                poll.register(socket.fileno(), select.EPOLLIN)
        ready = [served[number] for number, _ in poll.poll(_POLL_S)]
        for line in ready:
            line.read()
            line.send()
        now_s = time.monotonic()
        if ready:
            moved_s = now_s
        elif now_s - moved_s > _TIMEOUT_S:
            raise RigError(f"nothing has come from the broker for {_TIMEOUT_S} s")
        if now_s - swept_s >= _POLL_S:  # what time alone makes due
            swept_s = now_s
            for line in lines:
                line.client.loop_misc()
                line.send()
    poll.close()
