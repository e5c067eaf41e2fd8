"""Judges the settings of a node on a desk by the code that reads them on the chip, and makes them from what a person
writes: a file that several nodes share, cells of a table, answers.

A cell or an answer is JSON where it can be read as such (`[475000, -5500]`, `7`, `true`), else the text as it stands.
"""

import json
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import kinds
from gateway.language import N_
from node import limits
from node import settings as node_settings
from policy.fault import Fault
from tools.command_line import UsageError
from tools.node.faults import of_path

# What each node has of its own.
MINTED = frozenset(("node", "kid", "master_secret"))


def faults_of(plain: dict[str, Any]) -> list[Fault]:
    """Returns every fault that the node would find in these settings, each with its remedy."""
    kind = kinds.load(plain.get("kind"))
    settings, faults = node_settings.decode(plain, kind)
    if settings is None:
        return list(faults)
    board = import_module(f"boards.{plain['kind']}")
    faults = node_settings.shell_faults(settings, plain, has_clock=hasattr(board, "open_rtc"))
    if not faults and len(json.dumps(plain, indent=1, ensure_ascii=False).encode()) >= limits.SETTINGS_BYTES_MAX:
        return [Fault("", "are longer than a node reads", f"leave out defaults: {limits.SETTINGS_BYTES_MAX} bytes")]
    return list(faults)


def read(path: Path) -> tuple[dict[str, Any], bytes]:
    """Returns the settings of a file, and its bytes; UsageError when it has none."""
    try:
        data = path.read_bytes()
        plain = json.loads(data)
    except (OSError, ValueError) as error:
        raise of_path(path, error, UsageError) from error
    if not isinstance(plain, dict):
        raise UsageError(N_("{path}: is no JSON object with settings"), path=path)
    return plain, data


def shared(path: Path) -> dict[str, Any]:
    """Returns the settings of a file that several nodes share; UsageError when it is none, or has a node's own."""
    plain, _ = read(path)
    for name in MINTED & set(plain):
        message = N_("{path}: {name} is one node's own and is made for each; take it out of what they share")
        raise UsageError(message, path=path, name=name)
    return plain


def value_of(text: str) -> Any:
    """Returns what a person wrote in a cell or an answer."""
    try:
        return json.loads(text)
    except ValueError:
        return text.strip()


def asked(plain: dict[str, Any], ask: Callable[[Fault], str]) -> dict[str, Any]:
    """Returns settings without fault: `ask` is called with the first fault until none is left, and returns what the
    person writes for that setting ("" takes it out). EOFError comes from `ask` when nobody answers."""
    while faults := faults_of(plain):
        name = _field(faults[0].path)
        text = ask(Fault(name, faults[0].problem, faults[0].remedy))
        plain = {key: value for key, value in plain.items() if key != name}
        if text.strip():
            plain[name] = value_of(text)
    return plain


def merged(common: Mapping[str, Any], cells: Mapping[str, str]) -> dict[str, Any]:
    """Returns what the nodes share with one node's cells over it; an empty cell leaves the shared value."""
    return {**common, **{name: value_of(text) for name, text in cells.items() if text.strip()}}


def _field(path: str) -> str:
    """Returns the setting that a fault's path begins with: `gateway` of `gateway[0]`."""
    return path.partition("[")[0].partition(".")[0]
