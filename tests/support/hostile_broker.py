"""A small scripted MQTT 5 broker on a loopback socket, for tests of what a client does with a bad one.

    def script(peer):
        peer.accept(receive_maximum=5)      # reads CONNECT, answers CONNACK
        peer.serve(acknowledge=False)       # answers PINGREQ and SUBSCRIBE, counts PUBLISH, until the client leaves

    with HostileBroker(script) as broker: ... broker.port, broker.peers[0].published, broker.unacked_most

The script runs in a thread of its own for each connection; when it returns the connection is closed. A client that
leaves ends it with `Gone`, which is no failure. No TLS, no QoS 2, no session: it must not grow into a real broker.
"""

import contextlib
import socket
import struct
import threading
from typing import NamedTuple

CONNECT, CONNACK, PUBLISH, PUBACK, SUBSCRIBE, SUBACK, UNSUBSCRIBE, PINGREQ, PINGRESP, DISCONNECT = (
    1, 2, 3, 4, 8, 9, 10, 12, 13, 14,
)  # fmt: skip

# MQTT 5 section 2.2.2.2: those that a CONNACK may carry, and how they are written.
_PROPERTIES = {
    "receive_maximum": (0x21, ">H"),
    "maximum_qos": (0x24, ">B"),
    "retain_available": (0x25, ">B"),
    "maximum_packet_size": (0x27, ">I"),
    "topic_alias_maximum": (0x22, ">H"),
    "server_keep_alive": (0x13, ">H"),
    "session_expiry": (0x11, ">I"),
    "wildcard_subscription": (0x28, ">B"),
    "shared_subscription": (0x2A, ">B"),
}
# Of a PUBLISH: one byte, two, four; what is longer no client of ours sends.
_PUBLISH_LENGTHS = {0x01: 1, 0x02: 4, 0x23: 2}
_TOPIC_ALIAS, _EXPIRY = 0x23, 0x02


class Gone(Exception):
    """The client has left, or the test is over."""


class Packet(NamedTuple):
    kind: int
    flags: int
    body: bytes


class Published(NamedTuple):
    """`topic` as resolved from the alias; `written` as it stood in the packet; `size` of the whole packet in bytes."""

    topic: str
    payload: bytes
    message_id: int
    retain: bool
    written: str
    alias: int
    expiry_s: int | None
    size: int


