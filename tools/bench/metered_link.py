"""Provides the link of `bocage bench metered`: the gateway's connection, a counting relay, Mosquitto with TLS, a
centre.

    gateway/io/mqtt ── TCP, TLS 1.3 ──▶ relay ──▶ Mosquitto ◀── centre (in the clear, not counted)

The relay passes bytes on and reads TCP_INFO of the gateway's connection; it sees no plain text. Linux only.
"""

import socket
import struct
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from queue import Empty, Queue
from typing import Any, NamedTuple, Protocol

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from gateway.io.mqtt import BearerRoute, Connected, Event, Message, MqttLink, MqttOptions, PubAck
from gateway.io.tls import Tls
from simulator.rig.authority import Authority
from simulator.rig.ports import free_port
from simulator.rig.rig import Part, RigError, find_mosquitto

_HOST = "127.0.0.1"
_TIMEOUT_S = 15
# Longer than TCP waits before it acknowledges alone (40 ms).
_PAUSE_S = 0.06
# The bytes that a mobile network with an MTU of 1400 leaves for data, beside IPv4, TCP and its time stamps.
_SEGMENT_BYTES_MAX = 1360
# struct tcp_info of <linux/tcp.h>: options, then bytes received, segments out and in, bytes sent.
_TCP_INFO_BYTES = 208
_OPTIONS_AT, _RECEIVED_AT, _SEGMENTS_AT, _SENT_AT = 5, 128, 136, 200
_HAS_TIMESTAMPS = 1
_HEADER_BYTES, _TIMESTAMP_BYTES = 40, 12
_PING_KEEPALIVE_S, _PING_FOR_S = 1, 6.5


class Publication(Protocol):
    """Describes a message that is replayed; see `tools.bench.metered.Message`."""

    @property
    def up(self) -> bool: ...
    @property
    def topic(self) -> str: ...
    @property
    def payload(self) -> bytes: ...


class Used(NamedTuple):
    """Holds the counts of one connection, both directions: bytes of TCP payload, segments, bytes of headers in one
    segment."""

    data: int
    segments: int
    header: int

    @property
    def total(self) -> int:
        """Returns the bytes of IP packets."""
        return self.data + self.segments * self.header


class Costs(NamedTuple):
    """Holds bytes of IP packets: of the opening of TCP, TLS and MQTT, of all exchanges, of one ping and its answer."""

    handshake: int
    exchanges: int
    segments: int
    ping: float
    header_bytes: int


class Relay:
    """Forwards one connection after the other to a port, and reads the counters of the latest."""

    def __init__(self, target_port: int) -> None:
        self._target_port = target_port
        self._listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, _SEGMENT_BYTES_MAX)
        self._listener.bind((_HOST, 0))
        self._listener.listen()
        self.port = int(self._listener.getsockname()[1])
        self._sockets: list[socket.socket] = []
        self._near: socket.socket | None = None
        threading.Thread(target=self._accept, name="relay", daemon=True).start()

    def used(self) -> Used:
        """Returns the counts of the latest connection, as the kernel has counted until now."""
        assert self._near is not None
        info = self._near.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _TCP_INFO_BYTES)
        if len(info) < _TCP_INFO_BYTES:
            raise RigError("this kernel's TCP_INFO does not count bytes and segments: Linux 4.19 or newer is needed")
        (received,) = struct.unpack_from("=Q", info, _RECEIVED_AT)
        (sent,) = struct.unpack_from("=Q", info, _SENT_AT)
        segments = struct.unpack_from("=II", info, _SEGMENTS_AT)
        stamps = _TIMESTAMP_BYTES if info[_OPTIONS_AT] & _HAS_TIMESTAMPS else 0
        return Used(received + sent, sum(segments), _HEADER_BYTES + stamps)

    def close(self) -> None:
        """Ends all connections of the relay."""
        for one in [self._listener, *self._sockets]:
            one.close()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            far = socket.create_connection((_HOST, self._target_port))
            far.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            near.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._sockets += [near, far]
            self._near = near
            for source, target in ((near, far), (far, near)):
                threading.Thread(target=_pump, args=(source, target), name="relay", daemon=True).start()


def _pump(source: socket.socket, target: socket.socket) -> None:
    try:
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        return


