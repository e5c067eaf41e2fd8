"""Holds the sub-commands of `bocage gateway`, one module each.

A module has a docstring, whose first line appears in the list of commands, `add_arguments(parser)`, which fills an
`argparse` parser, and `run(args)`, which returns the exit status. `args.lang` is the language of the answers. All but
`setup` work on a configuration: `add_config` adds the option for its file, and `on_config` loads it for `run`. A module
must not import paho, pyserial and the like at its top: `--help` works where they are not installed.
"""

import argparse
import functools
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from gateway.language import N_, translate

if TYPE_CHECKING:
    from gateway.config.config import Config

_SUDO = N_("try again with sudo")
_FAILED, _USAGE = 1, 2


class UsageError(Exception):
    """Holds a sentence, in the user's language, about an input or a configuration that cannot be acted on."""


def add_config(parser: argparse.ArgumentParser) -> None:
    """Adds `--config`, which every sub-command but `setup` needs."""
    parser.add_argument("--config", type=Path, required=True, help="TOML file, see gateway/README.md")


def add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="for programs")


def on_config(work: "Callable[[Config, argparse.Namespace], int]") -> Callable[[argparse.Namespace], int]:
    """Makes `run(args)` of a function that also needs the configuration. Its errors become lines for a person: a fault
    of the file or of the usage is exit status 2, an OSError 1."""
    program = f"bocage gateway {work.__module__.rpartition('.')[2]}"

    @functools.wraps(work)
    def run(args: argparse.Namespace) -> int:
        from gateway.config.config import ConfigError, load

        try:
            # Only `run` and `check` decide whether a broker without TLS is allowed; the others just read the file.
            config = load(args.config, insecure=getattr(args, "insecure", True))
        except ConfigError as error:
            print("\n".join(error.lines(args.lang)), file=sys.stderr)
            return _USAGE
        except PermissionError as error:
            print(f"{error}; {translate(_SUDO, args.lang)}", file=sys.stderr)
            return _USAGE
        try:
            return work(config, args)
        except UsageError as error:
            print(f"{program}: {error}", file=sys.stderr)
            return _USAGE
        except OSError as error:
            if isinstance(error, BrokenPipeError):
                raise  # the reader of our output is gone, and nothing is wrong
            print(f"{program}: {error}; {translate(_SUDO, args.lang)}", file=sys.stderr)
            return _FAILED

    return run
