"""Prints a whole policy with comments, to start from.

example:
  bocage policy sample > feneu.toml
"""

import argparse
from pathlib import Path

SAMPLE = Path(__file__).resolve().parent.parent / "sample.toml"
PLACEHOLDER = "CLE-PUBLIQUE"  # stands where a key belongs: an example's key would be everybody's, so `check` refuses it


def add_arguments(parser: argparse.ArgumentParser) -> None:
    pass


def run(args: argparse.Namespace) -> int:
    print(SAMPLE.read_text(encoding="utf-8"), end="")
    return 0
