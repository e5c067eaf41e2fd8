"""Cuts the power in the middle of every single operation of the journal's disk.

A reference run of the real gateway core on simulated disks accepts records of several nodes without a broker, drains,
has a failed sync and a full disk, crosses the journal's cap so that records are thinned, dies once without a power cut,
and drains again. It is run once for each write, sync, deletion and renaming on the journal's disk and on the state's,
and stopped in the middle of that operation. What was not synced is then kept, torn, zeroed, reordered or lost as the
seed draws, file by file; half of the time the power fails again, up to three times, while the gateway starts. Then
everything is drained into the real warehouse: the gateway must start each time, every record that was acknowledged to a
node must be there, once and digit for digit, and the drain must end. `let_go` counts acknowledged records that were
thinned: each must be covered by a gap record in the warehouse, or it is `lost`, and be named in the loss ledger, or it
is `unlisted`.

A round is one pass over all operations of a reference run of its own.
"""

import argparse
import sys
import time
import traceback
from typing import NamedTuple

from simulator.world.chance import Prng
from simulator.world.disk import PowerCut, SimDisk
from tools.command_line import add_json, print_figures
from tools.prove.cabinet import Cabinet, Disks, SimSyncs, Town, listed, options

_NODES = 2
# A cap of seven segments of about 25 records.
_OPTIONS = options(segment_bytes_max=1_000, journal_bytes_max=7_000, alarm_reserve_bytes=2_000)
_CUTS_IN_A_ROW_MAX = 4
_AGAIN_WITHIN = 25  # operations of a start, among which the next cut falls

# `missed`: positions of the journal that a start misses, though nobody but the power touched the card.
_BROKEN = ("failed", "stuck", "lost", "missed", "unlisted", "duplicated", "altered")
_FIGURES = ("operations", "cuts", "starts", "acknowledged", "let_go", *_BROKEN)

Figures = dict[str, int | float]


class Chance:
    """Is a source of chance that a cut replaces: up to the cut every run is the same."""

    def __init__(self, seed: str) -> None:
        self._prng = Prng(seed)

    def become(self, seed: str) -> None:
        self._prng = Prng(seed)

    def randrange(self, stop: int, /) -> int:
        return self._prng.randrange(stop)


class World(NamedTuple):
    """Holds a cabinet and the disks under it."""

    cabinet: Cabinet
    disk: SimDisk
    state: SimDisk
    chance: Chance

    def power_cut(self) -> None:
        """Cuts the power of both disks at once: they are folders of one card."""
        self.disk.power_cut()
        self.state.power_cut()


def build(seed: str) -> World:
    """Returns a cabinet on an empty card, not started yet."""
    chance, prng = Chance(f"{seed}/card"), Prng(seed)
    disk, state = SimDisk(chance, latency_ms=(2, 40)), SimDisk(chance, latency_ms=(2, 40))
    disks = Disks(disk, state, SimSyncs(disk), SimSyncs(state))
    return World(Cabinet(Town(_NODES, prng), disks, prng=prng, options=_OPTIONS), disk, state, chance)


def reference_run(world: World) -> None:
    """Runs without a broker until the cap is crossed, then with it; a failed sync; a full disk; the process dies; a
    drain."""
    cabinet, disk = world.cabinet, world.disk
    cabinet.start()
    cabinet.run(2_000, making=True)
    cabinet.run(3_000, making=False)
    cabinet.fibre = True
    cabinet.run(5_000, making=False)
    disk.sync_error = "simulated"
    cabinet.run(100, making=True)
    disk.sync_error = None
    cabinet.run(1_500, making=True)
    cabinet.cut_fibre()
    disk.capacity_bytes = disk.bytes_used + 150
    cabinet.run(150, making=True)
    disk.capacity_bytes = None
    cabinet.run(800, making=True)
    cabinet.start()
    cabinet.run(300, making=True)
    cabinet.fibre = True
    cabinet.run(5_000, making=False)


