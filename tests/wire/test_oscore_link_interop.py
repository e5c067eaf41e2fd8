"""Keys agreed on by RFC 8613 appendix B.2 with libcoap, over loopback UDP: its client and our gateway, our node and its
server. libcoap 4.3.4 takes nonces of 8 bytes, wraps them as we do, and once both have agreed sends the ID Context on
without its wrapping; its server asks for an Echo (RFC 9175) after that, which is the business of whoever sits above."""

import shutil
import socket
import time

import pytest

from gateway.core.link.link import Link
from gateway.core.link.sessions import NodeKey
from gateway.io.crypto import AesCcm
from tests.support.coap_peers import (
    LIBCOAP_CLIENT,
    LIBCOAP_SERVER,
    SECRET,
    WAIT_S,
    ServingThread,
    Started,
    free_port,
    run_client,
)
from tests.support.link_world import counted
from wire import coap_message as messages
from wire import oscore
from wire.coap import Endpoint
from wire.oscore_context import GATEWAY_ID, Pairing
from wire.oscore_link import INIT, PROVEN, NodeLink

pytestmark = [pytest.mark.live, pytest.mark.timeout(60)]

NODE, KID = bytes.fromhex("7c1f0a2c01000701"), b"\0\7\1"
CIPHER = AesCcm()


def now_ms():
    return time.monotonic_ns() // 1_000_000


def random_below(bound):
    return time.perf_counter_ns() % bound


def libcoap_file(tmp_path, own, peer):
    path = tmp_path / "libcoap-b2.conf"
    lines = [f'master_secret,hex,"{SECRET.hex()}"', f'sender_id,hex,"{own.hex()}"', f'recipient_id,hex,"{peer.hex()}"']
    path.write_text("\n".join([*lines, "rfc8613_b_2,bool,true"]) + "\n", encoding="ascii")
    return path


class Gateway(ServingThread):
    """A gateway's shell at its smallest: each payload is answered with itself, backwards."""

    def __init__(self):
        super().__init__()
        self.heard = []
        self.link = Link([NodeKey(NODE, KID, SECRET)], CIPHER, random_below=random_below)

    def take(self, datagram, peer):
        for asked in self.link.receive(datagram, peer, now_ms=now_ms()):
            self.heard.append(asked)
            self.link.respond(asked.exchange, messages.CHANGED, asked.payload[::-1], now_ms=now_ms())
        return self.link.outgoing()


def test_libcoaps_client_agrees_on_keys_with_our_gateway(tmp_path):
    if shutil.which(LIBCOAP_CLIENT) is None:
        pytest.skip(f"no {LIBCOAP_CLIENT} (apt-get install libcoap3-bin)")
    config = libcoap_file(tmp_path, KID, GATEWAY_ID)
    with Gateway() as gateway:
        uri = f"coap://127.0.0.1:{gateway.port}/t"
        for payload in ("hello", "again"):  # a process each: a client that starts anew
            done = run_client(LIBCOAP_CLIENT, "-E", config, "-B", "8", "-m", "post", "-e", payload, uri)
            assert done.stdout.strip() == payload[::-1], done.stderr
    assert [(asked.node, asked.path, asked.payload) for asked in gateway.heard] == [
        (NODE, (b"t",), b"hello"),
        (NODE, (b"t",), b"again"),
    ]
    figures = counted(gateway.link)
    assert (figures["handshakes"], figures["agreed"]) == (2, 2) and "unauthentic" not in figures


def test_libcoaps_client_goes_on_under_the_keys(tmp_path):
    """Several requests of one process: the later ones bear the ID Context without its wrapping, or none."""
    if shutil.which(LIBCOAP_CLIENT) is None:
        pytest.skip(f"no {LIBCOAP_CLIENT} (apt-get install libcoap3-bin)")
    config = libcoap_file(tmp_path, KID, GATEWAY_ID)
    with Gateway() as gateway:
        uri = f"coap://127.0.0.1:{gateway.port}/t"
        done = run_client(LIBCOAP_CLIENT, "-E", config, "-B", "10", "-G", "3", "-m", "post", "-e", "many", uri)
    assert [asked.payload for asked in gateway.heard] == [b"many"] * 3, done.stderr
    figures = counted(gateway.link)
    assert (figures["handshakes"], figures["agreed"]) == (1, 1) and "unauthentic" not in figures


