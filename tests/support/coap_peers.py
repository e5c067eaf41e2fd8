"""aiocoap and libcoap as peers under OSCORE: their files, their processes, and a context they share with us."""

import importlib.util
import json
import os
import socket
import subprocess
import sys
import threading

import pytest

from simulator.rig import ports
from wire import oscore_context

SECRET = bytes(range(1, 17))
SALT = bytes.fromhex("9e7ca92223786340")
LIBCOAP_CLIENT, LIBCOAP_SERVER = "coap-client-openssl", "coap-server-openssl"
OURS, THEIRS = b"\x01", b"\x0a\x0b"
WAIT_S = 60
# Of an aiocoap server. By itself it listens for TCP on the same port too, and for WebSockets on one 3000 higher, which
# may be another test's.
UDP = ("udp6",)


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


class Numbers:
    """A sequence without a disk, so that a test can use a number twice."""

    def __init__(self):
        self.number = 0

    def reserve(self):
        self.number += 1
        return self.number


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
