"""Runs a night of a simulated territory in virtual time, reports it and draws it; needs no server.

Node code, gateway core and ingest (on SQLite) are the real ones; checkers watch them. The same seed gives the same
digest on any machine.

    bocage sim --seed 7 --svg night.svg     another night, with its picture
    bocage sim --hours 3 --lang en          three hours, reported in English
"""

import argparse
import json
import sys
import time
from pathlib import Path

from gateway.language import DEFAULT_LANGUAGE, LANGUAGES, N_, translate
from gateway.language.arguments import argument_fault, whole
from simulator import processes
from simulator.estates.streets import CALENDARS
from simulator.options import SEASONS, Options, draw
from simulator.report import picture
from simulator.report import text as report
from simulator.report.result import Result

_BAR = 40


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of `bocage sim`."""
    parser.add_argument("--seed", type=int, default=1, help="what is drawn by chance (default 1)")
    parser.add_argument(
        "--seeds", type=whole(1, 100_000), default=1, metavar="N", help="run N seeds from --seed on; stop at a fault"
    )
    parser.add_argument(
        "--hours",
        type=whole(1, 24 * 60),
        help="end after so many hours (default: 24 with faults, then on without any until the next dusk has passed)",
    )
    parser.add_argument(
        "--cabinets", type=whole(1, 2000), default=3, help="cabinets that share all this out (default 3)"
    )
    parser.add_argument("--lamps", type=whole(3, 60_000), default=120, help="street lights in all (default 120)")
    parser.add_argument("--rooms", type=whole(0, 6000), default=12, help="heated rooms (default 12)")
    parser.add_argument("--greens", type=whole(0, 2000), default=8, help="green spaces (default 8)")
    parser.add_argument("--season", choices=sorted(SEASONS), default="winter", help="when it is (default winter)")
    parser.add_argument("--loss", type=whole(0, 400), default=120, metavar="PERMILLE", help="radio loss (default 120)")
    parser.add_argument("--calendar", choices=sorted(CALENDARS), default="dimming", help="lighting calendar")
    parser.add_argument("--no-faults", action="store_true", help="nothing is cut; the radio still loses")
    parser.add_argument(
        "--processes",
        type=whole(1, 64),
        default=processes.usual(),
        help="run parts of the territory beside each other (default: one a processor); the digest stays",
    )
    parser.add_argument("--lang", choices=LANGUAGES, default=DEFAULT_LANGUAGE, help="of the report (default fr)")
    parser.add_argument("--svg", type=_new_file, metavar="FILE", help="draw the night as a picture")
    parser.add_argument("--json", action="store_true", help="print one JSON object a run instead of the report")


def run(args: argparse.Namespace) -> int:
    """Runs every seed and returns the exit status; 0: every invariant held, 3: one was violated."""
    for seed in range(args.seed, args.seed + args.seeds):
        result = _run_one(args, seed)
        if not result.is_good:
            return 3
    return 0


def _run_one(args: argparse.Namespace, seed: int) -> Result:
    options = Options(
        seed=seed,
        hours=args.hours or Options.hours,
        until_dusk=args.hours is None,
        cabinets=args.cabinets,
        lamps=args.lamps,
        rooms=args.rooms,
        greens=args.greens,
        start=SEASONS[args.season],
        radio_loss_permille=args.loss,
        faults=not args.no_faults,
        calendar=args.calendar,
    )
    begun = time.monotonic()
    drawn = draw(options)
    if not args.json:
        print(report.heading(options, drawn, args.lang), flush=True)
    progress = _progress if sys.stderr.isatty() else None
    result = processes.run(options, drawn, processes=args.processes, progress=progress)
    wall_s = time.monotonic() - begun
    if args.json:
        print(json.dumps(report.as_json(result, wall_s)), flush=True)
    else:
        print(report.text(result, wall_s, args.lang))
    if args.svg is not None:
        args.svg.write_text(picture.svg(result, args.lang) + "\n", encoding="utf-8")
        # A program that reads JSON must find nothing else on the standard output.
        where = translate(N_("The night as a picture: {path}"), args.lang, path=args.svg)
        print(where, file=sys.stderr if args.json else sys.stdout, flush=True)
    return result


def _progress(done_s: int, total_s: int) -> None:
    """Draws one line over itself, on a terminal only."""
    filled = _BAR * done_s // total_s
    end = "\n" if done_s == total_s else ""
    bar = "█" * filled + "·" * (_BAR - filled)
    print(f"\r  [{bar}] {done_s // 3600:3} h / {total_s // 3600} h", end=end, file=sys.stderr, flush=True)


def _new_file(text: str) -> Path:
    """Returns a path that can be written; a wrong one is refused before the run rather than after it."""
    path = Path(text)
    if path.is_dir() or not path.parent.is_dir():
        message = N_("{text} cannot be a file: there is no such folder, or it is one")
        raise argument_fault(message, text=text)
    return path