class Peer:
    """The broker's end of one connection, for a script."""

    def __init__(self, sock, broker):
        self._sock = sock
        self._broker = broker
        self._aliases = {}
        self.connect = None
        self.published = []
        self.unacked = set()

    # --- speaking ---

    def send(self, data):
        try:
            self._sock.sendall(data)
        except OSError as error:
            raise Gone from error

    def connack(self, reason=0, **properties):
        self.send(packet(CONNACK, 0, bytes((0, reason)) + _encode(properties)))

    def puback(self, message_id, reason=0):
        self.unacked.discard(message_id)
        self.send(packet(PUBACK, 0, struct.pack(">HBB", message_id, reason, 0)))

    def publish(self, topic, payload, qos=0, message_id=1):
        ends = struct.pack(">H", message_id) if qos else b""
        name = topic if isinstance(topic, bytes) else topic.encode()
        self.send(packet(PUBLISH, qos << 1, struct.pack(">H", len(name)) + name + ends + b"\0" + payload))

    def disconnect(self, reason):
        self.send(packet(DISCONNECT, 0, bytes((reason, 0))))

    # --- listening ---

    def read(self):
        """The next packet, whatever it is."""
        first = self._exactly(1)[0]
        length = shift = 0
        while True:
            byte = self._exactly(1)[0]
            length |= (byte & 0x7F) << shift
            shift += 7
            if not byte & 0x80:
                break
        found = Packet(first >> 4, first & 0x0F, self._exactly(length))
        if found.kind == CONNECT:
            self.connect = found.body
        if found.kind == PUBLISH:
            self._note(found, 1 + shift // 7 + length)
        if found.kind == DISCONNECT:
            raise Gone
        return found

    def accept(self, **properties):
        """Read CONNECT, answer CONNACK."""
        assert self.read().kind == CONNECT
        self.connack(**properties)

    def answer(self, found, *, acknowledge=True, granted=1):
        """What a decent broker answers to one packet. `granted` is the SUBACK's reason code."""
        if found.kind == SUBSCRIBE:
            self.send(packet(SUBACK, 0, found.body[:2] + bytes((0, granted))))
        elif found.kind == PINGREQ:
            self.send(packet(PINGRESP, 0, b""))
        elif found.kind == PUBLISH and acknowledge and found.flags & 6:
            self.puback(self.published[-1].message_id)

    def serve(self, *, acknowledge=True):
        """Answer until the client leaves."""
        while True:
            self.answer(self.read(), acknowledge=acknowledge)

    def read_until(self, kind, **answers):
        """Answer whatever comes before the next packet of that kind, which is returned unanswered."""
        while (found := self.read()).kind != kind:
            self.answer(found, **answers)
        return found

    def read_records(self, count, **answers):
        """Answer whatever comes until `count` publications at QoS 1 were read in all; returns them."""
        while len(records := [one for one in self.published if one.message_id]) < count:
            found = self.read()
            self.answer(found, **{"acknowledge": False, **answers})
        return records

    # --- inside ---

    def _exactly(self, count):
        data = b""
        while len(data) < count:
            try:
                more = self._sock.recv(count - len(data))
            except OSError as error:
                raise Gone from error
            if not more:
                raise Gone
            data += more
        return data

    def _note(self, found, size):
        length = struct.unpack_from(">H", found.body)[0]
        written, at = found.body[2 : 2 + length].decode(), 2 + length
        message_id = 0
        if found.flags & 6:
            message_id, at = struct.unpack_from(">H", found.body, at)[0], at + 2
            self.unacked.add(message_id)
            self._broker.unacked_most = max(self._broker.unacked_most, len(self.unacked))
        end, values = at + 1 + found.body[at], {}
        at += 1
        while at < end:
            length = _PUBLISH_LENGTHS[found.body[at]]
            values[found.body[at]] = int.from_bytes(found.body[at + 1 : at + 1 + length], "big")
            at += 1 + length
        alias = values.get(_TOPIC_ALIAS, 0)
        if alias and written:
            self._aliases[alias] = written
        topic = written or self._aliases[alias]
        self.published.append(
            Published(
                topic, found.body[end:], message_id, bool(found.flags & 1), written, alias, values.get(_EXPIRY), size
            )
        )


class HostileBroker:
    """See the module. `script(peer)` for every connection; an exception of its own but Gone fails the test at the end.
    `unacked_most`: the most QoS 1 publications that any connection ever had open."""

    def __init__(self, script):
        self._script = script
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = self._server.getsockname()[1]
        self.peers = []
        self.unacked_most = 0
        self.failures = []
        self._sockets = []
        self._threads = []
        self._acceptor = threading.Thread(target=self._accept, name="hostile-broker", daemon=True)

    def __enter__(self):
        self._acceptor.start()
        return self

    def __exit__(self, *_):
        self.close()
        assert not self.failures, self.failures

    def close(self):
        """Ends every script that waits for its client."""
        self._server.shutdown(socket.SHUT_RDWR)
        self._acceptor.join()
        self._server.close()
        for sock in self._sockets:
            with contextlib.suppress(OSError):  # it has gone by itself
                sock.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()

    def _accept(self):
        while True:
            try:
                sock, _ = self._server.accept()
            except OSError:
                return
            peer = Peer(sock, self)
            self.peers.append(peer)
            self._sockets.append(sock)
            thread = threading.Thread(target=self._run, args=(peer, sock), name="hostile-peer", daemon=True)
            self._threads.append(thread)
            thread.start()

    def _run(self, peer, sock):
        try:
            self._script(peer)
        except Gone:
            pass
        except Exception as error:
            self.failures.append(error)
        finally:
            sock.close()


def packet(kind, flags, body):
    """One MQTT packet: type, flags, length, body."""
    length, size = len(body), b""
    while True:
        length, byte = length >> 7, length & 0x7F
        size += bytes((byte | 0x80 if length else byte,))
        if not length:
            return bytes((kind << 4 | flags,)) + size + body


def _encode(properties):
    data = b"".join(
        bytes((_PROPERTIES[name][0],)) + struct.pack(_PROPERTIES[name][1], value) for name, value in properties.items()
    )
    return bytes((len(data),)) + data
