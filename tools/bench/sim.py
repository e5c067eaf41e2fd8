"""Measures how the simulator's time and memory grow with the territory, and where its time goes.

Each size runs in a process of its own, with its story of faults: processor time and peak memory are those of that
process and of the ones that it starts. `--profile` runs one size under cProfile instead, which takes three times as
long, and prints its turns and the functions that cost most.

    bocage bench sim --nodes 140 1000 --processes 2
    bocage bench sim --nodes 100 300 1000 3000 10000 60000 --hours 1 --processes 1 --svg simulator/growth.svg
    bocage bench sim --nodes 140 --profile
"""

import argparse
import cProfile
import json
import pstats
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from gateway.language.arguments import whole
from simulator import processes
from simulator.options import Options
from simulator.territory import Territory
from tools.bench import growth
from tools.command_line import Refused, add_json

# Of 140 nodes of the default night 120 are lamps, 12 rooms and 8 green spaces, on three cabinets.
_CABINET_NODES = 50
_FUNCTIONS_SHOWN = 25
# A turn of each: the functions whose calls are counted, by file and name.
_TURNS = {
    "turns of nodes": ("hosts/node.py", "_turn"),
    "samples of nodes": ("node/app.py", "sample"),
    "turns of gateways": ("hosts/gateway.py", "_turn"),
    "turns of the cabinet": ("cabinet/host.py", "_turn"),
    "events": ("world/time.py", "at"),
}
_DRAWN = (("cpu_s", "processor, s", "#d9822b"), ("peak_mb", "memory, MB", "#3d8b40"))


@dataclass
class Run:
    """Holds what one size cost: processor time of all its processes, and their peak memory added."""

    nodes: int
    cabinets: int
    processes: int
    node_hours: float
    wall_s: float
    cpu_s: float
    peak_mb: int
    is_good: bool
    digest: str


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--nodes", type=whole(3, 100_000), nargs="+", default=[140, 1000], help="sizes (default 140 1000)"
    )
    parser.add_argument("--hours", type=whole(1, 240), help="end after so many hours (default: until the next dusk)")
    parser.add_argument("--processes", type=whole(1, 64), default=processes.usual(), help="default: one a processor")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--profile", action="store_true", help="where the time of the first size goes")
    parser.add_argument("--svg", type=Path, metavar="FILE", help="draw processor time and memory by nodes")
    parser.add_argument("--only", action="store_true", help=argparse.SUPPRESS)  # one size, in this process
    add_json(parser)


def run(args: argparse.Namespace) -> int:
    """Prints a line a size; the exit status is 0 when every checker was content."""
    if args.profile:
        _profile(options_for(args.nodes[0], args.seed, args.hours))
        return 0
    if args.only:
        print(json.dumps(asdict(_measure(args.nodes[0], args))))
        return 0
    if not args.json:
        print("  nodes  cabinets  processes  node-hours   wall s    cpu s  node-hours/cpu s  peak MB")
    runs = []
    for nodes in args.nodes:
        one = _apart(nodes, args)
        runs.append(one)
        if not args.json:
            rate = one.node_hours / max(0.01, one.cpu_s)
            print(
                f"{one.nodes:7}{one.cabinets:10}{one.processes:11}{one.node_hours:12.0f}{one.wall_s:9.1f}"
                f"{one.cpu_s:9.1f}{rate:18.0f}{one.peak_mb:9}{'' if one.is_good else '  DEFECT'}",
                flush=True,
            )
    if args.json:
        print(json.dumps([asdict(one) for one in runs]))
    if args.svg is not None:
        args.svg.write_text(svg(runs), encoding="utf-8")
    return 0 if all(one.is_good for one in runs) else 1


def options_for(nodes: int, seed: int, hours: int | None) -> Options:
    """Returns a territory of so many nodes, in the proportions of the default night."""
    rooms, greens = nodes * 12 // 140, nodes * 8 // 140
    return Options(
        seed=seed,
        hours=hours or Options.hours,
        until_dusk=hours is None,
        cabinets=max(3, -(-nodes // _CABINET_NODES)),
        lamps=nodes - rooms - greens,
        rooms=rooms,
        greens=greens,
    )


def svg(runs: Sequence[Run]) -> str:
    """Draws processor time and memory by nodes. Elapsed time is left out: it depends on what else the machine does."""
    lines = [
        growth.Line(label, colour, [(one.nodes, getattr(one, name)) for one in runs])
        for name, label, colour in _DRAWN
    ]
    title = f"Cost of a simulated territory by its nodes; processes: {runs[0].processes}"
    return growth.draw(title, "nodes", lines, 1)


def _apart(nodes: int, args: argparse.Namespace) -> Run:
    """Measures one size in a fresh process, which starts its own."""
    words = [sys.executable, "-m", "tools", "bench", "sim", "--only", "--nodes", str(nodes), "--seed", str(args.seed)]
    words += ["--processes", str(args.processes)] + ([] if args.hours is None else ["--hours", str(args.hours)])
    done = subprocess.run(words, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise Refused(f"{nodes} nodes: the run ended with status {done.returncode}")
    return Run(**json.loads(done.stdout))


def _measure(nodes: int, args: argparse.Namespace) -> Run:
    options = options_for(nodes, args.seed, args.hours)
    begun = time.monotonic()
    result = processes.run(options, processes=args.processes)
    wall_s = time.monotonic() - begun
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s = own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime
    # Of the children the kernel knows the largest only.
    peak_kb = own.ru_maxrss + (args.processes * children.ru_maxrss if args.processes > 1 else 0)
    return Run(
        nodes,
        options.cabinets,
        args.processes,
        result.node_seconds / 3600,
        round(wall_s, 2),
        round(cpu_s, 2),
        peak_kb // 1024,
        result.is_good,
        result.digest,
    )


def _profile(options: Options) -> None:
    """Prints the turns of a run in this process, and its functions by the time that they take themselves."""
    territory = Territory(options)
    profile = cProfile.Profile()
    profile.enable()
    territory.run()
    profile.disable()
    stats = pstats.Stats(profile, stream=sys.stdout)
    rows: dict[tuple[str, int, str], tuple] = stats.stats  # type: ignore[attr-defined]
    for name, (file, function) in _TURNS.items():
        calls = sum(row[1] for key, row in rows.items() if key[0].endswith(file) and key[2] == function)
        print(f"{name:24}{calls:10}")
    stats.strip_dirs().sort_stats("tottime").print_stats(_FUNCTIONS_SHOWN)
