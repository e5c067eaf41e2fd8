"""Runs a village on a desk, all of it real but the lamps: keys, signed policy, broker, control, ingest, agent.

Its street is on a Modbus line (`StreetBench`): unit 1 is the relay board, whose coil n is the contactor of feeder n and
whose discrete input n is the auxiliary contact; unit 10 + n is the SDM120 meter of feeder n, which measures its lamps.
Everything is done as people do it, by `bocage` commands. For `bocage bench command` and tests; POSIX only.
"""

import json
import re
import struct
import subprocess
import sys
import time
from pathlib import Path
from threading import Event, Thread
from typing import Any, NamedTuple

from simulator.rig.modbus import ModbusBench
from simulator.rig.rig import DATABASE, Part, Placement, Rig, RigError

_BOARD, _FIRST_METER = 1, 10
_EVERY_S = 0.05


class Street(NamedTuple):
    """Describes one feeder by its name in the policy, its lamps, the power of one lamp in W."""

    name: str
    lamps: int
    lamp_w: int


VILLAGE = (Street("bourg", 14, 32), Street("parc", 6, 25))


class StreetBench:
    """Runs the street between `start` and `close`.

    `lamps_out` (by feeder), `stuck` (a contactor that stays as it is: open or closed) and the line's own faults
    (`line`) may be changed at any time.
    """

    def __init__(self, link: Path, streets: tuple[Street, ...] = VILLAGE) -> None:
        self.streets = streets
        units = (_BOARD, *(_FIRST_METER + index for index in range(len(streets))))
        self.line = ModbusBench(link, units)
        self.lamps_out = [0] * len(streets)
        self.stuck: dict[int, bool] = {}
        self._wh = [0.0] * len(streets)
        self._stop = Event()
        self._thread = Thread(target=self._run, name="street", daemon=True)

    def start(self) -> None:
        self.line.start()
        self._thread.start()

    def close(self) -> None:
        self._stop.set()
        self._thread.join()
        self.line.close()

    def lit(self) -> list[bool]:
        """Returns, for each feeder, whether its lamps burn."""
        return [self._is_closed(index) for index in range(len(self.streets))]

    def toml(self) -> str:
        """Returns the [cabinet] of a configuration for this street, at Feneu."""
        lines = [
            "[cabinet]",
            "latitude = 47.5720",
            "longitude = -0.5940",
            f'modbus = "{self.line.pty.link}"',
            "modbus_baud = 19200",
        ]
        for index, street in enumerate(self.streets):
            lines += [
                "[[cabinet.feeder]]",
                f'name = "{street.name}"',
                f"lamps = {street.lamps}",
                f"lamp_watts = {street.lamp_w}",
                f'contactor = "modbus:{_BOARD}/coil:{index}"',
                f'feedback = "modbus:{_BOARD}/input:{index}"',
                f'meter = "modbus:{_FIRST_METER + index}/sdm120"',
            ]
        return "\n".join(lines) + "\n"

    def _is_closed(self, index: int) -> bool:
        return self.stuck.get(index, self.line.coil(_BOARD, index))

    def _run(self) -> None:
        before_s = time.monotonic()
        while not self._stop.wait(_EVERY_S):
            now_s = time.monotonic()
            for index, street in enumerate(self.streets):
                closed = self._is_closed(index)
                watts = float((street.lamps - self.lamps_out[index]) * street.lamp_w) if closed else 0.4
                self._wh[index] += watts * (now_s - before_s) / 3600
                self._set_registers(index, closed, watts)
            before_s = now_s

    def _set_registers(self, index: int, closed: bool, watts: float) -> None:
        self.line.set_input(_BOARD, index, closed)
        unit = _FIRST_METER + index
        self.line.set_input_registers(unit, 0x00, struct.pack(">f", 231.4))
        self.line.set_input_registers(unit, 0x06, struct.pack(">f", watts / 231.4 / 0.95))
        self.line.set_input_registers(unit, 0x0C, struct.pack(">f", watts))
        self.line.set_input_registers(unit, 0x48, struct.pack(">f", 1200 + self._wh[index] / 1000))


INSEE, NAME = "49007", "cab-1"
_COMMAND_S_MAX = 120

_POLICY = """\
[policy]
commune = "49007"
version = {version}
authority = "Conseil municipal"
text = "Délibération 2026-41"
valid_from = {year}-01-01
valid_until = {last}-12-31

[site]
latitude = 47.5720
longitude = -0.5940

[[calendar]]
name = "rues"
  [[calendar.night]]
  steps = {steps}

[[group]]
name = "rues"
calendar = "rues"
kind = "switched"
feeders = ["bourg", "parc"]

[[operator]]
name = "Maire"
key = "{mayor}"
rights = ["override", "emergency", "test"]
"""
# Always dark by policy, at every hour of a run: a lamp that burns does so by order.
DARK = '["12:00 off"]'


