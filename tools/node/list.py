"""Lists the nodes of a workshop: what each is, where it will stand, and which module was written for it, when.

example:
  bocage node list
"""

import argparse

from gateway.language import N_, translate
from tools.node.workshop import Workshop, add_folder

_NONE = N_("no node yet: bocage node new makes one")
_NOT_WRITTEN = N_("not written yet")
_REPLACED = N_("out of use: {node} replaces it")
_WRITTEN = N_("module {mac}, program {program}, {written}")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_folder(parser)


def run(args: argparse.Namespace) -> int:
    rows = Workshop(args.folder).rows()
    successors = {row.replaces: row.node for row in rows}
    for row in rows:
        if row.node in successors:
            told = translate(_REPLACED, args.lang, node=successors[row.node])
        else:
            state = _WRITTEN if row.mac else _NOT_WRITTEN
            told = translate(state, args.lang, mac=row.mac, program=row.program, written=row.written)
        print(f"{row.node}  {row.kind:<12} {row.place or '-':<28} {told}")
    if not rows:
        print(translate(_NONE, args.lang))
    return 0
