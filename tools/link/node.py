"""`bocage link talk` with a node's key file: as that node, to its gateway, with keys agreed on for this one talk.

The gateway takes the bench for the node. The node's next request ends in silence, and then it agrees anew. Nothing is
kept: the nonces begin with the second of the clock, which is far above any boot number that a node has counted to.
"""

import secrets
import socket
import time
from typing import Any, Self

from gateway.core.link.sessions import NodeKey
from gateway.io.crypto import AesBlocks
from tools.link.talk import TalkError
from wire import coap, limits, oscore
from wire.oscore_link import NodeLink
from wire.oscore_pairing import GATEWAY_ID, Pairing

_POLL_S = 0.05


class NodeConversation:
    """Exchanges with one gateway from one socket. As `link_talk.Conversation`, and used in its place."""

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
            AesBlocks(),
            peer=address,
            boot=int(time.time()) & 0xFFFFFFFF,
            random_below=secrets.randbelow,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def ask(self, request: oscore.Content) -> oscore.Content:
        """The answer to `request`. TalkError when there is none."""
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
                    raise TalkError(f"no answer: {event.reason}")
                for peer, datagram in self._link.outgoing():  # its acknowledgement
                    self._socket.sendto(datagram, peer)
                return oscore.Content(event.code, event.options, event.payload)
        where = f"{self._address[0]} port {self._address[1]}"
        raise TalkError(f"no answer from {where} within {self._wait_s:g} s: is this node adopted there?")

    def _events(self) -> list[Any]:
        events = list(self._link.poll(now_ms=_now_ms()))
        try:
            datagram, peer = self._socket.recvfrom(limits.COAP_UDP_DATAGRAM_BYTES_MAX + 1)
            if peer == self._address:
                events += self._link.receive(datagram, peer, now_ms=_now_ms())
        except TimeoutError:
            pass
        except ConnectionError:
            raise TalkError(f"nothing listens at {self._address[0]} port {self._address[1]}") from None
        return events


def _now_ms() -> int:
    return time.monotonic_ns() // 1_000_000
