"""aiocoap and libcoap as peers under OSCORE: their files, their processes, and a context they share with us."""

import importlib.util
import json
import os
import secrets
import socket
import subprocess
import sys
import threading
import time

import pytest

from gateway.io.crypto import AesCcm
from simulator.rig import ports
from wire import coap, limits, oscore, oscore_context
from wire import coap_message as messages

SECRET = bytes(range(1, 17))
SALT = bytes.fromhex("9e7ca92223786340")
LIBCOAP_CLIENT, LIBCOAP_SERVER = "coap-client-openssl", "coap-server-openssl"
OURS, THEIRS = b"\x01", b"\x0a\x0b"
WAIT_S = 60
# Of an aiocoap server. By itself it listens for TCP on the same port too, and for WebSockets on one 3000 higher, which
# may be another test's.
UDP = ("udp6",)
CIPHER = AesCcm()


def context(id_context=None):
    return oscore_context.derive(SECRET, master_salt=SALT, sender_id=OURS, recipient_id=THEIRS, id_context=id_context)


def aiocoap_folder(tmp_path, id_context=None, sequence=None):
    if missing := [name for name in ("aiocoap", "filelock", "ge25519", "lakers") if not importlib.util.find_spec(name)]:
        pytest.skip(f"no {', '.join(missing)} (pip install 'aiocoap[oscore]')")
    folder = tmp_path / "aiocoap"
    folder.mkdir()
    settings = {"sender-id_hex": THEIRS.hex(), "recipient-id_hex": OURS.hex()}
    settings |= {"secret_hex": SECRET.hex(), "salt_hex": SALT.hex()}
    if id_context:
        settings["id-context_hex"] = id_context.hex()
    (folder / "settings.json").write_text(json.dumps(settings), encoding="utf-8")
    if sequence:
        (folder / "sequence.json").write_text(json.dumps(sequence), encoding="utf-8")
    return folder


def libcoap_file(tmp_path):
    path = tmp_path / "libcoap.conf"
    lines = [
        f'master_secret,hex,"{SECRET.hex()}"',
        f'master_salt,hex,"{SALT.hex()}"',
        f'sender_id,hex,"{THEIRS.hex()}"',
        f'recipient_id,hex,"{OURS.hex()}"',
    ]
    path.write_text("\n".join(lines) + "\n", encoding="ascii")
    return path


def run_client(*command):
    return subprocess.run(command, capture_output=True, text=True, timeout=WAIT_S, check=False, env=environment())


def environment():
    """That of this process, with what it can import."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}


def now_ms():
    return time.monotonic_ns() // 1_000_000


def endpoint(is_protected):
    return coap.Endpoint(
        random_below=secrets.randbelow,
        first_message_id=secrets.randbelow(0x10000),
        datagram_max=limits.COAP_UDP_DATAGRAM_BYTES_MAX,
        handled_options=(messages.OSCORE,) if is_protected else (messages.BLOCK2,),
        exchanges_max=200,
        exchanges_per_peer_max=200,
    )


class Conversation:
    """We are the client: messages exchanged with a server, in the clear or under one permanent context. `number` is the
    last sequence number, of which a test may use one twice; `came` is the last response as it came."""

    def __init__(self, port, security=None):
        self.number, self.came = 0, None
        self.address, self.security, self.end = ("127.0.0.1", port), security, endpoint(security is not None)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.settimeout(0.05)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def ask(self, request):
        """The answer; a demand for Echo is met once. WireFault for one that does not hold."""
        if self.security is None:
            return self._exchange(request)
        self.number += 1
        sealed, exchange = oscore.protect_request(
            self.security, request, CIPHER, number=self.number, kid_context=self.security.id_context
        )
        self.came = self._exchange(sealed)
        opened = oscore.unprotect_response(self.security, self.came, CIPHER, exchange)
        echo = messages.option_values(opened.options, messages.ECHO)
        if opened.code != messages.UNAUTHORIZED or messages.option_values(request.options, messages.ECHO):
            return opened
        options = list(request.options)
        messages.insert_option(options, messages.ECHO, echo[0])
        return self.ask(request._replace(options=tuple(options)))

    def _exchange(self, content):
        self.end.request(self.address, content.code, (), content.payload, options=content.options, now_ms=now_ms())
        end_s = time.monotonic() + WAIT_S
        while time.monotonic() < end_s:
            self._send()
            events = self.end.poll(now_ms=now_ms())
            try:
                events += self.end.receive(*self.socket.recvfrom(2048), now_ms=now_ms())
            except TimeoutError:
                continue
            for event in events:
                assert isinstance(event, coap.Response), event
                self._send()  # its acknowledgement
                return event
        raise AssertionError("no answer")

    def _send(self):
        for peer, datagram in self.end.outgoing():
            self.socket.sendto(datagram, peer)


def free_port():
    return ports.free_port(socket.SOCK_DGRAM)


class Started:
    """start(command…) -> process; it ends with the `with`."""

    def __enter__(self):
        self._processes = []
        return self

    def __call__(self, *command):
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        self._processes.append(subprocess.Popen([str(word) for word in command], **pipes, env=environment()))
        return self._processes[-1]

    def ready(self, process):
        """Waits until aiocoap listens; fails with what it says instead."""
        first = process.stdout.readline()
        assert first == b"ready\n", (first + process.stdout.read()).decode()

    def __exit__(self, *_):
        for process in self._processes:
            process.kill()
            process.communicate(timeout=WAIT_S)


class ServingThread:
    """A shell at its smallest: a UDP socket on a thread, for the `with`. `take(datagram, peer)` is a subclass's; it
    returns [(peer, datagram)] to send."""

    def __init__(self):
        self.stopped = False
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.settimeout(0.05)
        self.port = self.socket.getsockname()[1]
        self.uri = f"coap://127.0.0.1:{self.port}"
        self.thread = threading.Thread(target=self.run)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stopped = True
        self.thread.join()
        self.socket.close()

    def run(self):
        while not self.stopped:
            try:
                datagram, peer = self.socket.recvfrom(2048)
            except TimeoutError:
                continue
            for receiver, sent in self.take(datagram, peer):
                self.socket.sendto(sent, receiver)
