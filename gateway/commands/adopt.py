"""`bocage gateway adopt`: an operator brings a node's key, lists the nodes that belong here, or takes one away.

Never automatic: a node that nobody has adopted is heard, listed by its OSCORE id in `bocage gateway status`, and
gets no answer. The agent looks at the folder every few seconds and needs no restart.
"""

import json
import sys
from pathlib import Path

from gateway.language import N_, Phrases
from gateway.shell import keys as node_keys
from gateway.shell.keys import KeyFileError
from wire import limits

_WORDS = Phrases({
    "adopted": N_("node {node} adopted (kid {kid})"),
    "removed": N_("node {node} taken away"),
    "count": N_("nodes adopted: {count}"),
})  # fmt: skip


def run(
    folder: Path,
    allowed: frozenset[bytes] | None,
    files: list[Path],
    language: str,
    *,
    remove: list[str],
    as_json: bool,
) -> int:
    """Exit status: 0 done, 1 a file or the folder did not let us, or `allowed` bars it; 2 an id that is none."""
    status = 0
    for path in files:
        try:
            key = node_keys.read(path, may_be_open=True)  # our copy is not
            node_keys.write(folder, key)
        except (KeyFileError, OSError) as error:
            print(f"bocage gateway adopt: {error}", file=sys.stderr)
            status = 1
            continue
        if not as_json:
            _say("adopted", language, node=key.node.hex(), kid=key.kid.hex())
        if allowed is not None and key.node not in allowed:
            print(f"{key.node.hex()}: not in [link] nodes, so it gets no answer; add it there", file=sys.stderr)
            status = 1
    for name in remove:
        status = max(status, _remove(folder, name, language, as_json=as_json))
    return max(status, _list(folder, language, as_json=as_json, is_silent=bool(files or remove)))


def _remove(folder: Path, name: str, language: str, *, as_json: bool) -> int:
    try:
        node = bytes.fromhex(name)
    except ValueError:
        node = b""
    if len(node) != limits.NODE_ID_BYTES:
        print(f"bocage gateway adopt: {name!r} is not a node's id; give 16 hexadecimal digits", file=sys.stderr)
        return 2
    try:
        known = node_keys.remove(folder, node)
    except OSError as error:
        print(f"bocage gateway adopt: {error}; try again with sudo", file=sys.stderr)
        return 1
    if not known:
        print(f"bocage gateway adopt: no node {name} here", file=sys.stderr)
        return 1
    if not as_json:
        _say("removed", language, node=name)
    return 0


def _say(what: str, language: str, **values: object) -> None:
    print(_WORDS.text(what, language, **values))


def _list(folder: Path, language: str, *, as_json: bool, is_silent: bool) -> int:
    found = node_keys.read_folder(folder)
    if as_json:
        nodes = [{"node": key.node.hex(), "kid": key.kid.hex()} for key in found.keys]
        print(json.dumps({"nodes": nodes, "faults": found.faults}))
    elif not is_silent:
        for key in found.keys:
            print(f"{key.node.hex()}  kid {key.kid.hex()}")
        _say("count", language, count=len(found.keys))
    for fault in found.faults:
        print(f"bocage gateway adopt: {fault}", file=sys.stderr)
    return 1 if found.faults else 0
