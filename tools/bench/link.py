"""What OSCORE costs one telemetry message of 8 readings: microseconds, heap bytes and bytes on the link.

`link_message` is such a message through the node's whole end of the link, `clear_message` the same without protection,
`handshake` what a start costs once. The gateway's line: messages a second of one core with 500 nodes.

On each MicroPython VM and on CPython with the gateway's cipher. The peer is the same message in the clear. VMs are
those of the path and beside this Python, or of BOCAGE_MICROPYTHON. Times are the desk's: a chip must be measured.

    bocage bench link --json
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

from tools.bench import link_gateway
from tools.bench.encode import virtual_machines

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = tuple(Path(__file__).resolve().parent / name for name in ("link_vm.py", "link_vm_node.py"))
PROTECTED_BYTES_MAX = 80  # issue 5: outside the first message of a boot
TIMEOUT_S = 60


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of this benchmark."""
    parser.add_argument("--json", action="store_true", help="one JSON object instead of a table")


def measure(interpreter: str) -> dict:
    """`{"interpreter": version, "acts": {name: {"us", "allocated", "encoded"}}}` on one interpreter."""
    paths = {"MICROPYPATH": f"{ROOT / 'firmware'}:.frozen"}
    paths["PYTHONPATH"] = os.pathsep.join([str(ROOT / "firmware"), str(ROOT)])
    environment = {**os.environ, **paths}
    version = _output([interpreter, "-c", "import sys; print(sys.version)"], environment).strip()
    acts = {}
    for script in SCRIPTS:
        for line in _output([interpreter, str(script)], environment).splitlines():
            name, us, allocated, encoded = line.split()
            acts[name] = {"us": int(us), "allocated": int(allocated), "encoded": int(encoded)}
    return {"interpreter": version, "acts": acts}


def _output(command: list[str], environment: dict[str, str]) -> str:
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=TIMEOUT_S)
    return done.stdout


def run(args: argparse.Namespace) -> int:
    """Print the figures; 0 when a protected message stays within its bound everywhere."""
    rows = [measure(interpreter) for interpreter in [*virtual_machines(), sys.executable]]
    bounded = ("protected_request", "link_message")
    passed = all(row["acts"][name]["encoded"] <= PROTECTED_BYTES_MAX for row in rows for name in bounded)
    gateway = link_gateway.measure()
    if args.json:
        told = {"protected_bytes_max": PROTECTED_BYTES_MAX, "passed": passed, "rows": rows, "gateway": gateway}
        print(json.dumps(told))
        return 0 if passed else 1
    for row in rows:
        print(row["interpreter"].splitlines()[0])
        for name, act in row["acts"].items():
            print(f"  {name:20} {act['us']:6} us {act['allocated']:6} B heap {act['encoded']:4} B datagram")
    print("gateway  " + ", ".join(f"{name} {figure}" for name, figure in gateway.items()))
    return 0 if passed else 1
