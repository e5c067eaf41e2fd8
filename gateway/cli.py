"""`bocage gateway`: run the agent, check its configuration, ask how it is, why, and what it had to let go of."""

import argparse
import asyncio
import faulthandler
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gateway.config.config import Config

EXAMPLE = """examples:
  sudo bocage gateway setup
  bocage gateway check --config gateway.toml
  bocage gateway run --config gateway.toml
  sudo bocage gateway adopt --config gateway.toml 7c1f0a2c01000001.key
  bocage gateway status --config gateway.toml --lang en
  sudo bocage gateway concentrator --config gateway.toml update concentrator-7.img
  sudo bocage gateway images --config gateway.toml add streetlight-12.img
  sudo bocage gateway tell --config gateway.toml drought 2 --to irrigation --until 2027-08-31 \
      --reason "arrêté préfectoral 2027-41"
  bocage gateway losses --config gateway.toml --since 2d
  bocage gateway audit --config gateway.toml --since 30d
  bocage gateway explain bourg --config gateway.toml --at "demain 05:30"

exit status of `status`: 0 well, 1 something wants attention, 2 nobody answers, or bad usage;
of `explain`: 0 told, 2 nobody answers, or no such feeder or time;
of the others: 0 done, 1 the world did not let it, 2 the configuration or the usage is at fault"""

_ACTIONS = {
    "run": "run the agent in the foreground",
    "check": "check a configuration file",
    "adopt": "bring the keys of nodes that belong here; without a key file: list them",
    "concentrator": "bring a signed image to the radio concentrator, or take it back",
    "images": "bring signed programs for the nodes of this district, take them back, or list them",
    "status": "is all well? what waits, since when, and what to do",
    "losses": "list the records that were let go of, and why",
    "audit": "who ordered what at this cabinet, and whether the record of it is whole (1: it is not)",
    "tell": "tell nodes a drought level, a load shed, a day's exception, the weather; list or take back what is told",
    "explain": "why a feeder of the cabinet is as it is, which rule decided, and what will happen tonight",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of the sub-command."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = EXAMPLE
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    _add_setup(actions)
    for name, text in _ACTIONS.items():
        action = actions.add_parser(name, help=text, description=text)
        action.add_argument("--config", type=Path, required=True, help="TOML file, see gateway/README.md")
        if name in ("run", "check"):
            action.add_argument(
                "--insecure",
                action="store_true",
                help="allow a broker without TLS: for a bench, never in a street",
            )
        else:
            action.add_argument("--json", action="store_true", help="for programs")
            action.add_argument("--lang", choices=("fr", "en"), default="fr", help="language (fr)")
        if name == "adopt":
            action.add_argument("files", nargs="*", type=Path, metavar="KEY", help="key files, from `bocage link key`")
            action.add_argument(
                "--remove", action="append", default=[], metavar="NODE", help="a node that belongs here no more"
            )
        if name == "concentrator":
            from gateway.commands import concentrator as concentrator_command

            concentrator_command.add_arguments(action)
        if name == "images":
            from gateway.commands import images as images_command

            images_command.add_arguments(action)
        if name == "tell":
            from gateway.commands import tell as tell_command

            tell_command.add_arguments(action)
        if name == "explain":
            action.add_argument("feeder", metavar="FEEDER", help="its name, as in the policy")
            action.add_argument(
                "--at", metavar="TIME", help="23:00, 'demain 05:30', 2026-07-14T02:00, 14/07/2026 02:00; with +02:00"
            )
        if name in ("losses", "audit"):
            action.add_argument("--since", help="2h, 3d, or a date: 2026-11-25, 2026-11-25T14:30")


def _add_setup(actions: Any) -> None:
    from gateway.commands.setup import arguments

    text = "ask what stands in the cabinet and write /etc/bocage"
    arguments.add_arguments(actions.add_parser("setup", help=text, description=text))


def run(args: argparse.Namespace) -> int:
    """The exit status, see EXAMPLE."""
    if args.action == "setup":
        from gateway.commands.setup import wizard

        return wizard.run(args)
    from gateway.config.config import ConfigError, load

    asks = args.action not in ("run", "check")
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
    from gateway.commands import status as questions

    if args.action == "adopt":
        from gateway.commands import adopt as adoption

        return adoption.run(
            config.keys, config.core.allowed, args.files, args.lang, remove=args.remove, as_json=args.json
        )
    if args.action == "concentrator":
        from gateway.commands import concentrator as concentrator_command

        return concentrator_command.run(config, args.what, args.image, args.lang, as_json=args.json)
    if args.action == "images":
        from gateway.commands import images as images_command

        return images_command.run(config, args.what, args.names, args.lang, as_json=args.json)
    if args.action == "tell":
        from gateway.commands import tell as tell_command

        return tell_command.run(config, args, unix_s=int(time.time()))
    if args.action == "status":
        return questions.show_status(config, args.lang, as_plain=args.json)
    if args.action == "explain":
        from gateway.commands import explain

        return explain.show(config, args.feeder, args.lang, at=args.at, as_json=args.json)
    try:
        if args.action == "audit":
            from gateway.commands import audit as audit_report

            since = None if args.since is None else questions.since_unix_s(args.since, unix_s=int(time.time()))
            return audit_report.show(config, args.lang, since_unix_s=since, as_json=args.json)
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
        await Agent(config).run()

    # systemd's watchdog ends us with SIGABRT: then every thread says where it stood.
    faulthandler.enable()
    try:
        asyncio.run(serve())
    except OSError as error:
        print(f"cannot start: {error}; free the address or give another data folder", file=sys.stderr)
        return 1
    return 0
