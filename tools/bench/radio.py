"""Measures the airtime of a street on one radio concentrator, with losses in bursts.

Airtime is given per record and per node.

Real CoAP, bearer, concentrator and gateway core run on a simulated ESP-NOW channel in long-range mode (250 kbit/s); the
same street on a perfect channel is the comparison. Records have the size of protected telemetry. None of the figures
was measured on a chip.

    bocage bench radio --json
"""

import argparse
import json

from simulator.estates.radio_street import RadioFigures, RadioOptions, RadioStreet
from simulator.world.radio import PERFECT, AirOptions
from tools.command_line import add_json


def add_arguments(parser: argparse.ArgumentParser) -> None:
    defaults = RadioOptions()
    parser.add_argument("--nodes", type=int, default=defaults.nodes, help="nodes on the concentrator")
    parser.add_argument("--minutes", type=int, default=defaults.minutes, help="of the street's life")
    parser.add_argument("--period", type=int, default=defaults.period_s, metavar="S", help="from record to record")
    parser.add_argument("--seed", type=int, default=defaults.seed)
    add_json(parser)


def run(args: argparse.Namespace) -> int:
    """Prints the figures; the exit status is 0 when every record arrived and nothing was overrun."""
    options = RadioOptions(nodes=args.nodes, minutes=args.minutes, period_s=args.period, seed=args.seed)
    rows = {
        "bursts": RadioStreet(options).run(),
        "bursts, collisions, leaks": RadioStreet(options._replace(air=AirOptions(collision=100, leak=2))).run(),
        "perfect": RadioStreet(options._replace(air=PERFECT)).run(),
    }
    passed = all(_is_whole(figures) for figures in rows.values())
    if args.json:
        told = {name: figures._asdict() for name, figures in rows.items()}
        print(json.dumps({"options": options._asdict(), "passed": passed, "rows": told}))
        return 0 if passed else 1
    print(f"{args.nodes} nodes, a record of 78 bytes every {args.period} s, {args.minutes} minutes, seed {args.seed}")
    for name in RadioFigures._fields:
        print(f"  {name:26}", *(f"{getattr(figures, name):>12}" for figures in rows.values()))
    print(f"  {'':26}", *(f"{name.split(',')[0]:>12}" for name in ("bursts", "and leaks", "perfect")))
    return 0 if passed else 1


def _is_whole(figures: RadioFigures) -> bool:
    return figures.made == figures.arrived == figures.acknowledged and figures.overruns == 0
