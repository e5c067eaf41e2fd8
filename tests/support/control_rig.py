"""A real broker, `bocage centre control` as a process, fake gateways, and people who type (mark `broker`)."""

import os
import subprocess
import sys
import time
from pathlib import Path

from policy import keyset
from tests.support.broker import Mosquitto, until
from tests.support.control_world import INSEE, MAYOR, key_set, policy, signed_policy
from tests.support.fake_gateway import FakeGateway
from tools import cli
from tools.centre.control import file as control_file
from tools.centre.control import gateways

ROOT = Path(__file__).parents[2]
LEASE_S = 600


class ControlRig:
    """A broker, a control file with the first policy, people who type, and daemons and gateways as they are wanted."""

    def __init__(self, folder, mosquitto, *, broker="", trust=("--insecure",)):
        """`broker`: further lines of its configuration; `trust`: the daemon's options for it."""
        self.folder = folder
        self.path = folder / "control.db"
        self.web = str(folder / "web.sqlite3")
        self.trust = trust
        self.broker = Mosquitto(mosquitto, folder, more=broker)
        self.broker.start()
        self.key = MAYOR.write(folder)
        self.daemons, self.gateways = [], []
        (folder / "commune.keys").write_bytes(keyset.encode(key_set()))
        assert self.publish(1, "--keyset", str(folder / "commune.keys")) == 0

    def publish(self, version, *more):
        path = self.folder / f"{version}.policy"
        path.write_bytes(signed_policy(policy(version, valid_from_s=int(time.time()) - 86_400)))
        return self.type("policy", "publish", "--policy", str(path), *more)

    def type(self, *words):
        """`bocage centre WORDS`, in this process; its exit status."""
        key = ["--key", str(self.key)] if words[0] in ("light", "end") else []
        return cli.main(["centre", *words, "--db", str(self.path), *key])

    def light(self, *more):
        return self.type("light", "--commune", INSEE, "--for", "1h", "--reason", "accident", *more)

    def daemon(self, *, connected=True):
        """Start one; returns when it is subscribed, or runs and is not."""
        command_ = [sys.executable, "-m", "tools", "centre", "control", "--db", str(self.path), *self.trust]
        command_ += ["--broker", f"127.0.0.1:{self.broker.port}", "--lease-s", str(LEASE_S), "--web", self.web]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join((str(ROOT / "firmware"), str(ROOT)))}
        log = (self.folder / "daemon.log").open("ab")
        process = subprocess.Popen(command_, env=environment, stderr=log, cwd=self.folder)
        log.close()
        self.daemons.append(process)
        self.wait_connected(connected)
        return process

    def wait_connected(self, connected=True):
        def reached():
            daemon = control_file.serving_daemon(str(self.path))
            return daemon is not None and daemon.connected is connected

        until(reached, f"the daemon is not connected={connected}: {self.log()}")

    def log(self):
        path = self.folder / "daemon.log"
        return path.read_text() if path.exists() else ""

    def gateway(self, name="cab-1", insee=INSEE, **more):
        self.gateways.append(FakeGateway(self.broker.port, insee, name, **more).connect())
        return self.gateways[-1]

    def look(self, question, *more):
        connection = control_file.open_to_read(str(self.path))
        try:
            return question(connection, *more)
        finally:
            connection.close()

    def until_heard(self, name):
        until(lambda: name in [one.name for one in self.look(gateways.list_gateways)], f"{name} was not heard")

    def close(self):
        for gateway in self.gateways:
            gateway.disconnect()
        for process in self.daemons:
            process.kill()
            process.wait()
        self.broker.kill()
