"""`bocage link key`: mint the key of one node, once, where it is provisioned.

Writes `<node>.key`, which an operator brings to the node's gateway (`bocage gateway adopt`), and prints the two lines
for the node's settings only when asked to, for they hold the secret.
"""

import json
import secrets
import sys
from pathlib import Path

from gateway import node_keys
from gateway.core.link.sessions import NodeKey
from wire import limits
from wire.oscore_pairing import NODE_ID_BYTES, usual_kid


def run(node_text: str, folder: Path, kid_text: str | None, *, shows_settings: bool) -> int:
    """Exit status: 0 done, 1 the file cannot be written or is there already, 2 an id that is none."""
    node = _hex(node_text)
    if len(node) != limits.NODE_ID_BYTES:
        print(f"bocage link key: {node_text!r} is not a node's id; give 16 hexadecimal digits", file=sys.stderr)
        return 2
    kid = usual_kid(node) if kid_text is None else _hex(kid_text)
    if len(kid) not in NODE_ID_BYTES:
        print(f"bocage link key: --kid {kid_text!r}: give 4 or 6 hexadecimal digits", file=sys.stderr)
        return 2
    path = folder / f"{node.hex()}{node_keys.SUFFIX}"
    if path.exists():
        # A second secret for a node that has one would lock it out, and nobody would see why.
        print(f"bocage link key: {path} is there: a node gets one key; take it away first", file=sys.stderr)
        return 1
    key = NodeKey(node, kid, secrets.token_bytes(node_keys.SECRET_BYTES))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        node_keys.save(path, key)
    except OSError as error:
        print(f"bocage link key: {error}", file=sys.stderr)
        return 1
    print(f"{path}: kid {kid.hex()}", file=sys.stderr)
    if shows_settings:
        print(json.dumps({"node": node.hex(), "kid": kid.hex(), "master_secret": key.master_secret.hex()}))
    return 0


def _hex(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        return b""
