"""Shows what a policy or key set holds, and who signed it.

example:
  bocage policy show feneu.signed --keyset commune.keys
"""

import argparse
from pathlib import Path

from tools.policy import files
from tools.policy.arguments import FAULTY
from tools.policy.description import file_lines, is_accepted


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, metavar="FILE")
    parser.add_argument("--keyset", type=Path, metavar="FILE", help="the set in force: check the signatures")


def run(args: argparse.Namespace) -> int:
    found = files.load(args.file)
    in_force = files.load_keyset(args.keyset) if args.keyset else None
    print("\n".join(file_lines(found, in_force, args.lang)))
    is_sound = found.content is not None
    return 0 if is_sound and (in_force is None or is_accepted(found, in_force)) else FAULTY
