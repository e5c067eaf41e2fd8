"""`bocage prove night`: whatever happens to the agent at any instant of a night, the street is as policy wants.

A commune of 124 people has one cabinet and no lamp controllers. The agent is killed, hung, unplugged, its card dies
or is full, for a while or for good. The real gateway core runs in virtual time on a simulated plant with its hardware
fallback (a timer relay and an old astronomical clock), one night a seed: ordinary ones, both nights on which the legal
time changes, and exceptions; with a clock that is good, at 1970, ten years ahead or drifting, with and without a
photocell. A checker that knows no gateway code watches the light of every feeder (`simulator.checkers.street`).

What no hardware can know is not asked of it: with the agent away the ordinary hours hold, not an exception or an
order; without a clock the hours of extinction are not known. `judged_permille` is the share of time in which somebody
could know.

`--weeks N` runs that long with the centre, without it and without any network, and compares the lit time.
"""

import argparse
import json
import sys
import time
from collections import Counter
from typing import Any

from policy import civil
from simulator.cabinet.commune import BEHUARD
from simulator.cabinet.host import CabinetHost
from simulator.cabinet.street import MakeHost, Setup, Street
from simulator.cabinet.system_clock import SystemClock
from simulator.hosts.centre import Centre, Control
from simulator.plants.fallback import Programme
from simulator.plants.feeder import FeederData
from simulator.world.broker import Broker
from simulator.world.chance import Prng
from simulator.world.time import World
from tools.prove.trouble import GATEWAY_ID, Drawn, draw, inflict

_VIOLATIONS_KEPT = 20
_SPEAKS_EVERY = 10
_WEEK_S = 7 * 86_400

Figures = dict[str, Any]


def prove(seeds: int, seed: int, *, make_host: MakeHost = CabinetHost, speak: bool = False) -> Figures:
    """One night a seed, from `seed` on."""
    begun = time.monotonic()
    nights, clocks, troubles = Counter[str](), Counter[str](), Counter[str]()
    figures: Figures = {"seeds": seeds, "seed": seed, "violations": 0, "worst_dark_s": 0, "worst_burning_s": 0}
    figures |= {"hours": 0, "judged_permille": 0, "crashes": 0, "failed_starts": 0, "closings_worst": 0}
    figures["first_violations"] = []
    judged_ms = total_ms = 0
    for number in range(seed - 1, seed - 1 + seeds):
        drawn = draw(number, f"night-{number + 1}")
        street = live_through(drawn, f"night-{number + 1}", make_host)
        nights[drawn.night] += 1
        clocks[drawn.clock] += 1
        troubles.update(trouble.what for trouble in drawn.troubles)
        figures["violations"] += len(street.checker.violations)
        said = [f"seed {number + 1}: {violation}" for violation in street.checker.violations]
        figures["first_violations"] = (figures["first_violations"] + said)[:_VIOLATIONS_KEPT]
        figures["worst_dark_s"] = max(figures["worst_dark_s"], street.checker.worst_dark_s)
        figures["worst_burning_s"] = max(figures["worst_burning_s"], street.checker.worst_burning_s)
        figures["crashes"] += street.host.crashes
        figures["failed_starts"] += street.host.failed_starts
        closings = max(feeder.contactor.closings for feeder in street.plant.feeders)
        figures["closings_worst"] = max(figures["closings_worst"], closings)
        total_ms += 1000 * drawn.hours_s * len(street.plant.feeders)
        judged_ms += 1000 * drawn.hours_s * len(street.plant.feeders)
        judged_ms -= sum(counted.unjudged_ms for counted in street.checker.counted())
        figures["hours"] += drawn.hours_s // 3600
        if speak:
            _tell(number + 2 - seed, seeds, figures, time.monotonic() - begun)
    wall_s = time.monotonic() - begun
    figures["judged_permille"] = 1000 * judged_ms // total_ms
    figures |= {"nights": dict(nights), "clocks": dict(clocks), "troubles": dict(troubles)}
    return {**figures, "wall_s": round(wall_s, 1), "hours_per_s": round(figures["hours"] / max(wall_s, 0.001), 1)}


