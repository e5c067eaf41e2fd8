"""Runs a lamp without a clock whose photocell sees more than the sky: its own lamp, a sign, a shop window, headlamps.

The node's own trade (`lighting.trade`), sampled once a minute in virtual time, under the sky of `simulator.plants` and
clouds from a seed: thick ones in winter (7 to 30 % of the light passes), thin ones in summer (30 to 100 %). The time is
never known, so the cell alone decides. Night is when the sky gives 35 lx or less, day when it gives 110 lx or more.

    dark h      hours of a night in which the street is dark, and the longest spell in minutes
    switchings  of the lamp in a day
    distrusted  minutes from the first dusk with stray light until the node reports its cell; - : it never does
    lit h       hours of a day in which the lamp burns

    bocage bench stray
"""

import argparse
import json
from collections.abc import Callable
from typing import Any, NamedTuple

import kinds
from gateway.language.arguments import whole
from node.trade import Moment
from policy import civil, sun
from policy.fault import Faults
from simulator.plants.lamps import clear_sky_lx
from simulator.world.chance import Prng
from tools.command_line import add_json
from wire import event, quantity

SITE = (474736, -5516)
SEASONS = {"winter": ((2026, 12, 15), (7, 30)), "summer": ((2026, 6, 15), (30, 100))}
_NIGHT_LX = 35
_DAY_LX = 110
_MINUTE_MS = 60_000
_NODE = bytes(8)
# Where light that came before dusk hides the dusk: the promise is an hour.
SPELL_MIN_MAX = 60


class Sight(NamedTuple):
    """Describes a minute of a street: the local minute of the day, the sky in lx, minutes since the lamp was lit (None:
    it is dark), and chance."""

    minute: int
    sky_lx: int
    lit_min: int | None
    prng: Prng


def _own(lx: int, warm_up_min: int = 1) -> Callable[[Sight], int]:
    """Returns the light of the lamp itself at its cell; a discharge lamp needs some minutes."""
    return lambda seen: 0 if seen.lit_min is None else lx * min(warm_up_min, seen.lit_min) // warm_up_min


def _between(lx: int, from_min: int, to_min: int, warm_up_min: int = 1) -> Callable[[Sight], int]:
    """Returns light between two minutes of the day, over midnight if the second is the lesser."""
    length = (to_min - from_min) % 1440

    def at(seen: Sight) -> int:
        since = (seen.minute - from_min) % 1440
        return lx * min(warm_up_min, since + 1) // warm_up_min if since < length else 0

    return at


def _headlamps(seen: Sight) -> int:
    """Passing cars in one minute of twenty; one that waits for eight minutes, at 19:00 and at 23:30."""
    waits = 1140 <= seen.minute < 1148 or 1410 <= seen.minute < 1418
    return 150 if waits or seen.prng.chance(50) else 0


# What is added to the sky at the cell, in lx.
STRAY: dict[str, Callable[[Sight], int]] = {
    "none": lambda seen: 0,
    "moon": lambda seen: 1,
    "own lamp 20 lx": _own(20),
    "own lamp 60 lx": _own(60),
    "own lamp 200 lx": _own(200),
    "own sodium lamp 60 lx": _own(60, 5),
    "sign, always": lambda seen: 100,
    "sign from dusk, all night": lambda seen: 100 if seen.sky_lx < 300 else 0,
    "sign of 300 lx, always": lambda seen: 300,
    "sign, lit after dark to 01:00": _between(100, 1350, 60),
    "sign, 16:00 to 01:00": _between(100, 960, 60),
    "blinking sign, seconds": lambda seen: 100 * seen.prng.chance(500),
    "blinking sign, minutes": lambda seen: 100 if seen.minute % 15 < 8 else 0,
    "screen of changing brightness": lambda seen: seen.prng.between(80, 200),
    "headlamps": _headlamps,
    "neighbour's lamp 20 lx": lambda seen: 20 if seen.sky_lx < 60 else 0,
    "neighbour's lamp 45 lx": lambda seen: 45 if seen.sky_lx < 60 else 0,
    "shop window, 08:00 to 20:00": _between(80, 480, 1200),
    "floodlight, 18:00 to 23:30": _between(150, 1080, 1410, 4),
}
SNOW = "snow on the cell to 10:30"
# The same without stray light, where the sky itself is difficult: what passes, of 1000, at a minute of the day.
SKIES: dict[str, Callable[[int, int], int]] = {
    "dark day, 4 %": lambda minute, percent: 40,
    "storm, 17:00 to 17:50": lambda minute, percent: 20 if 1020 <= minute < 1070 else 10 * percent,
    SNOW: lambda minute, percent: 1 if minute < 630 else 10 * percent,
}


