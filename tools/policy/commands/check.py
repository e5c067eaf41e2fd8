"""Shows every fault of a policy's text, with its line and what to write instead.

example:
  bocage policy check feneu.toml
"""

import argparse
import json
from pathlib import Path

from tools.command_line import add_json
from tools.policy.arguments import FAULTY, compiled_file, print_faults, print_sound
from tools.policy.toml_source import SourceFault


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, metavar="FILE.toml")
    add_json(parser, "for programs")


def run(args: argparse.Namespace) -> int:
    compiled = compiled_file(args.file)
    if args.json:
        print(json.dumps([_plain(one, args.lang) for one in compiled.faults], indent=2, ensure_ascii=False))
    elif compiled.policy is None:
        print_faults(args.file, compiled, args.lang)
    else:
        print_sound(args.file, compiled.policy, args.lang)
    return 0 if compiled.policy else FAULTY


def _plain(fault: SourceFault, language: str) -> dict:
    return {
        "line": fault.line,
        "where": fault.where,
        "problem": fault.problem(language),
        "remedy": fault.remedy(language),
    }
