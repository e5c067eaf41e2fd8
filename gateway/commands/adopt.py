"""Installs a node's key, lists the nodes that belong here, or removes one.

Never automatic: a node that no operator has adopted is listed by its OSCORE id in `bocage gateway status`, and
gets no answer. The agent checks the folder every few seconds and needs no restart.
"""

import argparse
import json
import sys
from pathlib import Path

from gateway.commands import UsageError, add_config, add_json, on_config
from gateway.config.config import Config
from gateway.language import N_, Phrases
from gateway.shell import keys as node_keys
from gateway.shell.keys import KeyFileError
from wire import limits

_WORDS = Phrases({
    "adopted": N_("node {node} adopted (kid {kid})"),
    "removed": N_("node {node} taken away"),
    "count": N_("nodes adopted: {count}"),
    "no_id": N_("{name} is not a node's id; give 16 hexadecimal digits"),
    "unknown": N_("no node {name} here"),
})  # fmt: skip


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_config(parser)
    add_json(parser)
    parser.add_argument("files", nargs="*", type=Path, metavar="KEY", help="key files, from `bocage node new`")
    parser.add_argument(
        "--remove", action="append", default=[], metavar="NODE", help="a node that belongs here no more"
    )


@on_config
def run(config: Config, args: argparse.Namespace) -> int:
    """Returns the exit status: 0 done, 1 a file or the folder refused, 2 an invalid id."""
    status = 0
    for path in args.files:
        try:
            key = node_keys.read(path, may_be_open=True)  # our copy is not
            node_keys.write(config.keys, key)
        except (KeyFileError, OSError) as error:
            print(f"bocage gateway adopt: {error}", file=sys.stderr)
            status = 1
            continue
        if not args.json:
            _print("adopted", args.lang, node=key.node.hex(), kid=key.kid.hex())
    for name in args.remove:
        status = max(status, _remove(config.keys, name, args.lang, as_json=args.json))
    is_silent = bool(args.files or args.remove)
    return max(status, _list(config.keys, args.lang, as_json=args.json, is_silent=is_silent))


def _remove(folder: Path, name: str, language: str, *, as_json: bool) -> int:
    try:
        node = bytes.fromhex(name)
    except ValueError:
        node = b""
    if len(node) != limits.NODE_ID_BYTES:
        raise UsageError(_WORDS.text("no_id", language, name=repr(name)))
    if not node_keys.remove(folder, node):
        print(f"bocage gateway adopt: {_WORDS.text('unknown', language, name=name)}", file=sys.stderr)
        return 1
    if not as_json:
        _print("removed", language, node=name)
    return 0


def _print(what: str, language: str, **values: object) -> None:
    print(_WORDS.text(what, language, **values))


def _list(folder: Path, language: str, *, as_json: bool, is_silent: bool) -> int:
    found = node_keys.read_folder(folder)
    if as_json:
        nodes = [{"node": key.node.hex(), "kid": key.kid.hex()} for key in found.keys]
        print(json.dumps({"nodes": nodes, "faults": found.faults}))
    elif not is_silent:
        for key in found.keys:
            print(f"{key.node.hex()}  kid {key.kid.hex()}")
        _print("count", language, count=len(found.keys))
    for fault in found.faults:
        print(f"bocage gateway adopt: {fault}", file=sys.stderr)
    return 1 if found.faults else 0
