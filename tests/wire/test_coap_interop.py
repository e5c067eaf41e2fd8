"""A live check against libcoap's client: a small UDP server on the endpoint, on the loopback interface."""

import shutil
import socket
import subprocess
import threading
import time

import pytest

from wire import coap, limits
from wire import coap_message as messages

CLIENT = "coap-client-notls"


class Server:
    """The endpoint's shell at its smallest; `/t` echoes, `/slow` answers after its acknowledgement."""

    def __init__(self):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.end = coap.Endpoint(
            random_below=lambda bound: 0, first_message_id=1, datagram_max=limits.COAP_UDP_DATAGRAM_BYTES_MAX
        )
        self.stopped = False
        self.slow = []
        self.requests = []

    def run(self):
        self.socket.settimeout(0.05)
        while not self.stopped:
            try:
                datagram, peer = self.socket.recvfrom(2048)
                self.act(self.end.receive(datagram, peer, now_ms=now_ms()))
            except TimeoutError:
                pass
            self.act(self.end.poll(now_ms=now_ms()))
            for exchange in [exchange for due_ms, exchange in self.slow if due_ms <= now_ms()]:
                self.end.respond(exchange, messages.CONTENT, b"late", content_format=0, now_ms=now_ms())
                self.slow.clear()
            for peer, datagram in self.end.outgoing():
                self.socket.sendto(datagram, peer)

    def act(self, events):
        for event in events:
            self.requests.append(event)
            if event.path == (b"slow",):
                self.slow.append((now_ms() + 1300, event.exchange))
            elif event.path == (b"t",):
                self.end.respond(
                    event.exchange, messages.CONTENT, event.payload, content_format=0, now_ms=now_ms()
                )
            else:
                self.end.respond(event.exchange, messages.NOT_FOUND, now_ms=now_ms())


def now_ms():
    return time.monotonic_ns() // 1_000_000


@pytest.fixture
def server():
    if shutil.which(CLIENT) is None:
        pytest.skip(f"{CLIENT} is not installed (Debian: libcoap3-bin)")
    server = Server()
    thread = threading.Thread(target=server.run)
    thread.start()
    yield server
    server.stopped = True
    thread.join()
    server.socket.close()


def ask(server, path, *options):
    port = server.socket.getsockname()[1]
    command = [CLIENT, "-B", "60", *options, f"coap://127.0.0.1:{port}{path}"]
    return subprocess.run(command, capture_output=True, text=True, timeout=90, check=False)


@pytest.mark.live
@pytest.mark.parametrize("options", [(), ("-N",)], ids=["confirmable", "non-confirmable"])
def test_libcoap_gets_its_echo(server, options):
    done = ask(server, "/t?lane=alarm", "-m", "post", "-t", "60", "-e", "hello", *options)
    assert done.stdout.strip() == "hello", done.stderr
    (event,) = server.requests
    assert (event.path, event.query, event.content_format) == ((b"t",), (b"lane=alarm",), 60)


@pytest.mark.live
def test_libcoap_takes_a_separate_answer_and_acknowledges_it(server):
    done = ask(server, "/slow", "-m", "get")
    assert done.stdout.strip() == "late", done.stderr
    # The client is gone as soon as it has sent it: it may still be on its way to us.
    end_s = time.monotonic() + 60
    while not server.end.counters["acknowledgements"] and time.monotonic() < end_s:
        time.sleep(0.01)
    assert server.end.counters["acknowledgements"] == 1 and len(server.requests) == 1


@pytest.mark.live
def test_libcoap_sees_our_error_codes(server):
    assert "4.04" in ask(server, "/nothing", "-m", "get").stderr
    assert "4.02" in ask(server, "/t", "-m", "get", "-O", "65001,0x01").stderr