class Village:
    """Runs a village on this machine; use as a context manager.

    `folder` is made; the mayor's key, a deputy's and the safe's are made in it.
    """

    def __init__(self, folder: Path, *, streets: tuple[Street, ...] = VILLAGE) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.control_db = folder / "control.db"
        for name in ("maire", "adjointe", "coffre"):
            words = ["--commune", INSEE, "--name", name, "--out", str(self.key(name))]
            self.bocage("policy", "keys", "new", *words)
        public = [str(self.key(name, "pub")) for name in ("maire", "adjointe", "coffre")]
        members = [word for path in public for word in ("--member", path)]
        warehouse = str(self.key("entrepot", "pub"))
        words = ["--db", str(folder / DATABASE), "--name", "Entrepôt", "--out", warehouse]
        self.bocage("centre", "receipt-key", *words)
        words = ["--commune", INSEE, *members, "--warehouse", warehouse, "--out", str(folder / "commune.keys")]
        self.bocage("policy", "keyset", "new", *words)
        self.street = StreetBench(folder / "rs485", streets)
        placement = Placement()
        placement.gateway_toml = self.street.toml()
        self.rig = Rig(folder, nodes=0, placement=placement)
        broker = self.rig.broker_address
        command = [sys.executable, "-m", "tools", "centre", "control", "--db", str(self.control_db)]
        self.web = str(folder / "web.sqlite3")
        command += ["--broker", broker, "--insecure", "--web", self.web]
        self.control = Part("control", command, folder / "control.log")

    def __enter__(self) -> "Village":
        self.street.start()
        try:
            self.rig.__enter__()
            self.control.start()
        except BaseException:
            self.street.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.control.stop()
        self.rig.__exit__()
        self.street.close()

    def key(self, name: str, kind: str = "key") -> Path:
        return self.folder / f"{name}.{kind}"

    def bocage(self, *words: str, may_fail: bool = False) -> subprocess.CompletedProcess[str]:
        """Runs a `bocage` command; raises RigError with its output when it fails."""
        done = subprocess.run(
            [sys.executable, "-m", "tools", *words], capture_output=True, text=True, timeout=_COMMAND_S_MAX
        )
        if done.returncode and not may_fail:
            raise RigError(f"bocage {' '.join(words)}: {done.stdout}{done.stderr}")
        return done

    def sign_policy(self, version: int, *, steps: str = DARK) -> Path:
        """Writes and compiles a policy of that version, which the mayor signs; returns the signed file."""
        mayor = re.findall("[0-9a-f]{64}", self.key("maire", "pub").read_text(encoding="utf-8"))[0]
        text, plain, signed = (self.folder / f"policy-{version}.{kind}" for kind in ("toml", "cbor", "signed"))
        year = time.gmtime().tm_year
        policy = _POLICY.format(version=version, steps=steps, mayor=mayor, year=year - 1, last=year + 4)
        text.write_text(policy, encoding="utf-8")
        self.bocage("policy", "compile", str(text), "--out", str(plain))
        self.bocage("policy", "sign", str(plain), "--key", str(self.key("maire")), "--out", str(signed))
        return signed

    def publish(self, signed: Path) -> None:
        """Gives a signed policy to the control daemon."""
        words = ["--db", str(self.control_db), "--policy", str(signed), "--keyset", str(self.folder / "commune.keys")]
        self.bocage("centre", "policy", "publish", *words)

    def order(self, *words: str, key: str = "maire", may_fail: bool = False) -> subprocess.CompletedProcess[str]:
        """Gives an order by a person's key: `light`, `override`, `end`, `test-feeder`, and their arguments."""
        name, *rest = words
        command = ["centre", name, "--db", str(self.control_db), "--key", str(self.key(key)), "--json", *rest]
        return self.bocage(*command, may_fail=may_fail)

    def status(self) -> dict[str, Any]:
        """Returns the agent's status; empty while it does not answer."""
        config = str(self.folder / "gateway.toml")
        done = self.bocage("gateway", "status", "--config", config, "--json", may_fail=True)
        return dict(json.loads(done.stdout)) if done.stdout else {}

    def wait_for(self, reached: Any, timeout_s: float = 60) -> bool:
        """Waits until `reached(status)`, or returns False when the time is up."""
        end_s = time.monotonic() + timeout_s
        while time.monotonic() < end_s:
            if reached(self.status()):
                return True
            time.sleep(0.25)
        return False