def live_through(drawn: Drawn, seed: str, make_host: MakeHost = CabinetHost) -> Street:
    """One night, to its end."""
    world, prng = World(start_unix_s=drawn.start_s), Prng(seed).split("world")
    broker = Broker(world, prng.split("broker"))
    street = Street(world, prng, broker, drawn.setup, drawn.system_clock, make_host)
    if drawn.has_centre:
        Centre(world, prng.split("centre"), broker).start()
        Control(world, broker).start()
    street.host.fibre(drawn.clock in ("good", "ten years", "ten years no cell"))
    inflict(drawn, world, street)
    street.host.power_on()
    world.run_until(1000 * drawn.hours_s)
    street.finish()
    return street


def compare(weeks: int, seed: int, *, speak: bool = False) -> Figures:
    """Lit seconds of each feeder over so many weeks: with the centre; with it away; with every network away ("alone").

    Alone the time is known ever less well, and what may be right is lit: longer, never dark."""
    begun = time.monotonic()
    runs = {}
    for name, has_centre, has_network in (("with", True, True), ("without", False, True), ("alone", False, False)):
        runs[name] = _weeks(weeks, f"weeks-{seed}", has_centre=has_centre, has_network=has_network)
        if speak:
            print(f"{weeks} weeks {name}: {time.monotonic() - begun:.0f} s", file=sys.stderr, flush=True)
    lit = {name: [counted.lit_ms for counted in street.checker.counted()] for name, street in runs.items()}
    apart = {
        name: max(abs(one - other) for one, other in zip(lit["with"], lit[name], strict=True)) / 1000
        for name in ("without", "alone")
    }
    return {
        "weeks": weeks,
        "seed": seed,
        "lit_s": {name: [ms / 1000 for ms in of] for name, of in lit.items()},
        "wanted_s": [counted.wanted_ms / 1000 for counted in runs["with"].checker.counted()],
        "apart_without_s": apart["without"],
        "apart_alone_s": apart["alone"],
        "violations": sum(len(runs[name].checker.violations) for name in ("with", "without")),
        "dark_alone": sum(violation.what == "dark" for violation in runs["alone"].checker.violations),
        "wall_s": round(time.monotonic() - begun, 1),
    }


def _weeks(weeks: int, seed: str, *, has_centre: bool, has_network: bool) -> Street:
    start_s = 86_400 * civil.days_from_civil(2027, 3, 15) + 11 * 3600
    world, prng = World(start_unix_s=start_s), Prng(seed)
    broker = Broker(world, prng.split("broker"))
    feeders = (FeederData("bourg", 14, 32), FeederData("levée", 9, 45))
    setup = Setup(BEHUARD, feeders, Programme(0, 22 * 60 + 30, 5 * 60 + 30), GATEWAY_ID)
    street = Street(world, prng, broker, setup, SystemClock())
    if has_centre:
        Centre(world, prng.split("centre"), broker).start()
        Control(world, broker).start()
    else:
        world.at(3_600_000, broker.forget)
    if not has_network:
        world.at(3_600_000, street.host.fibre, False)
    street.host.power_on()
    world.run_until(1000 * weeks * _WEEK_S)
    street.finish()
    return street


def is_proven(figures: Figures) -> bool:
    """No street was wrong for longer than two minutes; to the second it was the same without the centre."""
    return not any(figures.get(name) for name in ("violations", "apart_without_s", "dark_alone"))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of the proof."""
    parser.add_argument("--seeds", type=int, default=500, help="nights (default %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of the first night (default %(default)s)")
    parser.add_argument("--weeks", type=int, metavar="N", help="compare N weeks with and without the centre instead")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace) -> int:
    """Exit status: 0 the proof holds, 3 it does not."""
    if args.weeks is not None:
        figures = compare(args.weeks, args.seed, speak=True)
    else:
        figures = prove(args.seeds, args.seed, speak=True)
    print(json.dumps(figures) if args.json else "\n".join(f"{key:<20} {value}" for key, value in figures.items()))
    return 0 if is_proven(figures) else 3


def _tell(done: int, seeds: int, figures: Figures, elapsed_s: float) -> None:
    if done % _SPEAKS_EVERY and done != seeds:
        return
    wrong = figures["violations"]
    print(f"night {done}/{seeds}, {wrong} violations, {elapsed_s:.0f} s", file=sys.stderr, flush=True)
