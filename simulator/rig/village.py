"""A village on a desk, all of it real but the lamps: keys, a signed policy, broker, control daemon, ingest, agent,
and a street on a Modbus line.

Everything is done as people do it, by `bocage` commands. For `bocage bench command` and tests; POSIX only.
"""

import json
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from simulator.rig.rig import Desk, Part, Rig, RigError
from simulator.rig.street import VILLAGE, Street, StreetBench

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
# Always dark by policy, whatever the hour of the run: what burns, burns by order.
DARK = '["12:00 off"]'


class Village:
    """Use as a context manager. `folder` is made; the mayor's key, a deputy's and the safe's are made in it."""

    def __init__(self, folder: Path, *, streets: tuple[Street, ...] = VILLAGE) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.control_db = folder / "control.db"
        for name in ("maire", "adjointe", "coffre"):
            words = ["--commune", INSEE, "--name", name, "--out", str(self.key(name))]
            self.bocage("policy", "keys", "new", *words)
        public = [str(self.key(name, "pub")) for name in ("maire", "adjointe", "coffre")]
        members = [word for path in public for word in ("--member", path)]
        keys = folder / "commune.keys"
        self.bocage("policy", "keyset", "new", "--commune", INSEE, *members, "--out", str(keys))
        self.street = StreetBench(folder / "rs485", streets)
        desk = Desk()
        desk.gateway_toml = self.street.toml().replace("[cabinet]\n", f'[cabinet]\nkeys = "{keys}"\n')
        self.rig = Rig(folder, nodes=0, desk=desk)
        broker = self.rig.broker_address
        command = [sys.executable, "-m", "tools", "centre", "control", "--db", str(self.control_db)]
        self.control = Part("control", [*command, "--broker", broker, "--insecure"], folder / "control.log")

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
        """A `bocage` command; RigError with its words when it fails."""
        done = subprocess.run(
            [sys.executable, "-m", "tools", *words], capture_output=True, text=True, timeout=_COMMAND_S_MAX
        )
        if done.returncode and not may_fail:
            raise RigError(f"bocage {' '.join(words)}: {done.stdout}{done.stderr}")
        return done

    def sign_policy(self, version: int, *, steps: str = DARK, key: str = "maire") -> Path:
        """A policy of that version, written, compiled, signed."""
        mayor = re.findall("[0-9a-f]{64}", self.key("maire", "pub").read_text(encoding="utf-8"))[0]
        text, plain, signed = (self.folder / f"policy-{version}-{key}.{kind}" for kind in ("toml", "cbor", "signed"))
        year = time.gmtime().tm_year
        policy = _POLICY.format(version=version, steps=steps, mayor=mayor, year=year - 1, last=year + 4)
        text.write_text(policy, encoding="utf-8")
        self.bocage("policy", "compile", str(text), "--out", str(plain))
        self.bocage("policy", "sign", str(plain), "--key", str(self.key(key)), "--out", str(signed))
        return signed

    def publish(self, signed: Path) -> None:
        """Give a signed policy to the control daemon."""
        words = ["--db", str(self.control_db), "--policy", str(signed), "--keyset", str(self.folder / "commune.keys")]
        self.bocage("centre", "policy", "publish", *words)

    def order(self, *words: str, key: str = "maire", may_fail: bool = False) -> subprocess.CompletedProcess[str]:
        """An order by a person's key: `light`, `override`, `end`, `test-feeder`, and their arguments."""
        name, *rest = words
        command = ["centre", name, "--db", str(self.control_db), "--key", str(self.key(key)), "--json", *rest]
        return self.bocage(*command, may_fail=may_fail)

    def status(self) -> dict[str, Any]:
        """What the agent tells of itself; empty while nobody answers."""
        config = str(self.folder / "gateway.toml")
        done = self.bocage("gateway", "status", "--config", config, "--json", may_fail=True)
        return dict(json.loads(done.stdout)) if done.stdout else {}

    def wait_for(self, reached: Any, timeout_s: float = 60) -> bool:
        """Until `reached(status)`; False when the time is up."""
        end_s = time.monotonic() + timeout_s
        while time.monotonic() < end_s:
            if reached(self.status()):
                return True
            time.sleep(0.25)
        return False
