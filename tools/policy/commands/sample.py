"""Prints a whole policy with comments, to start from.

example:
  bocage policy sample > feneu.toml
"""

import argparse
from pathlib import Path

SAMPLE = Path(__file__).resolve().parent.parent / "sample.toml"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    pass


def run(args: argparse.Namespace) -> int:
    print(SAMPLE.read_text(encoding="utf-8"), end="")
    return 0