def test_libcoaps_client_with_another_secret_meets_silence(tmp_path):
    if shutil.which(LIBCOAP_CLIENT) is None:
        pytest.skip(f"no {LIBCOAP_CLIENT} (apt-get install libcoap3-bin)")
    config = libcoap_file(tmp_path, KID, GATEWAY_ID)
    config.write_text(config.read_text(encoding="ascii").replace(SECRET.hex(), bytes(16).hex()), encoding="ascii")
    with Gateway() as gateway:
        uri = f"coap://127.0.0.1:{gateway.port}/t"
        done = run_client(LIBCOAP_CLIENT, "-E", config, "-B", "1", "-m", "post", "-e", "hello", uri)
    assert done.stdout.strip() == "" and gateway.heard == []
    assert gateway.link.counters["unauthentic"] > 0 and gateway.link.counters["sent"] == 0


class Node:
    """A node's shell at its smallest."""

    def __init__(self, port, boot):
        self.peer = ("127.0.0.1", port)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.settimeout(0.1)
        end = Endpoint(random_below=random_below, first_message_id=7, handled_options=oscore.ANY_OUTSIDE)
        pairing = Pairing(SECRET, KID, GATEWAY_ID)
        self.link = NodeLink(end, pairing, CIPHER, peer=self.peer, boot=boot, random_below=random_below)

    def ask(self, path, options=()):
        self.link.request(self.peer, messages.GET, path, options=options, now_ms=now_ms())
        until_ms = now_ms() + 1000 * WAIT_S
        while now_ms() < until_ms:
            for peer, datagram in self.link.outgoing():
                self.socket.sendto(datagram, peer)
            try:
                events = self.link.receive(*self.socket.recvfrom(2048), now_ms=now_ms())
            except (TimeoutError, ConnectionRefusedError):  # it is not up yet: CoAP sends again
                events = ()
            events = [*events, *self.link.poll(now_ms=now_ms())]
            for peer, datagram in self.link.outgoing():
                self.socket.sendto(datagram, peer)
            if events:
                return events[0]
        return None

    def name_the_context(self):
        """libcoap 4.3.4's server finds keys of appendix B.2 by their ID Context alone: a request that leaves it out, as
        the RFC allows and our node does, is opened with the keys of a context without one and refused; one that has it
        wrapped begins a session and its Echo anew. So here it goes along as libcoap's own client sends it."""
        session = self.link._session
        session.kid_context = session.context.id_context
        self.link._is_proven = False


def test_our_node_agrees_on_keys_with_libcoaps_server(tmp_path):
    if shutil.which(LIBCOAP_SERVER) is None:
        pytest.skip(f"no {LIBCOAP_SERVER} (apt-get install libcoap3-bin)")
    config = libcoap_file(tmp_path, GATEWAY_ID, KID)
    port = free_port()
    with Started() as started:
        started(LIBCOAP_SERVER, "-A", "127.0.0.1", "-p", port, "-E", config)
        time.sleep(0.5)  # if it is not up by then, CoAP sends again
        for boot in (3, 4):
            node = Node(port, boot)
            assert node.link.state == INIT
            challenge = node.ask((b"time",))
            assert challenge.code == messages.UNAUTHORIZED and node.link.state == PROVEN
            (echo,) = messages.option_values(challenge.options, messages.ECHO)
            for options in (((messages.ECHO, echo),), ()):
                node.name_the_context()
                answer = node.ask((b"time",), options)
                assert answer.code == messages.CONTENT and answer.payload
            assert node.link.counters["handshakes"] == 1 and node.link.counters["unauthentic"] == 0
            node.socket.close()