def points(seed: str) -> list[tuple[str, int]]:
    """Returns every operation of the reference run: (name of the disk, number)."""
    world = build(seed)
    reference_run(world)
    return [(name, number) for name in ("disk", "state") for number in range(getattr(world, name).operations)]


def cut(world: World, name: str, operation: int, seed: str) -> int:
    """Runs until the power fails in the middle of an operation, and starts again; returns the number of power cuts."""
    getattr(world, name).stop_after(operation)
    try:
        reference_run(world)
        raise AssertionError("the run must be the same up to the cut")
    except PowerCut:
        pass
    world.disk.sync_error = world.disk.capacity_bytes = None  # the faults of the reference run end with it
    world.chance.become(seed)
    draw = Prng(seed).split("again")
    cuts = 1
    world.power_cut()
    while cuts < _CUTS_IN_A_ROW_MAX and draw.chance(500):
        getattr(world, ("disk", "disk", "state")[draw.randrange(3)]).stop_after(draw.randrange(_AGAIN_WITHIN))
        try:
            world.cabinet.start()
            world.cabinet.run(500, making=True)
        except PowerCut:
            pass
        cuts += 1
        world.power_cut()
    return cuts


def judge(world: World, figures: Figures) -> None:
    """Starts the gateway, drains it and compares."""
    cabinet = world.cabinet
    figures["missed"] += cabinet.start().positions_missed
    cabinet.run(200, making=True)
    figures["starts"] += 1
    figures["stuck"] += not cabinet.drain()
    missing = cabinet.town.delivery.missing(cabinet.warehouse.identities())
    let_go = [identity for identity in missing if cabinet.warehouse.explained(*identity) is not None]
    figures["let_go"] += len(let_go)
    figures["unlisted"] += len(set(let_go) - set(listed(world.state)))
    figures["lost"] += len(missing) - len(let_go)
    verdict = cabinet.town.delivery.verdict(cabinet.warehouse, set())
    figures["acknowledged"] += verdict.acknowledged
    figures["duplicated"] += verdict.duplicated
    figures["altered"] += verdict.altered + verdict.invented


def prove(rounds: int, seed: int, *, every: int = 1, speak: bool = False) -> Figures:
    """Runs the proof and returns all figures; `every` above 1 skips operations, for a short run."""
    figures: Figures = {"rounds": rounds, "seed": seed, **dict.fromkeys(_FIGURES, 0)}
    begun = time.monotonic()
    for number in range(rounds):
        of_round = f"{seed}/{number}"
        found = points(of_round)
        for index in range(number % every, len(found), every):
            world = build(of_round)
            figures["operations"] += 1
            try:
                figures["cuts"] += cut(world, *found[index], f"{of_round}/{index}")
                judge(world, figures)
            except Exception:  # any exception: the gateway has not come back
                figures["failed"] += 1
                print("seed {}, operation {} {}:".format(of_round, *found[index]), file=sys.stderr)
                traceback.print_exc()
            finally:
                world.cabinet.warehouse.close()
            if speak and (index % 100 == 99 or index == len(found) - 1):
                print(f"round {number + 1}/{rounds}, operation {index + 1}/{len(found)}", file=sys.stderr, flush=True)
    return {**figures, "wall_s": round(time.monotonic() - begun, 1)}


def is_proven(figures: Figures) -> bool:
    """Returns True when every point was reached, and no promise broken."""
    return figures["operations"] > 0 and not any(figures[name] for name in _BROKEN)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--rounds", type=int, default=1, help="passes over all operations (default %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of runs and tears (default %(default)s)")
    parser.add_argument("--every", type=int, default=1, help="look at every so many operations only")
    add_json(parser)


def run(args: argparse.Namespace) -> int:
    figures = prove(args.rounds, args.seed, every=args.every, speak=True)
    print_figures(figures, as_json=args.json)
    return 0 if is_proven(figures) else 3
