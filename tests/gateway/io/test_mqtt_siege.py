"""The link under a long siege: no thread, no socket, no memory is left behind, and a silent cut is noticed."""

import gc
import os
import resource
import socket
import threading
import time

import pytest

from tests.support.broker import PATIENCE_S, LinkInbox, free_port, until
from tests.support.hostile_broker import PUBLISH, SUBSCRIBE, HostileBroker, packet
from tests.support.hostile_link import ANSWERS, GARBAGE, RECORDS, STATE, paho_threads, word

pytest.importorskip("paho.mqtt.client", reason="paho-mqtt is not installed")
from gateway.io import mqtt_socket
from gateway.io.mqtt import BearerRoute, Connected, Disconnected, MqttLink, MqttOptions, PubAck
from gateway.io.mqtt_connection import PACKET_BYTES_MAX

pytestmark = pytest.mark.live



# --- leaks --------------------------------------------------------------------------------------------------------


def resident_bytes():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize()


def open_files():
    return len(os.listdir("/proc/self/fd"))


@pytest.fixture
def without_collector():
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("without_collector")
def test_two_hundred_connections_of_every_bad_kind_leave_no_thread_and_no_socket():
    """None even for a while: without the garbage collector a cycle would keep its sockets open for ever."""
    kinds = (
        lambda peer: None,
        lambda peer: (peer.read(), peer.connack(0x87)),
        lambda peer: (peer.read(), peer.send(b"garbage")),
        lambda peer: (peer.accept(), peer.disconnect(0x8B)),
        lambda peer: (peer.accept(), peer.read_until(SUBSCRIBE), peer.send(GARBAGE["properties cut short"])),
        lambda peer: (peer.accept(), peer.send(b"\x30\xff\xff\xff\x7f")),
        lambda peer: (peer.accept(), peer.serve()),
    )
    turn = iter(range(10_000))
    with HostileBroker(lambda peer: kinds[next(turn) % len(kinds)](peer)) as broker:
        inbox = LinkInbox()
        link = inbox.link = MqttLink(MqttOptions("127.0.0.1", broker.port, "49007-cab-12", STATE, None), inbox.post)
        before = None
        for index in range(206):
            if index == 6:
                until(lambda: not paho_threads(), "a connection's thread does not end")
                before = open_files(), threading.active_count()
            link.connect([ANSWERS])
            inbox.wait_for(Connected if (index + 1) % len(kinds) == 0 else Disconnected)
            link.close()
        until(lambda: not paho_threads(), "a connection's thread does not end")
        until(lambda: open_files() <= before[0], f"{open_files()} files open, {before[0]} before")
        until(lambda: threading.active_count() <= before[1], "threads are left")


def test_memory_stays_while_a_broker_floods_and_the_agent_does_not_take(against):
    """200 MB in packets of the largest size, of which at most the places are held."""
    done = threading.Event()

    def script(peer):
        peer.accept()
        peer.read_until(SUBSCRIBE)
        peer._sock.settimeout(0.5)
        message = packet(PUBLISH, 0, b"\0\x01a\0" + bytes(PACKET_BYTES_MAX - 10))
        try:
            for _ in range(200_000_000 // PACKET_BYTES_MAX):
                peer._sock.sendall(message)
        except TimeoutError:
            done.set()

    before = resident_bytes()
    link, _ = against(script)
    assert done.wait(PATIENCE_S)
    assert resident_bytes() - before < 40_000_000
    link.close()


# --- a silent cut -------------------------------------------------------------------------------------------------


class Relay:
    """Passes bytes between a client and a broker until it goes silent: no FIN, no RST, nothing comes out any more."""

    def __init__(self, port):
        self._target = port
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = self._server.getsockname()[1]
        self.silent = threading.Event()
        self.bytes = [0, 0]
        self._sockets = [self._server]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        inner, _ = self._server.accept()
        outer = socket.create_connection(("127.0.0.1", self._target))
        self._sockets += [inner, outer]
        for direction, ends in enumerate(((inner, outer), (outer, inner))):
            threading.Thread(target=self._pass, args=(direction, *ends), daemon=True).start()

    def _pass(self, direction, source, target):
        try:
            while data := source.recv(65536):
                if self.silent.is_set():
                    self.silent.wait()
                    continue
                self.bytes[direction] += len(data)
                target.sendall(data)
        except OSError:
            pass  # closed at the end of the test

    def close(self):
        for sock in self._sockets:
            sock.close()


@pytest.mark.slow
@pytest.mark.parametrize("publishing", [False, True], ids=["idle", "publishing"])
def test_a_silent_cut_on_fibre_is_noticed_within_15_s(publishing, record_property):
    with HostileBroker(lambda peer: (peer.accept(), peer.serve())) as broker:
        relay = Relay(broker.port)
        inbox = LinkInbox()
        link = inbox.link = MqttLink(MqttOptions("127.0.0.1", relay.port, "49007-cab-12", STATE, None), inbox.post)
        link.connect([ANSWERS])
        inbox.wait_for(Connected)
        if publishing:
            link.publish(1, RECORDS, b"before", False)
            inbox.wait_for(PubAck)
        cut_s = time.monotonic()
        relay.silent.set()
        if publishing:
            link.publish(2, RECORDS, b"after", False)
        told = inbox.wait_for(Disconnected)
        took_s = time.monotonic() - cut_s
        record_property("seconds", round(took_s, 1))
        print(f"silent cut noticed after {took_s:.1f} s: {told.why}")
        assert told.why.startswith("mqtt-silent: ") and took_s < 15
        relay.close()


@pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="TCP_USER_TIMEOUT is Linux's")
def test_data_that_nobody_takes_ends_the_connection_long_before_a_mobile_keep_alive(against, monkeypatch):
    monkeypatch.setattr(mqtt_socket, "_UNACKNOWLEDGED_S_MAX", 1)
    over = threading.Event()
    link, _ = against(lambda peer: (peer.accept(), over.wait(2 * PATIENCE_S)), BearerRoute("mobile", keepalive_s=240))
    link.inbox.wait_for(Connected)
    for token in range(200):
        link.publish(token, RECORDS, bytes(100_000), False)
    assert word(link) == "connection-timeout"
    over.set()


def test_a_broker_that_is_not_there_is_told_each_time():
    inbox = LinkInbox()
    inbox.link = MqttLink(MqttOptions("127.0.0.1", free_port(), "49007-cab-12", STATE, None), inbox.post)
    for _ in range(20):
        inbox.link.connect([ANSWERS])
        assert inbox.wait_for(Disconnected).why.startswith("connection-refused: ")
