"""Keeps the plans of campaigns as files beside the images, `images/KIND.json`: written whole, by rename, by `bocage
gateway images campaign`, read by the running agent (`gateway.shell.images`). It decides nothing about campaigns."""

import json
from pathlib import Path

from gateway.core.campaigns.campaign import Plan
from gateway.core.custody.disk import parse_json
from gateway.io import files

SUFFIX = ".json"
NODES_MAX = 1000
_BYTES_MAX = 64 * 1024


def read(path: Path) -> Plan:
    """Returns the plan in a file; ValueError, KeyError or TypeError when it is not sound. OSError."""
    with path.open("rb") as file:
        plain = parse_json(file.read(_BYTES_MAX))
    numbers = [plain[name] for name in ("number", "begun_s", "canaries", "soak_s", "failures_max", "pace_percent")]
    if any(type(number) is not int or number < 0 for number in numbers) or type(plain["is_stopped"]) is not bool:
        raise ValueError("numbers")
    nodes = frozenset(bytes.fromhex(node) for node in plain["nodes"])
    number, begun_s, canaries, soak_s, failures_max, pace_percent = numbers
    return Plan(
        path.stem, number, begun_s, nodes, canaries, soak_s, failures_max, min(pace_percent, 100), plain["is_stopped"]
    )


def write(folder: Path, plan: Plan) -> None:
    """Puts a plan in the place of the kind's last one. OSError."""
    plain = {**plan._asdict(), "nodes": sorted(node.hex() for node in plan.nodes)}
    del plain["product"]
    files.write(folder / (plan.product + SUFFIX), json.dumps(plain).encode(), gives=True)
