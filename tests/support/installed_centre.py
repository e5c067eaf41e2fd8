"""A centre made by `bocage centre init` in a folder that stands for `/`, with a real Mosquitto that reads its files."""

import datetime
import os
import shutil
import signal
import subprocess
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from gateway.io import identity
from tests.support.broker import free_port, until
from tools import cli
from tools.centre.broker import installation, roles
from tools.centre.broker.authority import Authority
from tools.centre.broker.files import Place


def now():
    return datetime.datetime.now(datetime.UTC)


class InstalledCentre:
    """`log` is the broker's. The folder is below /tmp: Mosquitto gives up root's rights, and pytest's folders are
    root's."""

    def __init__(self, mosquitto_path, *words):
        self._folder = tempfile.TemporaryDirectory(prefix="bocage-centre-", dir="/tmp")
        top = Path(self._folder.name)
        top.chmod(0o755)
        self.place, self.port, self._path = Place(top / "root"), free_port(), mosquitto_path
        self._files = top / "cabinets"
        self._files.mkdir()
        assert self.run("init", "localhost", "127.0.0.1", "--port", self.port, *words) == 0
        self._process = None
        self._settle()

    def _settle(self):
        """What Debian's package of Mosquitto brings: its own configuration, and folders that it may write."""
        self.log = self.place.root / "mosquitto.log"
        self.configuration = (
            f"persistence true\npersistence_location {self.place.roles.parent}/\nlog_dest file {self.log}\n"
            f"include_dir {self.place.broker_configuration.parent}\n"
        )
        self._file = self.place.root / "mosquitto.conf"
        self._file.write_text(self.configuration)
        if os.geteuid() == 0:
            shutil.chown(self.place.roles.parent, "mosquitto")
            shutil.chown(self.place.root, "mosquitto")

    def become(self, place, backup, *words):
        """The same centre on another machine."""
        self.place = place
        assert self.run("restore", backup, *words) == 0
        self._settle()
        self.start()

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.kill()
        self._folder.cleanup()

    def start(self):
        self.log.unlink(missing_ok=True)
        self._process = subprocess.Popen([self._path, "-c", self._file])
        until(lambda: self._is_up(), "mosquitto does not start")

    def kill(self):
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def reload(self):
        """As `systemctl reload mosquitto`."""
        before = self.said("Reloading config")
        self._process.send_signal(signal.SIGHUP)
        until(lambda: self.said("Reloading config") > before, "mosquitto does not reload")

    def said(self, text):
        return self.log.read_text(errors="replace").count(text) if self.log.exists() else 0

    def run(self, command, *words):
        return cli.main(["centre", command, *map(str, words), "--root", str(self.place.root), "--lang", "en"])

    def request(self, name, key=None):
        """The request and the key that a cabinet makes; files are named after the moment, for each is new."""
        key = key or identity.make_key()
        stem = self._files / f"{name}-{time.monotonic_ns()}"
        stem.with_suffix(".csr").write_bytes(identity.make_request(key, name))
        stem.with_suffix(".key").write_bytes(key)
        return stem.with_suffix(".csr"), stem.with_suffix(".key")

    def enrol(self, name):
        """The address of the broker with the account of a cabinet that was enrolled."""
        request, key = self.request(name)
        certificate = request.with_suffix(".pem")
        assert self.run("enrol", name, "--csr", request, "--out", certificate) == 0
        return self.account(name, certificate, key)

    def issue(self, name):
        """An account by a certificate of this authority that no command would issue."""
        _, key = self.request("plain")
        pem = Authority(self.place.etc).issue(name, identity._key(key.read_bytes()).public_key(), now=now())
        certificate = key.with_suffix(".pem")
        certificate.write_bytes(pem)
        return self.account(name, certificate, key)

    def account(self, name, certificate, key):
        own = installation.address(self.place, roles.ADMIN)
        return replace(own, client_id=name, cert=str(certificate), key=str(key))

    def centre(self, account):
        return installation.address(self.place, account)

    def _is_up(self):
        assert self._process.poll() is None, self.log.read_text() if self.log.exists() else "mosquitto ended"
        return self.said("Opening ipv4 listen socket") and self.said("running")
