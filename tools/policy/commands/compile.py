"""Turns a policy's text into the document that is signed.

example:
  bocage policy compile feneu.toml --out feneu.policy
"""

import argparse
from pathlib import Path

from policy import document
from tools.policy.arguments import FAULTY, add_out, compiled_file, print_faults, print_sound, write


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, metavar="FILE.toml")
    add_out(parser)


def run(args: argparse.Namespace) -> int:
    compiled = compiled_file(args.file)
    if compiled.policy is None:
        print_faults(args.file, compiled, args.lang)
        return FAULTY
    print_sound(args.file, compiled.policy, args.lang)
    write(args.out, document.encode(compiled.policy), args.lang)
    return 0
