"""Measures the heap bytes that one telemetry encode of 8 readings takes, on each MicroPython VM there is.

A node encodes into a buffer that it keeps. The peer is micropython-lib's cbor2 where the VM has it, else the obvious
way: a dict and `json.dumps`. The VMs are those on the path and beside this Python, or those that BOCAGE_MICROPYTHON
names.

    bocage bench encode --json
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

from tools.bench.vm import require_checkout, virtual_machines
from tools.command_line import add_json

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = Path(__file__).resolve().parent / "encode_vm.py"
ALLOCATED_BYTES_MAX = 200  # on a VM with pointers of 8 bytes; a chip has pointers of 4
TIMEOUT_S = 60


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_json(parser)


def measure(vm: str) -> dict:
    """Returns the figures `{"vm": version, "encodes": {name: {"allocated": bytes, "encoded": bytes}}}` of the VM at
    path `vm`."""
    environment = dict(os.environ, MICROPYPATH=f"{ROOT / 'firmware'}:.frozen")
    version = _output([vm, "-c", "import sys; print(sys.version)"], environment).strip()
    encodes = {}
    for line in _output([vm, str(SCRIPT)], environment).splitlines():
        name, allocated, encoded = line.split()
        encodes[name] = {"allocated": int(allocated), "encoded": int(encoded)}
    return {"vm": version, "encodes": encodes}


def _output(command: list[str], environment: dict[str, str]) -> str:
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=TIMEOUT_S)
    return done.stdout


def run(args: argparse.Namespace) -> int:
    """Prints the figures; the exit status is 0 when there is a VM and ours stays within its bound on each."""
    require_checkout()
    rows = [measure(vm) for vm in virtual_machines()]
    if not rows:
        print("no MicroPython VM (apt-get install micropython, or set BOCAGE_MICROPYTHON)", file=sys.stderr)
        return 1
    passed = all(row["encodes"]["record.write"]["allocated"] <= ALLOCATED_BYTES_MAX for row in rows)
    if args.json:
        figures = {"allocated_bytes_bound": ALLOCATED_BYTES_MAX, "vms": rows, "passed": passed}
        print(json.dumps(figures, indent=1))
        return 0 if passed else 1
    for row in rows:
        print(row["vm"])
        for name, figures in row["encodes"].items():
            print(f"  {name:14}{figures['allocated']:6} bytes allocated, {figures['encoded']:4} bytes encoded")
    return 0 if passed else 1
