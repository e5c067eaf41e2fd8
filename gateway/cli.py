"""`bocage gateway`: run the agent, or check its configuration."""

import argparse
import asyncio
import sys
from pathlib import Path

EXAMPLE = """examples:
  bocage gateway check --config gateway.toml --insecure
  bocage gateway run --config gateway.toml --insecure"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of the sub-command."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = EXAMPLE
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    for name, text in (("run", "run the agent in the foreground"), ("check", "check a configuration file")):
        action = actions.add_parser(name, help=text, description=text)
        action.add_argument("--config", type=Path, required=True, help="TOML file, see gateway/README.md")
        action.add_argument(
            "--insecure",
            action="store_true",
            help="allow the node link in the clear, and a broker without TLS: for a bench, never in a street",
        )


def run(args: argparse.Namespace) -> int:
    """Exit status: 0 done, 1 the disk or the address cannot be had, 2 the configuration has faults."""
    from gateway.config import ConfigError, load

    try:
        config = load(args.config, insecure=args.insecure)
    except ConfigError as error:
        for fault in error.faults:
            print(fault, file=sys.stderr)
        return 2
    if args.action == "check":
        print(f"{args.config}: no fault")
        return 0
    from gateway.agent import Agent

    try:
        asyncio.run(_serve(Agent, config, args.insecure))
    except OSError as error:
        print(f"cannot start: {error}; free the address or give another data folder", file=sys.stderr)
        return 1
    return 0


async def _serve(agent: type, config: object, insecure: bool) -> None:
    await agent(config, insecure=insecure).run()