class Gateway:
    """Holds the gateway's own connection, and the events it reports."""

    def __init__(self, port: int, tls: Tls) -> None:
        self._events: Queue[Event] = Queue()
        self._tokens = 0
        # Posted events are accepted at once: no other thread owns the link here.
        self._link = MqttLink(MqttOptions(_HOST, port, "49007-cab-1", "tc/1/s/49007/cab-1", tls), self._on_posted)

    def connect(self, keepalive_s: int) -> None:
        """Connects; returns when the broker has accepted."""
        self._link.connect(["tc/1/a/49007/cab-1"], BearerRoute("mobile", keepalive_s=keepalive_s))
        self.wait(lambda event: isinstance(event, Connected))

    def publish(self, name: str, payload: bytes) -> None:
        """Publishes; returns when the PUBACK has come."""
        self._tokens += 1
        token = self._tokens
        self._link.publish(token, name, payload, False)
        self.wait(lambda event: isinstance(event, PubAck) and event.token == token)

    def wait(self, is_wanted: Callable[[Event], bool]) -> None:
        """Waits until a wanted event comes; RigError when none comes, or the connection ends."""
        end_s = time.monotonic() + _TIMEOUT_S
        seen: list[str] = []
        try:
            while not is_wanted(event := self._events.get(timeout=max(0.01, end_s - time.monotonic()))):
                seen.append(repr(event))
        except Empty:
            raise RigError(f"the broker did not answer in {_TIMEOUT_S} s; {' '.join(seen) or 'nothing came'}") from None

    def close(self) -> None:
        self._link.close()

    def _on_posted(self, posted: Any) -> None:
        for event in self._link.accept(posted):
            self._events.put(event)


def replay(folder: Path, groups: Iterable[list[Any]], keepalive_s: int) -> Costs:
    """Sends the groups, each with its own pause, and measures them; then measures pings on an idle connection."""
    mosquitto = find_mosquitto()
    if mosquitto is None:
        raise RigError("no Mosquitto here: apt-get install mosquitto")
    authority = Authority(folder, "bench")
    issued = {"broker": authority.issue("broker", address=_HOST), "gateway": authority.issue("gateway")}
    tls_port, clear_port = free_port(socket.SOCK_STREAM), free_port(socket.SOCK_STREAM)
    configuration = folder / "mosquitto.conf"
    certificate, key = issued["broker"]
    configuration.write_text(
        f"allow_anonymous true\npersistence false\nuser root\nlistener {clear_port} {_HOST}\n"
        f"listener {tls_port} {_HOST}\ncafile {authority.certificate}\ncertfile {certificate}\nkeyfile {key}\n"
        "require_certificate true\ntls_version tlsv1.3\n"
    )
    broker = Part("broker", [mosquitto, "-c", str(configuration)], folder / "broker.log")
    centre = paho.Client(CallbackAPIVersion.VERSION2, "centre", protocol=paho.MQTTv5)
    broker.start()
    relay = Relay(tls_port)
    gateway = Gateway(relay.port, Tls(str(authority.certificate), *map(str, issued["gateway"])))
    try:
        _connect(centre, clear_port)
        gateway.connect(keepalive_s)
        time.sleep(_PAUSE_S)
        opened = relay.used()
        for group in groups:
            _exchange(group, gateway, centre)
        used = relay.used()
        gateway.close()
        return Costs(
            opened.total, used.total - opened.total, used.segments - opened.segments, _ping(relay, gateway), used.header
        )
    finally:
        gateway.close()
        centre.loop_stop()
        relay.close()
        broker.stop()


def _connect(centre: paho.Client, port: int) -> None:
    connected = threading.Event()
    centre.on_connect = lambda *_: connected.set()
    end_s = time.monotonic() + _TIMEOUT_S
    while True:
        try:
            centre.connect(_HOST, port)
            break
        except OSError:
            if time.monotonic() > end_s:
                raise RigError("Mosquitto does not start") from None
            time.sleep(0.05)
    centre.loop_start()
    if not connected.wait(_TIMEOUT_S):
        raise RigError("Mosquitto does not accept the centre")


def _exchange(group: list[Publication], gateway: Gateway, centre: paho.Client) -> None:
    for message in group:
        if message.up:
            gateway.publish(message.topic, message.payload)
        else:
            centre.publish(message.topic, message.payload, qos=1)
            gateway.wait(lambda event: isinstance(event, Message))
    time.sleep(_PAUSE_S)


def _ping(relay: Relay, gateway: Gateway) -> float:
    """Returns the bytes of one PINGREQ with its answer and TCP's acknowledgements, from an idle connection."""
    gateway.connect(_PING_KEEPALIVE_S)
    time.sleep(_PAUSE_S)
    before = relay.used()
    time.sleep(_PING_FOR_S)
    after = relay.used()
    gateway.close()
    # The payload of a ping is 2 x (2 bytes of MQTT and 22 of a TLS 1.3 record).
    count = round((after.data - before.data) / 48)
    if count == 0:
        raise RigError("no ping was seen on the idle connection")
    return (after.total - before.total) / count
