"""Runs loud senders over real UDP: many nodes in this process, each with its next payload sent at once.

A sender sends as soon as the last payload is acknowledged. Three MicroPython nodes make a few records a second; a kill
should fall among hundreds. These senders use the real CoAP machine and the real record codec, and keep what they made
and what was acknowledged, like a node's trace. A `Sender` alone does no input or output: a proof in virtual time drives
it.
"""

import contextlib
import select
import socket
import time
from typing import Any

from links import udp
from simulator.checkers.delivery import DeliveryChecker
from simulator.hosts.keys import link_of
from simulator.world.chance import Prng
from wire import coap_message, quantity, record
from wire.coap import Refused, Response
from wire.record import UNSET, EventBody, Record, Stamp

# Quick retries, for a bench on the loopback interface.
_ACK_TIMEOUT_MS = 300
_RETRY_MS = 500
_RECORDS_PER_PAYLOAD = 4
_GATEWAY = "gateway"  # the only peer of a sender


class Sender:
    """Is one node without a bearer: one payload in flight at most; a failed one is sent again with the same records.

    A boot must be new in every process that uses the same `node`: an identity is never used twice.
    """

    def __init__(self, node: bytes, boot: int, prng: Prng, delivery: DeliveryChecker) -> None:
        self.id = node
        self._prng = prng
        self._delivery = delivery
        self._boot = boot
        self._sequence = 0
        self._link = link_of(
            node, _GATEWAY, boot=boot, random_below=prng.randrange, timing=udp.timing(_ACK_TIMEOUT_MS)
        )
        self._pending: list[tuple[int, bytes]] = []
        self._exchange: int | None = None
        self._retry_at_ms = 0

    def receive(self, datagram: bytes, *, now_ms: int) -> None:
        """Accepts a datagram from the gateway."""
        for happened in self._link.receive(datagram, _GATEWAY, now_ms=now_ms):
            self._handle(happened, now_ms)

    def turn(self, *, now_ms: int, may_make: bool) -> list[bytes]:
        """Makes and sends what is due; returns the datagrams for the gateway."""
        for happened in self._link.poll(now_ms=now_ms):
            self._handle(happened, now_ms)
        if self._exchange is None and now_ms >= self._retry_at_ms:
            if not self._pending and may_make:
                self._make(now_ms)
            if self._pending:
                self._send(now_ms)
        return [datagram for _, datagram in self._link.outgoing()]

    def deadline_ms(self) -> int | None:
        """Returns the instant at which `turn` is due without any datagram; None: only an answer makes it due."""
        deadlines = [deadline for deadline in (self._link.deadline_ms(),) if deadline is not None]
        if self._pending and self._exchange is None:
            deadlines.append(self._retry_at_ms)
        return min(deadlines, default=None)

    def idle(self) -> bool:
        return not self._pending

    def _handle(self, happened: Any, now_ms: int) -> None:
        if getattr(happened, "exchange", None) != self._exchange:
            return
        self._exchange = None
        if isinstance(happened, Response) and happened.code == coap_message.CHANGED:
            for sequence, _ in self._pending:
                self._delivery.acknowledged(self.id, self._boot, sequence)
            self._pending = []
        else:
            self._retry_at_ms = now_ms + _RETRY_MS

    def _make(self, now_ms: int) -> None:
        alarm = self._prng.chance(50)
        for _ in range(1 if alarm else _RECORDS_PER_PAYLOAD):
            readings = {quantity.POWER: self._prng.randrange(5000), quantity.VOLTAGE: 2300 + self._prng.randrange(40)}
            body = EventBody(64, True, readings) if alarm else readings
            made = Record(self._boot, self._sequence, Stamp(UNSET, now_ms // 1000, 0), body)
            data = record.encode(made)
            self._delivery.made(self.id, self._boot, self._sequence, data, now_ms=now_ms)
            self._pending.append((self._sequence, data))
            self._sequence += 1

    def _send(self, now_ms: int) -> None:
        payload = b"".join(data for _, data in self._pending)
        outcome = self._link.request(_GATEWAY, coap_message.POST, (b"t",), payload, now_ms=now_ms)
        if isinstance(outcome, Refused):
            self._retry_at_ms = now_ms + _RETRY_MS
        else:
            self._exchange = outcome


def member_id(number: int) -> bytes:
    """Returns the node id of the member with this number, from 1 on."""
    return bytes.fromhex("7c1f0a2c02") + number.to_bytes(3, "big")


class Member:
    """Runs a sender on a socket of its own."""

    def __init__(self, number: int, gateway: tuple[str, int], delivery: DeliveryChecker) -> None:
        # A new process must not use an identity again: the boot is the second of the start.
        node = member_id(number)
        self._sender = Sender(node, int(time.time()), Prng(f"crowd-{number}-{time.time_ns()}"), delivery)
        self._gateway = gateway
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setblocking(False)

    def turn(self, now_ms: int, *, may_make: bool) -> None:
        """Receives, makes and sends what is due."""
        while True:
            try:
                datagram = self.socket.recv(2048)
            except (BlockingIOError, ConnectionRefusedError):
                break
            self._sender.receive(datagram, now_ms=now_ms)
        for datagram in self._sender.turn(now_ms=now_ms, may_make=may_make):
            with contextlib.suppress(OSError):  # the gateway is down: CoAP sends again
                self.socket.sendto(datagram, self._gateway)

    def idle(self) -> bool:
        return self._sender.idle()


class Crowd:
    """Holds some members and the loop that drives them."""

    def __init__(self, count: int, gateway: tuple[str, int], delivery: DeliveryChecker) -> None:
        self.members = [Member(number, gateway, delivery) for number in range(1, count + 1)]
        self._may_make = True

    def pump(self, for_s: float) -> None:
        """Drives every member once, then waits for a datagram, `for_s` at most."""
        now_ms = time.monotonic_ns() // 1_000_000
        for member in self.members:
            member.turn(now_ms, may_make=self._may_make)
        if self.members and for_s > 0:
            select.select([member.socket for member in self.members], [], [], for_s)

    def quiet(self) -> None:
        self._may_make = False

    def idle(self) -> bool:
        return all(member.idle() for member in self.members)

    def close(self) -> None:
        for member in self.members:
            member.socket.close()
