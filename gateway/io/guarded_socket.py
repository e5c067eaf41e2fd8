"""Wraps the broker's socket for paho: bounds how much a broker can make us hold, and remembers why it failed.

paho allocates any length that a packet announces, answers packets that no client should get, and forgets the error that
ended a connection. This wrapper parses the frames on their way (MQTT 5 section 2.1.1: one byte of type, one to
four of length): packets that are too long or not for a client end the connection; between two packets it waits while
the agent's loop has enough to do, so that the broker gets TCP's backpressure instead of filling our memory. It must
decide nothing else.
"""

import socket
import ssl
import threading
from collections.abc import Callable
from typing import Any

CONNACK, PUBLISH, DISCONNECT = 0x20, 0x30, 0xE0
# CONNACK, PUBACK, SUBACK, PINGRESP, DISCONNECT with their only legal flags; PUBLISH at QoS 0 and 1 apart from that.
# We subscribe to nothing at QoS 2, and paho would keep it without bound.
_EXPECTED = frozenset({CONNACK, 0x40, 0x90, 0xD0, DISCONNECT, *(PUBLISH | flags for flags in (0, 1, 2, 3, 10, 11))})


class Broken(OSError):
    """Reports that the connection is of no use any more; the text begins with a stable word."""


class Places:
    """Bounds the events on their way to the agent's loop. The connection's thread waits for a place, the loop's thread
    gives it back; `stop` ends every wait for good."""

    def __init__(self, events_max: int) -> None:
        self._free = threading.Condition()
        self._left = events_max
        self._stopped = False
        self.waits = 0

    def occupy(self) -> None:
        """Occupies a place; the count may fall below zero by the one event that a packet yields after `wait`."""
        with self._free:
            self._left -= 1

    def give_back(self) -> None:
        with self._free:
            self._left += 1
            self._free.notify()

    def wait(self) -> None:
        with self._free:
            if self._left <= 0 and not self._stopped:
                self.waits += 1
                self._free.wait_for(lambda: self._left > 0 or self._stopped)

    def stop(self) -> None:
        with self._free:
            self._stopped = True
            self._free.notify_all()


class GuardedSocket:
    """Wraps a connected socket (plain or TLS), and has the methods that paho calls: recv, send, fileno, pending,
    setblocking, close."""

    def __init__(
        self, inner: socket.socket, places: Places, *, packet_bytes_max: int, unanswered_max: int,
        count: Callable[[str], None],
    ) -> None:  # fmt: skip
        self._inner = inner
        self._places = places
        self._packet_bytes_max = packet_bytes_max
        self._unanswered_max = unanswered_max
        self._count = count
        self._first = True
        # The first bytes of the last CONNACK or DISCONNECT, and its type; whether it is being read.
        self._verdict = b""
        self._verdict_kind = 0
        self._in_verdict = False
        # Bytes of the packet still to come; None before its type, -1 while its length is being read.
        self._left: int | None = None
        self._length = self._shift = 0
        self._unanswered = 0
        self.error: OSError | None = None

    def peer_certificate(self) -> dict[str, Any] | None:
        return self._inner.getpeercert() if isinstance(self._inner, ssl.SSLSocket) else None

    def refused(self) -> int | None:
        """Returns the reason code of a CONNACK that refuses (MQTT 5 section 3.2.2.2), even one that paho has no name
        for."""
        if self._verdict_kind != CONNACK or len(self._verdict) < 2 or self._verdict[1] < 0x80:
            return None
        return self._verdict[1]

    def dismissed(self) -> int | None:
        """Returns the reason code of the broker's DISCONNECT (section 3.14.2.1), which paho 2.1 does not read when no
        properties follow."""
        if self._verdict_kind != DISCONNECT:
            return None
        return self._verdict[0] if self._verdict else 0

    def recv(self, size: int) -> bytes:
        if self._left is None:
            self._places.wait()
        data: bytes = self._guarded(lambda: self._inner.recv(size))
        if not data:
            self.error = self.error or Broken("connection-closed: the broker closed the connection")
            return data
        try:
            self._follow(data)
        except Broken as error:
            self.error = error
            self._count(str(error).partition(":")[0])
            raise
        return data

    def send(self, data: bytes) -> int:
        try:
            sent: int = self._guarded(lambda: self._inner.send(data))
        except (ConnectionError, ssl.SSLZeroReturnError):
            # The broker's last message (a TLS alert) may lie unread before the reset.
            self._read_last_word()
            raise
        self._unanswered = 0
        return sent

    def _guarded(self, act: Callable[[], Any]) -> Any:
        try:
            return act()
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            raise
        except OSError as error:
            self.error = self.error or error
            raise

    def _read_last_word(self) -> None:
        try:
            self._inner.recv(1)
        except ssl.SSLError as error:
            self.error = error
        except (OSError, ValueError):
            pass

    def _follow(self, data: bytes) -> None:
        """Follow the frames. paho reads type and length byte by byte, then what the length announces."""
        if self._left is None:
            assert len(data) == 1, "paho reads further than a packet's first byte"
            self._begin(data[0])
        elif self._left == -1:
            self._length |= (data[0] & 0x7F) << self._shift
            self._shift += 7
            if self._length > self._packet_bytes_max or self._shift > 28:
                raise Broken(f"mqtt-packet-too-large: {self._length} bytes announced")
            if not data[0] & 0x80:
                self._left = self._length or None
        else:
            if self._in_verdict:
                self._verdict = (self._verdict + data)[:2]
            self._left = self._left - len(data) or None

    def _begin(self, kind: int) -> None:
        if self._first and kind != CONNACK:
            raise Broken(f"not-mqtt: the first byte is {kind:#04x}")
        if kind not in _EXPECTED or (kind == CONNACK and not self._first):
            raise Broken(f"mqtt-malformed: a packet of type {kind:#04x}")
        self._first = False
        self._in_verdict = kind in (CONNACK, DISCONNECT)
        if self._in_verdict:
            self._verdict, self._verdict_kind = b"", kind
        if kind & 0xF6 == PUBLISH | 2:
            # Acknowledgements that a broker does not read would pile up in paho.
            self._unanswered += 1
            if self._unanswered > self._unanswered_max:
                raise Broken("mqtt-flood: more messages than our Receive Maximum, and it reads no answer")
        self._left, self._length, self._shift = -1, 0, 0

    def fileno(self) -> int:
        return self._inner.fileno()

    def pending(self) -> int:
        """Returns how many bytes TLS has decrypted that `select` does not report."""
        return self._inner.pending() if isinstance(self._inner, ssl.SSLSocket) else 0

    def setblocking(self, flag: bool) -> None:
        self._inner.setblocking(flag)

    def close(self) -> None:
        self._inner.close()
