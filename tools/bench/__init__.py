"""Benchmarks, each beside its peer in one run where there is one.

bocage bench NAME [options]      bocage bench NAME --help
"""

import argparse
import importlib

# Each module has a docstring, `add_arguments(parser)` with `--json`, and `run(args) -> int`: 0 when its bound holds.
# Imported only when asked for: some bring their peers (numpy, pvlib).
BENCHES = {
    "backlog": ("tools.bench.backlog", "recovery, drain and alarms of a gateway on a long backlog"),
    "bytes": ("tools.bench.bytes", "bytes of a record, and of a reading in a batch to the centre"),
    "command": ("tools.bench.command", "seconds from a command to measured watts, through running gateways"),
    "encode": ("tools.bench.encode", "heap bytes of one telemetry encode on each MicroPython VM"),
    "heating": ("tools.bench.heating", "a winter of heating beside plain thermostats: kWh, comfort, cycles"),
    "journal": ("tools.bench.journal", "the gateway's journal against SQLite on a disk: rates, flushes, bytes"),
    "link": ("tools.bench.link", "what OSCORE costs one telemetry message: time, heap, bytes"),
    "metered": ("tools.bench.metered", "bytes on a metered link for a night of 50 lamps, all layers included"),
    "node": ("tools.bench.node", "heap of each kind of node, by turn and by record, and its longest turn"),
    "radio": ("tools.bench.radio", "airtime of a street on one radio concentrator, through bursts of loss"),
    "size": ("tools.bench.size", "files, bytecode and RAM of each kind of node's program"),
    "sleep": ("tools.bench.sleep", "mAh a day of a battery irrigation node, and how long its cell lasts"),
    "sun": ("tools.bench.sun", "sunrise and sunset at 32-bit floats, against an ephemeris"),
    "uplink": ("tools.bench.uplink", "records a second from nodes to the broker through one gateway on one core"),
    "vm": ("tools.bench.vm", "builds the VM of 32 bits, with a kind's program frozen, that `node` and `size` want"),
    "watering": ("tools.bench.watering", "a season of watering beside a plain timer, in the same weather"),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The name of a benchmark; what follows is for the benchmark itself."""
    listed = "; ".join(f"{name}: {does}" for name, (_, does) in BENCHES.items())
    parser.add_argument("name", choices=BENCHES, metavar="NAME", help=listed)
    parser.add_argument("--json", action="store_true", help="one JSON object instead of a table")
    parser.add_argument("rest", nargs=argparse.REMAINDER, metavar="...", help="options of the benchmark")


def run(args: argparse.Namespace) -> int:
    """Run the benchmark `args.name`; its exit status."""
    module = importlib.import_module(BENCHES[args.name][0])
    parser = argparse.ArgumentParser(
        prog=f"bocage bench {args.name}",
        description=module.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    module.add_arguments(parser)
    status: int = module.run(parser.parse_args([*args.rest, *(["--json"] if args.json else [])]))
    return status
