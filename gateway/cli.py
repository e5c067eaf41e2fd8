"""`bocage gateway`: run the agent, check its configuration, ask how it is, why, and what it had to let go of.

A sub-command is one module of `gateway/commands` and one line of COMMANDS. The module has `add_arguments(parser)` and
`run(config, args) -> int`, the exit status. Only the module of the sub-command that is asked for is imported.
"""

import argparse
import importlib
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from gateway.commands import UsageError
from gateway.language import DEFAULT_LANGUAGE, LANGUAGES, N_, translate

if TYPE_CHECKING:
    from gateway.config.config import Config


class Command(NamedTuple):
    """One line of the table: a module of `gateway/commands`, and what it does."""

    module: str
    does: str
    reads_config: bool = True


COMMANDS = {
    "setup": Command("setup.wizard", "ask what stands in the cabinet and write /etc/bocage", reads_config=False),
    "check": Command("check", "check a configuration file"),
    "run": Command("run", "run the agent in the foreground"),
    "status": Command("status", "is all well? what waits, since when, and what to do"),
    "explain": Command("explain", "why a feeder of the cabinet is as it is, and what will happen tonight"),
    "losses": Command("losses", "list the records that were let go of, and why"),
    "audit": Command("audit", "who ordered what at this cabinet, and whether the record of it is whole"),
    "adopt": Command("adopt", "bring the keys of nodes that belong here; without a key file: list them"),
    "images": Command("images", "bring signed programs for the nodes of this district, take them back, or list them"),
    "concentrator": Command("concentrator", "bring a signed image to the radio concentrator, or take it back"),
    "tell": Command("tell", "tell nodes a drought level, a load shed, a day's exception, the weather; list, take back"),
}
_EPILOG = """`bocage gateway COMMAND --help` tells more. Examples:
  sudo bocage gateway setup
  bocage gateway check --config gateway.toml
  bocage gateway run --config gateway.toml
  bocage gateway status --config gateway.toml --lang en
  bocage gateway explain bourg --config gateway.toml --at "demain 05:30"
  sudo bocage gateway adopt --config gateway.toml 7c1f0a2c01000001.key

exit status of `status`: 0 well, 1 something wants attention, 2 nobody answers, or bad usage;
of `explain`: 0 told, 2 nobody answers, or no such feeder or time;
of the others: 0 done, 1 the world did not let it, 2 the configuration or the usage is at fault"""
_SUDO = N_("try again with sudo")
_FAILED, _USAGE = 1, 2


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The name of a sub-command and its own words, which `run` parses."""
    width = max(map(len, COMMANDS))
    lines = [f"  {name:{width}}  {command.does}" for name, command in COMMANDS.items()]
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = "\n".join(["commands:", *lines, "", _EPILOG])
    parser.add_argument("command", choices=COMMANDS, metavar="COMMAND", help="one of those below")
    parser.add_argument("words", nargs=argparse.REMAINDER, metavar="...", help="its own arguments")


def run(args: argparse.Namespace) -> int:
    """The exit status, see the epilog."""
    return run_command(args.command, args.words)


def run_command(name: str, words: Sequence[str], config: "Config | None" = None) -> int:
    """The exit status of one sub-command. `config`: takes the place of the file that `--config` names."""
    command = COMMANDS[name]
    module = importlib.import_module(f"gateway.commands.{command.module}")
    prog = f"bocage gateway {name}"
    parser = argparse.ArgumentParser(
        prog=prog, description=module.__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    reads_file = command.reads_config and config is None
    if reads_file:
        parser.add_argument("--config", type=Path, required=True, help="TOML file, see gateway/README.md")
    parser.add_argument("--lang", choices=LANGUAGES, default=DEFAULT_LANGUAGE, help="language (%(default)s)")
    module.add_arguments(parser)
    args = parser.parse_args(words)
    try:
        return int(module.run(_load(args) if reads_file else config, args))
    except UsageError as error:
        print(error if error.is_complete else f"{prog}: {error}", file=sys.stderr)
        return _USAGE
    except OSError as error:
        print(f"{prog}: {error}; {translate(_SUDO, args.lang)}", file=sys.stderr)
        return _FAILED


def _load(args: argparse.Namespace) -> "Config":
    from gateway.config.config import ConfigError, load

    try:
        # Only `run` and `check` say whether the bench may be open; the others read what is there.
        return load(args.config, insecure=getattr(args, "insecure", True))
    except ConfigError as error:
        raise UsageError("\n".join(error.lines(args.lang)), is_complete=True) from error
    except PermissionError as error:
        raise UsageError(f"{error}; {translate(_SUDO, args.lang)}", is_complete=True) from error
