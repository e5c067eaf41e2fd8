"""`bocage prove kill`: gateway, broker and ingest are killed with -9 at random moments, under load, round
after round.

A round kills one of the three, in turn, after a random time, and brings it back after another. At the end
every record that any gateway ever acknowledged must be in the warehouse exactly once, digit for digit.
"""

import argparse
import sys
import time
from pathlib import Path

from simulator.live import Figures, conclude, in_folder
from simulator.prng import Prng
from simulator.rig import Rig


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of the proof."""
    parser.add_argument("--rounds", type=int, default=60, help="kills in all, a third each (default 60)")
    parser.add_argument("--seed", type=int, default=1, help="when they fall (default 1)")
    parser.add_argument("--nodes", type=int, default=3, help="MicroPython nodes (default 3)")
    parser.add_argument("--crowd", type=int, default=8, help="loud senders beside them (default 8)")
    parser.add_argument("--folder", type=Path, help="keep logs and database here (default: a temporary folder)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace) -> int:
    """Exit status: 0 the proof holds, 1 a part is missing, 3 a record was lost, doubled or altered."""
    return in_folder("prove kill", args, lambda folder: prove(folder, args))


def prove(folder: Path, args: argparse.Namespace) -> Figures:
    """Run the rounds and return the figures."""
    prng = Prng(args.seed)
    begun = time.monotonic()
    with Rig(folder, nodes=args.nodes, crowd=args.crowd) as rig:
        rig.wait_until(lambda: rig.delivery.acknowledged_count() > 0, 60)
        for number in range(args.rounds):
            rig.pump((50 + prng.randrange(1200)) / 1000)
            rig.kill(rig.parts[number % len(rig.parts)], prng.randrange(400) / 1000)
            if sys.stderr.isatty():
                print(f"\r  {number + 1}/{args.rounds}", end="", file=sys.stderr, flush=True)
        figures = conclude(rig)
    return {"rounds": args.rounds, "seed": args.seed, **figures, "wall_s": round(time.monotonic() - begun, 1)}
