"""Draws a build: hardware/builds/NAME.yml is WireViz's file, NAME.svg what WireViz and Graphviz make of it.

An item is a connector, and the wires of one section between two items are a bundle. A drawing ends with the digest of
its NAME.yml, because two versions of Graphviz draw the same file differently.
"""

import hashlib
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tools.hardware.build_sheet import FRENCH, SOURCE
from tools.hardware.builds import MAINS, SELV, terminals
from tools.hardware.files import Facts

# Colours of WireViz: the mains are orange, what one may touch is light blue, an item that keeps them apart is golden.
_TITLES = {frozenset((MAINS,)): "OG", frozenset((SELV,)): "LB", frozenset((MAINS, SELV)): "GD"}
_OPTIONS = """\
# A wide font, so that texts fit where another stands in for it; ranks closer than WireViz sets them.
options: {fontname: "DejaVu Sans"}
tweak: {append: "ranksep=0.4"}
"""


def drawing_text(name: str, build: Mapping[str, Any], facts: Facts) -> str:
    """Returns WireViz's file. JSON texts and lists are YAML."""
    domains = terminals(build, facts)
    lines = [f"# Made from {SOURCE.format(name=name)}: do not edit it by hand.", _OPTIONS + "connectors:"]
    wired = {end.partition(".")[0] for end in domains}  # an antenna has no terminal
    lines += [_connector(name, item, domains) for name, item in build["item"].items() if name in wired]
    bundles: dict[tuple[str, str, str], list[tuple[int, Mapping[str, Any]]]] = {}
    for number, wire in enumerate(build["wire"], 1):
        ends = (wire["from"].partition(".")[0], wire["to"].partition(".")[0])
        bundles.setdefault((*ends, wire["mm2"]), []).append((number, wire))
    lines.append("cables:")
    for index, ((_start, _end, mm2), wires) in enumerate(bundles.items(), 1):
        colours = _json([wire["colour"] for _number, wire in wires])
        labels = _json([str(number) for number, _wire in wires])
        what = f"category: bundle, gauge: {mm2} mm2, show_name: false, colors: {colours}, wirelabels: {labels}"
        lines.append(f"  W{index}: {{{what}}}")
    lines.append("connections:")
    for index, ((start, end, _mm2), wires) in enumerate(bundles.items(), 1):
        lines.append(f"  - - {start}: {_json([_pin(wire['from']) for _number, wire in wires])}")
        lines.append(f"    - W{index}: {_json(list(range(1, len(wires) + 1)))}")
        lines.append(f"    - {end}: {_json([_pin(wire['to']) for _number, wire in wires])}")
    return "\n".join(lines) + "\n"


def _connector(name: str, item: Mapping[str, Any], domains: Mapping[str, str]) -> str:
    own = [end for end in domains if end.startswith(f"{name}.")]
    found = frozenset(domains[end] for end in own)
    kind = " + ".join(FRENCH.domains[domain] for domain in (MAINS, SELV) if domain in found)
    kind += f", {item['fuse_ma'] / 1000:g} A" if "fuse_ma" in item else ""
    what = f"type: {_json(item['what'].partition(', ')[0])}, subtype: {_json(kind)}, bgcolor_title: {_TITLES[found]}"
    pins = _json([_pin(end) for end in own])
    return f"  {name}: {{{what},\n    show_pincount: false, hide_disconnected_pins: true, pins: {pins}}}"


def _pin(end: str) -> str | int:
    """Returns the terminal of "item.terminal", a number where it is one: WireViz takes "13" for the number 13."""
    terminal = end.partition(".")[2]
    return int(terminal) if terminal.isdecimal() else terminal


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def is_stale(path: Path, text: str) -> bool:
    """Returns whether the drawing at `path` shows something else than `text`, its WireViz file."""
    return not path.exists() or _mark(text) not in path.read_text(encoding="utf-8")


def _mark(text: str) -> str:
    return f"<!-- {hashlib.sha256(text.encode()).hexdigest()} -->"


def draw(path: Path, text: str) -> None:
    """Draws one SVG from `text`, WireViz's file, which stands beside it. OSError with the package that is missing, or
    with what WireViz says."""
    if not shutil.which("dot"):
        raise OSError("Graphviz is missing: sudo apt-get install graphviz")
    command = [sys.executable, "-m", "wireviz.wv_cli", "--format", "s", str(path.with_suffix(".yml"))]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise OSError(f"WireViz is missing or failed: pip install 'wireviz>=0.4,<0.5'\n{done.stderr or done.stdout}")
    drawn = re.sub(r"<!--.*?-->\n?|<title>.*?</title>\n?", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    path.write_text(f"{drawn.rstrip()}\n{_mark(text)}\n", encoding="utf-8")
