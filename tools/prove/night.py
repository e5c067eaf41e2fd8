"""Lets faults of any kind hit the agent at any instant of a night, and checks that the street is lit as the policy
wants.

A commune of 124 people has one cabinet and no lamp controllers. The agent is killed, hung, unplugged, its card dies or
is full, for a while or for good. The real gateway core runs in virtual time on a simulated plant with its hardware
fallback (a timer relay and an old astronomical clock), one night a seed: ordinary nights, both nights on which the
legal time changes, and exceptions; with a clock that is good, at 1970, ten years ahead or drifting, with and without a
photocell. A checker that knows no gateway code watches the light of every feeder (`simulator.checkers.street`).

It does not demand what no hardware could know: while the agent is away the ordinary hours hold, not an exception or an
order; without a clock the hours of extinction are not known. `judged_permille` is the share of time in which the right
state could be known.

`--weeks N` runs that long with the centre, without it and without any network, and compares the lit time.
"""

import argparse
import sys
import time
from collections import Counter
from typing import Any, NamedTuple

from policy import civil, lighting, sun
from simulator.cabinet.commune import BEHUARD, Night, calendar_of
from simulator.cabinet.host import CabinetHost
from simulator.cabinet.points import WHOLE
from simulator.cabinet.street import MakeHost, Setup, Street
from simulator.cabinet.system_clock import Absent, Drifting, SystemClock, TenYearsAhead
from simulator.hosts.centre import Centre, Control
from simulator.plants.fallback import Programme
from simulator.plants.feeder import FeederData
from simulator.world.broker import Broker
from simulator.world.chance import Prng
from simulator.world.disk import ERRORS, FULL, SOUND, STALLS
from simulator.world.time import World
from tools.command_line import add_json, print_figures

_VIOLATIONS_KEPT = 20
_SPEAKS_EVERY = 10
_WEEK_S = 7 * 86_400

NIGHTS = ("ordinary", "spring", "autumn", "exception")
CLOCKS = ("good", "1970", "1970 no cell", "ten years", "ten years no cell", "drifting", "drifting no cell")
TROUBLES = ("killed", "hung", "unplugged", "card errors", "card stalls", "card full", "board lost")

GATEWAY_ID = bytes.fromhex("7c1f0a2cfe000031")
_FIRST_DAY, _DAYS = civil.days_from_civil(2026, 11, 2), 720
_HOUR_S = 3600
_BEFORE_DUSK_S, _AFTER_DAWN_S = 3 * _HOUR_S, 2 * _HOUR_S
_EARLIEST_S = 600  # after the start of the run: by then the agent has started
_ALL_NIGHT = Programme()
# The commune's clock is a quartz that drifts a quarter of a second a day and is set twice a year, as the guide asks:
# its error adds to the minute that the timer relay takes.
CLOCK_ERROR_S_MAX = 55
_CARDS = {"card errors": ERRORS, "card stalls": STALLS, "card full": FULL}

Figures = dict[str, Any]


class Trouble(NamedTuple):
    """Holds one fault of the agent, in seconds after the start; `for_s` None: for good."""

    what: str
    at_s: int
    for_s: int | None
    lines_fall: bool


class Drawn(NamedTuple):
    """Holds one night as it was drawn from the seed."""

    night: str
    clock: str
    start_s: int
    hours_s: int
    setup: Setup
    system_clock: SystemClock
    troubles: tuple[Trouble, ...]
    emergency: tuple[int, int] | None
    mains_cut: tuple[int, int] | None
    has_centre: bool
    ntp_s: int


def prove(seeds: int, seed: int, *, make_host: MakeHost = CabinetHost, speak: bool = False) -> Figures:
    """Runs one night for each seed, from `seed` on, and returns the figures."""
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
            _print_progress(number + 2 - seed, seeds, figures, time.monotonic() - begun)
    wall_s = time.monotonic() - begun
    figures["judged_permille"] = 1000 * judged_ms // total_ms
    figures |= {"nights": dict(nights), "clocks": dict(clocks), "troubles": dict(troubles)}
    return {**figures, "wall_s": round(wall_s, 1), "hours_per_s": round(figures["hours"] / max(wall_s, 0.001), 1)}


