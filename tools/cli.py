"""Runs the edge of a territory, which controls its lights, heating and watering by itself.

    bocage sim --seed 7             a night of a simulated territory, in virtual time
    bocage gateway run --help       the agent of a street cabinet
    bocage policy check my.toml     a commune's lighting policy, every fault with its line
"""

import gc
import os
import sys
from collections.abc import Sequence
from contextlib import suppress

from gateway.language import arguments
from tools import command_line

COMMANDS = {
    "sim": "simulator.cli",
    "live": "simulator.rig.live",
    "demo": "tools.demo.cli",
    "gateway": "gateway.cli",
    "node": "tools.node.cli",
    "link": "tools.link.cli",
    "policy": "tools.policy.cli",
    "centre": "tools.centre.cli",
    "package": "tools.package.cli",
    "bench": "tools.bench.cli",
    "prove": "tools.prove.cli",
}

# Objects that are made before Python's collector looks at them, instead of 700: a command makes rows by the ten
# thousand, of which none forms a cycle. It took 40 of 250 ms for the states of 60,000 lights; after 20,000 objects it
# still took 10 of 175. A territory has fewer lights than this.
GARBAGE_OBJECTS = 100_000
# The statuses that a shell reports for Ctrl-C, and for a program whose output is no longer read (`bocage ... | head`).
INTERRUPTED = 130
PIPE_CLOSED = 141


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command line `argv`, without the program's name (None: the process's own); returns the exit status."""
    words = list(sys.argv[1:] if argv is None else argv)
    if argv is None:  # the process is this command's
        gc.set_threshold(GARBAGE_OBJECTS, *gc.get_threshold()[1:])
    _print_anything()
    try:
        try:
            with arguments.language_of(words):
                return _main(words)
        finally:
            if sys.stdout is not None:
                sys.stdout.flush()
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        with suppress(OSError, ValueError):  # otherwise the interpreter complains when it flushes again at its end
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return PIPE_CLOSED


def _main(words: list[str]) -> int:
    if words == ["--version"]:
        print(f"bocage {_version()}")
        return 0
    if words:
        return command_line.run("bocage", COMMANDS, words, __doc__)
    with suppress(SystemExit):  # without arguments it lists the commands, which is no fault
        command_line.run("bocage", COMMANDS, ["--help"], __doc__)
    return 0


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version  # slow to load; only this needs it

    try:
        return version("bocage")
    except PackageNotFoundError:
        return "(from a checkout, not installed)"


def _print_anything() -> None:
    """Makes a console that cannot show `°` or `±` (Windows code pages) print `?` instead of ending the run."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="replace")
