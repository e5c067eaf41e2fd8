"""Makes the key of one node, once, where the node is provisioned.

example:
  bocage link key 7c1f0a2c01000007 --settings

Writes `<node>.key`, which an operator brings to the node's gateway (`bocage gateway adopt`), and prints what the node's
settings need only when asked to, because it holds the secret.
"""

import argparse
import json
import secrets
import sys
from pathlib import Path

from gateway.core.link.sessions import NodeKey
from gateway.language import N_
from gateway.shell import keys as node_keys
from tools.command_line import Refused, UsageError
from wire import limits
from wire.oscore_context import NODE_ID_BYTES, usual_kid


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("node", help="the node's id, 16 hexadecimal digits")
    parser.add_argument("--out", type=Path, default=Path("."), metavar="FOLDER", help="where the key file goes (here)")
    parser.add_argument("--kid", metavar="HEX", help="its OSCORE id, if not the usual: who minted it, last two bytes")
    parser.add_argument("--settings", action="store_true", help="print what settings.json needs; it holds the secret")


def run(args: argparse.Namespace) -> int:
    """Returns the exit status: 0 done, 1 the file cannot be written or exists already, 2 an id that is not valid."""
    node = _hex(args.node)
    if len(node) != limits.NODE_ID_BYTES:
        raise UsageError(N_("{node} is not a node's id; give 16 hexadecimal digits"), node=repr(args.node))
    kid = usual_kid(node) if args.kid is None else _hex(args.kid)
    if len(kid) not in NODE_ID_BYTES:
        raise UsageError(N_("--kid {kid}: give 4 or 6 hexadecimal digits"), kid=repr(args.kid))
    path = args.out / f"{node.hex()}{node_keys.SUFFIX}"
    if path.exists():
        # A second secret for a node that has one would lock it out, and nothing would show why.
        raise Refused(N_("{path} is there: a node gets one key; take it away first"), path=path)
    key = NodeKey(node, kid, secrets.token_bytes(node_keys.SECRET_BYTES))
    try:
        args.out.mkdir(parents=True, exist_ok=True)
        node_keys.save(path, key)
    except OSError as error:
        raise Refused(str(error)) from error
    print(f"{path}: kid {kid.hex()}", file=sys.stderr)
    if args.settings:
        print(json.dumps({"node": node.hex(), "kid": kid.hex(), "master_secret": key.master_secret.hex()}))
    return 0


def _hex(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        return b""
