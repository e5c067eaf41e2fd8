"""`bocage gateway`: run the agent, check its configuration, ask how it is and what it had to let go of."""

import argparse
import asyncio
import faulthandler
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gateway.config import Config

EXAMPLE = """examples:
  bocage gateway check --config gateway.toml --insecure
  bocage gateway run --config gateway.toml --insecure
  bocage gateway status --config gateway.toml --lang en
  bocage gateway losses --config gateway.toml --since 2d

exit status of `status`: 0 well, 1 something wants attention, 2 nobody answers, or bad usage;
of the others: 0 done, 1 the world did not let it, 2 the configuration or the usage is at fault"""

_ACTIONS = {
    "run": "run the agent in the foreground",
    "check": "check a configuration file",
    "status": "is all well? what waits, since when, and what to do",
    "losses": "list the records that were let go of, and why",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of the sub-command."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = EXAMPLE
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    for name, text in _ACTIONS.items():
        action = actions.add_parser(name, help=text, description=text)
        action.add_argument("--config", type=Path, required=True, help="TOML file, see gateway/README.md")
        if name in ("run", "check"):
            action.add_argument(
                "--insecure",
                action="store_true",
                help="allow the node link in the clear, and a broker without TLS: for a bench, never in a street",
            )
        else:
            action.add_argument("--json", action="store_true", help="for programs")
            action.add_argument("--lang", choices=("fr", "en"), default="fr", help="language (fr)")
        if name == "losses":
            action.add_argument("--since", help="2h, 3d, or a date: 2026-11-25, 2026-11-25T14:30")


def run(args: argparse.Namespace) -> int:
    """The exit status, see EXAMPLE."""
    from gateway.config import ConfigError, load

    asks = args.action in ("status", "losses")
    try:
        # Who asks how it is need not say again whether the bench may be open.
        config = load(args.config, insecure=asks or args.insecure)
    except ConfigError as error:
        for fault in error.faults:
            print(fault, file=sys.stderr)
        return 2
    except PermissionError as error:
        print(f"{error}; try again with sudo", file=sys.stderr)
        return 2
    if args.action == "check":
        print(f"{args.config}: no fault")
        return 0
    return _ask(config, args) if asks else _serve(config, args)


def _ask(config: "Config", args: argparse.Namespace) -> int:
    from gateway import questions

    if args.action == "status":
        return questions.show_status(config, args.lang, as_json=args.json)
    try:
        return questions.show_losses(config, args.lang, since=args.since, as_json=args.json)
    except ValueError as error:
        print(f"--since: {error}; give 2h, 3d or a date as 2026-11-25", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"{error}; try again with sudo", file=sys.stderr)
        return 1


def _serve(config: "Config", args: argparse.Namespace) -> int:
    from gateway.agent import Agent

    async def serve() -> None:
        await Agent(config, insecure=args.insecure).run()

    # systemd's watchdog ends us with SIGABRT: then every thread says where it stood.
    faulthandler.enable()
    try:
        asyncio.run(serve())
    except OSError as error:
        print(f"cannot start: {error}; free the address or give another data folder", file=sys.stderr)
        return 1
    return 0
