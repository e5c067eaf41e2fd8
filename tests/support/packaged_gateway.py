"""A gateway's package in a booted Debian, and beside it a centre that its records go to."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from policy import keyset
from simulator.hosts.keys import keyset_of
from simulator.rig.authority import Authority
from simulator.rig.rig import find_mosquitto
from tests.support.debian_machine import MORTAL, PATIENCE_S
from tools.centre.ingest import receipts

REPOSITORY = Path(__file__).resolve().parents[2]
UNIT = "bocage-gateway.service"
JOURNAL_BYTES_MAX = 1 << 20
ANSWERS = f"""
[gateway]
insee = "49135"
name = "cab-1"
[uplink]
broker = "localhost:8883"
[journal]
bytes_max = {JOURNAL_BYTES_MAX}
segment_bytes_max = 16384
alarm_reserve_bytes = 65536
[clock]
trust_system = true
[cabinet]
latitude = 47.5720
longitude = -0.5940
modbus = "/dev/serial/by-id/none"
[[cabinet.feeder]]
name = "bourg"
lamps = 14
lamp_watts = 32
contactor = "modbus:1/coil:0"
"""


_SERVER = """
import ssl
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

SimpleHTTPRequestHandler.protocol_version = "HTTP/1.1"  # an end without TLS's own word is an error to apt
server = ThreadingHTTPServer(("127.0.0.1", {port}), partial(SimpleHTTPRequestHandler, directory={folder!r}))
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain({certificate!r}, {key!r})
server.socket = context.wrap_socket(server.socket, server_side=True)
server.serve_forever()
"""


def setup(machine, answers=ANSWERS):
    machine.run("bocage", "gateway", "setup", "--answers", "/dev/stdin", stdin=answers)


def until(reached, what):
    end = time.monotonic() + PATIENCE_S
    while not (found := reached()):
        assert time.monotonic() < end, what
        time.sleep(0.1)
    return found


def is_active(machine):
    return machine.status(UNIT, "ActiveState")["ActiveState"] == "active"


def journal(machine, unit):
    """What a unit said, as far as journald has written it by now."""
    return machine.run("journalctl", "-u", unit, "--no-pager").stdout


def sign(authority, request, certificate):
    """What the territory's authority does with a request."""
    key = authority.certificate.with_suffix(".key")
    subprocess.run(
        ["openssl", "x509", "-req", "-in", request, "-CA", authority.certificate, "-CAkey", key, "-days", "30",
         "-out", certificate],
        check=True, capture_output=True,
    )  # fmt: skip


class Centre:
    """A broker with the territory's certificates and an ingest, beside the machine on its loopback; yields the
    warehouse. The gateway's certificate is signed and installed by the wizard, as the guide says."""

    def __init__(self, machine, folder):
        self._machine = machine
        self._folder = folder
        self._processes = []
        self._commands = []

    def __enter__(self):
        authority = self._authority = Authority(self._folder, "territory")
        server, server_key = authority.issue("localhost", address="127.0.0.1")
        ingest, ingest_key = authority.issue("ingest-1")
        config = self._folder / "mosquitto.conf"
        config.write_text(
            f"listener 8883 127.0.0.1\ncafile {authority.certificate}\ncertfile {server}\nkeyfile {server_key}\n"
            "require_certificate true\nuse_identity_as_username true\nallow_anonymous false\nuser root\n"
        )
        self._start(find_mosquitto(), "-c", str(config))
        until(lambda: self._listens(8883), "the broker does not listen")
        database = self._folder / "centre.db"
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join((str(REPOSITORY / "firmware"), str(REPOSITORY)))}
        self._start(
            sys.executable, "-m", "tools", "centre", "ingest", "--db", str(database), "--broker", "127.0.0.1:8883",
            "--ca", str(authority.certificate), "--cert", str(ingest), "--key", str(ingest_key), env=environment,
        )  # fmt: skip
        signed = self._folder / "cab-1.pem"
        sign(authority, self._machine.path("/etc/bocage/gateway.csr"), signed)
        keys = self._folder / "commune.keys"
        key = receipts.load_or_make(receipts.default_path(str(database)))
        keys.write_bytes(keyset.encode(keyset_of("49135", key.public)))
        for path in (authority.certificate, signed, keys):
            shutil.copy(path, self._machine.path("/root"))
        files = f'ca = "/root/{authority.certificate.name}"\ncertificate = "/root/{signed.name}"\n'
        setup(
            self._machine,
            f'[gateway]\nkeys = "/root/{keys.name}"\n[uplink]\nbroker = "127.0.0.1:8883"\n{files}',
        )
        self._machine.run("systemctl", "restart", UNIT)
        return database

    def __exit__(self, *_):
        for process in self._processes:
            process.send_signal(signal.SIGKILL)
            process.wait()

    def follow(self, machine):
        """Goes on beside the machine, which was booted again."""
        self._machine = machine
        self.__exit__()
        commands, self._commands, self._processes = self._commands, [], []
        for command, options in commands:
            self._start(*command, **options)
        until(lambda: self._listens(8883), "the broker does not listen")

    def serve(self, folder, port):
        """Serves a folder over TLS, as nginx does."""
        certificate, key = self._authority.issue("repository", address="127.0.0.1")
        script = self._folder / "serve.py"
        script.write_text(_SERVER.format(certificate=str(certificate), key=str(key), folder=str(folder), port=port))
        self._start(sys.executable, str(script))
        until(lambda: self._listens(port), "the repository is not served")

    def _start(self, *command, **options):
        self._commands.append((command, options))
        log = (self._folder / f"{len(self._processes)}.log").open("w")
        words = [*self._machine.beside(), *MORTAL, *command]
        self._processes.append(subprocess.Popen(words, stdout=log, stderr=log, **options))
        log.close()

    def _listens(self, port):
        connect = f"import socket; socket.create_connection(('127.0.0.1', {port}))"
        words = [*self._machine.beside(), sys.executable, "-c", connect]
        return subprocess.run(words, capture_output=True, check=False).returncode == 0