def live_through(drawn: Drawn, seed: str, make_host: MakeHost = CabinetHost) -> Street:
    """Runs one night to its end."""
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
    """Compares the lit seconds of each feeder over so many weeks: with the centre; without it; without any network
    ("alone"). Alone, the uncertainty of the time grows, and a street that may have to be lit is lit: longer, never
    dark."""
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
    """Returns True when no street was wrong for longer than two minutes, and without the centre it was the same to the
    second."""
    return not any(figures.get(name) for name in ("violations", "apart_without_s", "dark_alone"))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--seeds", type=int, default=500, help="nights (default %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of the first night (default %(default)s)")
    parser.add_argument("--weeks", type=int, metavar="N", help="compare N weeks with and without the centre instead")
    add_json(parser)


def run(args: argparse.Namespace) -> int:
    if args.weeks is not None:
        figures = compare(args.weeks, args.seed, speak=True)
    else:
        figures = prove(args.seeds, args.seed, speak=True)
    print_figures(figures, as_json=args.json)
    return 0 if is_proven(figures) else 3


def _print_progress(done: int, seeds: int, figures: Figures, elapsed_s: float) -> None:
    if done % _SPEAKS_EVERY and done != seeds:
        return
    wrong = figures["violations"]
    print(f"night {done}/{seeds}, {wrong} violations, {elapsed_s:.0f} s", file=sys.stderr, flush=True)


# --- what happens in a night: drawn from a seed, then done -------------------------------------------------------
#
# In 196 nights in a row every kind of night, of trouble and of clock meets every other; the seed draws the rest: the
# instant, the duration, the ordinary hours. Half of the instants lie within three minutes of a change of the light.


def draw(number: int, seed: str) -> Drawn:
    """Draws night number `number` of a run."""
    prng = Prng(seed)
    first, rest = number % len(NIGHTS), number // len(NIGHTS)
    second, third = rest % len(TROUBLES), rest // len(TROUBLES)
    night = NIGHTS[first]
    what = TROUBLES[(second + first) % len(TROUBLES)]
    clock = CLOCKS[(third + second + first) % len(CLOCKS)]
    evening = _evening(night, prng)
    ordinary = _hours(prng)
    dusk_s, dawn_s = _sun(evening, rising=False), _sun(evening + 1, rising=True)
    start_s = dusk_s - _BEFORE_DUSK_S
    hours_s = dawn_s + _AFTER_DAWN_S - start_s
    nights = (Night(714, 714, _ALL_NIGHT), Night(1224, 1224, _ALL_NIGHT))
    error_s = prng.between(-CLOCK_ERROR_S_MAX, CLOCK_ERROR_S_MAX)
    wiring = WHOLE._replace(photocell="no cell" not in clock, linky=prng.chance(500))
    setup = Setup(
        BEHUARD, _feeders(prng), ordinary, GATEWAY_ID, nights, wiring, 1000 * error_s, 3 if error_s > 0 else -3
    )
    troubles = [_trouble(what, setup, start_s, hours_s, prng)]
    if prng.chance(300):
        troubles.append(_trouble(TROUBLES[prng.randrange(3)], setup, start_s, hours_s, prng))
    is_told = clock == "good" and what not in _CARDS
    return Drawn(
        night,
        clock,
        start_s,
        hours_s,
        setup,
        _system_clock(clock, start_s, hours_s, prng),
        tuple(sorted(troubles, key=lambda trouble: trouble.at_s)),
        _spell(hours_s, 1800, 2 * _HOUR_S, prng) if is_told and prng.chance(300) else None,
        _spell(hours_s, 30, 5400, prng) if prng.chance(100) else None,
        prng.chance(300),
        20 if prng.chance(700) else 30 + prng.randrange(600),
    )


def inflict(drawn: Drawn, world: World, street: Street) -> None:
    """Schedules the night's troubles, orders and cuts in the world."""
    street.host.ntp_ms = 1000 * drawn.ntp_s
    for trouble in drawn.troubles:
        world.at(1000 * trouble.at_s, _begin_trouble, trouble, world, street)
    if drawn.emergency is not None:
        from_s, to_s = drawn.emergency
        world.at(1000 * from_s, _emergency, drawn.start_s + from_s, drawn.start_s + to_s, street)
    if drawn.mains_cut is not None:
        for at_s, there in zip(drawn.mains_cut, (False, True), strict=True):
            world.at(1000 * at_s, street.side.do, street.plant.set_mains, there)


def _emergency(from_s: int, to_s: int, street: Street) -> None:
    if street.host.core is not None:
        street.order_emergency("recherche d'une personne", from_s=from_s, to_s=to_s)


def _begin_trouble(trouble: Trouble, world: World, street: Street) -> None:
    host = street.host
    if trouble.what == "killed":
        host.kill(lines_fall=trouble.lines_fall)
    elif trouble.what == "hung":
        host.freeze()
    elif trouble.what == "unplugged":
        host.power_cut()
    elif trouble.what == "board lost":
        street.lose_board(True)
    else:
        host.card(_CARDS[trouble.what])
        if trouble.lines_fall:  # in half of the cases the machine stops with its card
            host.kill(lines_fall=True)
            host.power_on()
    if trouble.for_s is not None:
        world.after(1000 * trouble.for_s, _end_trouble, trouble, street)


def _end_trouble(trouble: Trouble, street: Street) -> None:
    host = street.host
    if trouble.what == "hung":
        host.thaw()
    elif trouble.what in _CARDS:
        host.card(SOUND)
    elif trouble.what == "board lost":
        street.lose_board(False)
    elif street.plant.has_supply:
        host.power_on()


def _evening(night: str, prng: Prng) -> int:
    """Draws the civil day of the evening."""
    year = prng.between(2027, 2028)
    if night == "spring":
        return civil.change_day(year, civil.EU_SUMMER_TIME[0]) - 1
    if night == "autumn":
        return civil.change_day(year, civil.EU_SUMMER_TIME[1]) - 1
    if night == "exception":
        return civil.days_from_civil(year, *((7, 14), (12, 24))[prng.randrange(2)])
    return _FIRST_DAY + prng.randrange(_DAYS)


def _hours(prng: Prng) -> Programme:
    """Draws the ordinary hours of a village: lit all night, or dark for some hours; also at the hour that the clock
    change moves."""
    off_min = (None, 22 * 60 + 30, 22 * 60 + 30, 23 * 60, 0, 60, 150)[prng.randrange(7)]
    on_min = (270, 300, 330)[prng.randrange(3)]
    return Programme(prng.between(-10, 20), off_min, on_min, prng.between(-20, 10))


def _feeders(prng: Prng) -> tuple[FeederData, ...]:
    every = (
        FeederData("bourg", 14, 32),
        FeederData("levée", 9, 45),
        FeederData("abri", 2, 20, switched=not prng.chance(300)),
    )
    return every[: prng.between(2, 3)]


def _system_clock(clock: str, start_s: int, hours_s: int, prng: Prng) -> SystemClock:
    if clock.startswith("1970"):
        return Absent()
    if clock.startswith("ten"):
        from_s, to_s = (0, hours_s) if prng.chance(400) else _spell(hours_s, 600, 6 * _HOUR_S, prng)
        return TenYearsAhead(1000 * (start_s + from_s), 1000 * (start_s + to_s))
    if clock.startswith("drifting"):
        doubt_s = (10, 30, 40, 200, 500, 2_000)[prng.randrange(6)]
        return Drifting(1000 * prng.between(-doubt_s, doubt_s), doubt_s)
    return SystemClock()


def _trouble(what: str, setup: Setup, start_s: int, hours_s: int, prng: Prng) -> Trouble:
    at_s = _EARLIEST_S + prng.randrange(hours_s - 2 * _EARLIEST_S)
    if prng.chance(500):
        plan = lighting.Plan(calendar_of(setup.ordinary, setup.nights), setup.commune.site)
        changes = [second - start_s for second, _, _ in plan.night(start_s + _BEFORE_DUSK_S).changes()]
        inside = [second for second in changes if 2 * _EARLIEST_S < second < hours_s - _EARLIEST_S]
        at_s = inside[prng.randrange(len(inside))] + prng.between(-180, 180)
    for_s = None if prng.chance(300) else 5 << prng.randrange(13)
    return Trouble(what, at_s, for_s if for_s is None else for_s + prng.randrange(for_s), prng.chance(500))


def _spell(hours_s: int, least_s: int, most_s: int, prng: Prng) -> tuple[int, int]:
    """Draws a spell (from, to), in seconds after the start."""
    from_s = _EARLIEST_S + prng.randrange(hours_s - _EARLIEST_S - least_s)
    return from_s, from_s + prng.between(least_s, most_s)


def _sun(day: int, *, rising: bool) -> int:
    at_s = sun.crossing_s(day, BEHUARD.latitude_e4, BEHUARD.longitude_e4, rising=rising)
    assert at_s is not None
    return at_s
