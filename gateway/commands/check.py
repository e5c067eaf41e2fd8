"""Checks a configuration file. All its faults are listed at once, one per line, with the remedy."""

import argparse

from gateway.commands import add_config, on_config
from gateway.config.config import Config
from gateway.language import N_, translate


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_config(parser)
    parser.add_argument(
        "--insecure", action="store_true", help="allow a broker without TLS: for a bench, never in a street"
    )


@on_config
def run(config: Config, args: argparse.Namespace) -> int:
    """Reports no fault: `on_config` has refused a file with faults before."""
    print(translate(N_("{path}: no fault"), args.lang, path=args.config))
    return 0
