"""Checks a configuration file. All its faults are listed at once, one per line, with the remedy."""

import argparse

from gateway.commands import add_config, on_config
from gateway.config.config import Config
from gateway.language import N_, translate
from gateway.show.words import word


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_config(parser)
    parser.add_argument(
        "--insecure", action="store_true", help="allow a broker without TLS: for a bench, never in a street"
    )


@on_config
def run(config: Config, args: argparse.Namespace) -> int:
    """Reports no fault: `on_config` has refused a file with faults before. Warns where no record is ever freed."""
    print(translate(N_("{path}: no fault"), args.lang, path=args.config))
    if config.core.keyset is None or not config.core.keyset.warehouses:
        print(f"  ! {word('no_warehouse', args.lang)}")
        print(f"    → {word('do', args.lang, text=word('no_warehouse.do', args.lang))}")
    return 0
