"""Makes the node that stands in another one's place: the same settings under a new id and a new key.

example:
  bocage node replace 01000007

For a module that is broken, or a key that a stranger may have. An id is never used again: under it the old module, or
the stranger, could go on speaking. The old node's settings are kept, and leave the list of those to be written.
"""

import argparse

from gateway.language import N_, translate
from tools.node import settings
from tools.node.faults import of_path
from tools.node.workshop import Workshop, add_folder

_MADE = N_("{node} replaces {old} ({kind}, {place}); settings in {path}")
_NEXT = N_(
    "next: bocage node flash {node} --interpreter micropython.bin; then, at the cabinet: sudo bocage gateway adopt "
    "{key} --remove {old}; in the register the equipment of {old} gets the node {node}"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("node", help="the old one's id, or the last digits of it (bocage node list)")
    add_folder(parser)


def run(args: argparse.Namespace) -> int:
    """Returns the exit status: 0 made, 1 no such node or a file cannot be written, 2 the old settings are damaged."""
    workshop = Workshop(args.folder)
    old = workshop.find(args.node)
    plain, _ = settings.read(workshop.settings_path(old.node))
    # The bench that made the old one makes the new one: its byte in the id.
    try:
        key, path = Workshop(args.folder, bench=bytes.fromhex(old.node)[4]).add(plain, old.place, replaces=old.node)
    except OSError as error:
        raise of_path(error.filename or args.folder, error) from error
    facts = {"node": key.node.hex(), "old": old.node, "kind": old.kind, "place": old.place or "-", "path": path}
    print(translate(_MADE, args.lang, **facts))
    print(translate(_NEXT, args.lang, key=workshop.key_path(key.node.hex()), **facts))
    return 0
