"""Lets the bench talk to a gateway over UDP as the node whose key it has.

Keys are agreed on for this conversation. The node's own next request then gets no answer, and the node agrees on keys
anew. Nothing is stored: the bench uses the Unix second as the boot number of its nonces, which is far above any boot
number that a node has reached.
"""

import secrets
import socket
import time
from typing import Any, Self

from gateway.core.link.sessions import NodeKey
from gateway.io.crypto import AesCcm
from gateway.language import N_
from tools.command_line import UsageError
from wire import coap, limits, oscore
from wire import coap_message as messages
from wire.oscore_context import GATEWAY_ID, Pairing
from wire.oscore_link import NodeLink

_POLL_S = 0.05


class TalkError(UsageError):
    """Is raised for a fault that a person can put right. Its text holds no secret."""


class Conversation:
    """Exchanges messages with one gateway from one socket."""

    def __init__(self, key: NodeKey, address: tuple[str, int], *, wait_s: float) -> None:
        self._address = address
        self._wait_s = wait_s
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.settimeout(_POLL_S)
        endpoint = coap.Endpoint(
            random_below=secrets.randbelow,
            first_message_id=secrets.randbelow(0x10000),
            handled_options=oscore.ANY_OUTSIDE,
        )
        self._link = NodeLink(
            endpoint,
            Pairing(key.master_secret, key.kid, GATEWAY_ID),
            AesCcm(),
            peer=address,
            boot=int(time.time()) & 0xFFFFFFFF,
            random_below=secrets.randbelow,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def ask(self, request: messages.Content) -> messages.Content:
        """Sends `request` and returns the answer. TalkError when none comes."""
        asked = self._link.request(
            self._address, request.code, (), request.payload, options=request.options, now_ms=_now_ms()
        )
        deadline_ms = _now_ms() + int(1000 * self._wait_s)
        while _now_ms() < deadline_ms:
            for peer, datagram in self._link.outgoing():
                self._socket.sendto(datagram, peer)
            for event in self._events():
                if isinstance(event, coap.Request) or event.exchange != asked:
                    continue
                if isinstance(event, coap.Failed):
                    raise TalkError(N_("no answer: {reason}"), reason=event.reason)
                for peer, datagram in self._link.outgoing():  # its acknowledgement
                    self._socket.sendto(datagram, peer)
                return messages.Content(event.code, event.options, event.payload)
        host, port = self._address
        message = N_("no answer from {host} port {port} within {wait:g} s: is this node adopted there?")
        raise TalkError(message, host=host, port=port, wait=self._wait_s)

    def _events(self) -> list[Any]:
        events = list(self._link.poll(now_ms=_now_ms()))
        try:
            datagram, peer = self._socket.recvfrom(limits.COAP_UDP_DATAGRAM_BYTES_MAX + 1)
        except TimeoutError:
            return events
        except ConnectionError:
            host, port = self._address
            raise TalkError(N_("nothing listens at {host} port {port}"), host=host, port=port) from None
        return events + (self._link.receive(datagram, peer, now_ms=_now_ms()) if peer == self._address else [])


def _now_ms() -> int:
    return time.monotonic_ns() // 1_000_000
