"""The `bocage` command: finds the module behind a sub-command, imports that one only, and hands over.

Must stay quick and portable: `bocage --help` imports none of the commands, and nothing here needs POSIX. What
a command does lives in its module, which has its docstring (the help text), `add_arguments(parser)` and
`run(args) -> int`, the exit status.
"""

import argparse
import importlib
import sys
from collections.abc import Sequence
from typing import NamedTuple


class Command(NamedTuple):
    """One line of the table. `extra` is the pip extra with what the command needs beyond Python, if any."""

    module: str
    extra: str
    does: str
    example: str


COMMANDS = {
    "sim": Command("simulator.cli", "simulator", "run a simulated territory in virtual time", "sim --seed 7"),
    "live": Command("simulator.rig.live", "gateway", "the same with real processes, broker and clock", "live"),
    "gateway": Command("gateway.cli", "gateway", "the agent of a street cabinet", "gateway run --help"),
    "link": Command("tools.link.cli", "gateway", "decode what the node link carries", "link decode --help"),
    "policy": Command("tools.policy.cli", "centre", "a commune's policy: check, sign, show", "policy --help"),
    "centre": Command("tools.centre.cli", "centre", "broker, ingest, control centre", "centre --help"),
    "package": Command("tools.package.cli", "", "the gateway's Debian package", "package build --out dist"),
    "bench": Command("tools.bench", "dev", "a benchmark beside its peer", "bench --help"),
    "prove": Command("tools.prove", "dev", "a proof that runs longer than CI", "prove --help"),
}

# What the import of a command may miss, by the module's name.
EXTRAS_OF_MODULE = {
    "paho": ("gateway", "centre"),
    "serial": ("gateway",),
    "cbor2": ("gateway",),
    "cryptography": ("gateway", "centre", "simulator"),
}

INTERRUPTED = 130  # what a shell reports for Ctrl-C


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line `argv`, without the program's name (None: the process's own). The exit status."""
    words = list(sys.argv[1:] if argv is None else argv)
    _print_anything()
    if words and words[0] in COMMANDS:
        return _run(words[0], words[1:])
    parser = _overview()
    if parser.parse_args(words).version:  # --help and what is no command end here
        print(f"bocage {_version()}")
    else:
        parser.print_help()
    return 0


def _run(name: str, words: list[str]) -> int:
    command = COMMANDS[name]
    try:
        module = importlib.import_module(command.module)
    except ModuleNotFoundError as missing:
        print(f"bocage {name}: {_remedy(command, missing)}", file=sys.stderr)
        return 1
    parser = argparse.ArgumentParser(
        prog=f"bocage {name}",
        description=module.__doc__,
        epilog=f"example:\n  bocage {command.example}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    module.add_arguments(parser)
    args = parser.parse_args(words)
    try:
        return int(module.run(args))
    except KeyboardInterrupt:
        return INTERRUPTED


def _remedy(command: Command, missing: ModuleNotFoundError) -> str:
    """One line for a person. An import that is neither the command nor of an extra is our own bug: raised."""
    absent = missing.name or ""
    if f"{command.module}.".startswith(f"{absent}."):
        return f"this installation has no {command.module}"
    top = absent.partition(".")[0]
    extras = EXTRAS_OF_MODULE.get(top, ())
    if extras:
        extra = command.extra if command.extra in extras else extras[0]
    elif command.extra == "dev" and top not in ("wire", "policy", "node", "gateway", "simulator", "tools"):
        extra = "dev"  # benchmarks and proofs bring their peers: any of the packages of that extra
    else:
        raise missing
    return f"the Python package {top!r} is missing; install it with: pip install 'bocage[{extra}]'"


def _overview() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="bocage",
        usage="bocage COMMAND [options]",
        description="The edge of a territory that runs its lights, heating and watering itself.",
        epilog=_table(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="store_true", help="print the version and exit")
    # A `choices` would print the list twice; what gets here is no command.
    parser.add_argument("command", nargs="?", type=_no_command, help=argparse.SUPPRESS)
    return parser


def _no_command(word: str) -> str:
    raise argparse.ArgumentTypeError(f"there is no command {word!r}; there are {', '.join(COMMANDS)}")


def _table() -> str:
    width = max(len(command.does) for command in COMMANDS.values())
    lines = [
        f"  {name:8} {command.does:{width}}  bocage {command.example}" for name, command in COMMANDS.items()
    ]
    return "\n".join(["commands, each with an example:", *lines, "", "`bocage COMMAND --help` tells more."])


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version  # loads much; only this needs it

    try:
        return version("bocage")
    except PackageNotFoundError:
        return "(from a checkout, not installed)"


def _print_anything() -> None:
    """A console that cannot show `°` or `±` (Windows code pages) shows `?`; it must not end the run."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="replace")
