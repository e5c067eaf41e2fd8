"""Runs real nodes, agent, broker and ingest as processes on the wall clock, and kills some of them on the way.

Nodes run on the desktop MicroPython VM and speak over UDP; the broker is Mosquitto. Gateway, broker and ingest are
killed with -9; every acknowledged record must be in the warehouse exactly once, digit for digit."""

import argparse
import json
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from simulator.rig.rig import Rig, RigError
from simulator.world.chance import Prng

_FIRST_WORD_S = 60
# The drain is given up when nothing more arrives for this long.
_DRAIN_S = 180

Figures = dict[str, int | float]
_FAULTS = ("lost", "duplicated", "altered", "recounted_otherwise")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of `bocage live`."""
    parser.add_argument("--nodes", type=int, default=3, help="MicroPython nodes (default 3)")
    parser.add_argument("--seconds", type=int, default=30, help="length of the story (default 30)")
    parser.add_argument("--seed", type=int, default=1, help="when and what is killed (default 1)")
    parser.add_argument("--folder", type=Path, help="keep logs and database here (default: a temporary folder)")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of the story")


def run(args: argparse.Namespace) -> int:
    """Runs the story and returns the exit status.

    It is 0: nothing lost or doubled, 1: a part is missing, 3: a record was lost or doubled.
    """
    return in_folder("live", args, lambda folder: live_through(folder, args, quiet=args.json))


def in_folder(name: str, args: argparse.Namespace, act: Callable[[Path], Figures]) -> int:
    """Runs `act` in the given folder, or in a temporary one; prints the figures and judges them."""
    # Ended by another program (timeout, systemd): the way out is that of Ctrl-C, which leaves no process behind.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        if args.folder is not None:
            figures = act(args.folder)
        else:
            with tempfile.TemporaryDirectory(prefix="bocage-") as folder:
                figures = act(Path(folder))
    except RigError as error:
        print(f"bocage {name}: {error}", file=sys.stderr)
        return 1
    if args.json:
        print(json.dumps(figures))
    else:
        print("\n".join(f"{key:<20} {value}" for key, value in figures.items()))
    return 3 if any(figures.get(fault) for fault in _FAULTS) else 0


def live_through(folder: Path, args: argparse.Namespace, *, quiet: bool) -> Figures:
    """Runs the story once and returns its figures."""
    prng = Prng(args.seed)
    begun = time.monotonic()

    def say(text: str) -> None:
        if not quiet:
            print(f"{time.monotonic() - begun:6.1f} s  {text}", flush=True)

    with Rig(folder, nodes=args.nodes) as rig:
        say(f"{args.nodes} nœuds MicroPython, passerelle, Mosquitto, entrepôt (nodes, gateway, broker, ingest)")
        # On a busy machine a VM is slow to start; a node that has acknowledged nothing yet would prove nothing.
        rig.wait_until(lambda: _heard(rig) == args.nodes, _FIRST_WORD_S)
        story = time.monotonic()
        while time.monotonic() - story < args.seconds:
            rig.pump((2000 + prng.randrange(4000)) / 1000)
            part = rig.parts[prng.randrange(len(rig.parts))]
            away_s = (200 + prng.randrange(2000)) / 1000
            said = rig.delivery.acknowledged_count()
            say(f"kill -9 {part.name}, {away_s:.1f} s · acquittés (acknowledged) {said}")
            rig.kill(part, away_s)
        return conclude(rig)


def _heard(rig: Rig) -> int:
    """Returns the number of nodes of which a record was ever acknowledged."""
    return len({node for node, _, _ in rig.delivery.identities(acknowledged=True)})


def conclude(rig: Rig) -> Figures:
    """Lets everything drain after the faults, then compares what was made with what is stored."""
    begun = time.monotonic()
    rig.quiet()
    rig.wait_until(rig.crowd.idle, _DRAIN_S)
    missing = rig.acknowledged_missing()
    while missing and rig.wait_until(lambda before=missing: rig.acknowledged_missing() < before, _DRAIN_S):
        missing = rig.acknowledged_missing()
    verdict = rig.verdict()
    return {
        "made": verdict.made,
        "acknowledged": verdict.acknowledged,
        "stored": verdict.delivered,
        "lost": missing,
        "duplicated": verdict.duplicated,
        "altered": verdict.altered + verdict.invented,
        **{f"kills_{part.name}": part.kills for part in rig.parts},
        "freezes_broker": rig.broker.freezes,
        "drain_s": round(time.monotonic() - begun, 1),
    }