class Case(NamedTuple):
    """Holds the figures of one lamp."""

    light: str
    season: str
    dark_h: float
    spell_min: int
    switchings: float
    distrusted_min: int | None
    lit_h: float


def measure(light: str, season: str, days: int, seed: int) -> Case:
    """Runs one lamp for some days from noon on; returns its figures."""
    (year, month, date), (least, most) = SEASONS[season]
    start_s = civil.unix_from_local(civil.PARIS, civil.days_from_civil(year, month, date), 43_200)
    prng = Prng(f"{light}/{season}/{seed}")
    trade = _lamp()
    percent = prng.between(least, most)
    dark_min = spell_min = longest_min = switchings = lit_min = 0
    lit_at, wrong_at, distrusted_at = None, None, None
    level = 0
    for minute in range(1, 1440 * days + 1):
        unix_s = start_s + 60 * minute
        of_day = civil.local_from_unix(civil.PARIS, unix_s).second // 60
        percent = min(most, max(least, percent + prng.between(-1, 1)))
        passes = SKIES[light](of_day, percent) if light in SKIES else 10 * percent
        sky_lx = clear_sky_lx(sun.elevation_cdeg(unix_s, *SITE)) * passes // 1000
        lit_at = None if not level else minute - 1 if lit_at is None else lit_at
        seen = Sight(of_day, sky_lx, None if lit_at is None else minute - lit_at, prng)
        stray_lx = STRAY[light](seen) if light in STRAY else 0
        wrong_at = minute if wrong_at is None and stray_lx and sky_lx <= _NIGHT_LX else wrong_at
        moment = Moment(minute * _MINUTE_MS, None, 0, None, False, {})
        trade.sample({quantity.ILLUMINANCE: sky_lx + stray_lx}, moment)
        trade.decide(moment)
        for code, active, _ in trade.drain_events():
            if code == event.PHOTOCELL_FAILURE and active and distrusted_at is None:
                distrusted_at = minute
        switchings += (trade.outputs.level_percent > 0) != (level > 0)
        level = trade.outputs.level_percent
        is_dark = sky_lx <= _NIGHT_LX and not level
        dark_min += is_dark
        spell_min = spell_min + 1 if is_dark else 0
        longest_min = max(longest_min, spell_min)
        lit_min += sky_lx >= _DAY_LX and level > 0
    until = None if distrusted_at is None else distrusted_at - (wrong_at or 0)
    hours = (round(minutes / 60 / days, 1) for minutes in (dark_min, lit_min))
    return Case(light, season, next(hours), longest_min, round(switchings / days, 1), until, next(hours))


def _lamp() -> Any:
    kind, faults = kinds.load("streetlight"), Faults()
    own = kind.decode(faults, {"site": list(SITE), "lamp": [360, 6], "photocell": {}})
    assert not faults.listed()
    return kind.make_trade(own, kinds.Start(_NODE, b"", 0, None))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_json(parser)
    parser.add_argument("--days", type=whole(1, 60), default=4, help="days of each lamp (4)")
    parser.add_argument("--seed", type=int, default=1, help="of clouds and chance (default 1)")


def run(args: argparse.Namespace) -> int:
    """Returns 0 when no street is dark for longer than an hour."""
    cases = [
        measure(light, season, args.days, args.seed)
        for light in (*STRAY, *SKIES)
        for season in SEASONS
        if (light, season) != (SNOW, "summer")
    ]
    if args.json:
        print(json.dumps({"days": args.days, "seed": args.seed, "cases": [case._asdict() for case in cases]}))
    else:
        print(f"{'light':32}{'season':8}{'dark h':>8}{'spell min':>11}{'switchings':>12}{'distrusted':>12}{'lit h':>7}")
        for case in cases:
            until = "-" if case.distrusted_min is None else case.distrusted_min
            print(
                f"{case.light:32}{case.season:8}{case.dark_h:>8}{case.spell_min:>11}{case.switchings:>12}{until:>12}"
                f"{case.lit_h:>7}"
            )
    return 0 if all(case.spell_min <= SPELL_MIN_MAX for case in cases) else 1
